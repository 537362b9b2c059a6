//! A caller who has spent what there is: requests wait for their turn, and every client comes to an end by itself.

use std::time::Duration;

use crate::client::Client;
use crate::containers::Skopeo;
use crate::docker::Docker;
use crate::layout::{Layout, tar};
use crate::modules::{Crane, Oras, Regctl};
use crate::people::{Login, PASSWORD, People};
use crate::support::house::{House, text};
use crate::support::http::{Ask, basic};
use crate::support::wait_until;

/// Requests a second that each of these people may make, and ten times as many at once.
const A_SECOND: &str = "4";

/// People of whom each may make few requests, and what root is asked by.
fn hurried() -> (People, String) {
    let people = People::in_house(House::start_with(&["--limits-requests-per-second-per-caller", A_SECOND]));
    let root = basic("root", &text(&people.house.bootstrap()["root_password"]));
    (people, root)
}

/// Spends what alice may ask at once. A request with a body does not wait for its turn.
fn spend(people: &People) {
    let ask = Ask::get("/v2/").with(&basic("alice", PASSWORD)).body("x");
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

/// How often somebody was told to slow down while this was done.
fn told_while(people: &People, root: &str, what: impl FnOnce()) -> f64 {
    let before = told(people, root);
    what();
    told(people, root) - before
}

/// Pushes and pulls, with nothing left each time: it waits by itself. How often it was told to slow down as it pushed, and as it pulled.
fn waits(client: &mut dyn Client, people: &People, root: &str) -> (f64, f64) {
    may_ask(people, client);
    let pushed = told_while(people, root, || drop(client.push("demo/app:1").ok()));
    spend(people);
    let pulled = told_while(people, root, || drop(client.pull("demo/app:1").ok()));
    (pushed, pulled)
}

#[test]
#[ignore = "cargo xtask test --only clients"]
fn whoever_has_spent_what_there_is_comes_to_an_end_by_itself() {
    let (people, root) = hurried();
    let mut clients: [Box<dyn Client>; 5] = [
        Box::new(Oras::new(&people)),
        Box::new(Docker::new(&people)),
        Box::new(Skopeo::new(&people)),
        Box::new(Regctl::new(&people)),
        Box::new(Crane::new(&people)),
    ];
    // A client that is slower than the limit is not told.
    let (mut pushed, mut pulled) = (0.0, 0.0);
    for client in &mut clients {
        let told = waits(&mut **client, &people, &root);
        (pushed, pulled) = (pushed + told.0, pulled + told.1);
    }
    assert!(pushed > 0.0 && pulled > 0.0, "nobody was told to slow down: {pushed} at pushes, {pulled} at pulls");
}

/// More side by side than may be asked for in a second, and each of it several requests.
#[test]
#[ignore = "cargo xtask test --only clients"]
fn an_image_of_eight_layers_comes_to_its_end_as_well() {
    let (people, root) = hurried();
    let layout = Layout::new(&people.house.folder.path().join("eight"));
    let layers: Vec<Vec<u8>> = (0..8).map(|place| tar(&format!("file-{place}"), place.to_string().as_bytes())).collect();
    let image = layout.image("amd64", &layers);
    let layout = layout.tagged(image);
    let (mut skopeo, mut docker) = (Skopeo::new(&people), Docker::new(&people));
    may_ask(&people, &mut skopeo);
    let told = told_while(&people, &root, || drop(skopeo.push_layout(&layout, "demo/eight:1").ok()));
    assert!(told > 0.0, "the push was never told to slow down");
    spend(&people);
    skopeo.pull("demo/eight:1").ok();
    may_ask(&people, &mut docker);
    docker.pull("demo/eight:1").ok();
}
