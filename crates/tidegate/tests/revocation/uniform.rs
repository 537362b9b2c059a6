//! Whoever does not hold the right secret learns nothing from the answer, nor from how long it took.
//!
//! Here and not beside the door, because times need the release build and a machine that does nothing else. That the number
//! of hashes is the same is counted in `crates/identity/tests/logins.rs`.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::support::api::{Api, push, root};
use crate::support::http::{Ask, Connection, basic};
use crate::support::node::{Node, Settings};

const TRIES: u32 = 200;
const BAND: f64 = 0.15;

/// CVE-2019-19030, CVE-2020-13794, Angos 2026-07: users could be told from no users by the answer or its time.
#[test]
#[ignore = "cargo xtask test --only revocation"]
fn cve_2019_19030_unknown_wrong_and_disabled_take_as_long_and_say_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let node = Node::start(Settings::in_folder(folder.path(), "data"));
    let api = Api::root(&node);
    push(&node, &root(&node), "demo/app", "v1", 1);
    for name in ["alice", "disabled", "nothing"] {
        api.create_user(name);
    }
    for name in ["alice", "disabled"] {
        api.call("PUT", &format!("/users/{name}/password"), &json!({ "kind": "permanent", "password": "right-Password-1" }));
    }
    api.call("PATCH", "/users/disabled", &json!({ "enabled": false }));
    let cases = ["unknown", "alice", "disabled", "nothing"];
    let mut took = cases.map(|_| Vec::new());
    let mut answers = Vec::new();
    let mut connection = node.connection();
    for number in 0..TRIES {
        for (name, took) in cases.iter().zip(&mut took) {
            let (answer, time) = attempt(&mut connection, name, number);
            took.push(time);
            answers.push(answer);
        }
    }
    assert!(
        answers.iter().all(|answer| *answer == answers[0]),
        "the same bytes for all: {:?} {:?}",
        answers[0],
        answers.iter().find(|a| **a != answers[0])
    );
    let medians = took.map(median);
    println!("medians of {TRIES}: {cases:?} {medians:?}");
    let (least, most) = (medians.iter().min().unwrap(), medians.iter().max().unwrap());
    assert!(most.as_secs_f64() <= least.as_secs_f64() * (1.0 + BAND), "{medians:?}");
}

type Alike = (u16, Vec<(String, String)>, String);

#[expect(clippy::disallowed_methods, reason = "a test measures time")]
fn attempt(connection: &mut Connection, name: &str, number: u32) -> (Alike, Duration) {
    // From another network each time: a lockout would answer without hashing.
    let from = format!("10.{}.{}.1", number / 200, number % 200);
    let ask = Ask::get("/v2/demo/app/manifests/v1").with(&basic(name, &format!("wrong-Password-{number}")));
    let ask = ask.header("x-forwarded-for", &from);
    let begin = Instant::now();
    let answer = connection.send(&ask).unwrap();
    let took = begin.elapsed();
    assert_eq!(answer.status, 401, "{}", answer.text());
    (answer.alike(), took)
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}
