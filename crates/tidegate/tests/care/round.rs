//! There and back: a backup of a server that is being pushed to, restored into another database and another store.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::house::{Inhabited, blobs, files, json_of, on_files, on_machine, pull, tags, with_key};
use crate::hurt::Hurt;
use crate::support::api::{push, token};
use crate::support::backing::create_database;
use crate::support::http::Ask;
use crate::support::node::{Node, Settings};
use crate::support::peer;
use crate::support::program::Program;
use crate::support::s3::S3;

const LIVE: &str = "live/app";

/// Backs up a server while somebody pushes, restores it, and looks at everything.
fn there_and_back(from: Settings, to: &Settings, extra: &[&str], client: bool) {
    let from_folder = from.data.parent().unwrap().to_owned();
    let folder = from_folder.join("backups");
    let (target, address) = (folder.to_str().unwrap(), from.address.clone());
    let node = Node::start(from);
    let inhabited = Inhabited::fill(&node);
    let bearer = token(&node, &inhabited.root, "repository:team0/app:pull");
    let (before, made) = backed_up_under_load(&node, &inhabited, target);
    assert_eq!(made["missing_blobs"].as_array().unwrap().len(), 0, "{made}");

    // The next one copies only what is new.
    push(&node, &inhabited.root, LIVE, "late", 9000);
    let again = json_of(&node.settings, &["backup", "--to", target]);
    assert!(again["new_blobs"].as_u64().unwrap() >= 2 && again["new_blobs"].as_u64() < again["blobs"].as_u64(), "{again}");
    let late = push(&node, &inhabited.root, LIVE, "too-late", 9500);
    let api = crate::support::api::Api::root(&node);
    api.call("DELETE", &format!("/credentials/{}", inhabited.revoked.0), &serde_json::Value::Null);
    assert_eq!(node.send(&Ask::get("/v2/").with(&inhabited.revoked.1)).status, 401);
    assert_eq!(json_of(&node.settings, &["backup", "list", target]).as_array().unwrap().len(), 2);
    assert_eq!(json_of(&node.settings, &["backup", "verify", target])["signature"], "good");
    drop(node.stop());

    let dry = on_machine(to, &["restore", "--from", target, "--dry-run"]).ok();
    assert!(!to.data.join("tidegate.db").exists(), "{dry}");
    let restored = on_machine(to, &[&["restore", "--from", target, "--output", "json"], extra].concat()).ok();
    assert!(restored.err.contains("can be presented"), "{restored}");
    on_machine(to, &["restore", "--from", target]).refused(&["not empty"]);
    assert_eq!(json_of(to, &["fsck", "--verify-content"])["sound"], true);

    // At the same address, which is what a token is for.
    let node = Node::start(Settings { address, ..to.clone() });
    inhabited.check(&node);
    for tag in &before {
        pull(&node, &inhabited.lasting, LIVE, tag);
    }
    pull(&node, &inhabited.lasting, LIVE, "late");
    assert!(!tags(&node, &inhabited.root, LIVE).contains(&"too-late".to_owned()));
    assert_eq!(node.send(&Ask::get(&format!("/v2/{LIVE}/manifests/{late}")).with(&inhabited.root)).status, 404);
    assert!(!node.settings.data.join("bootstrap.json").exists(), "an account was there already");
    let ended = extra.contains(&"--end-sessions");
    let status = node.send(&Ask::get("/v2/team0/app/tags/list").with(&bearer)).status;
    assert_eq!(status, if ended { 401 } else { 200 }, "a token of before");
    if client {
        // Somebody else's client takes every blob and checks it.
        let (user, password) = ("alice", "correct-horse-42");
        let crane = Program::new(peer("crane"), &from_folder.join("crane"));
        crane.piped(&["auth", "login", node.address(), "-u", user, "--password-stdin"], password).ok();
        for (repository, tag, manifest) in &inhabited.images {
            let place = format!("{}/{repository}", node.address());
            assert_eq!(crane.run(&["digest", "--insecure", &format!("{place}:{tag}")]).ok().out.trim(), manifest);
            for blob in blobs(&node, &inhabited.lasting, repository, tag) {
                crane.run(&["blob", "--insecure", &format!("{place}@{blob}")]).ok();
            }
        }
    }
    // Life goes on: pushes, changes of rights, the trail.
    push(&node, &inhabited.root, LIVE, "after", 9900);
    inhabited.check_trail(&node);
    drop(node.stop());
}

/// The tags that were acknowledged before the backup began, and what the backup says.
fn backed_up_under_load(node: &Node, inhabited: &Inhabited, target: &str) -> (Vec<String>, serde_json::Value) {
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let pushing = scope.spawn(|| {
            for n in 0.. {
                if stop.load(Ordering::Relaxed) {
                    return n;
                }
                push(node, &inhabited.root, LIVE, &format!("t{n}"), 100_000 + n * 7);
            }
            0
        });
        while tags(node, &inhabited.root, LIVE).len() < 5 {
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
        let before = tags(node, &inhabited.root, LIVE);
        let made = json_of(&node.settings, &["backup", "--to", target]);
        stop.store(true, Ordering::Relaxed);
        assert!(pushing.join().unwrap() > 5);
        (before, made)
    })
}

/// The last run's rows are in the right place, and no secret lies beside them.
fn no_secret_in(folder: &Path, words: &[&str]) {
    for file in files(&folder.join("backups/snapshots")) {
        let bytes = std::fs::read(&file).unwrap();
        let mut text = Vec::new();
        if file.extension().is_some_and(|extension| extension == "gz") {
            std::io::Read::read_to_end(&mut flate2::read::MultiGzDecoder::new(&*bytes), &mut text).unwrap();
        } else {
            text = bytes;
        }
        let text = String::from_utf8_lossy(&text);
        for word in words {
            assert!(!text.contains(word), "{word} is in {}", file.display());
        }
    }
}

#[test]
fn sqlite_to_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    let (from, to) = (on_files(folder.path(), "one"), on_files(folder.path(), "two"));
    // Without the master key nothing would open.
    let data = from.data.clone();
    let node = Node::start(from.clone());
    drop(node.stop());
    std::fs::create_dir_all(&to.data).unwrap();
    std::fs::copy(data.join("master.key"), to.data.join("master.key")).unwrap();
    there_and_back(from, &to, &[], false);
    let key = std::fs::read_to_string(data.join("master.key")).unwrap();
    no_secret_in(folder.path(), &[key.trim(), "correct-horse-42"]);
}

#[test]
fn the_master_key_is_in_a_backup_only_when_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let from = on_files(folder.path(), "one");
    let node = Node::start(from.clone());
    let inhabited = Inhabited::fill(&node);
    let backups = folder.path().join("backups");
    let target = backups.to_str().unwrap();
    json_of(&from, &["backup", "--to", target]);

    let to = on_files(folder.path(), "two");
    on_machine(&to, &["restore", "--from", target]).refused(&["master key", "not in the backup"]);
    // Another key than the one that it was made with.
    on_machine(&with_key(to.clone()), &["restore", "--from", target]).refused(&["signed with master key"]);
    on_machine(&with_key(to.clone()), &["restore", "--from", target, "--unsigned"]).refused(&["lie under master key"]);

    json_of(&from, &["backup", "--to", target, "--with-master-key"]);
    drop(node.stop());
    on_machine(&to, &["restore", "--from", target, "--end-sessions"]).ok();
    let node = Node::start(to);
    inhabited.check(&node);

    // Old backups go, and with them what nobody else needs.
    let pruned = json_of(&from, &["backup", "prune", target, "--keep", "1"]);
    assert_eq!((pruned["deleted"].as_array().unwrap().len(), pruned["deleted_blobs"].as_u64()), (1, Some(0)), "{pruned}");
    json_of(&from, &["backup", "verify", target]);
}

/// Nobody has pulled between backup and restore, as far as the backup knows.
#[test]
fn images_of_an_old_backup_are_not_taken_for_idle() {
    let folder = tempfile::tempdir().unwrap();
    let from = on_files(folder.path(), "one");
    let node = Node::start(from.clone());
    let inhabited = Inhabited::fill(&node);
    let rule = serde_json::json!({ "rules": [{ "keep_pulled_days": 14, "untagged_days": 14 }] });
    crate::support::api::Api::root(&node).call("PUT", "/instances/-/namespaces/team0/retention", &rule);
    drop(node.stop());
    // A hundred days pass: the backup is of their end, and then fifteen more.
    let hurt = Hurt::open(&from);
    hurt.all("UPDATE tag SET created_ms = created_ms - 8640000000, updated_ms = updated_ms - 8640000000", &[]);
    hurt.all("UPDATE manifest SET pushed_ms = pushed_ms - 8640000000", &[]);
    hurt.all("UPDATE counter SET value = value - 8640000000 WHERE name = 'pulls_known_since_ms'", &[]);
    hurt.all("INSERT INTO manifest_pull SELECT repository_id, digest, pushed_ms + 7344000000 FROM manifest", &[]);
    hurt.all("UPDATE retention SET ran_ms = 0", &[]);
    drop(hurt);
    let target = folder.path().join("backups");
    json_of(&from, &["backup", "--to", target.to_str().unwrap(), "--with-master-key"]);
    let to = on_files(folder.path(), "two");
    on_machine(&to, &["restore", "--from", target.to_str().unwrap()]).ok();

    let limit = std::time::Duration::from_secs(30);
    let ran = |settings: &Settings| Hurt::open(settings).number("SELECT COUNT(*) FROM retention WHERE ran_ms > 0", &[]) == 1;
    let node = Node::start(to);
    crate::support::wait_until("retention has run", limit, || ran(&node.settings));
    assert_eq!(tags(&node, &inhabited.root, "team0/app"), ["v0", "v2", "v4"]);
    inhabited.check(&node);
    drop(node.stop());
    // Where nothing was restored, pulls are known, and the same rule acts.
    let node = Node::start(from);
    crate::support::wait_until("retention has run", limit, || ran(&node.settings));
    assert_eq!(tags(&node, &inhabited.root, "team0/app"), Vec::<String>::new());
    drop(node.stop());
}

/// Another node comes back with what it has kept of the trail, outside the database: of after the backup, and of an account that the
/// backup does not know.
#[test]
fn what_another_node_kept_of_the_trail_does_not_break_it() {
    let folder = tempfile::tempdir().unwrap();
    let from = on_files(folder.path(), "one");
    let node = Node::start(from.clone());
    let inhabited = Inhabited::fill(&node);
    let target = folder.path().join("backups");
    json_of(&from, &["backup", "--to", target.to_str().unwrap(), "--with-master-key"]);
    push(&node, &inhabited.root, LIVE, "late", 9000);
    on_machine(&from, &["account", "create", "--alias", "acme", "--instance", "own"]).ok();
    drop(node.stop());
    let kept: Vec<String> = serde_json::from_slice(&std::fs::read(from.data.join("audit-heads.json")).unwrap()).unwrap();
    assert_eq!(kept.len(), 2, "of two accounts");
    let to = on_files(folder.path(), "two");
    on_machine(&to, &["restore", "--from", target.to_str().unwrap()]).ok();
    std::fs::copy(from.data.join("audit-heads.json"), to.data.join("audit-heads.json")).unwrap();

    let node = Node::start(to);
    push(&node, &inhabited.root, LIVE, "after", 9900);
    inhabited.check_trail(&node);
    assert!(!node.log().contains("audit verify"), "{}", node.log());
    drop(node.stop());
}

/// A deletion that is interrupted leaves no half of a backup.
#[test]
#[ignore = "cargo xtask test --only care"]
fn a_backup_whose_deletion_was_interrupted_is_gone() {
    let folder = tempfile::tempdir().unwrap();
    let from = on_files(folder.path(), "one");
    let _node = Node::start(from.clone());
    let target = folder.path().join("backups");
    let target = target.to_str().unwrap();
    let old = json_of(&from, &["backup", "--to", target]);
    let young = json_of(&from, &["backup", "--to", target]);
    // What cannot be deleted at the moment: a disk of its own lies in it.
    let stuck = Path::new(old["path"].as_str().unwrap()).join("stuck");
    let mut disk = crate::support::disk::Disk::at(&stuck, 64);
    let ran = on_machine(&from, &["backup", "prune", target, "--keep", "1"]);
    // It has gone along where the folder was renamed.
    let moved = Path::new(&format!("{}.part", old["path"].as_str().unwrap())).join("stuck");
    if moved.exists() {
        disk.at = moved;
    }
    ran.refused(&["cannot be used"]);
    let listed = json_of(&from, &["backup", "list", target]);
    assert_eq!((listed.as_array().unwrap().len(), &listed[0]["name"]), (1, &young["name"]), "{listed}");
    json_of(&from, &["backup", "verify", target]);
    drop(disk);
    json_of(&from, &["backup", "prune", target, "--keep", "1"]);
    assert_eq!(std::fs::read_dir(folder.path().join("backups/snapshots")).unwrap().count(), 1, "the rest goes with the next one");
}

#[test]
fn an_older_or_foreign_folder_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let from = on_files(folder.path(), "one");
    let _node = Node::start(from.clone());
    std::fs::create_dir(folder.path().join("mine")).unwrap();
    std::fs::write(folder.path().join("mine/thesis.txt"), "x").unwrap();
    on_machine(&from, &["backup", "--to", folder.path().join("mine").to_str().unwrap()])
        .refused(&["neither empty nor a folder of backups"]);
    on_machine(&from, &["restore", "--from", folder.path().join("mine").to_str().unwrap()]).refused(&["no folder of backups"]);
    on_machine(&from, &["backup"]).refused(&["--to"]);
}

#[test]
#[ignore = "cargo xtask test --only care"]
fn sqlite_to_postgres() {
    let folder = tempfile::tempdir().unwrap();
    let from = with_key(on_files(folder.path(), "one"));
    let to = with_key(on_files(folder.path(), "two")).set("TIDEGATE_DATABASE", &create_database("care"));
    there_and_back(from, &to, &[], true);
}

#[test]
#[ignore = "cargo xtask test --only care"]
fn postgres_and_s3_to_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    let s3 = S3::start(folder.path());
    let mut from = with_key(on_files(folder.path(), "one")).set("TIDEGATE_DATABASE", &create_database("care"));
    from.environment.extend(s3.settings());
    there_and_back(from, &with_key(on_files(folder.path(), "two")), &["--end-sessions"], true);
}

#[test]
#[ignore = "cargo xtask test --only care"]
fn sqlite_to_postgres_and_s3() {
    let folder = tempfile::tempdir().unwrap();
    let s3 = S3::start(folder.path());
    let mut to = with_key(on_files(folder.path(), "two")).set("TIDEGATE_DATABASE", &create_database("care"));
    to.environment.extend(s3.settings());
    there_and_back(with_key(on_files(folder.path(), "one")), &to, &["--end-sessions"], true);
}
