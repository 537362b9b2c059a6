//! An address that is let in no longer, and how long the other node goes on letting it in.

use std::time::Duration;

use serde_json::{Value, json};

use crate::ends::{PROMISE, Probe, report, round};
use crate::house::Pair;
use crate::support::api::{Api, push, root, token};
use crate::support::http::Ask;
use crate::support::node::{Node, Settings};
use crate::support::wait_until;

const PUBLIC: &str = "/instances/local/endpoints/public";
/// The client's address, as the proxy says it.
const CLIENT: &str = "198.51.100.7";
const ROUNDS: u8 = 6;

/// Where the root user comes from, by no proxy and by a private endpoint.
pub(crate) const HOME: &str = "home=127.0.0.0/8";

/// Two ways to let nobody in from there any longer.
const ENDS: [fn(&Api<'_>); 2] = [
    |api| drop(api.call("DELETE", &format!("{PUBLIC}/entries/{CLIENT}/32"), &Value::Null)),
    |api| drop(api.call("PATCH", PUBLIC, &json!({ "enabled": false }))),
];

/// Lets the client in again.
fn restore(api: &Api<'_>, there: &Node) {
    api.call("PATCH", PUBLIC, &json!({ "enabled": true }));
    for cidr in ["192.0.2.0/24", CLIENT] {
        api.call("POST", &format!("{PUBLIC}/entries"), &json!({ "cidr": cidr }));
    }
    let let_in = || there.send(&Ask::get("/v2/").header("x-forwarded-for", CLIENT)).status == 401;
    wait_until("the client is let in", Duration::from_secs(2), let_in);
}

fn probes(there: &Node, by_api: &Api<'_>, basic: &str) -> Vec<Probe> {
    let bearer = token(there, basic, "repository:demo/app:pull");
    let pull = Ask::get("/v2/demo/app/manifests/v1").header("x-forwarded-for", CLIENT);
    let whoami = Ask::get("/api/v1/whoami").header("x-forwarded-for", CLIENT);
    vec![
        Probe { what: "Basic", ask: pull.clone().with(basic) },
        Probe { what: "bearer", ask: pull.with(&bearer) },
        Probe { what: "token service", ask: Ask::get("/token").header("x-forwarded-for", CLIENT).with(basic) },
        Probe { what: "management token", ask: whoami.with(&by_api.token()) },
    ]
}

fn measure(name: &str, rounds: u8, here: &Node, there: &Node, promise: Duration) {
    let api = Api::root(here);
    push(here, &root(here), "demo/app", "v1", 1);
    api.call("POST", "/instances/local/endpoints", &json!({ "network": "home" }));
    api.create_user("alice");
    api.create_policy("pulls", &["cr:PullRepository"]);
    api.attach("alice", "pulls");
    let (_, basic) = api.create_credential("alice");
    let mut all = Vec::new();
    for _ in 0..rounds {
        for end in ENDS {
            restore(&api, there);
            all.extend(round(there, &probes(there, &api, &basic), || end(&api)));
        }
    }
    println!("{name}: from the acknowledgement to the last answer to an address that is let in no longer");
    report("network rules", all.iter().map(|(_, took)| *took).collect());
    let late: Vec<_> = all.iter().filter(|(_, took)| *took >= promise).collect();
    assert!(late.is_empty(), "later than {promise:?}: {late:?}");
}

#[test]
#[ignore = "cargo xtask test --only revocation"]
fn an_address_that_is_let_in_no_longer_is_refused_on_the_other_node_within_a_second() {
    let pair = Pair::start("network");
    measure("two nodes on PostgreSQL", ROUNDS, &pair.first, &pair.second, PROMISE);
}

#[test]
#[ignore = "cargo xtask test --only revocation"]
fn an_address_that_is_let_in_no_longer_is_refused_by_the_only_node_once_it_is_acknowledged() {
    let folder = tempfile::tempdir().unwrap();
    let node = Node::start(Settings::in_folder(folder.path(), "data").set("TIDEGATE_NETWORK", HOME));
    measure("one node on SQLite", 2, &node, &node, Duration::from_millis(100));
}
