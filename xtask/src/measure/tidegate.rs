//! Tidegate as a user runs it: the release build on its embedded defaults, reached through nothing but its HTTP contract.

use std::fs;
use std::io::Write;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use tempfile::TempDir;

use crate::command::run;
use crate::server::{Server, free_address};
use crate::workspace::Workspace;

/// The repositories that the load kit reads and writes; pushes go to one each client.
const REPOSITORIES: &[&str] = &["small", "tags", "push0", "push1", "push2", "push3"];

pub(super) struct Tidegate {
    // In this order: the server stops before its folder goes.
    server: Server,
    folder: TempDir,
}

#[derive(Deserialize)]
struct Bootstrap {
    root_user: String,
    root_password: String,
}

#[derive(Deserialize)]
struct Grant {
    token: String,
}

impl Tidegate {
    /// Builds and starts it on an empty data folder.
    pub(super) fn start(workspace: &Workspace) -> Result<Self> {
        run(&mut workspace.cargo(["build", "--locked", "--release", "--package", "tidegate"]))?;
        let folder = tempfile::tempdir()?;
        let address = free_address()?;
        let mut call = Command::new(workspace.program());
        call.args(["serve", "--listen", &address.to_string(), "--data-dir"]).arg(folder.path());
        call.stderr(fs::File::create(folder.path().join("log"))?);
        Ok(Self { server: Server::start("tidegate", &mut call, address)?, folder })
    }

    pub(super) fn base(&self) -> String {
        self.server.base()
    }

    pub(super) fn pid(&self) -> u32 {
        self.server.pid()
    }

    /// An Authorization header with the root user's password.
    pub(super) fn basic(&self) -> Result<String> {
        let Bootstrap { root_user, root_password } = self.bootstrap()?;
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
    fn ask_for_token(&self, Bootstrap { root_user, root_password }: &Bootstrap) -> Result<Vec<u8>> {
        let scopes = REPOSITORIES.iter().map(|name| format!("&scope=repository:bench/{name}:pull,push,delete"));
        let scopes: String = scopes.chain(["&scope=registry:catalog:*".to_owned()]).collect();
        let url = format!("{}/token?service={}{scopes}", self.base(), self.server.address);
        let mut curl = Command::new("curl");
        curl.args(["--silent", "--show-error", "--fail-with-body", "--max-time", "10", "--globoff", "--config", "-", &url]);
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
