//! A server that was started for one test, and its users.

use std::path::{Path, PathBuf};
use std::process::Child;
use std::time::Duration;

use serde_json::Value;

use super::program::{kill, wait};
use super::{Answer, Program, Ran, Request, tidegate, wait_until};

/// One running `tidegate serve`.
#[derive(Debug)]
pub(crate) struct Server {
    child: Child,
    /// `127.0.0.1:PORT`.
    pub(crate) address: String,
    /// `http`, or `https` where it was given a certificate.
    scheme: &'static str,
    log: PathBuf,
}

/// A server on its first start, in a folder that goes away with it, whose root user is signed in.
#[derive(Debug)]
pub(crate) struct House {
    server: Option<Server>,
    arguments: Vec<String>,
    pub(crate) address: String,
    pub(crate) folder: tempfile::TempDir,
}

/// Somebody at the command line of `tidegate`.
#[derive(Clone, Debug)]
pub(crate) struct Cli {
    program: Program,
}

impl Server {
    /// Starts `tidegate serve` in `home` (data in `home/data`, log in `home/server.log`) and waits until it is ready.
    pub(crate) fn start(home: &Path, listen: &str, arguments: &[&str], environment: &[(&str, &str)]) -> Self {
        let mut program = Program::new(tidegate(), home);
        for (name, value) in environment {
            program = program.with(name, value);
        }
        let log = home.join("server.log");
        let data = home.join("data");
        let fixed = ["serve", "--log-format", "json", "--listen", listen, "--data-dir", data.to_str().unwrap()];
        let child = program.start(&[&fixed, arguments].concat(), &log);
        let scheme = if arguments.contains(&"--tls-cert") { "https" } else { "http" };
        let mut server = Self { child, address: String::new(), scheme, log };
        server.address = server.wait_for_address();
        if scheme == "http" {
            wait_until("the server is ready", Duration::from_secs(20), || {
                Request::get("/readyz").try_send(&server.address).is_some_and(|answer| answer.status == 200)
            });
        }
        server
    }

    /// Everything that it logged.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap()
    }

    pub(crate) fn process_id(&self) -> u32 {
        self.child.id()
    }

    /// SIGKILL: it ends where it stands.
    pub(crate) fn kill(mut self) {
        kill(&mut self.child);
    }

    /// SIGTERM, and its exit code.
    #[track_caller]
    pub(crate) fn terminate(mut self) -> Option<i32> {
        let process = i32::try_from(self.child.id()).ok().and_then(rustix::process::Pid::from_raw).unwrap();
        rustix::process::kill_process(process, rustix::process::Signal::TERM).unwrap();
        wait(&mut self.child, Duration::from_secs(40)).unwrap_or_else(|| panic!("SIGTERM did not end it:\n{}", self.log())).code()
    }

    /// Its own word about where it listens, since port 0 means any.
    fn wait_for_address(&mut self) -> String {
        let mut found = None;
        wait_until("the server says its address", Duration::from_secs(20), || {
            let log = self.log();
            let ended = self.child.try_wait().unwrap();
            found = address_in(&log, self.scheme);
            assert!(found.is_some() || ended.is_none(), "the server ended:\n{log}");
            found.is_some()
        });
        found.unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        kill(&mut self.child);
        if std::thread::panicking() {
            let log = std::fs::read_to_string(&self.log).unwrap_or_default();
            let lines: Vec<&str> = log.lines().collect();
            println!("--- the end of the server's log\n{}", lines[lines.len().saturating_sub(30)..].join("\n"));
        }
    }
}

/// `127.0.0.1:PORT` of the first line that has it whole.
fn address_in(log: &str, scheme: &str) -> Option<String> {
    let start = log.find(&format!("{scheme}://127."))? + scheme.len() + 3;
    let rest = log.get(start..)?;
    let end = rest.find(|letter: char| !(letter.is_ascii_digit() || letter == '.' || letter == ':'))?;
    rest.get(..end).map(str::to_owned)
}

impl House {
    pub(crate) fn start() -> Self {
        Self::start_with(&[])
    }

    /// With further arguments of `tidegate serve`.
    pub(crate) fn start_with(arguments: &[&str]) -> Self {
        let folder = tempfile::Builder::new().prefix("tidegate-test-").tempdir().unwrap();
        let server = Server::start(folder.path(), "127.0.0.1:0", arguments, &[]);
        let address = server.address.clone();
        Self { server: Some(server), arguments: arguments.iter().map(|text| (*text).to_owned()).collect(), address, folder }
    }

    pub(crate) fn server(&self) -> &Server {
        self.server.as_ref().unwrap()
    }

    /// Ends the server by SIGKILL and starts it again on the same data and address.
    pub(crate) fn kill_and_restart(&mut self) {
        self.server.take().unwrap().kill();
        self.restart();
    }

    /// Starts the server again after its end.
    pub(crate) fn restart(&mut self) {
        let arguments: Vec<&str> = self.arguments.iter().map(String::as_str).collect();
        self.server = Some(Server::start(self.folder.path(), &self.address, &arguments, &[]));
    }

    /// Takes the server out, to end it.
    pub(crate) fn take_server(&mut self) -> Server {
        self.server.take().unwrap()
    }

    /// What the first start wrote: `bootstrap.json`.
    pub(crate) fn bootstrap(&self) -> Value {
        serde_json::from_str(&std::fs::read_to_string(self.folder.path().join("data/bootstrap.json")).unwrap()).unwrap()
    }

    /// The root user at the command line.
    pub(crate) fn root(&self) -> Cli {
        Cli::with_key(self.folder.path(), &self.bootstrap()["endpoint"], &self.bootstrap())
    }

    /// The root user at the command line of another node of the same house.
    pub(crate) fn root_at(&self, address: &str) -> Cli {
        Cli::with_key(self.folder.path(), &format!("http://{address}").into(), &self.bootstrap())
    }

    /// Sends a request to the server.
    #[track_caller]
    pub(crate) fn send(&self, request: &Request) -> Answer {
        request.send(&self.address)
    }

    /// A bearer token by Basic at `/token`, as clients ask for one: `scope` as in `repository:demo/app:pull`.
    #[track_caller]
    pub(crate) fn bearer(&self, user: &str, password: &str, scope: &str) -> String {
        let target = format!("/token?service={}&scope={scope}", self.address);
        let answer = self.send(&Request::get(&target).basic(user, password)).expect(200);
        text(&answer.json()["token"])
    }
}

impl Cli {
    /// Signed in by an access key: `access_key_id` and `access_key_secret` of `key`.
    pub(crate) fn with_key(folder: &Path, endpoint: &Value, key: &Value) -> Self {
        let program = Program::new(tidegate(), &folder.join("cli"))
            .with("TIDEGATE_ENDPOINT", &text(endpoint))
            .with("TIDEGATE_ACCESS_KEY_ID", &text(&key["access_key_id"]))
            .with("TIDEGATE_ACCESS_KEY_SECRET", &text(&key["access_key_secret"]));
        Self { program }
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Ran {
        self.program.run(arguments)
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
        let program = self.program.clone();
        Self {
            program: program
                .with("TIDEGATE_ACCESS_KEY_ID", &text(&key["access_key_id"]))
                .with("TIDEGATE_ACCESS_KEY_SECRET", &text(&key["access_key_secret"])),
        }
    }

    /// Sets a user's permanent password.
    #[track_caller]
    pub(crate) fn set_password(&self, user: &str, password: &str) {
        self.program.piped(&["password", "set", "--user", user, "--password-stdin"], password).ok();
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
