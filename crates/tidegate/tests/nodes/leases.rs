//! What one node does for all passes on when that node dies or is stopped; one that comes back does no harm.

use std::time::Duration;

use rustix::process::Signal;
use serde_json::{Value, json};

use crate::house::Trio;
use crate::support::wait_until;

/// Sealing the audit trail: everybody tries each second, and the lease lives for 10 s.
const SEALING: &str = "audit-seal";
const LIFE: Duration = Duration::from_secs(10);
/// From the lease's end to the first record that the next holder has sealed.
const SLACK: Duration = Duration::from_secs(5);

impl Trio {
    /// Who seals, as a node sees it. Somebody has to do something first, since nobody seals nothing.
    fn sealer(&self, seen_by: usize) -> Option<usize> {
        let nodes = self.listed(seen_by);
        let node = nodes.iter().find(|node| node["leases"].as_array().unwrap().contains(&json!(SEALING)))?;
        self.nodes.iter().position(|one| node["listen"][0] == one.address())
    }

    /// Waits until what has just been done is sealed; how long that took.
    fn wait_until_sealed(&self, by: usize, limit: Duration) -> Duration {
        let head = |trio: &Self| trio.api(by).call("GET", "/audit-trail", &Value::Null)["head"].clone();
        let before = head(self);
        self.api(by).create_policy(&format!("p{}", crate::revocation::unique()), &["cr:PullRepository"]);
        wait_until("the audit trail is sealed", limit, || head(self) != before)
    }

    fn is_whole(&self, by: usize) {
        let api = self.api(by);
        let events = api.audit("");
        let mut numbers: Vec<i64> = events.iter().filter_map(|event| event["sequence"].as_i64()).collect();
        numbers.sort_unstable();
        let expected: Vec<i64> = (1..=i64::try_from(numbers.len()).unwrap()).collect();
        assert_eq!(numbers, expected, "each record has one place, and none is left out");
    }
}

#[test]
#[ignore = "cargo xtask test --only nodes"]
fn when_the_holder_of_a_lease_is_killed_another_goes_on() {
    let mut trio = Trio::start("lease_killed");
    trio.wait_until_sealed(0, SLACK);
    let holder = trio.sealer(0).unwrap();
    let other = (holder + 1) % 3;
    trio.nodes[holder].signal(Signal::KILL);
    let took = trio.wait_until_sealed(other, LIFE + SLACK);
    println!("the sealer was killed; sealed by another after {:.1} s", took.as_secs_f64());
    let next = trio.sealer(other).unwrap();
    assert_ne!(next, holder);

    // One that ends properly gives it back: nobody waits for its end.
    let settings = trio.nodes.remove(next).stop();
    trio.nodes.insert(next, crate::support::node::Node::start(settings));
    let asked = (0..3).find(|node| *node != next && *node != holder).unwrap();
    let took = trio.wait_until_sealed(asked, SLACK);
    println!("the sealer ended properly; sealed by another after {:.1} s", took.as_secs_f64());
    trio.is_whole(asked);
}

#[test]
#[ignore = "cargo xtask test --only nodes"]
fn a_holder_that_was_stopped_and_comes_back_does_no_harm() {
    let trio = Trio::start("lease_stopped");
    for _ in 0..2 {
        trio.wait_until_sealed(0, SLACK);
        let holder = trio.sealer(0).unwrap();
        let other = (holder + 1) % 3;
        trio.nodes[holder].signal(Signal::STOP);
        let took = trio.wait_until_sealed(other, LIFE + SLACK);
        println!("the sealer was stopped; sealed by another after {:.1} s", took.as_secs_f64());
        trio.nodes[holder].signal(Signal::CONT);
        wait_until("it is ready again", Duration::from_secs(10), || {
            trio.try_send(holder, crate::support::http::Ask::get("/readyz")).is_some_and(|answer| answer.status == 200)
        });
        for node in [holder, other, holder] {
            trio.wait_until_sealed(node, SLACK);
        }
        assert_ne!(trio.sealer(other), Some(holder), "the lease is another's");
        trio.is_whole(holder);
    }
}
