//! A server that was started for one test, and its users.

use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

use super::http::{Answer, Ask, Connection, basic};
use super::program::{Daemon, Program, Ran};
use super::{tidegate, wait_until};

/// A server on its first start, in a folder that goes away with it.
#[derive(Debug)]
pub(crate) struct House {
    server: Daemon,
    /// `127.0.0.1:PORT`.
    pub(crate) address: String,
    /// `https` where it was given a certificate.
    scheme: &'static str,
    pub(crate) folder: TempDir,
}

/// Somebody at the command line of `tidegate`.
#[derive(Clone, Debug)]
pub(crate) struct Cli {
    program: Program,
    /// What every command gets besides its own.
    options: Vec<String>,
}

impl House {
    pub(crate) fn start() -> Self {
        Self::start_with(&[])
    }

    /// With further arguments of `tidegate serve`. Data is in `folder/data`, the log in `folder/server.log`.
    pub(crate) fn start_with(arguments: &[&str]) -> Self {
        let folder = tempfile::Builder::new().prefix("tidegate-test-").tempdir().unwrap();
        let program =
            super::s3::named().into_iter().fold(Program::new(tidegate(), folder.path()), |p, (name, value)| p.with(&name, &value));
        let fixed = ["serve", "--log-format", "json", "--listen", "127.0.0.1:0", "--data-dir", "data"];
        let server = program.start(&[&fixed, arguments].concat(), &folder.path().join("server.log"));
        let scheme = if arguments.contains(&"--tls-cert") { "https" } else { "http" };
        let mut house = Self { server, address: String::new(), scheme, folder };
        house.address = house.wait_for_address();
        house.wait_until_ready();
        house
    }

    /// Its own word about where it listens, since port 0 means any.
    fn wait_for_address(&mut self) -> String {
        let mut found = None;
        wait_until("the server says its address", Duration::from_secs(20), || {
            let ended = self.server.has_ended();
            let log = self.server.log();
            found = address_in(&log, self.scheme);
            assert!(found.is_some() || !ended, "the server ended:\n{log}");
            found.is_some()
        });
        found.unwrap()
    }

    fn wait_until_ready(&self) {
        if self.scheme == "https" {
            return; // Plain HTTP cannot ask; whoever speaks TLS finds out.
        }
        wait_until("the server is ready", Duration::from_secs(20), || {
            Connection::once(&self.address, &Ask::get("/readyz")).is_ok_and(|answer| answer.status == 200)
        });
    }

    /// What the first start wrote: `bootstrap.json`.
    pub(crate) fn bootstrap(&self) -> Value {
        serde_json::from_str(&std::fs::read_to_string(self.folder.path().join("data/bootstrap.json")).unwrap()).unwrap()
    }

    /// The root user at the command line.
    pub(crate) fn root(&self) -> Cli {
        let bootstrap = self.bootstrap();
        let program = Program::new(tidegate(), &self.folder.path().join("root"));
        let program = program.with("TIDEGATE_ENDPOINT", &text(&bootstrap["endpoint"]));
        Cli { program, options: Vec::new() }.with_key(&bootstrap)
    }

    /// Sends a request to the server.
    #[track_caller]
    pub(crate) fn send(&self, ask: &Ask) -> Answer {
        Connection::once(&self.address, ask).unwrap()
    }

    /// A bearer token by Basic at `/token`, as clients ask for one: `scope` as in `repository:demo/app:pull`.
    #[track_caller]
    pub(crate) fn bearer(&self, user: &str, password: &str, scope: &str) -> String {
        let target = format!("/token?service={}&scope={scope}", self.address);
        let answer = self.send(&Ask::get(&target).with(&basic(user, password))).expect(200);
        text(&answer.json()["token"])
    }
}

impl Drop for House {
    fn drop(&mut self) {
        if std::thread::panicking() {
            println!("--- the end of the server's log\n{}", last_lines(&self.server.log(), 12));
        }
    }
}

fn last_lines(text: &str, count: usize) -> String {
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(count)..].join("\n")
}

/// `127.0.0.1:PORT` of the first address in the log that is there whole.
fn address_in(log: &str, scheme: &str) -> Option<String> {
    let start = log.find(&format!("{scheme}://127."))? + scheme.len() + 3;
    let rest = log.get(start..)?;
    let end = rest.find(|letter: char| !(letter.is_ascii_digit() || letter == '.' || letter == ':'))?;
    rest.get(..end).map(str::to_owned)
}

impl Cli {
    /// The same with another access key: `access_key_id` and `access_key_secret` of `key`.
    fn with_key(&self, key: &Value) -> Self {
        let program = self.program.clone().with("TIDEGATE_ACCESS_KEY_ID", &text(&key["access_key_id"]));
        let program = program.with("TIDEGATE_ACCESS_KEY_SECRET", &text(&key["access_key_secret"]));
        Self { program, options: self.options.clone() }
    }

    /// The same, with one more option in every command.
    pub(crate) fn with_option(mut self, name: &str, value: &str) -> Self {
        self.options.extend([name.to_owned(), value.to_owned()]);
        self
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Ran {
        self.piped(arguments, "")
    }

    /// Starts a command that goes on, with what it says in `log`.
    pub(crate) fn start(&self, arguments: &[&str], log: &std::path::Path) -> Daemon {
        let options: Vec<&str> = self.options.iter().map(String::as_str).collect();
        self.program.start(&[arguments, &options].concat(), log)
    }

    fn piped(&self, arguments: &[&str], input: &str) -> Ran {
        let options: Vec<&str> = self.options.iter().map(String::as_str).collect();
        self.program.piped(&[arguments, &options].concat(), input)
    }

    /// The JSON of a command that succeeds.
    #[track_caller]
    pub(crate) fn json(&self, arguments: &[&str]) -> Value {
        self.run(&[arguments, &["--output", "json"]].concat()).ok().json()
    }

    /// A new user with an access key; that user at the command line.
    #[track_caller]
    pub(crate) fn new_user(&self, name: &str) -> Self {
        self.json(&["user", "create", name]);
        let key = self.json(&["access-key", "create", "--user", name]);
        self.with_key(&key)
    }

    /// The same person by a session that they began: what `role assume` gave.
    pub(crate) fn in_session(&self, session: &Value) -> Self {
        let keyed = self.with_key(session);
        Self { program: keyed.program.with("TIDEGATE_SECURITY_TOKEN", &text(&session["security_token"])), options: keyed.options }
    }

    /// Sets a user's permanent password.
    #[track_caller]
    pub(crate) fn set_password(&self, user: &str, password: &str) {
        self.piped(&["password", "set", "--user", user, "--password-stdin"], password).ok();
    }

    /// A new policy with this document, attached to the user.
    #[track_caller]
    pub(crate) fn grant(&self, user: &str, policy: &str, document: &Value) {
        let file = self.program.folder().join(format!("{policy}.json"));
        std::fs::write(&file, document.to_string()).unwrap();
        self.run(&["policy", "create", policy, "--document", file.to_str().unwrap()]).ok();
        self.run(&["policy", "attach", policy, "--user", user]).ok();
    }

    /// A new access credential of a user: its id and secret.
    #[track_caller]
    pub(crate) fn new_credential(&self, user: &str) -> (String, String) {
        let made = self.json(&["credential", "create", "--user", user, "--description", "for a test"]);
        (text(&made["credential_id"]), text(&made["secret"]))
    }
}

/// The string that a JSON value is.
#[track_caller]
pub(crate) fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("not a string: {value}")).to_owned()
}
