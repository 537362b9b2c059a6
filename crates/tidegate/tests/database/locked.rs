//! SQLite, while another process has its file.

use std::sync::mpsc;
use std::time::{Duration, Instant};

use store::{Database, Store, StoreError, params};

use crate::house::later;
use crate::support::api::{Api, push, root};
use crate::support::http::Ask;
use crate::support::node::{Node, Settings};

/// Another process writes for a while, as a backup tool or somebody at `sqlite3` does.
fn hold(data: std::path::PathBuf, held: &mpsc::Sender<()>, long: Duration) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let written: Result<(), StoreError> = runtime.block_on(async {
        let store = Store::peek(&Database::Directory(data)).await?;
        store
            .write(|tx| {
                Box::pin(async move {
                    tx.execute("UPDATE lease SET until_ms = until_ms", params![]).await?;
                    held.send(()).unwrap();
                    std::thread::sleep(long);
                    Ok(())
                })
            })
            .await
    });
    written.unwrap();
}

#[test]
#[ignore = "cargo xtask test --only database"]
fn a_file_that_another_process_writes_means_later_and_pulls_go_on() {
    let folder = tempfile::tempdir().unwrap();
    let node = Node::start(Settings::in_folder(folder.path(), "data"));
    let (by, api) = (root(&node), Api::root(&node));
    push(&node, &by, "demo/app", "kept", 1);
    let (held, holds) = mpsc::channel();
    let data = node.settings.data.clone();
    std::thread::scope(|scope| {
        let holding = scope.spawn(move || hold(data, &held, Duration::from_secs(12)));
        holds.recv().unwrap();
        let begun = Instant::now();
        let tries: Vec<_> = (0..40)
            .map(|number| {
                let ask = Ask::new("POST", "/api/v1/users").with(&api.token()).header("content-type", "application/json");
                let node = &node;
                let ask = ask.body(format!(r#"{{"name":"user{number}"}}"#));
                scope.spawn(move || node.send(&ask))
            })
            .collect();
        for _ in 0..50 {
            let begun = Instant::now();
            node.send(&Ask::get("/v2/demo/app/manifests/kept").with(&by)).expect(200);
            assert!(begun.elapsed() < Duration::from_secs(1), "a pull waits {:?}", begun.elapsed());
            std::thread::sleep(Duration::from_millis(50));
        }
        for answer in tries.into_iter().map(|one| one.join().unwrap()) {
            later("a user", &answer);
        }
        assert!(begun.elapsed() < Duration::from_secs(9), "{:?}", begun.elapsed());
        holding.join().unwrap();
    });
    api.create_user("after");
    push(&node, &by, "demo/app", "after", 5);
}

/// A supervisor learns that records are lost.
#[test]
#[ignore = "cargo xtask test --only database"]
fn a_server_that_cannot_write_what_waits_does_not_end_with_0() {
    let folder = tempfile::tempdir().unwrap();
    let node = Node::start(Settings::in_folder(folder.path(), "data"));
    let by = root(&node);
    push(&node, &by, "demo/app", "kept", 1);
    let (held, holds) = mpsc::channel();
    let data = node.settings.data.clone();
    std::thread::scope(|scope| {
        scope.spawn(move || hold(data, &held, Duration::from_secs(25)));
        holds.recv().unwrap();
        node.send(&Ask::get("/v2/demo/app/manifests/kept").with(&by)).expect(200);
        let settings = node.end(1);
        let log = std::fs::read_to_string(settings.log()).unwrap();
        assert!(log.contains("did not take what waited to be written"), "{log}");
    });
}

/// A data folder on a disk that cannot be written.
#[test]
#[ignore = "cargo xtask test --only database"]
fn a_folder_that_cannot_be_written_is_said_at_start() {
    let folder = tempfile::tempdir().unwrap();
    let node = Node::start(Settings::in_folder(folder.path(), "data"));
    let data = node.stop().data;
    let mount = |arguments: &[&str]| {
        let done = std::process::Command::new("mount").args(arguments).arg(&data).output().unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    };
    mount(&["--bind", data.to_str().unwrap()]);
    mount(&["-o", "remount,ro,bind"]);
    let program = crate::support::program::Program::new(crate::support::tidegate(), folder.path());
    let ran = program.run(&["serve", "--listen", "127.0.0.1:0", "--data-dir", data.to_str().unwrap()]);
    assert!(std::process::Command::new("umount").arg(&data).status().unwrap().success());
    assert_eq!(ran.code, Some(1), "{ran}");
    assert!(ran.says("cannot be written"), "{ran}");
}
