//! A node that does not know what has changed decides nothing: it says 503 and when to come again, never 401, never 200.

use std::time::{Duration, Instant};

use rustix::process::Signal;
use serde_json::json;

use crate::house::Pair;
use crate::support::api::{Api, push, root, token};
use crate::support::http::{Answer, Ask, Connection, basic};
use crate::support::node::Node;

const PULL: &str = "/v2/demo/app/manifests/v1";

/// Somebody at both nodes: `Authorization` by Basic, and a bearer of the second node.
struct Known {
    credential: String,
    basic: String,
    bearer: String,
}

fn known(pair: &Pair, name: &str) -> Known {
    let api = Api::root(&pair.first);
    api.create_user(name);
    api.create_policy(&format!("p-{name}"), &["cr:PullRepository"]);
    api.attach(name, &format!("p-{name}"));
    let (credential, basic) = api.create_credential(name);
    push(&pair.first, &root(&pair.first), "demo/app", "v1", 1);
    let bearer = token(&pair.second, &basic, "repository:demo/app:pull");
    Known { credential, basic, bearer }
}

#[expect(clippy::disallowed_methods, reason = "a test measures time")]
fn now() -> Instant {
    Instant::now()
}

fn pull(node: &Node, authorization: &str) -> Answer {
    node.send(&Ask::get(PULL).with(authorization))
}

#[test]
#[ignore = "cargo xtask test --only revocation"]
fn a_node_that_was_stopped_for_a_while_does_not_honour_what_ended_meanwhile() {
    let pair = Pair::start("stopped");
    for count in 0..3 {
        let known = known(&pair, &format!("sleeper{count}"));
        assert_eq!(pull(&pair.second, &known.bearer).status, 200);
        assert_eq!(pull(&pair.second, &known.basic).status, 200);
        let mut waiting: Vec<Connection> = (0..4).map(|_| pair.second.connection()).collect();
        pair.second.signal(Signal::STOP);
        let disabled = format!("/credentials/{}", known.credential);
        Api::root(&pair.first).call("PATCH", &disabled, &json!({ "enabled": false }));
        std::thread::sleep(Duration::from_millis(1500));
        let answers: Vec<Answer> = std::thread::scope(|scope| {
            // These lie in the stopped node's sockets when it goes on.
            let asked: Vec<_> = waiting
                .iter_mut()
                .zip([&known.bearer, &known.basic].into_iter().cycle())
                .map(|(connection, by)| scope.spawn(move || connection.send(&Ask::get(PULL).with(by)).unwrap()))
                .collect();
            std::thread::sleep(Duration::from_millis(200));
            pair.second.signal(Signal::CONT);
            asked.into_iter().map(|one| one.join().unwrap()).collect()
        });
        for answer in answers.iter().chain(&[pull(&pair.second, &known.bearer), pull(&pair.second, &known.basic)]) {
            assert!(matches!(answer.status, 401 | 503), "{} {}", answer.status, answer.text());
        }
    }
}

#[test]
#[ignore = "cargo xtask test --only revocation"]
fn harbor_16056_a_stopped_database_is_503_never_401_and_the_node_recovers_by_itself() {
    let pair = Pair::start("cut");
    let known = known(&pair, "alice");
    let took = outage(&pair, &known, || pair.wire.cut());
    println!(
        "database stopped: 503 after {:.0} ms, back {:.0} ms after the database",
        took.0.as_secs_f64() * 1e3,
        took.1.as_secs_f64() * 1e3
    );
}

#[test]
#[ignore = "cargo xtask test --only revocation"]
fn harbor_16056_a_database_that_hangs_is_503_never_401_and_the_node_recovers_by_itself() {
    let pair = Pair::start("silent");
    let known = known(&pair, "alice");
    let took = outage(&pair, &known, || pair.wire.silence());
    println!(
        "database hangs: 503 after {:.0} ms, back {:.0} ms after the database",
        took.0.as_secs_f64() * 1e3,
        took.1.as_secs_f64() * 1e3
    );
}

/// Times from the failure to the first 503, and from the database's return to the first 200.
fn outage(pair: &Pair, known: &Known, fail: impl FnOnce()) -> (Duration, Duration) {
    let node = &pair.second;
    assert_eq!(pull(node, &known.bearer).status, 200);
    fail();
    let failed = now();
    let first = wait_for(node, known, 503, Duration::from_secs(15)) - failed;
    let disabled = format!("/credentials/{}", known.credential);
    Api::root(&pair.first).call("PATCH", &disabled, &json!({ "enabled": false }));
    std::thread::scope(|scope| {
        for ask in asks(node, known) {
            scope.spawn(move || {
                let answer = node.send(&ask);
                assert_eq!(answer.status, 503, "{} {}", answer.status, answer.text());
                assert!(answer.header("retry-after").is_some_and(|after| after.parse::<u32>().is_ok_and(|s| s > 0)), "{answer:?}");
            });
        }
    });
    assert_eq!(node.send(&Ask::get("/healthz")).status, 200, "the process lives");
    assert_eq!(node.send(&Ask::get("/readyz")).status, 503);
    Api::root(&pair.first).call("PATCH", &disabled, &json!({ "enabled": true }));
    pair.wire.mend();
    let mended = now();
    (first, wait_for(node, known, 200, Duration::from_secs(30)) - mended)
}

/// Everything that needs the database, in every form of credential.
fn asks(node: &Node, known: &Known) -> Vec<Ask> {
    let api = Ask::get("/api/v1/whoami").with(&known.bearer);
    let grant = Ask::get(&format!("/token?service={}&scope=repository:demo/app:pull", node.address()));
    vec![
        Ask::get(PULL).with(&known.bearer),
        Ask::get(PULL).with(&known.basic),
        Ask::get("/v2/").with(&known.bearer),
        Ask::get(PULL).with(&basic("alice", "wrong-Password-1")),
        Ask::get(PULL).with(&basic("nobody", "wrong-Password-1")),
        grant.clone().with(&known.basic),
        grant.with(&basic("alice", "wrong-Password-1")),
        api,
    ]
}

/// When that status came; until then only 200 and 503 may come.
fn wait_for(node: &Node, known: &Known, status: u16, patience: Duration) -> Instant {
    let end = now() + patience;
    loop {
        let greeting = node.send(&Ask::get("/v2/").with(&known.bearer));
        let answers = [pull(node, &known.bearer), pull(node, &known.basic), greeting];
        for answer in &answers {
            assert!(matches!(answer.status, 200 | 503), "{} {}", answer.status, answer.text());
        }
        if answers.iter().all(|answer| answer.status == status) {
            return now();
        }
        assert!(now() < end, "no {status} within {patience:?}");
        std::thread::sleep(Duration::from_millis(20));
    }
}
