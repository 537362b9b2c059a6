//! Immutable tags and locks from the command line and in documents.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::house::{House, Shell};

/// Pushes an image without layers as `demo/app:TAG`, made different by `mark`; its digest.
fn push(house: &House, tag: &str, mark: &str) -> (u16, String) {
    let root = house.root();
    let made = root.json(&["credential", "create", "--description", "push"]);
    let basic = STANDARD.encode(format!("root:{}", made["secret"].as_str().unwrap()));
    let manifest = json!({"schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json", "manifests": [],
        "annotations": {"mark": mark}});
    let headers = format!("authorization: Basic {basic}\r\ncontent-type: application/vnd.oci.image.index.v1+json\r\n");
    let (head, body) = house.http("PUT", &format!("/v2/demo/app/manifests/{tag}"), &headers, &manifest.to_string());
    let digest = head.lines().find_map(|line| line.to_lowercase().strip_prefix("docker-content-digest: ").map(str::to_owned));
    (head.split(' ').nth(1).unwrap().parse().unwrap(), digest.unwrap_or(body))
}

fn applied(root: &Shell, text: &str) -> Value {
    let ran = root.piped(&["apply", "-f", "-", "-o", "json"], text);
    assert_eq!(ran.code, Some(0), "{}{}", ran.out, ran.err);
    serde_json::from_str(&ran.out).unwrap()
}

#[test]
fn rules_and_locks_are_set_and_say_what_they_keep() {
    let house = House::start();
    let root = house.root();
    let (_, digest) = push(&house, "v1", "one");
    let rule = root.json(&["immutable-tag-rule", "create", "demo", "--tags", "v*", "--except-tags", "*-rc"]);
    let id = rule["rule_id"].as_str().unwrap();
    assert_eq!((&rule["repositories"], &rule["enabled"]), (&"**".into(), &true.into()));
    assert_eq!(root.json(&["immutable-tag-rule", "list", "demo"]), json!([rule]));
    assert_eq!(root.refused(&["immutable-tag-rule", "create", "demo", "--tags", "v["])["field"], "tags");

    let (status, body) = push(&house, "v1", "two");
    assert_eq!(status, 403);
    assert!(body.contains(r#""code":"DENIED","message":"tag v1 is immutable here (v* except *-rc)"#), "{body}");
    let refused = root.refused(&["tag", "delete", "demo/app:v1"]);
    assert_eq!(refused["code"], "protected");
    assert_eq!(root.refused(&["repository", "delete", "demo/app"])["code"], "protected");
    let shown = root.json(&["image", "show", &format!("demo/app@{digest}")]);
    assert!(shown["kept_by"].as_str().unwrap().contains("tag v1 is immutable"), "{shown}");

    assert_eq!(root.json(&["immutable-tag-rule", "update", "demo", id, "--enabled", "false"])["enabled"], false);
    assert_eq!(push(&house, "v1", "two").0, 201);
    root.run(&["immutable-tag-rule", "delete", "demo", id]);
    assert_eq!(root.refused(&["immutable-tag-rule", "delete", "demo", id])["code"], "not_found");

    assert_eq!(root.json(&["repository", "lock", "demo/app", "write", "list"])["locked"], json!(["write", "list"]));
    assert_eq!(push(&house, "v2", "two").0, 403);
    assert_eq!(root.json(&["repository", "unlock", "demo/app", "write", "list"])["locked"], json!([]));
    let locked = root.json(&["image", "lock", "demo/app:v1", "delete"]);
    assert_eq!((&locked["locked"], &locked["tag"]), (&json!(["delete"]), &"v1".into()));
    assert_eq!(root.json(&["tag", "show", "demo/app:v1"])["locked"], json!(["delete"]));
    assert_eq!(root.refused(&["tag", "delete", "demo/app:v1"])["code"], "protected");
    root.json(&["image", "unlock", "demo/app:v1", "delete"]);

    let found = root.json(&["image", "references", "demo/app:v1"]);
    assert_eq!((&found[0]["relation"], &found[0]["tag"]), (&"tag".into(), &"v1".into()));
    let digest = found[0]["digest"].as_str().unwrap();
    let holders = root.json(&["image", "where", digest]);
    assert_eq!((&holders[0]["name"], &holders[0]["kind"]), (&"demo/app".into(), &"manifest".into()));
    let alice = house.user(&root, "alice");
    assert_eq!(alice.refused(&["image", "where", digest])["code"], "not_found");
}

#[test]
fn a_document_carries_them_and_applies_once() {
    let house = House::start();
    let root = house.root();
    let text = "apiVersion: tidegate/v1\nkind: Namespace\nmetadata: {name: demo}\nspec:\n  defaultImmutableTags: true\n  immutableTagRules:\n  \
                - {tags: \"v*\", repositories: \"**\"}\n  - {tags: \"old*\", enabled: false}\n---\napiVersion: tidegate/v1\nkind: Repository\n\
                metadata: {name: demo/app}\nspec: {immutableTags: \"release-*\", immutableTagsExcept: \"*-rc\", locked: [delete, read]}\n";
    assert_eq!(applied(&root, text).as_array().unwrap().len(), 5);
    assert_eq!(applied(&root, text), json!([]));
    let shown = root.json(&["repository", "show", "demo/app"]);
    assert_eq!((&shown["immutable_tags"], &shown["immutable_tags_except"]), (&"release-*".into(), &"*-rc".into()));
    assert_eq!(shown["locked"], json!(["read", "delete"]));
    assert_eq!(root.json(&["repository", "create", "demo/web"])["immutable_tags"], "**");

    let exported = root.run(&["export", "--kind", "Namespace", "--kind", "Repository"]).out;
    assert_eq!(applied(&root, &exported), json!([]));
    let other = House::start();
    applied(&other.root(), &exported);
    assert_eq!(other.root().run(&["export", "--kind", "Namespace", "--kind", "Repository"]).out, exported);

    let less = "apiVersion: tidegate/v1\nkind: Namespace\nmetadata: {name: demo}\nspec: {immutableTagRules: [{tags: \"v*\"}]}\n---\n\
                apiVersion: tidegate/v1\nkind: Repository\nmetadata: {name: demo/app}\nspec: {immutableTags: \"\", locked: []}\n";
    assert_eq!(applied(&root, less).as_array().unwrap().len(), 3);
    assert_eq!(root.json(&["immutable-tag-rule", "list", "demo"]).as_array().unwrap().len(), 1);
    assert_eq!(root.json(&["repository", "show", "demo/app"])["immutable_tags"], Value::Null);
}
