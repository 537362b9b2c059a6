//! Nodes that are restarted one at a time by SIGTERM, as in an upgrade: behind a balancer that looks at `/readyz` no client notices.
//!
//! `TIDEGATE_TEST_SECONDS` says how long.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::ScopedJoinHandle;
use std::time::{Duration, Instant};

use crate::house::Trio;
use crate::kills::{Client, Done};
use crate::support::api::push;
use crate::support::http::{Ask, Connection};
use crate::support::{Ends, content, digest};

/// How long unless told otherwise, and how long all of them are there.
const SECONDS: u64 = 25;
const ALL: Duration = Duration::from_secs(1);
/// The proxy looks four times a second, and may be slow.
const DRAIN: &str = "3";

/// Pulls, tokens and small pushes through the proxy until told to stop, each of which must go through the first time; how many.
fn ask_on(proxy: &str, root: &str, number: u64, on: &AtomicBool) -> u64 {
    let scope = format!("/token?service={proxy}&scope=repository:demo/app:pull");
    let mut count = 0;
    while on.load(Ordering::Relaxed) {
        let blob = content(number * 1_000_000 + count, 20_000);
        let upload = format!("/v2/demo/app/blobs/uploads/?digest={}", digest(&blob));
        let asks = [(Ask::get("/v2/demo/app/manifests/v1"), 200), (Ask::get(&scope), 200), (Ask::new("POST", &upload).body(blob), 201)];
        for (ask, wanted) in asks {
            Connection::once(proxy, &ask.with(root)).unwrap().expect(wanted);
            count += 1;
        }
    }
    count
}

#[test]
#[ignore = "cargo xtask test --only nodes"]
fn restarting_one_node_at_a_time_costs_no_client_a_retry() {
    let seconds = std::env::var("TIDEGATE_TEST_SECONDS").ok().and_then(|text| text.parse().ok()).unwrap_or(SECONDS);
    let mut trio = Trio::start_with("drain", None, &[("TIDEGATE_DRAIN_SECONDS", DRAIN)]);
    push(&trio.nodes[0], &trio.root, "demo/app", "v1", 1);
    let clients: Vec<Client> = ["docker", "skopeo", "crane"].into_iter().map(|name| Client::new(&trio, name)).collect();
    let (proxy, root) = (trio.proxy.address.clone(), trio.root.clone());
    let (on, end, mut restarts) = (AtomicBool::new(true), Instant::now() + Duration::from_secs(seconds), 0_usize);
    let (all, requests) = std::thread::scope(|scope| {
        let (on, proxy, root) = (&on, &*proxy, &*root);
        let ends = Ends(on);
        let working: Vec<_> = clients.iter().zip(1..).map(|(client, n)| scope.spawn(move || client.work(n * 1_000_000, on))).collect();
        let asking: Vec<_> = (10..12).map(|number| scope.spawn(move || ask_on(proxy, root, number, on))).collect();
        while Instant::now() < end && !asking.iter().any(ScopedJoinHandle::is_finished) {
            std::thread::sleep(ALL);
            trio.restart(restarts % 3);
            restarts += 1;
        }
        drop(ends);
        let requests: u64 = asking.into_iter().map(|one| one.join().unwrap()).sum();
        (working.into_iter().map(|one| one.join().unwrap()).collect::<Vec<Done>>(), requests)
    });
    let sum = |of: fn(&Done) -> u64| all.iter().map(of).sum::<u64>();
    let (pushes, pulls, retries) = (sum(|done| done.pushes), sum(|done| done.pulls), sum(|done| done.retries));
    println!(
        "{restarts} nodes restarted by SIGTERM in {seconds} s: {pushes} pushes and {pulls} pulls by docker, skopeo and crane and \
         {requests} requests besides, {retries} of them at the second try"
    );
    assert!(restarts >= 3 && all.iter().all(|done| done.pushes >= 2), "too little was done to say anything: {all:?}");
    assert_eq!(retries, 0);
}
