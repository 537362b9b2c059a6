//! Every operation of the management API, from its own document: bodies without end, parameters that nobody knows, and what a
//! push into a new repository does not bring.

use serde_json::{Value, json};

use crate::load::unimpressed;
use crate::support::api::{Api, push};
use crate::support::http::Ask;
use crate::support::node::{Node, Settings};

const DOCUMENT: &str = include_str!("../../../../docs/openapi.json");

/// Method and path of every operation, with something in the place of each parameter.
fn operations() -> Vec<(String, String)> {
    let document: Value = serde_json::from_str(DOCUMENT).unwrap();
    let mut all = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        let concrete: Vec<&str> = path.split('/').map(|part| if part.starts_with('{') { "local" } else { part }).collect();
        let methods = item.as_object().unwrap().keys().filter(|key| ["get", "post", "put", "patch", "delete"].contains(&key.as_str()));
        all.extend(methods.map(|method| (method.to_uppercase(), concrete.join("/"))));
    }
    assert!(all.len() > 30, "{}", all.len());
    all
}

/// zot #3977, #3978: no operation takes a body without end, whoever sends it.
#[test]
fn zot_3977_no_operation_takes_a_body_without_end() {
    let folder = tempfile::tempdir().unwrap();
    let node = Node::start(Settings::in_folder(folder.path(), "data"));
    let token = Api::root(&node).token();
    let mut bodies = 0;
    for (method, path) in operations().into_iter().filter(|(method, _)| method != "GET") {
        let kind = if path.ends_with("/token") { "application/x-www-form-urlencoded" } else { "application/json" };
        // Announced, and none of it comes: who waits for it has failed.
        let ask = Ask::new(&method, &path).with(&token).header("content-type", kind).header("content-length", "1073741824");
        let answer = node.send(&ask);
        assert!((400..500).contains(&answer.status) || answer.status == 204, "{method} {path}: {} {}", answer.status, answer.text());
        bodies += usize::from(answer.status == 413);
    }
    assert!(bodies > 8, "{bodies} operations said that it is too large");
    unimpressed(&node, "bodies of a gibibyte");
}

/// Harbor CVE-2025-30086: a list is filtered and sorted by what its document names, never by a column of the database.
#[test]
fn cve_2025_30086_a_list_knows_no_parameter_but_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let node = Node::start(Settings::in_folder(folder.path(), "data"));
    let api = Api::root(&node);
    api.create_user("alice");
    api.create_credential("alice");
    for path in ["/users", "/credentials?user=alice", "/access-keys?user=root", "/policies", "/instances", "/instances/local/namespaces"] {
        let plain = api.send("GET", path, &Value::Null);
        assert_eq!(plain.status, 200, "{path}: {}", plain.text());
        let mark = if path.contains('?') { '&' } else { '?' };
        for parameter in
            ["secret_hash=~a", "q=hash%3D~a", "sort=secret_hash", "order_by=1%3B--", "filter%5Bhash%5D=a", "fields=hash,sealed"]
        {
            let answer = api.send("GET", &format!("{path}{mark}{parameter}"), &Value::Null);
            let ignored = answer.status == 200 && answer.body == plain.body;
            assert!(ignored || answer.status == 400, "{path} {parameter}: {} {}", answer.status, answer.text());
        }
        for column in ["hash", "sealed", "salt", "argon2"] {
            assert!(!plain.text().contains(column), "{path} shows {column}: {}", plain.text());
        }
    }
}

/// Quay CVE-2025-4374: whose push makes a namespace and a repository is not its owner by that.
#[test]
fn cve_2025_4374_what_a_push_creates_grants_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let node = Node::start(Settings::in_folder(folder.path(), "data"));
    let api = Api::root(&node);
    api.create_user("pusher");
    api.create_policy("push", &["cr:PushRepository"]);
    api.attach("pusher", "push");
    let (_, basic) = api.create_credential("pusher");
    push(&node, &basic, "fresh/app", "v1", 1);
    assert_eq!(node.send(&Ask::new("DELETE", "/v2/fresh/app/manifests/v1").with(&basic)).status, 403);
    let own = Api::with_key(&node, &api.create_access_key("pusher"));
    let places = ["namespaces/fresh", "repositories/fresh%2Fapp"].map(|place| format!("/instances/local/{place}"));
    for path in &places {
        for (method, body) in [("PATCH", json!({ "public": true })), ("DELETE", Value::Null)] {
            let answer = own.send(method, path, &body);
            assert!(matches!(answer.status, 403 | 404), "{method} {path}: {} {}", answer.status, answer.text());
        }
        assert_eq!(api.send("GET", path, &Value::Null).status, 200, "{path} is there, for whoever may see it");
    }
    assert_eq!(node.send(&Ask::get("/v2/fresh/app/manifests/v1")).status, 401, "it has not become public");
    assert_eq!(node.send(&Ask::get("/v2/fresh/app/manifests/v1").with(&basic)).status, 200);
}
