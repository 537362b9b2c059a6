//! `tidegate migrate`, and what commands say of a schema that is not their own.

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};
use store::{Database, MIGRATIONS, Migration, Store, StoreError, params};

use crate::house::{House, Ran};

/// The program on the server's machine, with a data folder.
fn tidegate(data: &Path, arguments: &[&str]) -> Ran {
    let output = Command::new(env!("CARGO_BIN_EXE_tidegate")).args(arguments).arg("--data-dir").arg(data).env_clear().output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Ran { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
}

fn dry_run(data: &Path) -> Value {
    let ran = tidegate(data, &["migrate", "--dry-run", "-o", "json"]);
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    serde_json::from_str(&ran.out).unwrap()
}

/// A database as a program with these migrations leaves it.
fn made_by(data: &Path, migrations: &[Migration], version: &'static str) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let made: Result<(), StoreError> = runtime.block_on(async {
        let store = Store::open_with(&Database::Directory(data.to_owned()), migrations).await?;
        let named = "UPDATE migration SET version = $1 WHERE number = (SELECT max(number) FROM migration)";
        store.write(|tx| Box::pin(async move { tx.execute(named, params![version]).await.map(drop) })).await
    });
    made.unwrap();
}

fn last() -> Migration {
    *MIGRATIONS.last().unwrap()
}

#[test]
fn migrations_are_shown_and_applied_by_hand_where_a_start_may_not() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let nothing = dry_run(&data);
    assert_eq!((&nothing["schema"], &nothing["known"]), (&json!(0), &json!(last().number)));
    assert_eq!(nothing["pending"].as_array().unwrap().len(), MIGRATIONS.len());
    assert!(!data.exists(), "a dry run makes nothing");

    made_by(&data, &MIGRATIONS[..MIGRATIONS.len() - 1], "0.0.9");
    let before = std::fs::read(data.join("tidegate.db")).unwrap();
    for _ in 0..2 {
        let shown = dry_run(&data);
        assert_eq!((&shown["schema"], &shown["version"]), (&json!(last().number - 1), &json!("0.0.9")));
        assert_eq!((&shown["pending"], &shown["applied"]), (&json!([{"number": last().number, "name": last().name}]), &json!([])));
    }
    let text = tidegate(&data, &["migrate", "--dry-run", "-o", "table"]).out;
    assert_eq!(serde_json::from_str::<Value>(&tidegate(&data, &["migrate", "--dry-run"]).out).unwrap(), dry_run(&data), "JSON elsewhere");
    assert!(text.contains("made by Tidegate 0.0.9") && text.contains("would be applied"), "{text}");
    for arguments in [&["serve", "--listen", "127.0.0.1:0", "--migrations", "manual"][..], &["master-key", "status"]] {
        let refused = tidegate(&data, arguments);
        assert_eq!(refused.code, Some(1), "{arguments:?}: {}", refused.err);
        assert!(refused.err.contains("run `tidegate migrate` first"), "{arguments:?}: {}", refused.err);
    }
    assert_eq!(std::fs::read(data.join("tidegate.db")).unwrap(), before, "neither did any of these change it");

    let done = tidegate(&data, &["migrate", "-o", "table"]);
    assert_eq!((done.code, done.out.contains(" applied\n")), (Some(0), true), "{}{}", done.out, done.err);
    assert!(dry_run(&data)["pending"].as_array().unwrap().is_empty());
    let again = tidegate(&data, &["migrate", "-o", "table"]);
    assert_eq!((again.code, again.out.contains("up to date")), (Some(0), true), "{}{}", again.out, again.err);
    drop(House::start_in(folder, "127.0.0.1:0", &["--migrations", "manual"], &[]));
}

/// Whoever only looks changes nothing, where a start would.
#[test]
fn commands_that_read_bring_no_schema_up_to_date() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    made_by(&data, &MIGRATIONS[..MIGRATIONS.len() - 1], "0.0.9");
    std::fs::write(data.join("format"), "1\n").unwrap();
    std::fs::write(data.join("master.key"), "00112233445566778899aabbccddeeff".repeat(2)).unwrap();
    let before = std::fs::read(data.join("tidegate.db")).unwrap();
    for arguments in [&["gc", "status"][..], &["gc", "run", "--dry-run"], &["nodes", "--local"], &["account", "list"]] {
        let refused = tidegate(&data, arguments);
        assert_eq!(refused.code, Some(1), "{arguments:?}: {}", refused.err);
        assert!(refused.err.contains("run `tidegate migrate` first"), "{arguments:?}: {}", refused.err);
    }
    assert_eq!(std::fs::read(data.join("tidegate.db")).unwrap(), before);
}

#[test]
fn a_running_server_is_looked_at_and_not_migrated_under() {
    let house = House::start();
    let data = house.data();
    assert!(dry_run(&data)["pending"].as_array().unwrap().is_empty());
    assert_eq!(tidegate(&data, &["migrate"]).code, Some(0), "nothing to do");
}

#[test]
fn a_schema_of_a_newer_version_is_refused_by_every_command_and_says_whose_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let next = Migration { number: last().number + 1, name: "next", sql: "CREATE TABLE next (id BIGINT)" };
    made_by(&data, &[MIGRATIONS, &[next]].concat(), "9.8.7");
    let before = std::fs::read(data.join("tidegate.db")).unwrap();
    for arguments in [
        &["serve", "--listen", "127.0.0.1:0"][..],
        &["serve", "--listen", "127.0.0.1:0", "--migrations", "manual"],
        &["migrate"],
        &["migrate", "--dry-run"],
        &["master-key", "status"],
    ] {
        let refused = tidegate(&data, arguments);
        assert_eq!(refused.code, Some(1), "{arguments:?}: {}", refused.err);
        for words in ["error: the database was written by Tidegate 9.8.7", "run that version or a newer one, or go back to a backup"] {
            assert!(refused.err.contains(words), "{arguments:?}: {}", refused.err);
        }
    }
    for arguments in [&["migrate", "-o", "json"][..], &["migrate", "--dry-run", "-o", "json"]] {
        let refused = tidegate(&data, arguments);
        let said: Value = serde_json::from_str(&refused.err).unwrap();
        assert_eq!((refused.code, &*refused.out, &said["error"]["code"]), (Some(1), "", &json!("database")), "{said}");
        assert!(said["error"]["message"].as_str().unwrap().contains("9.8.7") && said["error"]["request_id"].is_null(), "{said}");
    }
    assert_eq!(std::fs::read(data.join("tidegate.db")).unwrap(), before, "and it is as it was");
}
