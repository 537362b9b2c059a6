//! The primary is lost, and its standby takes over, while two nodes that know both are used.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rustix::process::Signal;
use serde_json::json;

use crate::house::{House, Known, later, ready};
use crate::support::api::Api;
use crate::support::http::{Answer, Ask};
use crate::support::node::{Node, Settings};
use crate::support::postgres::Postgres;
use crate::support::{Ends, MASTER_KEY, OCI_MANIFEST, content, digest, manifest, wait_until};

/// Keys that are disabled one after another: of each of so many users so many.
const USERS: usize = 4;
const KEYS: usize = 60;
/// A disabled key is dead everywhere within it.
const PROMISE: Duration = Duration::from_secs(1);
/// With it, on a slow machine.
const SOON: Duration = Duration::from_mins(1);
const PULL: &str = "/v2/demo/app/manifests/kept";

/// What was acknowledged.
#[derive(Default)]
struct Done {
    /// Tags and the digests of their manifests.
    pushed: Mutex<Vec<(String, String)>>,
    /// Keys by Basic, and when they were dead.
    disabled: Mutex<Vec<(String, Instant)>>,
    later: Mutex<u32>,
}

impl Done {
    /// Whether it was done; else it was "later".
    fn is_done(&self, what: &str, answer: &Answer) -> bool {
        if answer.status == 503 {
            later(what, answer);
            *self.later.lock().unwrap() += 1;
        } else {
            assert!((200..300).contains(&answer.status), "{what}: {} {}", answer.status, answer.text());
        }
        answer.status != 503
    }

    /// Pushes images, each with a layer of its own, at one node after the other until told to stop.
    fn push(&self, nodes: &[&Node], known: &Known, first: u64, on: &AtomicBool) {
        for number in (first..).take_while(|_| on.load(Ordering::Relaxed)) {
            let (config, layer) = (content(number, 200), content(number + 500_000, 3_000));
            let (tag, text) = (format!("f{number}"), manifest(&config, std::slice::from_ref(&layer)));
            let blob = |bytes: &[u8]| {
                let upload = format!("/v2/demo/app/blobs/uploads/?digest={}", digest(bytes));
                Ask::new("POST", &upload).with(&known.alice).body(bytes)
            };
            let put = Ask::new("PUT", &format!("/v2/demo/app/manifests/{tag}")).with(&known.alice);
            let asks = [blob(&config), blob(&layer), put.header("content-type", OCI_MANIFEST).body(text.clone())];
            for (ask, node) in asks.iter().zip(nodes.iter().cycle().skip(usize::from(number % 2 == 1))) {
                wait_until("a push goes through", SOON, || self.is_done("a push", &node.send(ask)));
            }
            self.pushed.lock().unwrap().push((tag, digest(text.as_bytes())));
        }
    }

    /// Disables one key after the other, again where the answer was "later".
    fn disable(&self, node: &Node, known: &Known, keys: &[(String, String)], on: &AtomicBool) {
        for (id, basic) in keys.iter().take_while(|_| on.load(Ordering::Relaxed)) {
            let ask = Ask::new("PATCH", &format!("/api/v1/credentials/{id}")).with(&known.manager);
            let ask = ask.header("content-type", "application/json").body(json!({ "enabled": false }).to_string());
            wait_until("a key is disabled", SOON, || self.is_done("a key's end", &node.send(&ask)));
            self.disabled.lock().unwrap().push((basic.clone(), Instant::now()));
            std::thread::sleep(Duration::from_millis(30));
        }
    }

    /// Whoever was disabled longer ago than the promise is let in by nobody, whatever the database does.
    fn watch(&self, nodes: &[&Node], on: &AtomicBool) -> u32 {
        let mut asked = 0;
        while on.load(Ordering::Relaxed) {
            let dead: Vec<String> = self
                .disabled
                .lock()
                .unwrap()
                .iter()
                .rev()
                .filter(|(_, at)| at.elapsed() >= PROMISE)
                .take(4)
                .map(|(by, _)| by.clone())
                .collect();
            for (by, node) in dead.iter().zip(nodes.iter().cycle()) {
                let answer = node.send(&Ask::get(PULL).with(by));
                assert!(matches!(answer.status, 401 | 503), "a key that was disabled: {} {}", answer.status, answer.text());
                asked += 1;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        asked
    }
}

fn second(house: &House, folder: &std::path::Path, url: &str) -> Node {
    let settings = Settings::in_folder(folder, "second").set("TIDEGATE_DATABASE", url).set("TIDEGATE_MASTER_KEY", MASTER_KEY);
    let settings = settings.set("TIDEGATE_POSTGRES_STATEMENT_SECONDS", "2").set("TIDEGATE_POSTGRES_ACQUIRE_SECONDS", "2");
    Node::start(settings.set("TIDEGATE_BLOBS", house.node.settings.data.join("blobs").to_str().unwrap()))
}

#[test]
#[ignore = "cargo xtask test --only database"]
fn a_standby_takes_over_and_nothing_that_was_acknowledged_is_lost() {
    let folder = tempfile::tempdir().unwrap();
    let primary = Postgres::start(folder.path(), &[]);
    let standby = primary.standby();
    let (url, here) = (primary.url_with(&standby), folder.path().to_owned());
    let mut house = House::over(primary, folder, &url);
    let other = second(&house, &here, &url);
    let api = Api::root(&house.node);
    let mut keys = Vec::new();
    for name in (0..USERS).map(|number| format!("holder{number}")) {
        api.create_user(&name);
        api.attach(&name, "work");
        keys.extend((0..KEYS).map(|_| api.create_credential(&name)));
    }
    let (done, on) = (Done::default(), AtomicBool::new(true));
    let House { postgres, node, known, .. } = &mut house;
    let (node, known) = (&*node, &*known);
    let (nodes, pause) = ([node, &other], Duration::from_millis(1500));
    let (gone, asked) = std::thread::scope(|scope| {
        let (done, on, nodes, keys) = (&done, &on, &nodes, &*keys);
        let ends = Ends(on);
        for first in [10_000, 20_000] {
            scope.spawn(move || done.push(nodes, known, first, on));
        }
        scope.spawn(move || done.disable(node, known, keys, on));
        let watching = scope.spawn(move || done.watch(nodes, on));
        std::thread::sleep(pause);
        postgres.stop(Signal::QUIT);
        let lost = Instant::now();
        for node in nodes {
            wait_until("a node notices", SOON, || !ready(node));
        }
        assert_eq!(standby.run("SELECT pg_promote()"), ["t"]);
        for node in nodes {
            wait_until("a node has found the other", SOON, || ready(node));
        }
        let gone = lost.elapsed();
        std::thread::sleep(pause);
        drop(ends);
        (gone, watching.join().unwrap())
    });
    let (pushed, disabled) = (done.pushed.into_inner().unwrap(), done.disabled.into_inner().unwrap());
    println!(
        "the standby has taken over after {:.1} s; {} pushes, {} keys disabled, {} times \"later\", {asked} times refused",
        gone.as_secs_f64(),
        pushed.len(),
        disabled.len(),
        done.later.into_inner().unwrap()
    );
    std::thread::sleep(PROMISE);
    for node in nodes {
        for (tag, wanted) in &pushed {
            let ask = Ask::get(&format!("/v2/demo/app/manifests/{tag}")).with(&known.alice).header("accept", OCI_MANIFEST);
            assert_eq!(&digest(&node.send(&ask).expect(200).body), wanted, "{tag}");
        }
        for (by, _) in &disabled {
            node.send(&Ask::get(PULL).with(by)).expect(401);
        }
    }
    house.recovers();
}
