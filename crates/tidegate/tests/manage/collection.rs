//! `tidegate gc …`, as whoever holds the server's configuration, beside a running server and without one.

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use base64::Engine as _;
use serde_json::{Value, json};
use sha2::Digest as _;
use store::{Database, Store, StoreError, params};

use crate::house::{House, Ran, Shell, has, read};

/// What nothing needs goes at once, and only when somebody asks.
const AT_ONCE: [(&str, &str); 3] =
    [("TIDEGATE_COLLECTION_ENABLED", "false"), ("TIDEGATE_COLLECTION_GRACE", "0s"), ("TIDEGATE_COLLECTION_DELETE_AFTER", "0s")];
const KEYS: [&str; 15] = [
    "run",
    "asked",
    "started_at",
    "ended_at",
    "phase",
    "steps",
    "node_id",
    "host",
    "links_removed",
    "blobs_condemned",
    "blob_bytes_condemned",
    "strays_condemned",
    "stray_bytes_condemned",
    "objects_deleted",
    "bytes_freed",
];

/// Somebody on the server's machine, with its settings in the environment.
fn operator(house: &House) -> Shell {
    let mut environment: Vec<_> = AT_ONCE.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    environment.push(("TIDEGATE_DATA_DIR".to_owned(), house.data().to_str().unwrap().to_owned()));
    Shell { environment }
}

/// A blob that no manifest names; the status of asking for it afterwards.
fn push_blob(house: &House, content: &str) {
    let by = root(house);
    let (head, _) = house.http("POST", &format!("/v2/demo/app/blobs/uploads/?digest={}", digest(content)), &by, content);
    assert!(head.starts_with("http/1.1 201"), "{head}");
}

fn is_there(house: &House, content: &str) -> bool {
    house.http("GET", &format!("/v2/demo/app/blobs/{}", digest(content)), &root(house), "").0.starts_with("http/1.1 200")
}

fn root(house: &House) -> String {
    let password = read(&house.bootstrap())["root_password"].as_str().unwrap().to_owned();
    format!("authorization: Basic {}\r\n", base64::engine::general_purpose::STANDARD.encode(format!("root:{password}")))
}

fn digest(content: &str) -> String {
    format!("sha256:{}", hex::encode(sha2::Sha256::digest(content)))
}

/// Waits until it is so: the server works on its own.
fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    for _ in 0..600 {
        if is_so() {
            return;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    panic!("{what}: not so after 30 s");
}

fn done(ran: &Ran) -> Value {
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    serde_json::from_str(&ran.out).unwrap()
}

#[test]
fn a_run_is_previewed_asked_for_and_told_of_beside_a_running_server() {
    let house = House::start_with(&AT_ONCE);
    let at = operator(&house);
    push_blob(&house, "idle");
    let before = at.json(&["gc", "status"]);
    assert_eq!(
        (&before["enabled"], &before["running"], &before["last"], &before["next_at"]),
        (&json!(false), &json!(null), &json!(null), &json!(null))
    );
    for _ in 0..2 {
        let would = at.json(&["gc", "run", "--dry-run"]);
        assert_eq!(
            (&would["dry_run"], &would["links_removed"], &would["blobs_condemned"]),
            (&json!(true), &json!(1), &json!(1)),
            "{would}"
        );
        assert_eq!((&would["blob_bytes_condemned"], &would["objects_deleted"]), (&json!(4), &json!(0)));
        assert!(is_there(&house, "idle"), "nothing was changed");
    }
    assert_eq!(at.json(&["gc", "status"]), before);

    let ran = at.run(&["gc", "run", "-o", "json"]);
    assert!(ran.err.contains("… run 1, "), "it says how far it is: {}", ran.err);
    let ended = done(&ran);
    has(&ended, &KEYS);
    assert_eq!((&ended["run"], &ended["asked"], &ended["phase"], &ended["node_id"]), (&json!(1), &json!(true), &json!(null), &json!(null)));
    assert_eq!((&ended["links_removed"], &ended["objects_deleted"], &ended["bytes_freed"]), (&json!(1), &json!(1), &json!(4)), "{ended}");
    assert!(!is_there(&house, "idle"));

    let after = at.json(&["gc", "status"]);
    has(&after, &["every_seconds", "grace_seconds", "delete_after_seconds", "objects_waiting", "bytes_waiting", "waiting_since"]);
    assert_eq!((&after["last"], &after["objects_waiting"]), (&ended, &json!(0)));
    assert_eq!((&after["objects_deleted"], &after["bytes_freed"]), (&json!(1), &json!(4)));

    push_blob(&house, "idle again");
    assert_eq!(at.json(&["gc", "run", "--no-wait"])["run"], json!(2));
    until("the server has walked it", || at.json(&["gc", "status"])["last"]["run"] == 2);
    assert!(!is_there(&house, "idle again"));

    // In words.
    let told = at.run(&["gc", "status", "-o", "table"]).out;
    for words in [
        "off: runs that are asked for alone",
        "run 2, asked for, ended at ",
        "Waiting       0 objects, 0 bytes\n",
        "Freed in all  2 objects, 14 bytes",
    ] {
        assert!(told.contains(words), "`{words}` is not in {told}");
    }
    let told = at.run(&["gc", "run", "--dry-run", "-o", "table"]).out;
    assert!(told.contains("0 links taken away") && told.contains("Nothing was changed"), "{told}");
    let told = at.run(&["gc", "run", "-o", "table"]).out;
    assert!(told.starts_with("Run 3 has ended: 0 links taken away"), "{told}");
}

#[test]
fn while_no_server_runs_the_command_walks_itself() {
    let house = House::start_with(&AT_ONCE);
    for number in 0..70 {
        push_blob(&house, &format!("idle {number}"));
    }
    let house = house.stopped();
    let at = operator(&house);
    assert_eq!(at.json(&["gc", "run", "--dry-run"])["links_removed"], json!(70));
    let ran = at.run(&["gc", "run"]);
    assert!(ran.err.contains(", by command-") || ran.err.contains("waiting for a node"), "{}", ran.err);
    let ended = done(&ran);
    assert_eq!((&ended["links_removed"], &ended["objects_deleted"]), (&json!(70), &json!(70)), "{ended}");
    // It has given its lease back: the next one need not wait for its end.
    assert_eq!(at.json(&["gc", "run"])["run"], json!(2));
    let left = walk(&house.data().join("blobs"));
    assert!(left.is_empty(), "{left:?}");
}

/// Nobody reads a log: why it does not get on is told to whoever waits, and that nobody will walk a run to whoever does not.
#[test]
fn a_command_that_does_not_get_on_says_why() {
    let house = House::start_with(&AT_ONCE);
    push_blob(&house, "idle");
    let house = house.stopped();
    let at = operator(&house);
    let begun = at.run(&["gc", "run", "--no-wait"]);
    assert!(begun.err.contains("No server runs: the run waits until one starts"), "{}", begun.err);
    let run = &done(&begun)["run"];
    sql(&house.data(), "CREATE TRIGGER broken BEFORE DELETE ON blob_link BEGIN SELECT no_such_function(); END");
    let mut command = Command::new(env!("CARGO_BIN_EXE_tidegate"));
    command.args(["gc", "run"]).env_clear().envs(at.environment.iter().cloned());
    let mut waiting = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let mut said = BufReader::new(waiting.stderr.take().unwrap()).lines().map_while(Result::ok);
    let (tell, told) = mpsc::channel();
    // Not for ever: a command that says nothing is killed as well, and this ends with it.
    std::thread::spawn(move || tell.send(said.find(|line| line.contains("it is tried again: "))));
    let reason = told.recv_timeout(Duration::from_mins(1));
    waiting.kill().unwrap();
    waiting.wait().unwrap();
    assert!(reason.is_ok_and(|line| line.is_some_and(|line| line.contains("no such function"))));
    sql(&house.data(), "DROP TRIGGER broken");
    // As if the life of the killed command's was over.
    sql(&house.data(), "DELETE FROM lease");
    done(&at.run(&["gc", "run"]));
    assert!(at.json(&["gc", "status"])["last"]["run"].as_i64() > run.as_i64());
}

fn sql(data: &std::path::Path, statement: &'static str) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let done: Result<(), StoreError> = runtime.block_on(async {
        let store = Store::open(&Database::Directory(data.to_owned())).await?;
        store.write(|tx| Box::pin(async move { tx.execute(statement, params![]).await.map(drop) })).await
    });
    done.unwrap();
}

/// Files of content.
fn walk(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        let is_content = path.metadata().is_ok_and(|about| about.len() > 0);
        if path.is_dir() {
            found.extend(walk(&path));
        } else if is_content {
            found.push(path);
        }
    }
    found
}

#[test]
fn away_from_the_server_it_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let nowhere = folder.path().join("data").to_str().unwrap().to_owned();
    let at = Shell { environment: vec![("TIDEGATE_DATA_DIR".to_owned(), nowhere.clone())] };
    for command in [&["run"][..], &["run", "--dry-run"], &["run", "--no-wait"], &["status"]] {
        assert_eq!(at.refused(&[&["gc"], command].concat())["code"], "no_server");
    }
    assert_eq!(at.run(&["gc", "run", "--no-wait", "--dry-run"]).code, Some(2));
    assert!(!std::path::Path::new(&nowhere).exists());
}
