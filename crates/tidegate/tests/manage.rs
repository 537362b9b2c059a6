//! The command line against a running server: what people and scripts see. JSON keys and exit codes are the contract's.
#![expect(clippy::unwrap_used, reason = "the helpers of a test may fail it")]

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;

const PROGRAM: &str = env!("CARGO_BIN_EXE_tidegate");

/// A server on its first start, and the home folder of somebody who is its root user.
struct House {
    server: Child,
    folder: tempfile::TempDir,
}

/// Somebody with a shell: an environment and nothing else.
#[derive(Clone)]
struct Shell {
    environment: Vec<(String, String)>,
}

struct Ran {
    code: Option<i32>,
    out: String,
    err: String,
}

impl House {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut command = Command::new(PROGRAM);
        command.args(["serve", "--listen", "127.0.0.1:0", "--log-format", "json", "--data-dir"]).arg(folder.path().join("data"));
        let mut server = command.env_clear().stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let mut log = BufReader::new(server.stderr.take().unwrap());
        let mut line = String::new();
        while !line.contains("http://") {
            line.clear();
            assert!(log.read_line(&mut line).unwrap() > 0, "the server ended");
        }
        // Whoever stops reading would stop the server.
        std::thread::spawn(move || std::io::copy(&mut log, &mut std::io::sink()));
        Self { server, folder }
    }

    fn bootstrap(&self) -> PathBuf {
        self.folder.path().join("data/bootstrap.json")
    }

    /// The root user, after `tidegate configure`.
    fn root(&self) -> Shell {
        let root = self.home("root");
        let ran = root.run(&["configure", "--from", self.bootstrap().to_str().unwrap()]);
        assert_eq!(ran.code, Some(0), "{}", ran.err);
        root
    }

    fn home(&self, name: &str) -> Shell {
        let home = self.folder.path().join(name);
        Shell { environment: vec![("HOME".to_owned(), home.to_str().unwrap().to_owned())] }
    }

    /// A new user, signed in with an access key by environment variables.
    fn user(&self, root: &Shell, name: &str) -> Shell {
        root.json(&["user", "create", name]);
        let key = root.json(&["access-key", "create", "--user", name]);
        let endpoint = read(&self.bootstrap())["endpoint"].as_str().unwrap().to_owned();
        let text = |key: &Value| key.as_str().unwrap().to_owned();
        Shell {
            environment: vec![
                ("TIDEGATE_ENDPOINT".to_owned(), endpoint),
                ("TIDEGATE_ACCESS_KEY_ID".to_owned(), text(&key["access_key_id"])),
                ("TIDEGATE_ACCESS_KEY_SECRET".to_owned(), text(&key["access_key_secret"])),
            ],
        }
    }

    fn document(&self, text: &str) -> String {
        let path = self.folder.path().join("document.json");
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    }
}

impl Drop for House {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

impl Shell {
    fn run(&self, arguments: &[&str]) -> Ran {
        self.piped(arguments, "")
    }

    fn piped(&self, arguments: &[&str], input: &str) -> Ran {
        let mut command = Command::new(PROGRAM);
        command.args(arguments).env_clear().envs(self.environment.iter().cloned());
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        // A command that reads nothing may have ended already.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        let Output { status, stdout, stderr } = child.wait_with_output().unwrap();
        Ran { code: status.code(), out: String::from_utf8(stdout).unwrap(), err: String::from_utf8(stderr).unwrap() }
    }

    fn json(&self, arguments: &[&str]) -> Value {
        let ran = self.run(arguments);
        assert_eq!(ran.code, Some(0), "{arguments:?}: {}", ran.err);
        serde_json::from_str(&ran.out).unwrap()
    }

    /// The error of a command that is refused.
    fn refused(&self, arguments: &[&str]) -> Value {
        let ran = self.run(&[arguments, &["-o", "json"]].concat());
        assert_eq!((ran.code, &*ran.out), (Some(1), ""), "{arguments:?}");
        serde_json::from_str::<Value>(&ran.err).unwrap()["error"].clone()
    }
}

fn read(path: &Path) -> Value {
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

#[track_caller]
fn has(value: &Value, keys: &[&str]) {
    for key in keys {
        assert!(value.get(key).is_some(), "{key} is missing in {value}");
    }
}

#[test]
fn root_configures_itself_and_knows_who_it_is() {
    let house = House::start();
    let root = house.root();
    let who = root.json(&["whoami"]);
    assert_eq!((&who["name"], &who["kind"]), (&"root".into(), &"root".into()));
    assert_eq!(who["account_id"], read(&house.bootstrap())["account_id"]);
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
    assert_eq!(root.json(&["credential", "disable", id])["enabled"], false);
    assert_eq!(root.json(&["credential", "enable", id])["enabled"], true);
    assert_eq!(root.run(&["credential", "delete", id]).code, Some(0));
    assert_eq!(root.refused(&["credential", "delete", id])["code"], "not_found");

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
    assert_eq!(root.json(&["instance", "delete", "prod"])["name"], "prod");
    assert_eq!(root.refused(&["instance", "show", "prod"])["code"], "not_found");

    assert_eq!(root.json(&["namespace", "create", "demo", "--public"])["public"], true);
    assert_eq!(root.json(&["namespace", "show", "demo", "--instance", "local"])["name"], "demo");
    assert_eq!(root.json(&["namespace", "update", "demo", "--public", "false"])["public"], false);
    assert_eq!(root.json(&["repository", "create", "demo/a/b"])["namespace"], "demo");
    assert_eq!(root.json(&["repository", "update", "demo/a/b", "--description", "x y"])["description"], "x y");
    assert_eq!(root.json(&["repository", "list"])[0]["name"], "demo/a/b");
    assert_eq!(root.json(&["tag", "list", "demo/a/b"]), Value::Array(vec![]));
    assert_eq!(root.refused(&["tag", "show", "demo/a/b:v1"])["code"], "not_found");
    assert_eq!(root.refused(&["namespace", "delete", "demo"])["code"], "in_use");
    assert_eq!(root.run(&["repository", "delete", "demo/a/b"]).code, Some(0));
    assert_eq!(root.run(&["namespace", "delete", "demo"]).code, Some(0));
    assert_eq!(root.json(&["namespace", "list"]), Value::Array(vec![]));
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
fn lists_are_followed_over_their_pages() {
    let house = House::start();
    let root = house.root();
    for n in 0..4 {
        root.json(&["user", "create", &format!("u{n}")]);
    }
    let events = root.json(&["audit", "list", "--action", "ram:CreateUser", "--limit", "3"]);
    assert_eq!(events.as_array().unwrap().len(), 3);
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
