//! `tidegate fsck`: each thing broken on purpose is found and named, and mended where it can be.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::Value;

use crate::house::{Inhabited, json_of, on_files, on_machine, pull, with_key};
use crate::hurt::{Hurt, bytes, cut, flip};
use crate::support::api::{Api, push};
use crate::support::backing::create_database;
use crate::support::http::Ask;
use crate::support::node::{Node, Settings};
use crate::support::s3::S3;
use crate::support::{content, digest};

/// The layer of an image that [`Inhabited::fill`] pushes as `v{n}`.
fn layer(n: u64) -> String {
    digest(&content(1000 + n * 10 + 1, 5000))
}

fn config(n: u64) -> String {
    digest(&content(1000 + n * 10, 200))
}

/// What fsck says; it found something.
#[track_caller]
fn unsound(settings: &Settings, arguments: &[&str]) -> Value {
    let ran = on_machine(settings, &[&["fsck", "--output", "json"], arguments].concat());
    assert_eq!(ran.code, Some(1), "{ran}");
    ran.json()
}

/// How often each kind was found.
fn kinds(checkup: &Value) -> BTreeMap<&str, usize> {
    let mut kinds = BTreeMap::new();
    for finding in checkup["findings"].as_array().unwrap() {
        *kinds.entry(finding["kind"].as_str().unwrap()).or_default() += 1;
    }
    kinds
}

/// Nothing of this digest is anywhere.
fn nowhere() -> String {
    digest(b"nothing of this is anywhere")
}

/// Breaks one thing of each kind.
fn hurt_everything(hurt: &Hurt, images: &[(String, String, String)]) {
    std::fs::remove_file(hurt.file_of(&layer(0))).unwrap();
    cut(&hurt.file_of(&layer(1)));
    flip(&hurt.file_of(&layer(2)));
    let nowhere = bytes(&nowhere());
    hurt.sql(
        "INSERT INTO blob_link (repository_id, digest, touched_ms) SELECT id, $1, 0 FROM repository WHERE name = 'team0/app'",
        std::slice::from_ref(&nowhere),
    );
    hurt.sql(
        "INSERT INTO manifest_child (repository_id, parent, child, kind) SELECT id, $1, $2, 'blob' FROM repository WHERE name = 'team0/app'",
        &[nowhere.clone(), bytes(&config(0))],
    );
    hurt.sql(
        "INSERT INTO tag (repository_id, name, digest, created_ms, updated_ms) SELECT id, 'lost', $1, 0, 0 FROM repository \
         WHERE name = 'team0/app'",
        &[nowhere],
    );
    // The repository of `v3` no longer has its configuration, and nobody has counted that.
    hurt.sql(
        "DELETE FROM blob_link WHERE digest = $1 AND repository_id = (SELECT id FROM repository WHERE name = 'team1/app')",
        &[bytes(&config(3))],
    );
    hurt.sql("UPDATE manifest SET size = size + 1 WHERE digest = $1", &[bytes(&images[4].2)]);
}

/// Everything is broken once, found, left alone, mended, pushed again, and sound.
fn broken_and_mended(settings: Settings, online: bool) {
    let node = Node::start(settings);
    let inhabited = Inhabited::fill(&node);
    let sound = json_of(&node.settings, &["fsck", "--verify-content"]);
    assert_eq!((&sound["sound"], sound["looked_at"]["blobs"].as_u64()), (&true.into(), Some(10)), "{sound}");

    let settings = node.settings.clone();
    let mut running = Some(node);
    if !online {
        on_machine(&settings, &["fsck", "--repair"]).refused(&["stop it"]);
        drop(running.take().unwrap().stop());
    }
    let hurt = Hurt::open(&settings);
    hurt_everything(&hurt, &inhabited.images);

    // Found, and nothing is changed by looking.
    let first = unsound(&settings, &["--verify-content"]);
    let expected = [
        ("blob_content", 1),
        ("blob_missing", 1),
        ("blob_size", 1),
        ("count", 2),
        ("link_without_blob", 1),
        ("manifest_content", 1),
        ("manifest_incomplete", 1),
        ("reference_without_manifest", 1),
        ("tag_without_manifest", 1),
    ];
    assert_eq!(kinds(&first), BTreeMap::from(expected), "{first:#}");
    assert_eq!(unsound(&settings, &["--verify-content"]), first, "looking changes nothing");
    // A backup of what is broken is made, and says so, to a script too.
    let target = settings.data.with_extension("backups");
    let ran = on_machine(&settings, &["backup", "--to", target.to_str().unwrap(), "-o", "json"]);
    let said: Value = serde_json::from_str(&ran.err).unwrap_or_else(|_| panic!("no JSON: {ran}"));
    assert_eq!((ran.code, &said["error"]["code"]), (Some(1), &"missing_blobs".into()), "{ran}");
    assert_eq!(ran.json()["missing_blobs"].as_array().unwrap().len(), 3, "{ran}");
    std::fs::remove_dir_all(target).unwrap();
    let lost = first["findings"].as_array().unwrap().iter().find(|finding| finding["kind"] == "blob_missing").unwrap();
    assert_eq!(lost["images"], serde_json::json!(["local/team0/app:v0"]), "{lost}");
    let told = on_machine(&settings, &["fsck", "--output", "table"]);
    assert_eq!(told.code, Some(1), "{told}");
    assert!(told.says("images: local/team0/app:v0") && told.says("--repair"), "{told}");

    hurt.sql("UPDATE manifest SET size = size - 1 WHERE digest = $1", &[bytes(&inhabited.images[4].2)]);
    let mended = unsound(&settings, &["--verify-content", "--repair"]);
    // The images of the three lost blobs are incomplete now, and so is `v3` still: those have to be pushed again.
    assert_eq!(kinds(&mended)["manifest_incomplete"], 4, "{mended:#}");
    assert_eq!(mended["left"], 4, "{mended:#}");
    drop(hurt);

    let node = running.unwrap_or_else(|| Node::start(settings));
    for n in 0..4 {
        push(&node, &inhabited.root, &format!("team{}/app", n % 2), &format!("v{n}"), 1000 + n * 10);
    }
    let sound = json_of(&node.settings, &["fsck", "--verify-content"]);
    assert_eq!(sound["sound"], true, "{sound:#}");
    inhabited.check(&node);
    assert_eq!(node.send(&Ask::get("/v2/team0/app/manifests/lost").with(&inhabited.root)).status, 404);
    check_trail(&node);
    drop(node.stop());
}

/// Each thing that was mended is in the trail.
fn check_trail(node: &Node) {
    let api = Api::root(node);
    crate::support::wait_until("the trail has what was mended", std::time::Duration::from_secs(20), || {
        let records = api.audit("action=fsck");
        let says = |word: &str| records.iter().any(|record| record["detail"].as_str().is_some_and(|detail| detail.contains(word)));
        says(&layer(0))
            && says(&layer(1))
            && says("team0/app:lost")
            && says("counted anew")
            && says("parts of a manifest")
            && says("a link")
    });
}

#[test]
fn on_files_what_is_broken_is_found_and_mended() {
    let folder = tempfile::tempdir().unwrap();
    broken_and_mended(on_files(folder.path(), "one"), false);
}

#[test]
#[ignore = "cargo xtask test --only care"]
fn on_postgres_and_s3_what_is_broken_is_found_and_mended_beside_the_server() {
    let folder = tempfile::tempdir().unwrap();
    let s3 = S3::start(folder.path());
    let mut settings = with_key(on_files(folder.path(), "one")).set("TIDEGATE_DATABASE", &create_database("care"));
    settings.environment.extend(s3.settings());
    broken_and_mended(settings, true);
}

/// A storage that is not mounted is no reason to forget what lay in it.
#[test]
fn when_most_is_lost_nothing_is_given_up_unasked() {
    let folder = tempfile::tempdir().unwrap();
    let node = Node::start(on_files(folder.path(), "one"));
    let inhabited = Inhabited::fill(&node);
    for n in 5..8 {
        push(&node, &inhabited.root, "team0/app", &format!("v{n}"), 1000 + n * 10);
    }
    let settings = node.stop();
    let hurt = Hurt::open(&settings);
    for n in 0..7 {
        std::fs::remove_file(hurt.file_of(&layer(n))).unwrap();
        std::fs::remove_file(hurt.file_of(&config(n))).unwrap();
    }
    on_machine(&settings, &["fsck", "--repair"]).refused(&["14 of 16 blobs of account", "mounted", "--accept-loss"]);
    assert_eq!(hurt.number("SELECT COUNT(*) FROM blob", &[]), 16);
    let mended = unsound(&settings, &["--repair", "--accept-loss"]);
    assert_eq!((kinds(&mended)["blob_missing"], mended["mended"].as_u64()), (14, Some(14)), "{mended:#}");
    assert_eq!(hurt.number("SELECT COUNT(*) FROM blob", &[]), 2);
    let usage = on_machine(&settings, &["fsck", "--accept-loss"]);
    assert_eq!(usage.code, Some(2), "{usage}");
}

/// Nor where there is little: an account of its own, or a server with a handful of blobs.
#[test]
fn when_most_of_a_little_is_lost_nothing_is_given_up_unasked() {
    let folder = tempfile::tempdir().unwrap();
    let node = Node::start(on_files(folder.path(), "one"));
    let inhabited = Inhabited::fill(&node);
    let settings = node.stop();
    let hurt = Hurt::open(&settings);
    let blobs = |account: &str| {
        let sql = "SELECT COUNT(*) FROM blob WHERE account_id = (SELECT id FROM account ORDER BY id LIMIT 1)";
        assert_eq!(hurt.number(sql, &[]), 10, "{account}");
    };
    blobs("all of the ten are the root user's");
    // Another account has one blob alone, and nobody has its content.
    hurt.sql(
        "INSERT INTO blob (account_id, digest, size, storage_key, created_ms) SELECT max(id) + 1, $1, 5, 77, 0 FROM account",
        &[bytes(&nowhere())],
    );
    on_machine(&settings, &["fsck", "--repair"]).refused(&["1 of 1 blobs of account", "--accept-loss"]);
    hurt.sql("DELETE FROM blob WHERE storage_key = 77", &[]);
    // A folder that was made anew where a disk should have been.
    for n in 0..5 {
        std::fs::remove_file(hurt.file_of(&layer(n))).unwrap();
        std::fs::remove_file(hurt.file_of(&config(n))).unwrap();
    }
    on_machine(&settings, &["fsck", "--repair"]).refused(&["10 of 10 blobs of account", "mounted", "--accept-loss"]);
    blobs("nothing was changed");
    let mended = unsound(&settings, &["--repair", "--accept-loss"]);
    assert_eq!(kinds(&mended)["blob_missing"], 10, "{mended:#}");
    drop((hurt, inhabited));
}

/// Where a namespace cannot be counted anew, the others are all the same.
#[test]
fn a_count_that_cannot_be_mended_keeps_no_other_from_it() {
    let folder = tempfile::tempdir().unwrap();
    let node = Node::start(on_files(folder.path(), "one"));
    Inhabited::fill(&node);
    let settings = node.stop();
    let hurt = Hurt::open(&settings);
    hurt.all("UPDATE namespace_blob SET size = size + 1", &[]);
    hurt.all(
        "CREATE TRIGGER slow BEFORE DELETE ON namespace_blob WHEN OLD.namespace_id = (SELECT min(id) FROM namespace) \
         BEGIN SELECT RAISE(ABORT, 'this takes too long'); END",
        &[],
    );
    let mended = unsound(&settings, &["--repair"]);
    assert_eq!((mended["found"].as_u64(), mended["mended"].as_u64(), mended["left"].as_u64()), (Some(2), Some(1), Some(1)), "{mended:#}");
    assert!(mended.to_string().contains("could not be counted anew"), "{mended:#}");
    hurt.all("DROP TRIGGER slow", &[]);
    let rest = json_of(&settings, &["fsck", "--repair"]);
    assert_eq!((rest["found"].as_u64(), rest["mended"].as_u64()), (Some(1), Some(1)), "{rest:#}");
}

/// Beside pushes and deletions a check finds nothing, and mending does no harm.
fn beside_pushes(settings: Settings, arguments: &[&str]) {
    let node = Node::start(settings);
    let inhabited = Inhabited::fill(&node);
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let pushing = scope.spawn(|| {
            let mut digests = Vec::new();
            while !stop.load(Ordering::Relaxed) {
                let n = digests.len() as u64;
                digests.push(push(&node, &inhabited.root, "busy/app", &format!("t{n}"), 200_000 + n * 7));
                if n % 3 == 2 {
                    let old = &digests[digests.len() - 2];
                    node.send(&Ask::new("DELETE", &format!("/v2/busy/app/manifests/{old}")).with(&inhabited.root)).expect(202);
                }
            }
            digests
        });
        for _ in 0..5 {
            let checkup = json_of(&node.settings, &[&["fsck", "--verify-content"], arguments].concat());
            assert_eq!(checkup["found"], 0, "{checkup:#}");
        }
        stop.store(true, Ordering::Relaxed);
        let digests = pushing.join().unwrap();
        pull(&node, &inhabited.root, "busy/app", digests.last().unwrap());
    });
    inhabited.check(&node);
    drop(node.stop());
}

#[test]
fn beside_pushes_into_files_nothing_is_found() {
    let folder = tempfile::tempdir().unwrap();
    beside_pushes(on_files(folder.path(), "one"), &[]);
}

#[test]
#[ignore = "cargo xtask test --only care"]
fn beside_pushes_into_postgres_and_s3_nothing_is_found_and_nothing_mended() {
    let folder = tempfile::tempdir().unwrap();
    let s3 = S3::start(folder.path());
    let mut settings = with_key(on_files(folder.path(), "one")).set("TIDEGATE_DATABASE", &create_database("care"));
    settings.environment.extend(s3.settings());
    beside_pushes(settings, &["--repair"]);
}
