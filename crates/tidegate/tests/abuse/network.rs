//! Nothing that a client says about itself brings it past a network rule: headers, host names, listeners.

use serde_json::{Value, json};

use crate::support::api::Api;
use crate::support::http::{Answer, Ask, Connection};
use crate::support::node::{Node, Settings, free_address};

const ENTRIES: &str = "/instances/local/endpoints/public/entries";
const LISTED: &str = "203.0.113.9";

/// A node whose public endpoint lets 203.0.113.0/24 in alone; its root user, who comes from 127.0.0.1, no longer.
fn closed(settings: Settings) -> Node {
    let node = Node::start(settings);
    Api::root(&node).call("POST", ENTRIES, &json!({ "cidr": "203.0.113.0/24", "force": true }));
    node
}

fn is_turned_away(answer: &Answer, address: &str) -> bool {
    answer.status == 403 && answer.text().contains(&format!("client with IP '{address}' is not allowed access"))
}

#[test]
fn a_forged_address_passes_no_network_rule() {
    let folder = tempfile::tempdir().unwrap();
    let trusting = closed(Settings::in_folder(folder.path(), "data"));
    let asked = |node: &Node, headers: &[(&str, &str)]| {
        let ask = headers.iter().fold(Ask::get("/v2/"), |ask, (name, value)| ask.header(name, value));
        node.send(&ask)
    };
    assert_eq!(asked(&trusting, &[("x-forwarded-for", LISTED)]).status, 401, "what a trusted proxy says is believed");
    let passed_on = format!("{LISTED}, 198.51.100.7");
    assert!(is_turned_away(&asked(&trusting, &[("x-forwarded-for", &passed_on)]), "198.51.100.7"));
    let twice = [("x-forwarded-for", LISTED), ("x-forwarded-for", "198.51.100.7")];
    assert!(is_turned_away(&asked(&trusting, &twice), "198.51.100.7"));
    let unread = format!("{LISTED}, unknown");
    for (name, value) in [
        ("x-forwarded-for", &*unread),
        ("forwarded", "for=203.0.113.9"),
        ("x-real-ip", LISTED),
        ("client-ip", LISTED),
        ("true-client-ip", LISTED),
        ("x-forwarded-host", LISTED),
    ] {
        assert!(is_turned_away(&asked(&trusting, &[(name, value)]), "127.0.0.1"), "{name}: {value}");
    }
    let careful = Node::start(trusting.stop().set("TIDEGATE_TRUSTED_PROXIES", "192.0.2.0/24"));
    for name in ["x-forwarded-for", "forwarded", "x-real-ip"] {
        assert!(is_turned_away(&asked(&careful, &[(name, LISTED)]), "127.0.0.1"), "{name} of a stranger");
    }
}

#[test]
fn a_host_name_chooses_no_network() {
    let (folder, private) = (tempfile::tempdir().unwrap(), free_address());
    let settings = Settings::in_folder(folder.path(), "data").set("TIDEGATE_NETWORK", &format!("lab=@{private}"));
    let node = Node::start(settings);
    let by_lab = |target: &str| Connection::once(&private, &Ask::get(target).header("host", "registry.example")).unwrap();
    assert!(is_turned_away(&by_lab("/v2/"), "127.0.0.1"), "nobody has given the network an endpoint");
    assert_eq!(by_lab("/healthz").status, 200);
    let api = Api::root(&node);
    api.call("POST", "/instances/local/endpoints", &json!({ "network": "lab" }));
    assert_eq!(by_lab("/v2/").status, 401);
    api.call("PATCH", "/instances/local/endpoints/public", &json!({ "enabled": false, "force": true }));
    for host in ["registry.example", "lab", &private, "localhost"] {
        assert!(is_turned_away(&node.send(&Ask::get("/v2/").header("host", host)), "127.0.0.1"), "{host}");
        assert_eq!(Connection::once(&private, &Ask::get("/v2/").header("host", host)).unwrap().status, 401, "{host}");
    }
    assert!(is_turned_away(&api.send("GET", "/whoami", &Value::Null), "127.0.0.1"), "the management API like the registry");
    assert_eq!(Connection::once(&private, &Ask::get("/api/v1/whoami").with(&api.token())).unwrap().status, 200);
}

/// Metrics are asked for by machines that stand elsewhere than the registry's clients: the rules hold for them all the same, whoever
/// asks; the admin listener is a door of its own.
#[test]
fn metrics_are_behind_the_network_rules() {
    let (folder, admin) = (tempfile::tempdir().unwrap(), free_address());
    let node = Node::start(Settings::in_folder(folder.path(), "data").set("TIDEGATE_ADMIN_LISTEN", &admin));
    let api = Api::root(&node);
    let basic = crate::support::api::root(&node);
    api.call("POST", ENTRIES, &json!({ "cidr": "203.0.113.0/24", "force": true }));
    let from = |address: &str, authorization: &str| node.send(&Ask::get("/metrics").header("x-forwarded-for", address).with(authorization));
    for authorization in [&basic, &api.token()] {
        let there = from(LISTED, authorization);
        assert_eq!(there.status, 200, "{}", there.text());
        assert!(there.text().contains("# TYPE"), "{}", there.text());
        assert!(is_turned_away(&from("198.51.100.7", authorization), "198.51.100.7"));
        assert!(is_turned_away(&node.send(&Ask::get("/metrics").with(authorization)), "127.0.0.1"));
    }
    // Nobody who is not let in is asked to log in, nor learns whether a password is right.
    let wrong = crate::support::http::basic("root", "wrong-Password-1");
    for authorization in [&wrong, &basic, "Basic !"] {
        assert!(is_turned_away(&from("198.51.100.7", authorization), "198.51.100.7"));
    }
    assert!(is_turned_away(&node.send(&Ask::get("/metrics")), "127.0.0.1"));
    assert_eq!(from(LISTED, &wrong).status, 401);
    let refused = from("198.51.100.7", &basic).text();
    assert!(!refused.contains("tidegate_"), "{refused}");
    assert_eq!(Connection::once(&admin, &Ask::get("/metrics")).unwrap().status, 200, "as it was configured");
    assert_eq!(node.send(&Ask::get("/healthz")).status, 200);
    // The only entry goes, by somebody who is let in, and with it the list: in force for metrics at once.
    let path = format!("/api/v1{ENTRIES}/203.0.113.0%2F24?force=true");
    let done = node.send(&Ask::new("DELETE", &path).with(&api.token()).header("x-forwarded-for", LISTED));
    assert!((200..300).contains(&done.status), "{} {}", done.status, done.text());
    assert_eq!(from("198.51.100.7", &basic).status, 200);
}
