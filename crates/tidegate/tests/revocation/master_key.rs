//! The master key changed on two nodes, one after the other, while clients log in at both.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use rustix::process::Signal;
use serde_json::Value;

use crate::house::Pair;
use crate::support::api::{Api, Key, bootstrap};
use crate::support::http::{Ask, bearer};
use crate::support::node::Node;
use crate::support::program::Program;
use crate::support::{MASTER_KEY, tidegate, wait_until};

const NEW_KEY: &str = "ffeeddccbbaa99887766554433221100ffeeddccbbaa99887766554433221100";
/// It is looked each ten seconds whether something is to be sealed anew.
const LIMIT: Duration = Duration::from_secs(40);

/// The files that a node reads its keys from, at each SIGHUP.
struct Files(PathBuf);

impl Files {
    fn of(node: &str, folder: &Path) -> Self {
        let files = Self(folder.join(format!("{node}-keys")));
        std::fs::create_dir_all(&files.0).unwrap();
        files.write("current", MASTER_KEY);
        // A key that is given twice is one key: so the settings can be there before they are needed.
        files.write("old", MASTER_KEY);
        files.write("next", MASTER_KEY);
        files
    }

    fn path(&self, name: &str) -> String {
        self.0.join(name).to_str().unwrap().to_owned()
    }

    fn write(&self, name: &str, key: &str) {
        std::fs::write(self.0.join(name), key).unwrap();
    }
}

/// What lies under keys that are not the current one, as a node says it.
fn left(node: &Node) -> i64 {
    let mut program = Program::new(tidegate(), &node.settings.data);
    for (name, value) in &node.settings.environment {
        program = program.with(name, value);
    }
    let status = program.run(&["master-key", "status", "--data-dir", node.settings.data.to_str().unwrap(), "--output", "json"]).ok().json();
    let rows = status.as_array().unwrap().iter().filter(|row| row["is"] != "current");
    rows.map(|row| row["secrets"].as_i64().unwrap()).sum()
}

/// Logs in at a node by everything that hangs on the master key, again and again; how often.
fn log_in(node: &Node, held: (&str, &str, &Key), stop: &AtomicBool, logins: &AtomicU64) {
    let (credential, login_token, key) = held;
    let mut connection = node.connection();
    while !stop.load(Ordering::SeqCst) {
        for authorization in [credential, login_token] {
            let answer = connection.send(&Ask::get("/v2/").with(authorization)).unwrap();
            assert_eq!(answer.status, 200, "{}: {}", node.address(), answer.text());
            let granted = connection.send(&Ask::get(&format!("/token?service={}", node.address())).with(authorization)).unwrap();
            let granted = bearer(granted.expect(200).json()["token"].as_str().unwrap());
            assert_eq!(connection.send(&Ask::get("/v2/").with(&granted)).unwrap().status, 200);
        }
        let fields = [("grant_type", "client_credentials"), ("client_id", &key.id), ("client_secret", &key.secret)];
        let answer = connection.send(&Ask::new("POST", "/api/v1/oauth2/token").form(&fields)).unwrap();
        assert_eq!(answer.status, 200, "{}: {}", node.address(), answer.text());
        logins.fetch_add(5, Ordering::SeqCst);
    }
}

/// A new credential and a new access key, made at one node and used at both, at once.
fn made_here_opens_there(here: &Node, there: &Node, root: &Key) {
    let api = Api::with_key(here, root);
    let (id, authorization) = api.create_credential("alice");
    let key = api.create_access_key("bob");
    for node in [here, there] {
        assert_eq!(node.send(&Ask::get("/v2/").with(&authorization)).status, 200);
        Api::with_key(node, &key).call("GET", "/whoami", &Value::Null);
    }
    api.call("DELETE", &format!("/credentials/{id}"), &Value::Null);
    api.call("DELETE", &format!("/access-keys/{}", key.id), &Value::Null);
}

#[test]
#[ignore = "cargo xtask test --only revocation"]
fn a_master_key_that_is_changed_on_two_nodes_refuses_no_login() {
    let folder = tempfile::tempdir().unwrap();
    let (first, second) = (Files::of("first", folder.path()), Files::of("second", folder.path()));
    let pair = Pair::start_with("master_key", |name, settings| {
        let files = if name == "first" { &first } else { &second };
        let environment = settings.environment.into_iter().filter(|(name, _)| name != "TIDEGATE_MASTER_KEY").collect();
        let settings = crate::support::node::Settings { environment, ..settings };
        let settings = settings.set("TIDEGATE_MASTER_KEY_FILE", &files.path("current"));
        let settings = settings.set("TIDEGATE_OLD_MASTER_KEY_FILE", &files.path("old"));
        settings.set("TIDEGATE_NEXT_MASTER_KEY_FILE", &files.path("next"))
    });
    let api = Api::root(&pair.first);
    for name in ["alice", "bob"] {
        api.create_user(name);
    }
    api.create_policy("tokens", &["cr:GetAuthorizationToken"]);
    api.attach("alice", "tokens");
    let (_, credential) = api.create_credential("alice");
    let key = api.create_access_key("alice");
    let login_token = Api::with_key(&pair.first, &key).create_login_token();
    let (stop, logins) = (AtomicBool::new(false), AtomicU64::new(0));
    std::thread::scope(|scope| {
        for node in [&pair.first, &pair.second] {
            let (held, stop, logins) = ((&*credential, &*login_token, &key), &stop, &logins);
            scope.spawn(move || log_in(node, held, stop, logins));
        }
        let changed = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| change(&pair, &first, &second)));
        stop.store(true, Ordering::SeqCst);
        changed.unwrap();
    });
    println!("{} logins while the master key was changed on two nodes", logins.load(Ordering::SeqCst));
    assert!(logins.load(Ordering::SeqCst) > 100);
    for node in [&pair.first, &pair.second] {
        for key in [MASTER_KEY, NEW_KEY] {
            assert!(!node.log().contains(key));
        }
    }
}

/// As docs/operations.md says: the next key to all of them, then one by one.
fn change(pair: &Pair, first: &Files, second: &Files) {
    let bootstrap = bootstrap(&pair.first);
    let text = |key: &str| bootstrap[key].as_str().unwrap().to_owned();
    let root = Key { id: text("access_key_id"), secret: text("access_key_secret") };
    let look = || {
        made_here_opens_there(&pair.first, &pair.second, &root);
        made_here_opens_there(&pair.second, &pair.first, &root);
    };
    let nodes = [(&pair.first, first), (&pair.second, second)];
    look();
    for (node, files) in nodes {
        files.write("next", NEW_KEY);
        read_again(node);
        look();
    }
    assert_eq!(left(&pair.first), 0, "nothing is sealed by a key that is only to come");
    for (node, files) in nodes {
        files.write("current", NEW_KEY);
        read_again(node);
        look();
    }
    wait_until("all is sealed anew", LIMIT, || left(&pair.first) == 0 && left(&pair.second) == 0);
    for (node, files) in nodes {
        files.write("old", NEW_KEY);
        read_again(node);
        look();
    }
}

/// SIGHUP, and its word that it has the keys.
fn read_again(node: &Node) {
    let times = || node.log().matches("the master key was read again and has changed").count();
    let before = times();
    node.signal(Signal::HUP);
    wait_until("the node has read its keys", Duration::from_secs(10), || times() > before);
}
