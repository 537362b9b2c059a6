//! The admin user of an instance, as pipelines use it: one name, two passwords, many hands.

use std::time::Duration;

use serde_json::Value;

use crate::client::Client;
use crate::containers::Skopeo;
use crate::docker::Docker;
use crate::modules::Crane;
use crate::people::{Login, People};
use crate::support::house::text;
use crate::support::http::{Ask, bearer};
use crate::support::wait_until;

/// A new password in the place of one of the two.
fn renew(people: &People, number: &str) -> Login {
    let made = people.root.json(&["admin-user", "renew", "--password", number]);
    Login { kind: "admin-password", user: text(&made["username"]), password: text(&made["password"]) }
}

/// The status of a GET with a bearer token.
fn pulls(people: &People, token: &str) -> u16 {
    people.house.send(&Ask::get("/v2/admin/skopeo/manifests/1").with(&bearer(token))).status
}

fn goes(client: &dyn Client, name: &str) {
    client.push(name).ok();
    client.pull(name).ok();
}

#[test]
#[ignore = "cargo xtask test --only clients"]
fn the_admin_user_goes_by_either_password_until_it_is_renewed_or_disabled() {
    let people = People::new();
    let first = renew(&people, "1");
    assert_eq!(first.user, "local", "it is called like the instance");
    let mut skopeo = Skopeo::new(&people);
    skopeo.login(&first).refused(&[]);
    people.root.run(&["admin-user", "enable"]).ok();
    let second = renew(&people, "2");

    let (mut docker, mut crane) = (Docker::new(&people), Crane::new(&people));
    docker.login(&first).ok();
    skopeo.login(&second).ok();
    crane.login(&first).ok();
    goes(&docker, "admin/docker:1");
    goes(&skopeo, "admin/skopeo:1");
    goes(&crane, "admin/crane:1");

    // Password 1 is renewed: whoever has it is out, whoever has password 2 works on.
    let third = renew(&people, "1");
    docker.pull("admin/docker:1").refused(&[]);
    crane.pull("admin/crane:1").refused(&["UNAUTHORIZED"]);
    docker.login(&first).refused(&[]);
    goes(&skopeo, "admin/skopeo:2");
    docker.login(&third).ok();
    crane.login(&third).ok();
    goes(&docker, "admin/docker:2");
    goes(&crane, "admin/crane:2");

    // And the other way round.
    let fourth = renew(&people, "2");
    skopeo.pull("admin/skopeo:1").refused(&[]);
    goes(&docker, "admin/docker:3");
    skopeo.login(&fourth).ok();
    goes(&skopeo, "admin/skopeo:3");

    let running = people.house.bearer("local", &fourth.password, "repository:admin/skopeo:pull");
    assert_eq!(pulls(&people, &running), 200);
    people.root.run(&["admin-user", "disable"]).ok();
    assert_eq!(pulls(&people, &running), 401, "in force before the command returned");
    docker.pull("admin/docker:1").refused(&[]);
    docker.push("admin/docker:4").refused(&[]);
    skopeo.pull("admin/skopeo:1").refused(&[]);
    crane.push("admin/crane:3").refused(&["UNAUTHORIZED"]);
    for login in [&third, &fourth] {
        docker.login(login).refused(&[]);
        skopeo.login(login).refused(&[]);
    }
    is_marked_as_shared(&people);

    people.root.run(&["admin-user", "enable"]).ok();
    docker.pull("admin/docker:1").ok();
}

/// Whatever it did stands in the trail as the instance's, by the number of its password's credential: nobody's in particular.
fn is_marked_as_shared(people: &People) {
    let events = |action: &str| people.root.json(&["audit", "list", "--action", action, "--limit", "200"]);
    let by_admin = |events: Value| {
        let events: Vec<Value> = events.as_array().unwrap().clone();
        events.into_iter().filter(|event| event["resource"].as_str().unwrap().contains("/admin/")).collect::<Vec<_>>()
    };
    // Pulls are written within a second.
    wait_until("its pulls stand in the trail", Duration::from_secs(5), || by_admin(events("cr:PullRepository")).len() >= 3);
    for action in ["cr:PullRepository", "cr:PushRepository"] {
        let found = by_admin(events(action));
        assert!(found.len() >= 3, "{action}: {found:?}");
        for event in found.iter().filter(|event| event["outcome"] == "success") {
            assert_eq!((&event["principal"], &event["credential_kind"]), (&"admin:local".into(), &"admin_password".into()), "{event}");
        }
    }
    wait_until("both passwords were used from here", Duration::from_secs(5), || {
        let used = people.root.json(&["admin-user", "show"]);
        let passwords = used["passwords"].as_array().unwrap();
        passwords.len() == 2 && passwords.iter().all(|password| password["last_used_from"] == "127.0.0.1")
    });
}
