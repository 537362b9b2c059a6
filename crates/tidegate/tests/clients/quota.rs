//! A namespace that may hold no more: what each client prints, and that it does not try on and on.

use std::time::{Duration, Instant};

use crate::client::Client;
use crate::containers::Skopeo;
use crate::docker::Docker;
use crate::modules::{Crane, Oras, Regctl};
use crate::people::{Login, PASSWORD, People};

#[test]
#[ignore = "cargo xtask test --only clients"]
fn a_full_namespace_is_said_by_name_and_not_tried_again() {
    let people = People::new();
    // One refuses at the first upload, the other at the end of it.
    for (namespace, most) in [("none", "0"), ("small", "1B")] {
        people.root.run(&["namespace", "create", namespace]).ok();
        people.root.run(&["quota", "set", namespace, "--bytes", most]).ok();
    }
    let mut clients: [Box<dyn Client>; 5] = [
        Box::new(Docker::new(&people)),
        Box::new(Skopeo::new(&people)),
        Box::new(Crane::new(&people)),
        Box::new(Oras::new(&people)),
        Box::new(Regctl::new(&people)),
    ];
    for (n, client) in clients.iter_mut().enumerate() {
        client.login(&Login { kind: "permanent-password", user: "alice".to_owned(), password: PASSWORD.to_owned() }).ok();
        for namespace in ["none", "small"] {
            let begun = now();
            let said = [&*format!("namespace {namespace} is full: it may hold"), "delete images there, or have its quota raised"];
            // regctl asks again in other forms, and prints what it heard last: that there is no such upload any more.
            let said = if n == 4 && namespace == "small" { &[][..] } else { &said };
            client.push(&format!("{namespace}/app:1")).refused(said);
            assert!(begun.elapsed() < Duration::from_secs(10), "tried again and again");
        }
        client.push("demo/app:1").ok();
    }
}

#[expect(clippy::disallowed_methods, reason = "a test measures time")]
fn now() -> Instant {
    Instant::now()
}
