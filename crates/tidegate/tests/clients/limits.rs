//! A caller who is told to slow down: which clients wait by themselves, and that the others end well when they are tried again.

use std::time::Duration;

use crate::client::Client;
use crate::containers::Skopeo;
use crate::docker::Docker;
use crate::modules::{Oras, Regctl};
use crate::people::{Login, PASSWORD, People};
use crate::support::house::{House, text};
use crate::support::http::{Ask, basic};
use crate::support::program::Ran;
use crate::support::wait_until;

/// Requests a second that each of these people may make, and ten times as many at once.
const A_SECOND: &str = "4";

/// In this time come the requests of a small push.
const A_LITTLE: Duration = Duration::from_secs(4);

/// People of whom each may make few requests, and what root is asked by.
fn hurried() -> (People, String) {
    let people = People::in_house(House::start_with(&["--limits-requests-per-second-per-caller", A_SECOND]));
    let root = basic("root", &text(&people.house.bootstrap()["root_password"]));
    (people, root)
}

/// Spends what alice may ask at once.
fn spend(people: &People) {
    let ask = Ask::get("/v2/").with(&basic("alice", PASSWORD));
    wait_until("alice is told to slow down", Duration::from_secs(30), || people.house.send(&ask).status == 429);
}

fn may_ask(people: &People, client: &mut dyn Client) {
    let login = Login { kind: "permanent-password", user: "alice".to_owned(), password: PASSWORD.to_owned() };
    wait_until("alice logs in", Duration::from_mins(1), || client.login(&login).code == Some(0));
    spend(people);
}

/// How often somebody was told to slow down.
fn told(people: &People, root: &str) -> f64 {
    let ask = Ask::get("/metrics").with(root);
    let mut shown = String::new();
    wait_until("root may look", Duration::from_secs(30), || {
        let answer = people.house.send(&ask);
        shown = answer.text();
        answer.status == 200
    });
    let line = shown.lines().find_map(|line| line.strip_prefix("tidegate_requests_limited_total{limit=\"caller\"} ")).unwrap();
    line.split(' ').next().unwrap().parse().unwrap()
}

/// Pushes and pulls, told to slow down both times: it waits by itself.
fn waits(client: &mut dyn Client, people: &People, root: &str) {
    may_ask(people, client);
    let before = told(people, root);
    client.push("demo/app:1").ok();
    spend(people);
    client.pull("demo/app:1").ok();
    assert!(told(people, root) >= before + 2.0, "was never told to slow down");
}

/// The same of one that may give up: whoever tries again a little later ends well.
fn ends_well_when_tried_again(client: &mut dyn Client, people: &People, root: &str) {
    may_ask(people, client);
    let before = told(people, root);
    wait_until("it is pushed", Duration::from_mins(1), || ended_well(|| client.push("demo/app:1")));
    spend(people);
    wait_until("it is pulled", Duration::from_mins(1), || ended_well(|| client.pull("demo/app:1")));
    assert!(told(people, root) > before, "was never told to slow down");
}

/// Whoever tries again at once spends what there is, and never comes to an end: some time passes first.
fn ended_well(run: impl FnOnce() -> Ran) -> bool {
    let ended = run().code == Some(0);
    if !ended {
        std::thread::sleep(A_LITTLE);
    }
    ended
}

#[test]
#[ignore = "cargo xtask test --only clients"]
fn oras_waits() {
    let (people, root) = hurried();
    waits(&mut Oras::new(&people), &people, &root);
}

#[test]
#[ignore = "cargo xtask test --only clients"]
fn docker_skopeo_and_regctl_end_well_when_they_are_tried_again() {
    let (people, root) = hurried();
    let mut clients: [Box<dyn Client>; 3] =
        [Box::new(Docker::new(&people)), Box::new(Skopeo::new(&people)), Box::new(Regctl::new(&people))];
    for client in &mut clients {
        ends_well_when_tried_again(&mut **client, &people, &root);
    }
}
