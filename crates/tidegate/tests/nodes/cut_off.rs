//! A node that cannot know what has changed: stopped and continued, or cut off from the database. It answers 503 or 401 of
//! what ended meanwhile, never 200; and the proxy's clients go on at the others. Stopped for less than two looks at the feed it is
//! a node as every other: 200 in the first second after the acknowledgement, as the next look may be due.
//!
//! There are no notifications that could be lost: nodes poll the change feed and nothing else (`docs/decisions/0004-feed-by-polling.md`).

use std::time::{Duration, Instant};

use rustix::process::Signal;
use serde_json::json;

use crate::house::Trio;
use crate::support::api::push;
use crate::support::http::{Answer, Ask, Connection};

const PULL: &str = "/v2/demo/app/manifests/v1";

struct Known {
    credential: String,
    basic: String,
    bearer: String,
}

fn known(trio: &Trio, name: &str) -> Known {
    trio.create_user(name);
    let (credential, basic) = trio.api(0).create_credential(name);
    let bearer = trio.token(1, &basic);
    Known { credential, basic, bearer }
}

fn set_enabled(trio: &Trio, at: usize, known: &Known, enabled: bool) -> Instant {
    trio.api(at).call("PATCH", &format!("/credentials/{}", known.credential), &json!({ "enabled": enabled }));
    Instant::now()
}

fn pull(trio: &Trio, node: usize, by: &str) -> u16 {
    trio.send(node, Ask::get(PULL).with(by)).status
}

#[test]
#[ignore = "cargo xtask test --only nodes"]
fn a_node_that_was_stopped_honours_nothing_that_ended_meanwhile() {
    let trio = Trio::start("stopped");
    push(&trio.nodes[0], &trio.root, "demo/app", "v1", 1);
    let known = known(&trio, "sleeper");
    let (mut refused, mut unavailable, mut early) = (0, 0, 0);
    // Shorter than a look at the feed, longer than two, about a second, and longer.
    for pause in [50, 150, 300, 600, 900, 1000, 1100, 1500, 2500] {
        for node in 0..3 {
            set_enabled(&trio, (node + 1) % 3, &known, true);
            std::thread::sleep(Duration::from_millis(600));
            assert_eq!((pull(&trio, node, &known.bearer), pull(&trio, node, &known.basic)), (200, 200));
            let mut waiting: Vec<Connection> = (0..4).map(|_| trio.nodes[node].connection()).collect();
            trio.nodes[node].signal(Signal::STOP);
            let done = set_enabled(&trio, (node + 1) % 3, &known, false);
            let answers = answers_after(&trio, node, &known, &mut waiting, Duration::from_millis(pause));
            for (at, answer) in answers {
                match answer.status {
                    401 => refused += 1,
                    503 => unavailable += 1,
                    // It has missed no two looks.
                    200 if pause < 500 && at - done < Duration::from_secs(1) => early += 1,
                    _ => panic!("stopped for {pause} ms: {} after {:?}: {}", answer.status, at - done, answer.text()),
                }
            }
            // Not only later: it comes to know, and honours nothing until it does.
            crate::support::wait_until("it refuses", Duration::from_secs(30), || {
                let status = pull(&trio, node, &known.bearer);
                assert!(status != 200 || pause < 500, "stopped for {pause} ms, and then 200");
                status == 401
            });
        }
    }
    println!(
        "stopped nodes that went on: {refused} times 401, {unavailable} times 503; 200 after short stops: {early} times, within a second"
    );
    // How many are refused at once, and how many are told "later", is the database's pace.
    assert!(refused > 0, "{refused} times 401, {unavailable} times 503, {early} times 200");
}

/// It cannot look, so it decides nothing: not even in the second after the acknowledgement.
#[test]
#[ignore = "cargo xtask test --only nodes"]
fn a_node_that_was_stopped_and_cannot_look_decides_nothing() {
    let trio = Trio::start("stopped_cut");
    push(&trio.nodes[0], &trio.root, "demo/app", "v1", 1);
    let known = known(&trio, "sleeper");
    let mut unavailable = 0;
    for pause in [600, 900, 1500] {
        for node in 1..3 {
            set_enabled(&trio, 0, &known, true);
            crate::support::wait_until("it knows", Duration::from_secs(30), || {
                (pull(&trio, node, &known.bearer), pull(&trio, node, &known.basic)) == (200, 200)
            });
            let mut waiting: Vec<Connection> = (0..4).map(|_| trio.nodes[node].connection()).collect();
            trio.nodes[node].signal(Signal::STOP);
            trio.wires[node].silence();
            set_enabled(&trio, 0, &known, false);
            for (_, answer) in answers_after(&trio, node, &known, &mut waiting, Duration::from_millis(pause)) {
                assert_eq!(answer.status, 503, "stopped for {pause} ms: {}", answer.text());
                assert!(answer.header("retry-after").is_some());
                unavailable += 1;
            }
            trio.wires[node].mend();
            crate::support::wait_until("it refuses", Duration::from_secs(30), || pull(&trio, node, &known.bearer) == 401);
        }
    }
    assert_eq!(unavailable, 3 * 2 * 7);
}

/// What a stopped node answers once it goes on: to requests that lie in its sockets, and to those that follow.
fn answers_after(trio: &Trio, node: usize, known: &Known, waiting: &mut [Connection], pause: Duration) -> Vec<(Instant, Answer)> {
    std::thread::scope(|scope| {
        let asked: Vec<_> = waiting
            .iter_mut()
            .zip([&known.bearer, &known.basic].into_iter().cycle())
            .map(|(connection, by)| {
                let ask = Ask::get(PULL).with(by).header("host", &trio.proxy.address);
                scope.spawn(move || {
                    let answer = connection.send(&ask).unwrap();
                    (Instant::now(), answer)
                })
            })
            .collect();
        std::thread::sleep(pause);
        trio.nodes[node].signal(Signal::CONT);
        let mut answers: Vec<_> = asked.into_iter().map(|one| one.join().unwrap()).collect();
        for by in [&known.bearer, &known.basic, &known.bearer] {
            let answer = trio.send(node, Ask::get(PULL).with(by));
            answers.push((Instant::now(), answer));
        }
        answers
    })
}

#[test]
#[ignore = "cargo xtask test --only nodes"]
fn a_node_whose_database_hangs_decides_nothing_and_clients_go_on_elsewhere() {
    let trio = Trio::start("cut");
    push(&trio.nodes[0], &trio.root, "demo/app", "v1", 1);
    let (ended, living) = (known(&trio, "ended"), known(&trio, "living"));
    for node in [2, 1] {
        let other = (node + 1) % 3;
        assert_eq!((pull(&trio, node, &ended.bearer), pull(&trio, node, &living.bearer)), (200, 200));
        trio.wires[node].silence();
        let done = set_enabled(&trio, other, &ended, false);
        let mut last = Duration::ZERO;
        while done.elapsed() < Duration::from_secs(4) {
            let status = pull(&trio, node, &ended.bearer);
            match status {
                200 => last = done.elapsed(),
                401 | 503 => {}
                _ => panic!("{status}"),
            }
        }
        assert!(last < Duration::from_secs(1), "200 until {last:?} after the acknowledgement");
        assert_eq!(pull(&trio, node, &living.bearer), 503, "it decides nothing");
        // The proxy has seen that it is not ready.
        for _ in 0..30 {
            assert_eq!(trio.ask(&Ask::get(PULL).with(&living.bearer)).status, 200, "the others go on");
        }
        println!("a node whose database hangs: the last 200 came {:.0} ms after the acknowledgement", last.as_secs_f64() * 1e3);
        trio.wires[node].mend();
        crate::support::wait_until("it comes back by itself", Duration::from_secs(30), || {
            let status = pull(&trio, node, &ended.bearer);
            assert!(matches!(status, 401 | 503), "{status}");
            status == 401
        });
        set_enabled(&trio, other, &ended, true);
        crate::support::wait_until("it knows what began meanwhile", Duration::from_secs(2), || pull(&trio, node, &ended.bearer) == 200);
    }
}
