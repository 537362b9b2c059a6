//! A server that was started for one test, and its users. Where [`Backing`] says so it is several nodes behind a proxy, and the
//! same to whoever uses it.

use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

use super::backing::Backing;
use super::http::{Answer, Ask, Connection, basic};
use super::program::{Daemon, Program, Ran};
use super::proxy::Proxy;
use super::{MASTER_KEY, tidegate, wait_until};

/// Within this a change at one node is in force at every other.
const EVERYWHERE: Duration = Duration::from_secs(1);

/// A server on its first start, in a folder that goes away with it.
#[derive(Debug)]
pub(crate) struct House {
    /// Before several nodes.
    proxy: Option<Proxy>,
    servers: Vec<Daemon>,
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
    /// Waits after a change until every node has it, since the next request is another node's.
    settles: bool,
}

impl House {
    pub(crate) fn start() -> Self {
        Self::start_with(&[])
    }

    /// With further arguments of `tidegate serve`. Data is in `folder/data`, the log in `folder/server.log`.
    pub(crate) fn start_with(arguments: &[&str]) -> Self {
        let folder = tempfile::Builder::new().prefix("tidegate-test-").tempdir().unwrap();
        let scheme = if arguments.contains(&"--tls-cert") { "https" } else { "http" };
        let backing = Backing::asked();
        let mut environment = backing.settings();
        let proxy = (backing.nodes() > 1).then(Proxy::listen);
        if let Some(proxy) = &proxy {
            environment.extend(behind(proxy, scheme).map(|(name, value)| (name.to_owned(), value)));
        }
        let mut house = Self { proxy, servers: Vec::new(), address: String::new(), scheme, folder };
        let addresses: Vec<String> = (0..backing.nodes()).map(|number| house.start_server(number, &environment, arguments)).collect();
        house.address = match &mut house.proxy {
            None => addresses[0].clone(),
            Some(proxy) => {
                proxy.serve(&addresses, scheme == "https");
                proxy.address.clone()
            }
        };
        house
    }

    /// One more server; where it listens.
    fn start_server(&mut self, number: usize, environment: &[(String, String)], arguments: &[&str]) -> String {
        let of = |name: &str, ending: &str| if number == 0 { format!("{name}{ending}") } else { format!("{name}-{number}{ending}") };
        let program = environment.iter().fold(Program::new(tidegate(), self.folder.path()), |p, (name, value)| p.with(name, value));
        let data = of("data", "");
        let fixed = ["serve", "--log-format", "json", "--listen", "127.0.0.1:0", "--data-dir", &data];
        let mut server = program.start(&[&fixed, arguments].concat(), &self.folder.path().join(of("server", ".log")));
        let address = wait_for_address(&mut server, self.scheme);
        self.servers.push(server);
        self.wait_until_ready(&address);
        address
    }

    fn wait_until_ready(&self, address: &str) {
        if self.scheme == "https" {
            return; // Plain HTTP cannot ask; whoever speaks TLS finds out.
        }
        wait_until("the server is ready", Duration::from_secs(20), || {
            Connection::once(address, &Ask::get("/readyz")).is_ok_and(|answer| answer.status == 200)
        });
    }

    /// Waits until what was changed at one node is in force at all of them.
    pub(crate) fn settle(&self) {
        if self.proxy.is_some() {
            std::thread::sleep(EVERYWHERE);
        }
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
        Cli { program, options: Vec::new(), settles: self.proxy.is_some() }.with_key(&bootstrap)
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
            for server in &self.servers {
                println!("--- the end of the server's log\n{}", last_lines(&server.log(), 12));
            }
            if let Some(proxy) = &self.proxy {
                println!("--- requests that the proxy gave to each node: {:?}", proxy.given());
            }
        }
    }
}

fn last_lines(text: &str, count: usize) -> String {
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(count)..].join("\n")
}

/// What nodes behind a proxy have in common, besides a database and blobs.
fn behind(proxy: &Proxy, scheme: &str) -> [(&'static str, String); 3] {
    [
        ("TIDEGATE_MASTER_KEY", MASTER_KEY.to_owned()),
        ("TIDEGATE_EXTERNAL_URL", format!("{scheme}://{}", proxy.address)),
        ("TIDEGATE_TRUSTED_PROXIES", "127.0.0.1/32".to_owned()),
    ]
}

/// Its own word about where it listens, since port 0 means any.
fn wait_for_address(server: &mut Daemon, scheme: &str) -> String {
    let mut found = None;
    wait_until("the server says its address", Duration::from_secs(20), || {
        let ended = server.has_ended();
        let log = server.log();
        found = address_in(&log, scheme);
        assert!(found.is_some() || !ended, "the server ended:\n{log}");
        found.is_some()
    });
    found.unwrap()
}

/// `127.0.0.1:PORT` of the first line that says "listening", if that is there whole.
fn address_in(log: &str, scheme: &str) -> Option<String> {
    let line = log.split_inclusive('\n').find(|line| line.contains("\"listening\"") && line.ends_with('\n'))?;
    let start = line.find(&format!("{scheme}://127."))? + scheme.len() + 3;
    let rest = line.get(start..)?;
    let end = rest.find(|letter: char| !(letter.is_ascii_digit() || letter == '.' || letter == ':'))?;
    rest.get(..end).map(str::to_owned)
}

impl Cli {
    /// The same with another access key: `access_key_id` and `access_key_secret` of `key`.
    fn with_key(&self, key: &Value) -> Self {
        let program = self.program.clone().with("TIDEGATE_ACCESS_KEY_ID", &text(&key["access_key_id"]));
        let program = program.with("TIDEGATE_ACCESS_KEY_SECRET", &text(&key["access_key_secret"]));
        Self { program, ..self.clone() }
    }

    /// The same, for several changes in a row after which somebody waits once ([`House::settle`]).
    pub(crate) fn hasty(&self) -> Self {
        Self { settles: false, ..self.clone() }
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
        let ran = self.program.piped(&[arguments, &options].concat(), input);
        let reads = arguments.iter().take(2).any(|word| ["list", "show", "whoami", "verify", "explain"].contains(word));
        if self.settles && !reads {
            std::thread::sleep(EVERYWHERE);
        }
        ran
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
        Self { program: keyed.program.clone().with("TIDEGATE_SECURITY_TOKEN", &text(&session["security_token"])), ..keyed }
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
