//! The same rights whatever carries them.

use crate::support::api::{Api, push, root, token};
use crate::support::http::Ask;
use crate::support::node::{Node, Settings};

/// Gitea CVE-2025-68944, CVE-2026-28699, CVE-2026-28744: what a credential may not do by one carrier it may not by another.
#[test]
fn cve_2025_68944_one_decision_for_basic_and_bearer() {
    let folder = tempfile::tempdir().unwrap();
    let node = Node::start(Settings::in_folder(folder.path(), "data"));
    let api = Api::root(&node);
    push(&node, &root(&node), "demo/app", "v1", 1);
    api.create_user("puller");
    api.create_policy("pull", &["cr:PullRepository"]);
    api.attach("puller", "pull");
    let (_, basic) = api.create_credential("puller");
    let bearer = token(&node, &basic, "repository:demo/app:pull,push,delete%20registry:catalog:*");
    let login = Api::with_key(&node, &api.create_access_key("puller"));
    assert_eq!(login.send("POST", "/login-tokens", &serde_json::json!({})).status, 403, "a login token needs a right");
    for (method, path, allowed) in [
        ("GET", "/v2/demo/app/manifests/v1", true),
        ("GET", "/v2/demo/app/tags/list", true),
        ("POST", "/v2/demo/app/blobs/uploads/", false),
        ("PUT", "/v2/demo/app/manifests/v1", false),
        ("DELETE", "/v2/demo/app/manifests/v1", false),
    ] {
        for authorization in [&basic, &bearer] {
            let answer = node.send(&Ask::new(method, path).with(authorization));
            assert_eq!(answer.status == 200, allowed, "{method} {path}: {} {}", answer.status, answer.text());
            assert!(allowed || matches!(answer.status, 401 | 403), "{method} {path}: {} {}", answer.status, answer.text());
        }
    }
}

/// Gitea CVE-2026-58422: nothing that logs somebody in switches on what was switched off; zot, last-used: nor does a use that
/// races with it.
#[test]
fn cve_2026_58422_what_is_disabled_stays_disabled_whatever_uses_race_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let node = Node::start(Settings::in_folder(folder.path(), "data"));
    let api = Api::root(&node);
    api.create_user("alice");
    for _ in 0..5 {
        let (id, basic) = api.create_credential("alice");
        std::thread::scope(|scope| {
            let uses = || {
                for _ in 0..40 {
                    node.send(&Ask::get("/v2/").with(&basic));
                }
            };
            scope.spawn(uses);
            scope.spawn(uses);
            api.call("PATCH", &format!("/credentials/{id}"), &serde_json::json!({ "enabled": false }));
        });
        // The last use is written within a second of it.
        std::thread::sleep(std::time::Duration::from_millis(1200));
        assert_eq!(node.send(&Ask::get("/v2/").with(&basic)).status, 401);
        api.call("DELETE", &format!("/credentials/{id}"), &serde_json::Value::Null);
        assert_eq!(node.send(&Ask::get("/v2/").with(&basic)).status, 401);
    }
    let left = api.call("GET", "/credentials?user=alice", &serde_json::Value::Null);
    assert_eq!(left.as_array().map(Vec::len), Some(0), "{left}");
}
