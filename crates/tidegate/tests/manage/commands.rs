//! What people and scripts see. JSON keys and exit codes are the contract's.

use serde_json::Value;

use crate::house::{House, Shell, has, read};

#[test]
fn root_configures_itself_and_knows_who_it_is() {
    let house = House::start();
    let root = house.root();
    let who = root.json(&["whoami"]);
    assert_eq!((&who["name"], &who["kind"]), (&"root".into(), &"root".into()));
    assert_eq!(who["account_id"], read(&house.bootstrap())["account_id"]);
    let account = root.json(&["account", "show"]);
    assert_eq!(account["account_id"], who["account_id"]);
    has(&account, &["account_id", "uuid", "alias", "created_at"]);
    let ran = root.run(&["whoami", "-o", "table"]);
    assert!(ran.out.contains("account_id") && !ran.out.contains('{'), "{}", ran.out);
    let ran = root.run(&["whoami", "--profile", "other"]);
    assert_eq!(ran.code, Some(1));
    assert!(ran.err.contains("--profile other"), "{}", ran.err);
}

#[test]
fn users_credentials_and_keys_have_the_keys_of_the_contract() {
    let house = House::start();
    let root = house.root();
    let user = root.json(&["user", "create", "alice"]);
    has(&user, &["user_id", "uuid", "name", "account_id", "enabled", "created_at"]);
    assert_eq!(root.json(&["user", "list"]).as_array().unwrap().len(), 1);
    assert_eq!(root.refused(&["user", "create", "alice"])["code"], "already_exists");
    assert_eq!(root.refused(&["user", "create", "12345"])["field"], "name");
    assert_eq!(root.json(&["user", "disable", "alice"])["enabled"], false);
    assert_eq!(root.json(&["user", "enable", "alice"])["enabled"], true);

    let made = root.json(&["credential", "create", "--user", "alice", "--description", "ci", "--expires-in", "90d"]);
    has(&made, &["credential_id", "username", "secret", "instance_id", "created_at", "expires_at"]);
    assert_eq!((&made["username"], &made["instance_id"]), (&"alice".into(), &Value::Null));
    let id = made["credential_id"].as_str().unwrap();
    let listed = root.json(&["credential", "list", "--user", "alice"]);
    let columns = ["credential_id", "kind", "description", "enabled", "instance_id", "created_at", "created_by", "expires_at"];
    has(&listed[0], &columns);
    has(&listed[0], &["last_used_at", "last_used_from"]);
    assert!(listed[0].get("secret").is_none());
    assert_eq!(root.json(&["credential", "show", id]), listed[0]);
    assert_eq!(root.json(&["credential", "disable", id])["enabled"], false);
    assert_eq!(root.json(&["credential", "enable", id])["enabled"], true);
    assert_eq!(root.run(&["credential", "delete", id]).code, Some(0));
    assert_eq!(root.refused(&["credential", "delete", id])["code"], "not_found");
    assert_eq!(root.refused(&["credential", "show", id])["code"], "not_found");

    let key = root.json(&["access-key", "create", "--user", "alice"]);
    has(&key, &["access_key_id", "access_key_secret", "enabled"]);
    let id = key["access_key_id"].as_str().unwrap();
    has(&root.json(&["access-key", "list", "--user", "alice"])[0], &["access_key_id", "enabled"]);
    assert_eq!(root.json(&["access-key", "disable", id])["enabled"], false);
    has(&root.json(&["access-key", "delete", id]), &["access_key_id", "enabled"]);

    has(&root.json(&["login-token", "create", "--expires-in", "15m"]), &["username", "password", "expires_at", "expires_at_ms"]);
    assert_eq!(root.refused(&["login-token", "create", "--expires-in", "25h"])["field"], "expires_in");
    has(&root.json(&["user", "delete", "alice"]), &["user_id", "name"]);
    assert_eq!(root.refused(&["user", "show", "alice"])["code"], "not_found");
}

#[test]
fn passwords_come_from_standard_input() {
    let house = House::start();
    let root = house.root();
    let alice = house.user(&root, "alice");
    let set = ["password", "set", "--password-stdin"];
    assert_eq!(alice.piped(&set, "correct horse 9\n").code, Some(0));
    assert_eq!(alice.piped(&["password", "set", "--sign-in", "--password-stdin"], "correct horse 9\n").code, Some(0));
    let kinds = alice.json(&["credential", "list"]);
    let kinds: Vec<_> = kinds.as_array().unwrap().iter().map(|c| c["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["access_key", "permanent_password", "sign_in_password"]);
    let ran = alice.piped(&[&set[..], &["-o", "json"]].concat(), "short1");
    assert_eq!(ran.code, Some(1));
    assert!(ran.err.contains("\"field\":\"password\"") && !ran.err.contains("short1"), "{}", ran.err);
    let ran = alice.run(&["password", "set"]);
    assert_eq!(ran.code, Some(2), "{}", ran.err);
    let ran = alice.piped(&["password", "set", "--user", "root", "--password-stdin"], "correct horse 9\n");
    assert_eq!(ran.code, Some(1));
}

#[test]
fn rights_come_from_policies_and_what_is_hidden_looks_absent() {
    let house = House::start();
    let root = house.root();
    let alice = house.user(&root, "alice");
    assert_eq!(alice.refused(&["user", "list"])["code"], "denied");
    let (hidden, mut absent) = (alice.refused(&["user", "show", "root"]), alice.refused(&["user", "show", "nobody"]));
    absent["request_id"] = hidden["request_id"].clone();
    // The client says itself what was asked for.
    absent["message"] = absent["message"].as_str().unwrap().replace("users/nobody", "users/root").into();
    assert_eq!(hidden, absent);

    let allow = |action: &str| format!(r#"{{"Version":"1","Statement":[{{"Effect":"Allow","Action":"{action}","Resource":"*"}}]}}"#);
    let made = root.json(&["policy", "create", "readers", "--document", &house.document(&allow("ram:ListUsers"))]);
    has(&made, &["name", "version"]);
    let attached = root.json(&["policy", "attach", "readers", "--user", "alice"]);
    assert_eq!((&attached["name"], &attached["version"]), (&"readers".into(), &1.into()));
    assert_eq!(alice.json(&["user", "list"]).as_array().unwrap().len(), 1);
    assert_eq!(root.json(&["policy", "list", "--user", "alice"])[0]["name"], "readers");

    let updated = root.json(&["policy", "update", "readers", "--document", &house.document(&allow("cr:PullRepository"))]);
    assert_eq!(updated["version"], 2);
    assert_eq!(alice.refused(&["user", "list"])["code"], "denied");
    let why = root.json(&["policy", "explain", "--user", "alice", "--action", "cr:PullRepository", "--resource", "demo/app"]);
    has(&why, &["decision", "policy", "statement", "reason"]);
    assert_eq!((&why["decision"], &why["policy"], &why["statement"]), (&"allow".into(), &"readers".into(), &1.into()));
    let why = root.json(&["policy", "explain", "--user", "alice", "--action", "cr:PushRepository", "--resource", "demo/app"]);
    assert_eq!((&why["decision"], &why["policy"]), (&"deny".into(), &Value::Null));

    assert_eq!(root.json(&["policy", "versions", "readers"]).as_array().unwrap().len(), 2);
    root.json(&["policy", "set-default", "readers", "1"]);
    assert_eq!(alice.json(&["user", "list"]).as_array().unwrap().len(), 1);
    assert_eq!(root.refused(&["policy", "delete", "readers"])["code"], "in_use");
    root.json(&["policy", "detach", "readers", "--user", "alice"]);
    root.json(&["policy", "delete", "readers"]);
    let bad = house.document(r#"{"Version":"1","Statement":[{"Effect":"Perhaps"}]}"#);
    assert_eq!(root.refused(&["policy", "create", "bad", "--document", &bad])["field"], "document");
}

#[test]
fn a_key_that_is_disabled_opens_nothing() {
    let house = House::start();
    let root = house.root();
    let alice = house.user(&root, "alice");
    let id = root.json(&["access-key", "list", "--user", "alice"])[0]["access_key_id"].as_str().unwrap().to_owned();
    // To stop one's own key needs no grant.
    assert_eq!(alice.json(&["access-key", "disable", &id])["enabled"], false);
    let refused = alice.refused(&["whoami"]);
    assert_eq!(refused["code"], "invalid_client");
    assert!(refused["request_id"].is_string());
}

#[test]
fn instances_namespaces_repositories_and_tags() {
    let house = House::start();
    let root = house.root();
    let local = root.json(&["instance", "list"]);
    has(&local[0], &["instance_id", "name", "region", "hosts"]);
    let made = root.json(&["instance", "create", "prod", "--host", "Prod.example.com"]);
    assert_eq!((&made["hosts"][0], &made["region"]), (&"prod.example.com".into(), &"local".into()));
    assert_eq!(root.json(&["instance", "update", "prod", "--identity-tokens", "true"])["identity_tokens"], true);
    assert_eq!(root.json(&["instance", "update", "prod", "--no-hosts"])["hosts"], serde_json::json!([]));
    assert_eq!(root.json(&["instance", "delete", "prod"])["name"], "prod");
    assert_eq!(root.refused(&["instance", "show", "prod"])["code"], "not_found");

    assert_eq!(root.json(&["namespace", "create", "demo", "--public"])["public"], true);
    assert_eq!(root.json(&["namespace", "show", "demo", "--instance", "local"])["name"], "demo");
    assert_eq!(root.json(&["namespace", "update", "demo", "--public", "false"])["public"], false);
    assert_eq!(root.json(&["repository", "create", "demo/a/b"])["namespace"], "demo");
    assert_eq!(root.json(&["repository", "update", "demo/a/b", "--description", "x y"])["description"], "x y");
    assert_eq!(root.json(&["repository", "update", "demo/a/b", "--summary", "in short"])["summary"], "in short");
    assert_eq!(root.json(&["repository", "list"])[0]["name"], "demo/a/b");
    assert_eq!(root.json(&["namespace", "update", "demo", "--default-public", "true"])["default_public"], true);
    assert_eq!(root.json(&["repository", "create", "demo/open"])["public"], true);
    assert_eq!(root.json(&["repository", "update", "demo/open", "--public", "false"])["public"], false);
    let usage = root.json(&["instance", "usage", "local"]);
    assert_eq!((&usage["namespaces"], &usage["repositories"], &usage["private_endpoints"]), (&1.into(), &2.into(), &0.into()));
    assert_eq!((&usage["max_namespaces"], &usage["max_repositories"]), (&10_000.into(), &100_000.into()));
    assert_eq!(root.run(&["repository", "delete", "demo/open"]).code, Some(0));
    assert_eq!(root.refused(&["tag", "create", "demo/a/b:v2", "--from", "v1"])["code"], "not_found");
    assert_eq!(root.run(&["tag", "create", "demo/a/b:v2"]).code, Some(2));
    assert_eq!(root.json(&["tag", "list", "demo/a/b"]), Value::Array(vec![]));
    assert_eq!(root.refused(&["tag", "show", "demo/a/b:v1"])["code"], "not_found");
    assert_eq!(root.refused(&["namespace", "delete", "demo"])["code"], "in_use");
    assert_eq!(root.run(&["repository", "delete", "demo/a/b"]).code, Some(0));
    assert_eq!(root.run(&["namespace", "delete", "demo"]).code, Some(0));
    assert_eq!(root.json(&["namespace", "list"]), Value::Array(vec![]));
}

#[test]
fn what_a_namespace_may_hold_is_said_in_bytes_and_repositories() {
    let house = House::start();
    let root = house.root();
    for namespace in ["demo", "other"] {
        root.json(&["namespace", "create", namespace]);
    }
    let keys = ["namespace", "instance_id", "bytes", "max_bytes", "repositories", "max_repositories"];
    has(&root.json(&["quota", "set", "demo", "--bytes", "10GiB", "--repositories", "1"]), &keys);
    root.json(&["repository", "create", "demo/app"]);
    let shown = root.json(&["quota", "show", "demo"]);
    assert_eq!((&shown["max_bytes"], &shown["repositories"]), (&(10_i64 << 30).into(), &1.into()));
    let refused = root.refused(&["repository", "create", "demo/two"]);
    assert_eq!(refused["code"], "limit_exceeded");
    assert!(refused["message"].as_str().unwrap().contains("namespace demo has 1 repositories"), "{refused}");
    let listed = root.json(&["quota", "list"]);
    let names: Vec<_> = listed.as_array().unwrap().iter().map(|of| of["namespace"].as_str().unwrap()).collect();
    assert_eq!(names, ["demo", "other"]);
    assert_eq!(root.json(&["quota", "set", "demo", "--bytes", "500MB"])["max_repositories"], Value::Null, "the whole quota is said");
    assert_eq!(root.json(&["quota", "delete", "demo"])["max_bytes"], Value::Null);
    assert_eq!(root.refused(&["quota", "show", "nowhere"])["code"], "not_found");
    for wrong in [&["quota", "set", "demo"][..], &["quota", "set", "demo", "--bytes", "much"], &["quota", "set", "demo", "--bytes=-1"]] {
        assert_eq!(root.run(wrong).code, Some(2), "{wrong:?}");
    }
}

#[test]
fn what_a_namespace_keeps_is_said_shown_and_run() {
    let house = House::start();
    let root = house.root();
    root.json(&["namespace", "create", "demo"]);
    assert_eq!(root.json(&["retention", "show", "demo"])["rules"], serde_json::json!([]));
    let set = root.json(&["retention", "set", "demo", "--keep-newest", "10", "--keep-tags", "v*"]);
    has(&set, &["namespace", "instance_id", "rules"]);
    let both = root.json(&["retention", "set", "demo", "--add", "--untagged-days", "14", "--repositories", "app*"]);
    assert_eq!(both["rules"].as_array().unwrap().len(), 2);
    assert_eq!((&both["rules"][0]["keep_newest"], &both["rules"][1]["repositories"]), (&10.into(), &"app*".into()));
    let ran = root.json(&["retention", "run", "demo", "--dry-run"]);
    has(&ran, &["dry_run", "tags_removed", "manifests_removed", "tags_kept", "protected", "items"]);
    assert_eq!((&ran["dry_run"], &ran["tags_removed"]), (&true.into(), &0.into()));
    assert_eq!(root.refused(&["retention", "set", "demo", "--keep-newest", "0"])["code"], "invalid_request");
    assert_eq!(root.refused(&["retention", "set", "demo", "--keep-tags", "[v]"])["field"], "keep_tags");
    assert_eq!(root.run(&["retention", "set", "demo"]).code, Some(2));
    assert_eq!(root.json(&["retention", "delete", "demo"])["rules"], serde_json::json!([]));
    assert_eq!(root.refused(&["retention", "run", "nowhere"])["code"], "not_found");
}

#[test]
fn what_was_done_stands_in_the_audit_trail() {
    let house = House::start();
    let root = house.root();
    root.json(&["user", "create", "alice"]);
    root.json(&["user", "create", "bob"]);
    let events = root.json(&["audit", "list", "--action", "ram:CreateUser", "--limit", "1"]);
    assert_eq!(events.as_array().unwrap().len(), 1);
    let keys = ["time", "action", "outcome", "principal", "credential_id", "resource", "source_ip", "user_agent", "request_id", "count"];
    has(&events[0], &keys);
    assert_eq!((&events[0]["resource"], &events[0]["principal"]), (&"user/bob".into(), &"root".into()));
    assert_eq!(root.json(&["audit", "list", "--user", "root", "--outcome", "failed"]), Value::Array(vec![]));
    let nothing = root.json(&["audit", "list", "--since", "2100-01-01T00:00:00Z"]);
    assert_eq!(nothing, Value::Array(vec![]));
}

#[test]
fn signing_keys_are_exported_and_rotated() {
    let house = House::start();
    let root = house.root();
    let pem = root.run(&["signing-key", "export"]).out;
    assert!(pem.starts_with("-----BEGIN PUBLIC KEY-----"), "{pem}");
    let before = root.json(&["signing-key", "list"]).as_array().unwrap().len();
    assert_eq!(root.json(&["signing-key", "rotate"]).as_array().unwrap().len(), before + 1);
    assert_eq!(root.run(&["signing-key", "export", "nothing"]).code, Some(2));
}

#[test]
fn wrong_usage_is_two_and_a_server_that_is_not_there_is_one() {
    let shell = Shell { environment: vec![] };
    for wrong in [&["user"][..], &["user", "fly"], &["credential", "create"], &["tag", "show", "demo/app"], &["user", "list", "-o", "xml"]]
    {
        assert_eq!(shell.run(wrong).code, Some(2), "{wrong:?}");
    }
    let ran = shell.run(&["credential", "create", "--description", "x", "--expires-in", "soon"]);
    assert_eq!(ran.code, Some(2));
    let ran = shell.run(&["whoami"]);
    assert_eq!(ran.code, Some(1));
    assert!(ran.err.contains("tidegate configure"), "{}", ran.err);
    let alone = ["TIDEGATE_ACCESS_KEY_ID", "TIDEGATE_ACCESS_KEY_SECRET"].map(|name| (name.to_owned(), "x".to_owned()));
    let endpoint = ("TIDEGATE_ENDPOINT".to_owned(), "http://127.0.0.1:1".to_owned());
    let nobody_there = Shell { environment: alone.into_iter().chain([endpoint]).collect() };
    let error = nobody_there.refused(&["whoami"]);
    assert_eq!((&error["code"], &error["request_id"]), (&"unreachable".into(), &Value::Null));
    assert!(error["message"].as_str().unwrap().contains("tidegate serve"));
}

#[test]
fn policies_are_asked_compared_and_bounded() {
    let house = House::start();
    let root = house.root();
    house.user(&root, "alice");
    let allow = |action: &str| format!(r#"{{"Version":"1","Statement":[{{"Effect":"Allow","Action":"{action}","Resource":"*"}}]}}"#);
    root.json(&["namespace", "create", "demo"]);
    root.json(&["policy", "create", "readers", "--document", &house.document(&allow("cr:PullRepository"))]);
    root.json(&["policy", "update", "readers", "--keep-default", "--document", &house.document(&allow("cr:PushRepository"))]);
    let diff = root.run(&["policy", "diff", "readers"]);
    assert_eq!(diff.code, Some(0), "{}", diff.err);
    for line in ["--- readers version 1\n+++ readers version 2\n", "\n# allows more: cr:PushRepository on *\n"] {
        assert!(diff.out.contains(line), "{line:?} in {}", diff.out);
    }
    assert!(!diff.out.contains("allows less"), "push includes pull: {}", diff.out);
    assert_eq!(root.run(&["policy", "diff", "readers", "--to", "7"]).code, Some(2));

    let requests =
        r#"[{"user":"alice","action":"cr:PullRepository","resource":"demo/app"},{"principal":"user/root","action":"ram:ListUsers"}]"#;
    let simulate = |more: &[&str]| -> Value {
        let ran = root.piped(&[&["policy", "simulate", "-f", "-"], more].concat(), requests);
        assert_eq!(ran.code, Some(0), "{}", ran.err);
        serde_json::from_str(&ran.out).unwrap()
    };
    let said = simulate(&[]);
    assert_eq!((&said[0]["decision"], &said[1]["decision"]), (&"deny".into(), &"allow".into()));
    has(&said[0], &["principal", "action", "resource", "decision", "policy", "statement", "reason", "layer"]);
    let said = simulate(&["--document", &house.document(&allow("cr:Pull*"))]);
    assert_eq!((&said[0]["decision"], &said[0]["layer"]), (&"allow".into(), &"proposed".into()));

    let account = root.json(&["whoami"])["account_id"].as_str().unwrap().to_owned();
    let document = format!(
        r#"{{"Version":"1","Statement":[{{"Effect":"Allow","Action":"cr:PullRepository","Principal":{{"RAM":"acs:ram::{account}:user/alice"}}}}]}}"#
    );
    let set = root.json(&["resource-policy", "set", "--namespace", "demo", "--document", &house.document(&document)]);
    assert_eq!(set["resource"], "namespace/local/demo");
    assert_eq!(root.json(&["resource-policy", "show", "--namespace", "demo"])["document"], document);
    let who = root.json(&["policy", "who-can", "--action", "cr:PullRepository", "--resource", "demo/app"]);
    let mut who: Vec<_> = who.as_array().unwrap().iter().map(|who| (who["principal"].clone(), who["layer"].clone())).collect();
    who.sort_by_key(|(principal, _)| principal.to_string());
    assert_eq!(who, [("user/alice".into(), "resource".into()), ("user/root".into(), "root".into())]);

    let trust = format!(
        r#"{{"Version":"1","Statement":[{{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{{"RAM":"acs:ram::{account}:user/alice"}}}}]}}"#
    );
    root.json(&["role", "create", "deploy", "--trust-policy", &house.document(&trust)]);
    root.json(&["policy", "attach", "AcrPush", "--role", "deploy"]);
    root.json(&["policy", "attach", "AliyunSTSAssumeRoleAccess", "--user", "alice"]);
    let asked = ["policy", "who-can", "--action", "cr:PushRepository", "--resource", "demo/app"];
    let pushes = root.json(&asked);
    let alice = pushes.as_array().unwrap().iter().find(|who| who["principal"] == "user/alice").unwrap();
    assert_eq!(alice["through"], serde_json::json!(["role/deploy"]));
    let table = root.run(&[&asked[..], &["--output", "table"]].concat());
    assert!(table.out.to_lowercase().contains("through") && table.out.contains("role/deploy"), "{}", table.out);
    root.run(&["resource-policy", "delete", "--namespace", "demo"]);
    assert_eq!(root.refused(&["resource-policy", "show", "--namespace", "demo"])["code"], "not_found");

    assert_eq!(root.json(&["policy", "attach", "AcrPull", "--account"])["account"], true);
    assert_eq!(root.json(&["policy", "list", "--account"])[0]["name"], "AcrPull");
    let why = root.json(&["policy", "explain", "--user", "alice", "--action", "cr:PullRepository", "--resource", "demo/app"]);
    assert_eq!(why["decision"], "deny");
    root.json(&["policy", "detach", "AcrPull", "--account"]);
}

#[test]
fn users_groups_and_policies_say_more_and_change_their_names() {
    let house = House::start();
    let root = house.root();
    let said = ["--display-name", "Alice A.", "--email", "alice@example.com"];
    let made = root.json(&[&["user", "create", "alice"], &said[..]].concat());
    assert_eq!((&made["display_name"], &made["email"], &made["phone"]), (&"Alice A.".into(), &"alice@example.com".into(), &"".into()));
    let changed = root.json(&["user", "update", "alice", "--rename", "alina", "--email", ""]);
    assert_eq!((&changed["user_id"], &changed["name"], &changed["email"]), (&made["user_id"], &"alina".into(), &"".into()));
    assert_eq!(root.refused(&["user", "show", "alice"])["code"], "not_found");
    root.json(&["group", "create", "readers"]);
    assert_eq!(root.json(&["group", "update", "readers", "--rename", "pullers"])["name"], "pullers");
    assert_eq!(root.run(&["group", "update", "pullers"]).code, Some(2));

    root.json(&["policy", "attach", "AcrPull", "--user", "alina"]);
    let holders = root.json(&["policy", "holders", "AcrPull"]);
    has(&holders[0], &["principal", "principal_id", "attached_at"]);
    assert_eq!(holders[0]["principal"], "user/alina");
    let document = house.bootstrap().with_file_name("policy.json");
    std::fs::write(&document, r#"{"Version":"1","Statement":[{"Effect":"Allow","Action":"cr:PullRepository","Resource":"*"}]}"#).unwrap();
    let file = document.to_str().unwrap();
    root.json(&["policy", "create", "p", "--document", file]);
    assert_eq!(root.json(&["policy", "update", "p", "--description", "pulls"])["description"], "pulls");
    for _ in 0..4 {
        root.json(&["policy", "update", "p", "--document", file]);
    }
    assert_eq!(root.refused(&["policy", "update", "p", "--document", file])["code"], "limit_exceeded");
    assert_eq!(root.json(&["policy", "update", "p", "--document", file, "--drop-oldest"])["version"], 6);
    assert_eq!(root.refused(&["password", "show", "--user", "alina"])["code"], "not_found");
}
