//! Network rules at the command line, and the way back in on the server's machine.

use serde_json::json;

use crate::house::{House, has};

#[test]
fn network_rules_are_shown_and_changed() {
    let networks = ["--network", "office=10.1.0.0/16", "--network", "home=127.0.0.0/8"];
    let house = House::start_in(tempfile::tempdir().unwrap(), "127.0.0.1:0", &networks, &[]);
    let root = house.root();
    let all = root.json(&["network", "list"]);
    assert_eq!(all.as_array().unwrap().len(), 1);
    has(&all[0], &["endpoint", "kind", "instance_id", "enabled", "default_action", "entries"]);
    let made = root.json(&["network", "allow", "127.0.0.1", "--comment", "this machine"]);
    has(&made, &["cidr", "comment", "created_at", "created_by"]);
    assert_eq!((&made["cidr"], &made["comment"]), (&json!("127.0.0.1/32"), &json!("this machine")));
    let shown = root.json(&["network", "show", "--instance", "local"]);
    assert_eq!((&shown["default_action"], &shown["entries"][0]["cidr"]), (&json!("deny"), &json!("127.0.0.1/32")));
    assert_eq!(root.refused(&["network", "remove", "127.0.0.1"])["code"], "needs_force");
    assert_eq!(root.refused(&["network", "public", "off"])["code"], "needs_force");
    let ran = root.run(&["network", "public", "off"]);
    assert!(ran.err.contains("127.0.0.1") && ran.err.contains("--force"), "{}", ran.err);
    assert_eq!(root.refused(&["network", "private", "create", "cellar"])["field"], "network");
    let office = root.json(&["network", "private", "create", "office"]);
    assert_eq!((&office["endpoint"], &office["kind"], &office["configured"]), (&json!("office"), &json!("private"), &json!(true)));
    assert_eq!(root.json(&["network", "show", "office"]), office);
    root.json(&["network", "private", "create", "home"]);
    // From home one gets in by the private endpoint.
    assert_eq!(root.json(&["network", "public", "off"])["enabled"], false);
    assert_eq!(root.run(&["network", "remove", "127.0.0.1"]).code, Some(0));
    assert_eq!(root.json(&["network", "public", "on", "--default", "deny"])["default_action"], "deny");
    assert_eq!(root.run(&["network", "private", "delete", "office"]).code, Some(0));
    assert_eq!(root.refused(&["network", "private", "delete", "home"])["code"], "needs_force");
    assert_eq!(root.refused(&["network", "show", "office"])["code"], "not_found");
}

#[test]
fn who_is_locked_out_gets_in_again_on_the_machine() {
    let house = House::start();
    let root = house.root();
    root.json(&["network", "allow", "203.0.113.0/24", "--force"]);
    let refused = root.run(&["whoami"]);
    assert_eq!(refused.code, Some(1));
    assert!(refused.err.contains("client with IP '127.0.0.1' is not allowed access"), "{}", refused.err);
    let data = house.bootstrap().parent().unwrap().to_str().unwrap().to_owned();
    let reset = ["network", "reset", "--data-dir", &data];
    let elsewhere = house.bootstrap().with_file_name("elsewhere");
    let wrong = root.run(&["network", "reset", "--data-dir", elsewhere.to_str().unwrap()]);
    assert_eq!((wrong.code, elsewhere.exists()), (Some(1), false), "{}", wrong.err);
    assert_eq!(root.refused(&[&reset[..], &["--instance", "nowhere"]].concat())["code"], "not_found");
    assert_eq!(root.json(&reset)["name"], "local");
    let shown = root.json(&["network", "show"]);
    assert_eq!((&shown["default_action"], &shown["entries"][0]["cidr"]), (&json!("allow"), &json!("203.0.113.0/24")));
}
