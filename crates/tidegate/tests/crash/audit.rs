//! Pulls in the audit trail: none lost on a graceful stop, at most one second's worth on a crash.

use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::api::{Api, push, root, token};
use crate::support::http::Ask;
use crate::support::node::{Node, Settings};

/// The promise, and the time that one write of the batch may itself take.
const LOST: Duration = Duration::from_millis(1250);

/// The server and the `Authorization` of somebody who only reads.
fn house(folder: &tempfile::TempDir) -> (Node, String) {
    let node = Node::start(Settings::in_folder(folder.path(), "data"));
    let api = Api::root(&node);
    api.create_user("reader");
    api.create_policy("pull", &["cr:PullRepository"]);
    api.attach("reader", "pull");
    push(&node, &root(&node), "demo/app", "v1", 1);
    let (_, basic) = api.create_credential("reader");
    let bearer = token(&node, &basic, "repository:demo/app:pull");
    (node, bearer)
}

/// Pulls for a while; when each was answered.
fn pull(node: &Node, bearer: &str, last: Duration) -> Vec<Instant> {
    let mut connection = node.connection();
    let mut answered = Vec::new();
    let begin = now();
    while now() - begin < last {
        let answer = connection.send(&Ask::get("/v2/demo/app/manifests/v1").with(bearer)).unwrap();
        assert_eq!(answer.status, 200);
        answered.push(now());
        std::thread::sleep(Duration::from_millis(3));
    }
    answered
}

/// How many pulls the trail has.
fn written_down(node: &Node) -> usize {
    let events = Api::root(node).audit("user=reader&action=cr:PullRepository&outcome=success");
    let count: u64 = events.iter().map(|event| event["count"].as_u64().unwrap()).sum();
    for event in &events {
        assert_eq!((&event["principal"], &event["source_ip"]), (&Value::from("reader"), &Value::from("127.0.0.1")), "{event}");
    }
    usize::try_from(count).unwrap()
}

#[expect(clippy::disallowed_methods, reason = "a test measures time")]
fn now() -> Instant {
    Instant::now()
}

#[test]
#[ignore = "cargo xtask test --only crash"]
fn a_graceful_stop_loses_no_pull() {
    let folder = tempfile::tempdir().unwrap();
    let (node, bearer) = house(&folder);
    let pulls = pull(&node, &bearer, Duration::from_millis(1700)).len();
    let node = Node::start(node.stop());
    assert_eq!(written_down(&node), pulls);
}

#[test]
#[ignore = "cargo xtask test --only crash"]
fn a_crash_loses_at_most_one_second_of_pulls() {
    let folder = tempfile::tempdir().unwrap();
    let (node, bearer) = house(&folder);
    let pulls = pull(&node, &bearer, Duration::from_millis(3700));
    let killed = now();
    let node = Node::start(node.kill());
    let safe = pulls.iter().filter(|answered| killed - **answered > LOST).count();
    let found = written_down(&node);
    println!("{} pulls, {found} written down, {safe} had to be", pulls.len());
    assert!((safe..=pulls.len()).contains(&found), "{found} of {} pulls written down, at least {safe} had to be", pulls.len());
}
