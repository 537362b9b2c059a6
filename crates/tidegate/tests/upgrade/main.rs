//! The program of the last release beside this one: what it has written is read, and both serve over one database while nodes are
//! exchanged one by one.
#![expect(clippy::expect_used, reason = "the helpers of a test may fail it")]
#![expect(clippy::disallowed_methods, reason = "a suite finds its programs in the environment")]

#[path = "../support/mod.rs"]
#[expect(dead_code, reason = "each suite uses a part of it")]
mod support;

use std::path::PathBuf;
use std::time::Duration;

use serde_json::json;
use support::api::{Api, bootstrap, push, root, token};
use support::backing::create_database;
use support::http::Ask;
use support::node::{Node, Settings};
use support::program::Program;
use support::{MASTER_KEY, OCI_MANIFEST, tidegate, wait_until};

/// The program of the last release, which the stage has built.
fn last_release() -> PathBuf {
    std::env::var_os("TIDEGATE_TEST_LAST_RELEASE").map(PathBuf::from).expect("TIDEGATE_TEST_LAST_RELEASE names no program: run the stage")
}

fn status(node: &Node, authorization: &str, repository: &str, digest: &str) -> u16 {
    let ask = Ask::get(&format!("/v2/{repository}/manifests/{digest}")).with(authorization).header("accept", OCI_MANIFEST);
    node.send(&ask).status
}

#[test]
#[ignore = "cargo xtask test --only upgrade"]
fn what_the_last_release_has_written_is_served() {
    let folder = tempfile::tempdir().unwrap();
    let old = Node::start(Settings::in_folder(folder.path(), "node").by(last_release()));
    let (by, api) = (root(&old), Api::root(&old));
    api.create_user("alice");
    api.create_policy("everything", &["cr:*"]);
    api.attach("alice", "everything");
    let (_, alice) = api.create_credential("alice");
    let digests = [push(&old, &by, "team/app", "one", 1), push(&old, &alice, "team/app", "two", 3)];
    let settings = old.stop();

    let new = Node::start(settings.by(tidegate()));
    for digest in &digests {
        assert_eq!(status(&new, &alice, "team/app", digest), 200);
    }
    push(&new, &alice, "team/app", "three", 5);
    // The trail of both is one chain.
    let bootstrap = bootstrap(&new);
    let [id, secret] = ["access_key_id", "access_key_secret"].map(|key| bootstrap[key].as_str().unwrap());
    let cli = Program::new(tidegate(), folder.path()).with("TIDEGATE_ENDPOINT", &format!("http://{}", new.address()));
    cli.with("TIDEGATE_ACCESS_KEY_ID", id).with("TIDEGATE_ACCESS_KEY_SECRET", secret).run(&["audit", "verify"]).ok();
}

#[test]
#[ignore = "cargo xtask test --only upgrade"]
fn nodes_are_exchanged_one_by_one() {
    let folder = tempfile::tempdir().unwrap();
    let (database, blobs) = (create_database("upgrade"), folder.path().join("blobs"));
    let node = |name: &str| {
        let settings = Settings::in_folder(folder.path(), name).set("TIDEGATE_DATABASE", &database);
        settings.set("TIDEGATE_BLOBS", blobs.to_str().unwrap()).set("TIDEGATE_MASTER_KEY", MASTER_KEY)
    };
    let old = [Node::start(node("old0").by(last_release())), Node::start(node("old1").by(last_release()))];
    let by = root(&old[0]);
    let before = push(&old[0], &by, "team/app", "before", 1);
    let api = Api::root(&old[0]);
    api.create_user("alice");
    api.create_policy("everything", &["cr:*"]);
    api.attach("alice", "everything");

    // The new schema comes under both of them, and both go on.
    Program::new(tidegate(), folder.path()).with("TIDEGATE_DATABASE", &database).run(&["migrate"]).ok();
    let mut digests = vec![before];
    for (number, node) in old.iter().enumerate() {
        digests.push(push(node, &by, "team/app", &format!("old{number}"), 10 * (number as u64 + 1)));
        token(node, &by, "repository:team/app:pull");
    }

    // A new node beside them: each serves what the others have written, and a key that ends anywhere has ended everywhere.
    let new = Node::start(node("new0"));
    digests.push(push(&new, &by, "team/app", "new", 100));
    for node in old.iter().chain([&new]) {
        for digest in &digests {
            assert_eq!(status(node, &by, "team/app", digest), 200, "{digest} at {}", node.address());
        }
    }
    for (first, second) in [(&old[0], &new), (&new, &old[0])] {
        ends_everywhere(&old[0], first, second, &digests[0]);
    }

    // The rest follows.
    let mut nodes = vec![new];
    for one in old {
        nodes.push(Node::start(one.stop().by(tidegate())));
        for node in &nodes {
            assert_eq!(digests.iter().filter(|digest| status(node, &by, "team/app", digest) == 200).count(), digests.len());
        }
    }
}

/// A credential that is made and disabled at one node lets nobody in at another.
fn ends_everywhere(bootstrapped: &Node, first: &Node, second: &Node, digest: &str) {
    let api = Api::root_at(bootstrapped, first);
    let (id, key) = api.create_credential("alice");
    wait_until("the key is known", Duration::from_secs(5), || status(second, &key, "team/app", digest) == 200);
    api.call("PATCH", &format!("/credentials/{id}"), &json!({ "enabled": false }));
    wait_until("the key has ended", Duration::from_secs(5), || status(second, &key, "team/app", digest) == 401);
}
