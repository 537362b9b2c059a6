//! Tidegate as a user runs it: the release build on its embedded defaults, reached through nothing but its HTTP contract.

use std::fs;
use std::io::Write;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::Value;
use tempfile::TempDir;

use super::certificate;
use super::http::Connection;
use crate::command::run;
use crate::server::{PATIENCE, Server, free_address};
use crate::workspace::Workspace;

/// The repositories that the load kit reads and writes; pushes go to one each client.
const REPOSITORIES: &[&str] = &["small", "tags", "push0", "push1", "push2", "push3"];

/// The program that is measured.
#[derive(Clone)]
pub(super) struct Program(PathBuf);

impl Program {
    /// The release build, made now; or one that is there.
    pub(super) fn provide(workspace: &Workspace, given: Option<&PathBuf>) -> Result<Self> {
        if let Some(given) = given {
            return Ok(Self(given.clone()));
        }
        run(&mut workspace.cargo(["build", "--locked", "--release", "--package", "tidegate"]))?;
        Ok(Self(workspace.program()))
    }
}

pub(super) struct Tidegate {
    // In this order: the server stops before its folder goes.
    server: Server,
    folder: TempDir,
    tls: bool,
}

#[derive(Deserialize)]
struct Bootstrap {
    root_user: String,
    root_password: String,
    access_key_id: String,
    access_key_secret: String,
}

#[derive(Deserialize)]
struct Grant {
    token: String,
}

impl Tidegate {
    /// Starts it on an empty data folder.
    pub(super) fn start(program: &Program, tls: bool) -> Result<Self> {
        Self::start_on(program, tempfile::tempdir()?, tls)
    }

    /// Starts it on an empty data folder, with settings of the environment.
    pub(super) fn start_with(program: &Program, settings: &[(&str, String)]) -> Result<Self> {
        Self::start_in(program, tempfile::tempdir()?, false, settings)
    }

    /// Starts it on what another start has left.
    pub(super) fn start_on(program: &Program, folder: TempDir, tls: bool) -> Result<Self> {
        Self::start_in(program, folder, tls, &[])
    }

    fn start_in(program: &Program, folder: TempDir, tls: bool, settings: &[(&str, String)]) -> Result<Self> {
        let address = free_address()?;
        let mut call = Command::new(&program.0);
        call.args(["serve", "--listen", &address.to_string(), "--data-dir"]).arg(folder.path());
        if tls {
            let (certificate, key) = certificate(folder.path())?;
            call.arg("--tls-cert").arg(certificate).arg("--tls-key").arg(key);
        }
        call.envs(settings.iter().map(|(name, value)| (name, value)));
        call.stderr(fs::File::create(folder.path().join("log"))?);
        let tidegate = Self { server: Server::start("tidegate", &mut call, address)?, folder, tls };
        tidegate.wait_until_it_is_ready()?;
        Ok(tidegate)
    }

    /// It listens before it is ready; a first start writes its secrets down in between.
    fn wait_until_it_is_ready(&self) -> Result<()> {
        let end = Instant::now() + PATIENCE;
        while self.bootstrap().is_err() && Instant::now() < end {
            sleep(Duration::from_millis(1));
        }
        self.bootstrap().map(drop)
    }

    /// Stops it and leaves its data.
    pub(super) fn stop(self) -> TempDir {
        let Self { server, folder, .. } = self;
        drop(server);
        folder
    }

    pub(super) fn base(&self) -> String {
        self.server.base(self.tls)
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.server.address
    }

    pub(super) fn pid(&self) -> u32 {
        self.server.pid()
    }

    /// An Authorization header with the root user's password.
    pub(super) fn basic(&self) -> Result<String> {
        let Bootstrap { root_user, root_password, .. } = self.bootstrap()?;
        Ok(format!("Basic {}", STANDARD.encode(format!("{root_user}:{root_password}"))))
    }

    /// An Authorization header that reaches all that the load kit measures.
    pub(super) fn bearer(&self) -> Result<String> {
        let grant = self.ask_for_token(&self.bootstrap()?)?;
        let Grant { token } = serde_json::from_slice(&grant).context("/token did not answer with a token")?;
        Ok(format!("Bearer {token}"))
    }

    fn bootstrap(&self) -> Result<Bootstrap> {
        let file = fs::read(self.folder.path().join("bootstrap.json")).context("bootstrap.json cannot be read")?;
        serde_json::from_slice(&file).context("bootstrap.json is not what the contract says")
    }

    /// `GET /token` by curl, which reads the password from its standard input, where no process list shows it.
    fn ask_for_token(&self, Bootstrap { root_user, root_password, .. }: &Bootstrap) -> Result<Vec<u8>> {
        let scopes = REPOSITORIES.iter().map(|name| format!("&scope=repository:bench/{name}:pull,push,delete"));
        let scopes: String = scopes.chain(["&scope=registry:catalog:*".to_owned()]).collect();
        let url = format!("{}/token?service={}{scopes}", self.base(), self.server.address);
        let mut curl = Command::new("curl");
        curl.args(["--silent", "--show-error", "--insecure", "--fail-with-body", "--max-time", "10", "--globoff", "--config", "-", &url]);
        let mut curl = curl.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().context("curl is not on this machine")?;
        let quoted = root_password.replace('\\', "\\\\").replace('"', "\\\"");
        if let Some(mut stdin) = curl.stdin.take() {
            writeln!(stdin, "user = \"{root_user}:{quoted}\"")?;
        }
        let done = curl.wait_with_output()?;
        if !done.status.success() {
            bail!("/token refused root: {}", String::from_utf8_lossy(&done.stdout));
        }
        Ok(done.stdout)
    }
}

/// Somebody who may do everything at the management API.
pub(super) struct Manager {
    connection: Connection,
    address: SocketAddr,
    token: String,
}

impl Manager {
    /// Logs in with the root user's access key.
    pub(super) fn log_in(tidegate: &Tidegate) -> Result<Self> {
        let Bootstrap { access_key_id, access_key_secret, .. } = tidegate.bootstrap()?;
        let address = tidegate.address();
        let connection = Connection::open(address, Ipv4Addr::LOCALHOST)?;
        let mut manager = Self { connection, address, token: String::new() };
        let form = format!("grant_type=client_credentials&client_id={access_key_id}&client_secret={access_key_secret}");
        let answer = manager.call("POST", "oauth2/token", "application/x-www-form-urlencoded", &form)?;
        manager.token = text(&answer, "access_token")?;
        Ok(manager)
    }

    pub(super) fn create_user(&mut self, name: &str) -> Result<()> {
        self.send("POST", "users", &serde_json::json!({ "name": name })).map(drop)
    }

    pub(super) fn set_password(&mut self, user: &str, password: &str) -> Result<()> {
        let body = serde_json::json!({ "kind": "permanent", "password": password });
        self.send("PUT", &format!("users/{user}/password"), &body).map(drop)
    }

    /// A new access credential's secret.
    pub(super) fn create_credential(&mut self, user: &str) -> Result<String> {
        let made = self.send("POST", "credentials", &serde_json::json!({ "user": user, "description": "measured with" }))?;
        text(&made, "secret")
    }

    pub(super) fn send(&mut self, method: &str, path: &str, body: &Value) -> Result<Value> {
        self.call(method, path, "application/json", &body.to_string())
    }

    fn call(&mut self, method: &str, path: &str, kind: &str, body: &str) -> Result<Value> {
        let (host, length) = (self.address, body.len());
        let bearer = if self.token.is_empty() { String::new() } else { format!("Authorization: Bearer {}\r\n", self.token) };
        let head = format!("{method} /api/v1/{path} HTTP/1.1\r\nHost: {host}\r\n{bearer}Content-Type: {kind}\r\n");
        let answer = self.connection.call(format!("{head}Content-Length: {length}\r\n\r\n{body}").as_bytes())?;
        if !(200..300).contains(&answer.status) {
            bail!("{method} {path} was answered {}: {}", answer.status, String::from_utf8_lossy(&answer.body));
        }
        if answer.body.is_empty() { Ok(Value::Null) } else { Ok(serde_json::from_slice(&answer.body)?) }
    }
}

fn text(answer: &Value, field: &str) -> Result<String> {
    Ok(answer.get(field).and_then(Value::as_str).with_context(|| format!("the answer has no {field}"))?.to_owned())
}
