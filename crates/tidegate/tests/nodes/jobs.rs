//! Every other job of the list of leases passes on as well: its holder is killed, or stopped and comes back. (One is no job that
//! passes on, but a line in the log: by the first node that asks, once a day.)
//!
//! What lives for minutes is not waited for: the lease's row says that its life is over.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rustix::process::Signal;
use serde_json::{Value, json};

use crate::house::Trio;
use crate::support::http::Ask;
use crate::support::node::Node;
use crate::support::wait_until;

/// Another key than all is sealed with, so that each node looks for what lies under it.
const OLD_KEY: &str = "ffeeddccbbaa99887766554433221100fedcba9876543210fedcba9876543210";
/// Looked at every second or every ten.
const OFTEN: [&str; 3] = ["collection", "reseal", "audit-delivery"];
/// Looked at when a node starts, and each ten minutes.
const SELDOM: [&str; 2] = ["rotate-signing-key", "retention"];
/// Whoever is there looks within it, on a slow machine too.
const SOON: Duration = Duration::from_mins(1);

impl Trio {
    /// Which node does it, as one of them says.
    fn holder(&self, seen_by: usize, job: &str) -> Option<usize> {
        let nodes = self.listed(seen_by);
        let node = nodes.iter().find(|node| node["leases"].as_array().unwrap().contains(&json!(job)))?;
        self.nodes.iter().position(|one| node["listen"][0] == one.address())
    }

    /// As if the lives of these were over.
    fn end(&self, jobs: &[&str]) {
        for job in jobs {
            self.sql(&format!("UPDATE lease SET until_ms = 1 WHERE name = '{job}'"));
        }
    }

    fn wait_until_another_does(&self, jobs: &[&str], seen_by: usize, than: usize) {
        for job in jobs {
            wait_until(job, SOON, || self.holder(seen_by, job).is_some_and(|node| node != than));
        }
    }

    fn wait_until_ready(&self, node: usize) {
        wait_until("it is ready again", SOON, || self.try_send(node, Ask::get("/readyz")).is_some_and(|answer| answer.status == 200));
    }

    fn runs(&self) -> i64 {
        self.sql("SELECT coalesce(max(number), 0) FROM collection_run WHERE ended_ms IS NOT NULL")[0].parse().unwrap()
    }

    fn signing_keys(&self, node: usize) -> usize {
        self.api(node).call("GET", "/signing-keys", &Value::Null).as_array().unwrap().len()
    }
}

/// A sink that takes everything; the sequence numbers that it has got.
struct Sink {
    url: String,
    seen: Arc<Mutex<Vec<i64>>>,
}

impl Sink {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (url, seen) = (format!("http://{}/", listener.local_addr().unwrap()), Arc::<Mutex<Vec<i64>>>::default());
        let notes = Arc::clone(&seen);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let notes = Arc::clone(&notes);
                std::thread::spawn(move || take_all(&stream.unwrap(), &notes));
            }
        });
        Self { url, seen }
    }

    /// Each record once at least, and none left out.
    fn is_whole(&self) -> bool {
        let mut seen = self.seen.lock().unwrap().clone();
        seen.sort_unstable();
        seen.dedup();
        let most = i64::try_from(seen.len()).unwrap();
        most > 0 && seen.iter().copied().eq(1..=most)
    }

    fn highest(&self) -> i64 {
        self.seen.lock().unwrap().iter().copied().max().unwrap_or(0)
    }
}

/// Batches of JSON lines on one connection. It ends when the node does.
fn take_all(stream: &TcpStream, seen: &Mutex<Vec<i64>>) -> Option<()> {
    let mut reader = BufReader::new(stream);
    loop {
        let mut length = 0;
        loop {
            let mut line = String::new();
            reader.read_line(&mut line).ok().filter(|count| *count > 0)?;
            if line == "\r\n" {
                break;
            }
            if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().unwrap();
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body).ok()?;
        let lines = String::from_utf8(body).unwrap();
        let records = lines.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["sequence"].as_i64().unwrap());
        seen.lock().unwrap().extend(records);
        let mut answering = stream;
        answering.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").ok()?;
    }
}

#[test]
#[ignore = "cargo xtask test --only nodes"]
fn what_is_looked_at_every_few_seconds_passes_on() {
    let sink = Sink::start();
    let settings = [
        ("TIDEGATE_OLD_MASTER_KEY", OLD_KEY),
        ("TIDEGATE_COLLECTION_EVERY", "1s"),
        ("TIDEGATE_AUDIT_SINK_URL", &sink.url),
        ("TIDEGATE_AUDIT_SINK_INTERNAL", "true"),
    ];
    let mut trio = Trio::start_with("jobs", None, &settings);
    for how in [Signal::KILL, Signal::STOP] {
        for job in OFTEN {
            wait_until(job, SOON, || trio.holder(0, job).is_some());
        }
        let holder = trio.holder(0, "collection").unwrap();
        let other = (holder + 1) % 3;
        trio.nodes[holder].signal(how);
        trio.end(&OFTEN[..2]);
        trio.wait_until_another_does(&OFTEN, other, holder);
        let (run, record) = (trio.runs(), sink.highest());
        trio.api(other).create_policy(&format!("p{}", crate::revocation::unique()), &["cr:PullRepository"]);
        wait_until("another collects and delivers", SOON, || trio.runs() > run && sink.highest() > record);
        if how == Signal::KILL {
            let settings = trio.nodes.remove(holder).kill();
            trio.nodes.insert(holder, Node::start(settings));
            continue;
        }
        trio.nodes[holder].signal(Signal::CONT);
        trio.wait_until_ready(holder);
        let run = trio.runs();
        wait_until("the others go on", SOON, || trio.runs() > run + 5);
        for job in OFTEN {
            assert_ne!(trio.holder(other, job), Some(holder), "{job} is another's");
        }
    }
    assert_eq!(trio.sql("SELECT count(*) - max(number) FROM collection_run"), ["0"], "each run once");
    wait_until("the sink has each record", SOON, || sink.is_whole());
}

#[test]
#[ignore = "cargo xtask test --only nodes"]
fn what_is_looked_at_when_a_node_starts_passes_on() {
    let mut trio = Trio::start("seldom");
    for how in [Signal::KILL, Signal::STOP] {
        wait_until("somebody does it", SOON, || SELDOM.iter().all(|job| trio.holder(0, job).is_some()));
        let holder = trio.holder(0, SELDOM[0]).unwrap();
        let (other, next) = ((holder + 1) % 3, (holder + 2) % 3);
        let keys = trio.signing_keys(other);
        trio.nodes[holder].signal(how);
        trio.end(&SELDOM);
        // The youngest key has signed for long enough.
        trio.sql("UPDATE signing_key SET signs_from_ms = signs_from_ms - 3000000000, created_ms = created_ms - 3000000000");
        trio.restart(next);
        trio.wait_until_another_does(&SELDOM, other, holder);
        wait_until("another turns the key", SOON, || trio.signing_keys(other) == keys + 1);
        if how == Signal::KILL {
            let settings = trio.nodes.remove(holder).kill();
            trio.nodes.insert(holder, Node::start(settings));
        } else {
            trio.nodes[holder].signal(Signal::CONT);
            trio.wait_until_ready(holder);
            assert_eq!(trio.signing_keys(holder), keys + 1);
        }
        for job in SELDOM {
            assert_ne!(trio.holder(other, job), Some(holder), "{job} is another's");
        }
    }
}

#[test]
#[ignore = "cargo xtask test --only nodes"]
fn another_deletes_old_audit_records() {
    let mut trio = Trio::start_with("audit_retention", None, &[("TIDEGATE_AUDIT_RETENTION", "400d")]);
    let old = |trio: &Trio| trio.sql("SELECT count(*) FROM audit_event WHERE sealed_ms < 100")[0].parse::<i64>().unwrap();
    for how in [Signal::KILL, Signal::STOP] {
        wait_until("all are there", SOON, || (0..3).all(|node| trio.said(0, node).is_some()));
        let name = |node: usize| trio.said(0, node).unwrap()["node_id"].as_str().unwrap().to_owned();
        let (holder, before) = (name(2), name(1));
        // The first records of each round are sealed some time after they were written.
        let sealed = || trio.sql("SELECT count(*) FROM audit_event WHERE sealed_ms > 1")[0] != "0";
        wait_until("there are records", SOON, sealed);
        // It is at it when it dies, or is stopped; what is there is as old as can be.
        trio.nodes[2].signal(how);
        trio.sql(&format!(
            "INSERT INTO lease (name, holder, until_ms) VALUES ('audit-retention', '{holder}', 1) \
             ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, until_ms = 1"
        ));
        trio.sql("UPDATE audit_event SET day = day - 1000, sealed_ms = 1 WHERE sealed_ms > 1");
        assert!(old(&trio) > 0);
        trio.restart(1);
        wait_until("another deletes them", SOON, || old(&trio) == 0);
        let now = trio.sql("SELECT holder FROM lease WHERE name = 'audit-retention'");
        assert!(now != [holder] && now != [before], "{now:?}");
        if how == Signal::KILL {
            trio.kill_and_restart(2, Duration::ZERO);
        } else {
            trio.nodes[2].signal(Signal::CONT);
            trio.wait_until_ready(2);
        }
    }
}

#[test]
#[ignore = "cargo xtask test --only nodes"]
fn one_node_a_day_warns_of_what_ends() {
    let mut trio = Trio::start("warns");
    trio.create_user("ending");
    let (credential, _) = trio.api(0).create_credential("ending");
    let soon = "(extract(epoch FROM now()) * 1000)::BIGINT + 259200000";
    let changed = trio.sql(&format!("UPDATE credential SET expires_ms = {soon} WHERE kind = 'access_credential' RETURNING 1"));
    assert!(!changed.is_empty(), "{credential}");
    let lines = |trio: &Trio| trio.nodes.iter().map(|node| node.log().matches("credentials end soon").count()).sum::<usize>();
    assert_eq!(lines(&trio), 0);
    for day in 1..=2 {
        // The one that warned yesterday is dead: its lease stands for a day, and no longer.
        trio.end(&["warn-of-ends"]);
        for node in 0..3 {
            trio.kill_and_restart(node, Duration::ZERO);
            wait_until("it has looked", SOON, || {
                let metrics = trio.send(node, Ask::get("/metrics").with(&trio.root)).text();
                metrics.contains(&format!("tidegate_credentials_expiring{{within=\"7d\"}} {}\n", changed.len()))
            });
        }
        wait_until("one has warned", SOON, || lines(&trio) >= day);
    }
    assert_eq!(lines(&trio), 2, "one line a day");
}
