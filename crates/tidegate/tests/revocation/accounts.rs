//! An account that is made and suspended by a command beside running servers: they hear of it through the change feed alone.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::house::Pair;
use crate::support::api::{Api, Key};
use crate::support::http::Ask;
use crate::support::node::Node;

/// `tidegate account …` with the node's settings, but in a data folder where no server listens: so it opens the database itself.
fn command(node: &Node, data: &Path, arguments: &[&str]) -> Value {
    let mut command = Command::new(crate::support::tidegate());
    command.arg("account").args(arguments).args(["-o", "json"]).env_clear().envs(node.settings.environment.iter().cloned());
    let ran = command.env("TIDEGATE_DATA_DIR", data).output().unwrap();
    assert!(ran.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&ran.stderr));
    serde_json::from_slice(&ran.stdout).unwrap()
}

#[expect(clippy::disallowed_methods, reason = "latencies are measured by the machine's own clock")]
fn now() -> Instant {
    Instant::now()
}

/// How long until the node answers a management token like this.
fn until(node: &Node, token: &str, status: u16) -> Duration {
    let begin = now();
    while node.send(&Ask::get("/api/v1/whoami").with(token)).status != status {
        assert!(begin.elapsed() < Duration::from_secs(10), "never {status}");
        std::thread::sleep(Duration::from_millis(2));
    }
    begin.elapsed()
}

#[test]
#[ignore = "cargo xtask test --only revocation"]
fn an_account_that_a_command_suspends_is_nobody_on_every_node_within_a_second() {
    let pair = Pair::start("accounts");
    let folder = tempfile::tempdir().unwrap();
    let run = |arguments: &[&str]| command(&pair.first, folder.path(), arguments);
    let file = folder.path().join("acme.json");
    run(&["create", "--alias", "acme", "--output-file", file.to_str().unwrap()]);
    let written: Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    let text = |key: &str| written[key].as_str().unwrap().to_owned();
    let key = Key { id: text("access_key_id"), secret: text("access_key_secret") };
    let nodes = [&pair.first, &pair.second];
    let tokens = nodes.map(|node| Api::with_key(node, &key).token());
    for round in 0..5 {
        for (verb, status) in [("suspend", 401), ("resume", 200)] {
            run(&[verb, "acme"]);
            for (node, token) in nodes.iter().zip(&tokens) {
                let took = until(node, token, status);
                println!("round {round}: {verb} seen after {took:?}");
                assert!(took < Duration::from_secs(1), "{verb}: {took:?}");
            }
        }
    }
}
