//! `tidegate nodes`: who is there, and how they are.

use std::time::Duration;

use rustix::process::Signal;
use serde_json::{Value, json};

use crate::house::Trio;
use crate::support::api::bootstrap;
use crate::support::http::Ask;
use crate::support::program::Program;
use crate::support::{tidegate, wait_until};

/// Every key of a node, as the documentation lists them.
const KEYS: [&str; 14] = [
    "alive",
    "answering",
    "clock_ahead_millis",
    "database_millis",
    "failing",
    "feed_behind",
    "feed_lag_millis",
    "host",
    "leases",
    "listen",
    "node_id",
    "seen_at",
    "started_at",
    "version",
];

/// A node is heard of each 5 s, and missed 10 s after it should have been.
const MISSED: Duration = Duration::from_secs(20);

#[test]
#[ignore = "cargo xtask test --only nodes"]
fn nodes_are_listed_missed_and_forgotten() {
    let mut trio = Trio::start("listed");
    wait_until("all have said that they are there", MISSED, || trio.listed(1).len() == 3);
    let listed = trio.listed(1);
    for node in &listed {
        let keys: Vec<&String> = node.as_object().unwrap().keys().collect();
        assert_eq!(keys, KEYS);
        assert_eq!((&node["alive"], &node["failing"]), (&json!(true), &json!([])), "{node}");
        let small = |key: &str, most: i64| assert!(node[key].as_i64().unwrap().abs() < most, "{key}: {node}");
        small("clock_ahead_millis", 1000);
        small("feed_lag_millis", 1000);
        small("feed_behind", 100);
        small("database_millis", 2000);
    }
    let answering: Vec<_> = listed.iter().filter(|node| node["answering"] == true).map(|node| node["listen"][0].clone()).collect();
    assert_eq!(answering, [json!(trio.nodes[1].address())]);
    tells_the_operator(&trio);

    // One that ends properly is gone at once, and gives its leases back; one that is killed is missed, and found again.
    let settings = trio.nodes.remove(2).stop();
    assert_eq!(trio.listed(0).len(), 2);
    trio.nodes.insert(2, crate::support::node::Node::start(settings));
    wait_until("the third is there again", MISSED, || trio.listed(0).len() == 3);
    let before = trio.said(0, 2).unwrap()["node_id"].clone();
    trio.nodes[2].signal(Signal::KILL);
    wait_until("a node that was killed is missed", MISSED, || trio.said(0, 2).unwrap()["alive"] == false);
    counts(&trio, 2, 1);
    trio.kill_and_restart(2, Duration::ZERO);
    wait_until("it is back", MISSED, || trio.said(0, 2).is_some_and(|node| node["alive"] == true && node["node_id"] != before));
    assert_eq!(trio.listed(0).len(), 3, "the one before it at the same place is not missed any more");

    // What a node cannot reach, it says.
    trio.s3.signal(Signal::STOP);
    wait_until("a node says that it cannot reach the blobs", Duration::from_mins(1), || {
        trio.listed(0).iter().all(|node| node["failing"] == json!(["blobs"]))
    });
    trio.s3.signal(Signal::CONT);
    wait_until("it says that it can again", MISSED, || trio.listed(0).iter().all(|node| node["failing"] == json!([])));
}

/// By the command, with root's key and without any.
fn tells_the_operator(trio: &Trio) {
    let data = trio.nodes[0].settings.data.to_str().unwrap().to_owned();
    let written = bootstrap(&trio.nodes[0]);
    let text = |key: &str| written[key].as_str().unwrap().to_owned();
    let root = Program::new(tidegate(), &trio.folder.path().join("root"))
        .with("TIDEGATE_ENDPOINT", &format!("http://{}", trio.nodes[2].address()))
        .with("TIDEGATE_ACCESS_KEY_ID", &text("access_key_id"))
        .with("TIDEGATE_ACCESS_KEY_SECRET", &text("access_key_secret"));
    let answering = |nodes: &Value| {
        let nodes = nodes.as_array().unwrap();
        assert_eq!(nodes.len(), 3);
        nodes.iter().find(|node| node["answering"] == true).map(|node| node["listen"][0].clone())
    };
    assert_eq!(answering(&root.run(&["nodes"]).ok().json()), Some(json!(trio.nodes[2].address())));
    let operator = Program::new(tidegate(), &trio.folder.path().join("operator"));
    let local = operator.run(&["nodes", "--local", "--data-dir", &data]).ok().json();
    assert_eq!(answering(&local), Some(json!(trio.nodes[0].address())));
    let table = operator.run(&["nodes", "--local", "--data-dir", &data, "--output", "table"]).ok();
    assert!(table.says("CLOCK AHEAD MILLIS"), "{table}");
}

fn counts(trio: &Trio, alive: u32, silent: u32) {
    let wanted = [format!("tidegate_nodes{{state=\"alive\"}} {alive}"), format!("tidegate_nodes{{state=\"silent\"}} {silent}")];
    wait_until("the metrics count the nodes", MISSED, || {
        let metrics = trio.send(0, Ask::get("/metrics").with(&trio.root)).text();
        wanted.iter().all(|line| metrics.contains(line)) && metrics.contains("tidegate_change_feed_age_seconds ")
    });
}
