//! The master key is changed, and nobody notices.

use std::path::Path;
use std::time::Duration;

use rustix::process::Signal;
use serde_json::Value;

use crate::support::api::{Api, Key};
use crate::support::http::{Ask, basic};
use crate::support::node::{Node, Settings};
use crate::support::program::{Program, Ran};
use crate::support::{MASTER_KEY, tidegate, wait_until};

const OTHER_KEY: &str = "ffeeddccbbaa99887766554433221100ffeeddccbbaa99887766554433221100";
/// It is looked each ten seconds whether something is to be sealed anew.
const LIMIT: Duration = Duration::from_secs(30);

/// Everything whose validity hangs on the master key.
struct Held {
    credential: String,
    password: String,
    login_token: String,
    key: Key,
}

impl Held {
    fn new(node: &Node) -> Self {
        let api = Api::root(node);
        api.create_user("alice");
        let (_, credential) = api.create_credential("alice");
        let password = serde_json::json!({ "kind": "permanent", "password": "first-Password-1" });
        api.call("PUT", "/users/alice/password", &password);
        api.create_policy("tokens", &["cr:GetAuthorizationToken"]);
        api.attach("alice", "tokens");
        let key = api.create_access_key("alice");
        let login_token = Api::with_key(node, &key).create_login_token();
        Self { credential, password: basic("alice", "first-Password-1"), login_token, key }
    }

    #[track_caller]
    fn all_work(&self, node: &Node) {
        for authorization in [&self.credential, &self.password, &self.login_token] {
            node.send(&Ask::get("/v2/").with(authorization)).expect(200);
        }
        Api::with_key(node, &self.key).call("GET", "/whoami", &Value::Null);
    }
}

fn command(settings: &Settings, arguments: &[&str]) -> Ran {
    let mut program = Program::new(tidegate(), settings.data.parent().unwrap());
    for (name, value) in &settings.environment {
        program = program.with(name, value);
    }
    program.run(&[arguments, &["--data-dir", settings.data.to_str().unwrap()]].concat())
}

/// What lies under keys that are not the current one.
fn left(settings: &Settings) -> i64 {
    let status = command(settings, &["master-key", "status", "--output", "json"]).ok().json();
    let left = status.as_array().unwrap().iter().filter(|row| row["is"] != "current");
    left.map(|row| row["secrets"].as_i64().unwrap()).sum()
}

fn with_keys(settings: Settings, keys: &[(&str, &str)]) -> Settings {
    let environment = settings.environment.into_iter().filter(|(name, _)| !name.contains("MASTER_KEY")).collect();
    keys.iter().fold(Settings { environment, ..settings }, |settings, (name, value)| settings.set(name, value))
}

#[test]
fn the_key_of_the_data_folder_is_changed_while_the_server_runs() {
    let folder = tempfile::tempdir().unwrap();
    let node = Node::start(Settings::in_folder(folder.path(), "data"));
    let held = Held::new(&node);
    let before = std::fs::read_to_string(node.settings.data.join("master.key")).unwrap();
    assert_eq!(left(&node.settings), 0);
    command(&node.settings, &["master-key", "rotate"]).ok();
    let after = std::fs::read_to_string(node.settings.data.join("master.key")).unwrap();
    assert_ne!(before, after);
    assert!(left(&node.settings) > 0, "nothing was sealed anew yet");
    command(&node.settings, &["master-key", "rotate"]).refused(&["the last change is not over"]);
    node.signal(Signal::HUP);
    wait_until("all is sealed anew", LIMIT, || {
        held.all_work(&node);
        left(&node.settings) == 0
    });
    let old = node.settings.data.join("master.key.old");
    assert_eq!(std::fs::read_to_string(&old).unwrap(), before);
    let settings = node.stop();
    std::fs::remove_file(old).unwrap();
    let node = Node::start(settings);
    held.all_work(&node);
    for key in [before.trim(), after.trim()] {
        assert!(!node.log().contains(key));
    }
}

#[test]
fn a_server_starts_with_both_keys_and_then_with_the_new_one_alone() {
    let folder = tempfile::tempdir().unwrap();
    let printed = folder.path().join("key");
    std::fs::write(&printed, OTHER_KEY).unwrap();
    let settings = with_keys(Settings::in_folder(folder.path(), "data"), &[("TIDEGATE_MASTER_KEY", MASTER_KEY)]);
    let node = Node::start(settings);
    let held = Held::new(&node);
    let settings = node.kill();

    let stranger = with_keys(settings.clone(), &[("TIDEGATE_MASTER_KEY", OTHER_KEY)]);
    let refused =
        command(&stranger, &["serve", "--listen", "127.0.0.1:0"]).refused(&["none of those that were given", "old_master_key_file"]);
    assert!(!refused.says(OTHER_KEY));

    // The new one from a command, the old one as a value.
    let cat = format!("cat,{}", printed.display());
    let both = with_keys(settings, &[("TIDEGATE_MASTER_KEY_COMMAND", &cat), ("TIDEGATE_OLD_MASTER_KEY", MASTER_KEY)]);
    let node = Node::start(both);
    held.all_work(&node);
    wait_until("all is sealed anew", LIMIT, || left(&node.settings) == 0);
    held.all_work(&node);
    let settings = node.kill();

    let node = Node::start(with_keys(settings, &[("TIDEGATE_MASTER_KEY_FILE", printed.to_str().unwrap())]));
    held.all_work(&node);
    let settings = node.stop();
    let back = with_keys(settings, &[("TIDEGATE_MASTER_KEY", MASTER_KEY)]);
    command(&back, &["serve", "--listen", "127.0.0.1:0"]).refused(&["none of those that were given"]);
}

#[test]
fn a_signal_with_a_key_that_opens_nothing_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let node = Node::start(Settings::in_folder(folder.path(), "data"));
    let held = Held::new(&node);
    let path = node.settings.data.join("master.key");
    let right = std::fs::read(&path).unwrap();
    std::fs::write(&path, OTHER_KEY).unwrap();
    node.signal(Signal::HUP);
    wait_until("it is refused", LIMIT, || node.log().contains("those in force stay"));
    held.all_work(&node);
    std::fs::write(&path, right).unwrap();
    held.all_work(&Node::start(node.stop()));
}

#[test]
fn status_makes_no_key() {
    let folder = tempfile::tempdir().unwrap();
    let node = Node::start(Settings::in_folder(folder.path(), "data"));
    let settings = node.stop();
    let key = settings.data.join("master.key");
    std::fs::rename(&key, folder.path().join("aside")).unwrap();
    command(&settings, &["master-key", "status"]).refused(&["is not there"]);
    assert!(!key.exists());
    command(&Settings { data: Path::new("/nonexistent").to_owned(), ..settings }, &["master-key", "status"]).refused(&["is not there"]);
}
