//! Whoever does not hold the right secret learns nothing from the answer, nor from how long it took.
//!
//! Here and not beside the door, because times need the release build and a machine that does nothing else. That the number
//! of hashes is the same is counted in `crates/identity/tests/logins.rs`, which knows expired ones too.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::api::{Api, push, root};
use crate::support::http::{Ask, Connection, basic};
use crate::support::node::{Node, Settings};

const TRIES: u32 = 200;
const BAND: f64 = 0.15;
/// A machine that does something else meanwhile shifts medians of a tenth of a millisecond now and then; what the code does
/// differently shows in every round.
const ROUNDS: u32 = 4;

/// Somebody to try secrets on that are none of theirs.
struct Target {
    name: &'static str,
    access_key: String,
}

/// Secrets that read well and open nothing.
struct Secrets {
    credential: String,
    access_key: String,
    login_token: String,
}

/// A way to log in: its name, and the request for somebody at the try of that number.
type Way = (&'static str, fn(&Target, &Secrets, u32) -> Ask);

const WAYS: [Way; 5] = [
    ("permanent password", |who, _, number| pull(&basic(who.name, &format!("wrong-Password-{number}")))),
    ("access credential", |who, secrets, _| pull(&basic(who.name, &secrets.credential))),
    ("login token", |who, secrets, _| pull(&basic(who.name, &secrets.login_token))),
    ("access key", |who, secrets, _| {
        sign_in(&[("grant_type", "client_credentials"), ("client_id", &who.access_key), ("client_secret", &secrets.access_key)])
    }),
    ("sign-in password", |who, _, number| {
        sign_in(&[("grant_type", "password"), ("username", who.name), ("password", &format!("wrong-Password-{number}"))])
    }),
];

fn pull(authorization: &str) -> Ask {
    Ask::get("/v2/demo/app/manifests/v1").with(authorization)
}

fn sign_in(fields: &[(&str, &str)]) -> Ask {
    Ask::new("POST", "/api/v1/oauth2/token").form(fields)
}

/// Nobody, somebody, somebody who is disabled, somebody who has nothing.
fn targets(api: &Api<'_>, key_of_nobody: &str) -> Vec<Target> {
    let mut targets = vec![Target { name: "unknown", access_key: key_of_nobody.to_owned() }];
    for name in ["alice", "disabled", "nothing"] {
        api.create_user(name);
        let access_key = api.create_access_key(name).id;
        if name == "nothing" {
            api.call("DELETE", &format!("/access-keys/{access_key}"), &Value::Null);
        } else {
            api.create_credential(name);
            for kind in ["permanent", "sign_in"] {
                let password = json!({ "kind": kind, "password": "right-Password-1" });
                api.call("PUT", &format!("/users/{name}/password"), &password);
            }
        }
        targets.push(Target { name, access_key });
    }
    api.call("PATCH", "/users/disabled", &json!({ "enabled": false }));
    targets
}

/// Made for somebody who is gone.
fn secrets(api: &Api<'_>) -> (Secrets, String) {
    api.create_user("gone");
    let text = |made: Value, key: &str| made[key].as_str().unwrap().to_owned();
    let credential = text(api.call("POST", "/credentials", &json!({ "user": "gone", "description": "a suite" })), "secret");
    let key = api.create_access_key("gone");
    let login_token = text(api.call("POST", "/login-tokens", &json!({})), "password");
    let (signed, signature) = login_token.rsplit_once('.').unwrap();
    let forged = format!("{signed}.{}{}", if signature.starts_with('A') { 'B' } else { 'A' }, &signature[1..]);
    api.call("DELETE", "/users/gone", &Value::Null);
    (Secrets { credential, access_key: key.secret, login_token: forged }, key.id)
}

/// CVE-2019-19030, CVE-2020-13794, Angos 2026-07: users could be told from no users by the answer or its time.
#[test]
#[ignore = "cargo xtask test --only revocation"]
fn cve_2019_19030_unknown_wrong_and_disabled_take_as_long_and_say_the_same() {
    for (way, ask) in WAYS {
        // A node each: the tries of one way must not lock the names out for the next.
        let folder = tempfile::tempdir().unwrap();
        let node = Node::start(Settings::in_folder(folder.path(), "data"));
        let api = Api::root(&node);
        push(&node, &root(&node), "demo/app", "v1", 1);
        let (secrets, key_of_nobody) = secrets(&api);
        let targets = targets(&api, &key_of_nobody);
        compare(&node, way, &targets, |who, number| {
            // From another network each time: a lockout would answer without hashing.
            ask(who, &secrets, number).header("x-forwarded-for", &format!("10.{}.{}.1", number / 200, number % 200))
        });
    }
}

/// The answers must be the same bytes, and the medians of some round close to each other.
fn compare(node: &Node, way: &str, targets: &[Target], ask: impl Fn(&Target, u32) -> Ask) {
    let mut connection = node.connection();
    let mut answers = BTreeSet::new();
    for round in 0..ROUNDS {
        let mut took: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for number in 0..TRIES {
            for who in in_turn(targets, number) {
                let (answer, time) = attempt(&mut connection, &ask(who, round * TRIES + number));
                answers.insert(answer);
                assert_eq!(answers.len(), 1, "{way}: {}: the same bytes for all: {answers:?}", who.name);
                took.entry(who.name).or_default().push(time);
            }
        }
        let medians: BTreeMap<_, _> = took.into_iter().map(|(name, times)| (name, median(times))).collect();
        println!("{way}: medians of {TRIES}: {medians:?}");
        let (least, most) = (medians.values().min().unwrap(), medians.values().max().unwrap());
        if most.as_secs_f64() <= least.as_secs_f64() * (1.0 + BAND) {
            return;
        }
    }
    panic!("{way}: the medians are apart in each of {ROUNDS} rounds");
}

/// All of them, each time beginning with the next one: what comes first in a row of requests may take longer.
fn in_turn(targets: &[Target], number: u32) -> impl Iterator<Item = &Target> {
    targets.iter().cycle().skip(number as usize % targets.len()).take(targets.len())
}

type Alike = (u16, Vec<(String, String)>, String);

#[expect(clippy::disallowed_methods, reason = "a test measures time")]
fn attempt(connection: &mut Connection, ask: &Ask) -> (Alike, Duration) {
    let begin = Instant::now();
    let answer = connection.send(ask).unwrap();
    let took = begin.elapsed();
    assert!(matches!(answer.status, 400 | 401), "{} {}", answer.status, answer.text());
    (answer.alike(), took)
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}
