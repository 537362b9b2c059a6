//! From the acknowledgement of `credential disable` at one node to the last 200 at any: 2,000 tries under load.
//!
//! Every change is made at the first node, since each change of its own lets a node look at the feed: the others find it by polling alone.
//!
//! `TIDEGATE_TEST_TRIES` says how many.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::house::Trio;
use crate::support::api::push;
use crate::support::http::{Ask, Connection, bearer};
use crate::support::node::Node;

const TRIES: u64 = 2000;
/// Keys that are watched at the same time.
const WATCHERS: u64 = 24;
/// The promise.
const PROMISE: Duration = Duration::from_secs(1);
/// A watcher's pause between two requests: it goes round the nodes, and is the load besides.
const PAUSE: Duration = Duration::from_millis(8);
/// So many refusals in a row at each node say that a key is dead there; some keys are watched on until well after the promise.
const IN_A_ROW: u32 = 3;
const WATCHED_ON: Duration = Duration::from_millis(1500);
const EVERY_SO_MANY: u64 = 20;

const PULL: &str = "/v2/demo/app/manifests/v1";

/// A number that was not there before.
pub(crate) fn unique() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

/// A watcher's connections, one a node.
struct Watcher<'t> {
    trio: &'t Trio,
    connections: Vec<Connection>,
    user: String,
    token: Vec<String>,
}

impl<'t> Watcher<'t> {
    fn new(trio: &'t Trio, number: u64) -> Self {
        let connections = trio.nodes.iter().map(Node::connection).collect();
        let token = (0..3).map(|node| trio.api(node).token()).collect();
        Self { trio, connections, user: format!("user{number}"), token }
    }

    fn call(&mut self, node: usize, method: &str, path: &str, body: &Value) -> Value {
        let ask = Ask::new(method, &format!("/api/v1{path}")).with(&self.token[node]).header("host", &self.trio.proxy.address);
        let ask = if body.is_null() { ask } else { ask.header("content-type", "application/json").body(body.to_string()) };
        let answer = self.connections[node].send(&ask).unwrap();
        assert!((200..300).contains(&answer.status), "{method} {path}: {} {}", answer.status, answer.text());
        answer.json()
    }

    /// One request with the key at a node: is it let in?
    fn is_let_in(&mut self, node: usize, by: &str) -> bool {
        let ask = Ask::get(PULL).with(by).header("host", &self.trio.proxy.address);
        let answer = self.connections[node].send(&ask).unwrap();
        assert!(matches!(answer.status, 200 | 401), "{} {}", answer.status, answer.text());
        answer.status == 200
    }

    /// A new key, by Basic or as a bearer token, that all nodes know.
    fn new_key(&mut self, at: usize, as_bearer: bool) -> (String, String) {
        let made = self.call(at, "POST", "/credentials", &json!({ "user": self.user, "description": "a try" }));
        let secret = made["secret"].as_str().unwrap();
        let basic = crate::support::http::basic(&self.user, secret);
        let by = if as_bearer { self.token_of(at, &basic) } else { basic };
        for node in 0..3 {
            assert!(self.is_let_in(node, &by), "a new key opens every node");
        }
        (made["credential_id"].as_str().unwrap().to_owned(), by)
    }

    fn token_of(&mut self, at: usize, basic: &str) -> String {
        let target = format!("/token?service={}&scope=repository:demo/app:pull", self.trio.proxy.address);
        let ask = Ask::get(&target).with(basic).header("host", &self.trio.proxy.address);
        bearer(self.connections[at].send(&ask).unwrap().expect(200).json()["token"].as_str().unwrap())
    }

    /// Disables a new key at one node while it is used at all of them; how long after the acknowledgement the last 200 came.
    fn try_once(&mut self, number: u64) -> Duration {
        let at = 0;
        let (id, by) = self.new_key(at, !number.is_multiple_of(4));
        let path = format!("/credentials/{id}");
        let acknowledged: Mutex<Option<Instant>> = Mutex::new(None);
        let mut disabling = self.trio.nodes[at].connection();
        let ask = Ask::new("PATCH", &format!("/api/v1{path}")).with(&self.token[at]).header("host", &self.trio.proxy.address);
        let ask = ask.header("content-type", "application/json").body(json!({ "enabled": false }).to_string());
        let last = std::thread::scope(|scope| {
            let done = &acknowledged;
            scope.spawn(move || {
                disabling.send(&ask).unwrap().expect(200);
                *done.lock().unwrap() = Some(Instant::now());
            });
            self.watch(&by, &acknowledged, number.is_multiple_of(EVERY_SO_MANY))
        });
        let acknowledged = acknowledged.into_inner().unwrap().unwrap();
        self.call(at, "DELETE", &path, &Value::Null);
        last.map_or(Duration::ZERO, |last| last.saturating_duration_since(acknowledged))
    }

    /// Goes round the nodes until all of them refuse; when the last 200 came, if one did.
    fn watch(&mut self, by: &str, acknowledged: &Mutex<Option<Instant>>, on: bool) -> Option<Instant> {
        let (mut last, mut refusals, begun) = (None, [0_u32; 3], Instant::now());
        loop {
            for (node, in_a_row) in refusals.iter_mut().enumerate() {
                if self.is_let_in(node, by) {
                    last = Some(Instant::now());
                    *in_a_row = 0;
                } else {
                    *in_a_row += 1;
                }
                std::thread::sleep(PAUSE);
            }
            let since = acknowledged.lock().unwrap().map(|done| done.elapsed());
            let enough = if on { WATCHED_ON } else { Duration::ZERO };
            if since.is_some_and(|since| since >= enough) && refusals.iter().all(|count| *count >= IN_A_ROW) {
                return last;
            }
            assert!(begun.elapsed() < Duration::from_secs(20), "it is not refused everywhere after {:?}", begun.elapsed());
        }
    }
}

#[test]
#[ignore = "cargo xtask test --only nodes"]
fn a_disabled_key_is_dead_at_every_node_within_a_second() {
    let tries = std::env::var("TIDEGATE_TEST_TRIES").ok().and_then(|text| text.parse().ok()).unwrap_or(TRIES);
    let trio = Trio::start("revoked");
    push(&trio.nodes[0], &trio.root, "demo/app", "v1", 1);
    for number in 0..WATCHERS {
        trio.create_user(&format!("user{number}"));
    }
    let (next, latencies, begun) = (AtomicU64::new(0), Mutex::new(Vec::new()), Instant::now());
    let loading = AtomicBool::new(true);
    let pulls = std::thread::scope(|scope| {
        let load = scope.spawn(|| pull_on(&trio, &loading));
        let watchers: Vec<_> = (0..WATCHERS)
            .map(|number| {
                let (trio, next, latencies) = (&trio, &next, &latencies);
                scope.spawn(move || {
                    let mut watcher = Watcher::new(trio, number);
                    loop {
                        let number = next.fetch_add(1, Ordering::Relaxed);
                        if number >= tries {
                            return;
                        }
                        let latency = watcher.try_once(number);
                        latencies.lock().unwrap().push(latency);
                    }
                })
            })
            .collect();
        let ended: Vec<_> = watchers.into_iter().map(std::thread::ScopedJoinHandle::join).collect();
        loading.store(false, Ordering::Relaxed);
        assert!(ended.iter().all(Result::is_ok), "a watcher failed");
        load.join().unwrap()
    });
    report(latencies.into_inner().unwrap(), pulls, begun.elapsed());
}

/// Pulls through the proxy until told to stop, as a load besides; how many.
fn pull_on(trio: &Trio, on: &AtomicBool) -> u64 {
    let (mut connection, mut count) = (Connection::open(&trio.proxy.address).unwrap(), 0);
    while on.load(Ordering::Relaxed) {
        connection.send(&Ask::get(PULL).with(&trio.root)).unwrap().expect(200);
        count += 1;
    }
    count
}

fn report(mut latencies: Vec<Duration>, pulls: u64, took: Duration) {
    latencies.sort_unstable();
    let at = |part: usize| latencies[(latencies.len() - 1) * part / 1000].as_secs_f64() * 1e3;
    println!(
        "{} keys disabled in {:.0} s beside {pulls} pulls: from the acknowledgement to the last 200 at any of three nodes \
         median {:.0} ms, 99 % {:.0} ms, maximum {:.0} ms",
        latencies.len(),
        took.as_secs_f64(),
        at(500),
        at(990),
        at(1000)
    );
    assert!(*latencies.last().unwrap() < PROMISE, "the promise is a second");
}
