//! What the hostile suites measure while they attack: does it answer others, and what does it hold?

use std::time::{Duration, Instant};

use crate::support::http::{Ask, Connection};
use crate::support::node::Node;

/// What anonymous memory stays under, whatever comes (issue 2, section 10).
const MEMORY: u64 = 150 << 10;
/// What another client waits for an answer meanwhile, on two busy cores.
const WAIT: Duration = Duration::from_secs(5);

/// Others are answered, soon, and it holds little.
#[track_caller]
pub(crate) fn unimpressed(node: &Node, what: &str) {
    let begin = now();
    let address = node.settings.probe.clone().unwrap_or_else(|| node.address().to_owned());
    let answer = Connection::once(&address, &Ask::get("/readyz"));
    assert_eq!(answer.map(|answer| answer.status).ok(), Some(200), "{what}: others are not answered");
    let took = now() - begin;
    assert!(took < WAIT, "{what}: others wait {took:?}");
    let memory = anonymous_memory(node);
    println!("{what}: another's answer in {took:?}, {} MiB", memory >> 10);
    assert!(memory < MEMORY, "{what}: {memory} KiB of anonymous memory");
    assert!(!node.log().contains("panicked"), "{what}: {}", node.log());
}

/// In KiB.
fn anonymous_memory(node: &Node) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", node.pid())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

#[expect(clippy::disallowed_methods, reason = "a test measures time")]
fn now() -> Instant {
    Instant::now()
}
