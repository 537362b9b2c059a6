//! The admin user of an instance: disabled, and its passwords renewed, on one node while it is used at the other.

use std::time::Duration;

use serde_json::{Value, json};

use crate::ends::{PROMISE, Probe, in_time, report, round};
use crate::house::Pair;
use crate::support::api::{Api, push, root, token};
use crate::support::http::{Ask, basic};
use crate::support::node::Node;

const ADMIN: &str = "/instances/local/admin-user";
const PULL: &str = "/v2/demo/app/manifests/v1";
/// One for each password.
const ROUNDS: usize = 2;

fn enable(api: &Api<'_>, enabled: bool) {
    api.call("PATCH", ADMIN, &json!({ "enabled": enabled }));
}

/// A new password in the place of one of the two, as `Authorization: Basic`.
fn renew(api: &Api<'_>, number: usize) -> String {
    let made = api.call("PUT", &format!("{ADMIN}/passwords/{number}"), &Value::Null);
    basic("local", made["password"].as_str().unwrap())
}

fn probes(there: &Node, passwords: &[&String]) -> Vec<Probe> {
    let pull = |what, authorization: &str| Probe { what, ask: Ask::get(PULL).with(authorization) };
    let both = passwords.iter().flat_map(|password| {
        let bearer = token(there, password, "repository:demo/app:pull");
        [pull("Basic, admin password", password), pull("bearer, admin password", &bearer)]
    });
    both.collect()
}

#[test]
#[ignore = "cargo xtask test --only revocation"]
fn an_admin_user_that_is_disabled_or_renewed_on_one_node_is_refused_on_the_other_within_a_second() {
    let pair = Pair::start("admin_user");
    let api = Api::root(&pair.first);
    push(&pair.first, &root(&pair.first), "demo/app", "v1", 1);
    enable(&api, true);
    let mut passwords = [renew(&api, 1), renew(&api, 2)];
    let mut all = Vec::new();
    for number in 0..ROUNDS {
        // One is renewed: it ends with its tokens, and the other one is never refused.
        std::thread::sleep(PROMISE);
        let (renewed, other) = (passwords[number].clone(), passwords[1 - number].clone());
        let works = |what: &str| assert_eq!(pair.second.send(&Ask::get(PULL).with(&other)).status, 200, "{what}");
        works("before");
        let mut new = None;
        all.extend(round(&pair.second, &probes(&pair.second, &[&renewed]), || new = Some(renew(&api, number + 1))));
        works("while the other was renewed");
        passwords[number] = new.unwrap();
        assert_eq!(pair.second.send(&Ask::get(PULL).with(&passwords[number])).status, 200, "the new one works there at once");

        // The admin user is disabled: both end with theirs.
        let both = [&passwords[0], &passwords[1]];
        all.extend(round(&pair.second, &probes(&pair.second, &both), || enable(&api, false)));
        assert_eq!(pair.first.send(&Ask::get(PULL).with(both[0])).status, 401);
        enable(&api, true);
    }
    println!("the admin user: from the acknowledgement to the last answer that honoured what had ended");
    report("admin user", all.iter().map(|(_, took)| *took).collect::<Vec<Duration>>());
    in_time(&all, PROMISE);
}
