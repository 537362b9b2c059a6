//! A PostgreSQL of our own for the time of a stage: an empty cluster in a temporary folder on a loopback port.

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use rustix::process::{Signal, geteuid};
use tempfile::TempDir;

use crate::command::output;
use crate::server::{Server, free_address};

/// A running cluster; dropping it stops it and removes its data.
#[derive(Debug)]
pub(crate) struct Cluster {
    // In this order: the server stops before its folder goes.
    server: Server,
    _folder: TempDir,
    programs: PathBuf,
}

/// Who the server runs as: it refuses to be root.
#[derive(Clone, Copy)]
struct Account {
    uid: u32,
    gid: u32,
}

impl Cluster {
    /// Anyone on this machine may connect as `postgres`, so nothing but test data belongs in it.
    pub(crate) fn start() -> Result<Self> {
        let programs = programs()?;
        let account = account()?;
        let folder = tempfile::tempdir()?;
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o700))?;
        if let Some(Account { uid, gid }) = account {
            chown(folder.path(), Some(uid), Some(gid))?;
        }
        let data = folder.path().join("data");
        let mut initdb = call(&programs, "initdb", folder.path(), account);
        initdb.args(["--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync", "--pgdata"]);
        output(initdb.arg(&data))?;
        let server = serve(&programs, folder.path(), &data, account)?;
        let cluster = Self { server, _folder: folder, programs };
        cluster.wait_until_ready()?;
        Ok(cluster)
    }

    /// What a client connects to.
    pub(crate) fn url(&self) -> String {
        format!("postgres://postgres@{}/postgres", self.server.address)
    }

    /// The process that all its others come from.
    pub(crate) fn pid(&self) -> u32 {
        self.server.pid()
    }

    /// How many transactions have been committed so far, in all databases that still exist.
    pub(crate) fn commits(&self) -> Result<u64> {
        let printed = self.query("SELECT coalesce(sum(xact_commit), 0)::bigint FROM pg_stat_database")?;
        printed.trim().parse().context("PostgreSQL did not count its transactions")
    }

    fn query(&self, statement: &str) -> Result<String> {
        let mut psql = Command::new(self.programs.join("psql"));
        output(psql.args(["--no-psqlrc", "--tuples-only", "--no-align", "--command", statement, &self.url()]))
    }

    /// The port opens before recovery is done.
    fn wait_until_ready(&self) -> Result<()> {
        let (host, port) = (self.server.address.ip().to_string(), self.server.address.port().to_string());
        for _ in 0..200 {
            if output(Command::new(self.programs.join("pg_isready")).args(["-q", "-h", &host, "-p", &port])).is_ok() {
                return Ok(());
            }
            std::thread::sleep(std::time::Duration::from_millis(50));
        }
        bail!("PostgreSQL listens but does not get ready")
    }
}

/// The server in the foreground; without fsync, since its data need not outlive the machine.
fn serve(programs: &Path, folder: &Path, data: &Path, account: Option<Account>) -> Result<Server> {
    let address = free_address()?;
    let mut postgres = call(programs, "postgres", folder, account);
    postgres.arg("-D").arg(data).arg("-k").arg(folder);
    postgres.args(["-h", &address.ip().to_string(), "-p", &address.port().to_string()]);
    for setting in ["fsync=off", "max_connections=200", "log_min_messages=fatal", "logging_collector=off"] {
        postgres.args(["-c", setting]);
    }
    // SIGINT is its fast stop; SIGTERM waits for clients.
    Ok(Server::start("PostgreSQL", postgres.stderr(fs::File::create(folder.join("log"))?), address)?.stopped_by(Signal::INT))
}

fn call(programs: &Path, program: &str, folder: &Path, account: Option<Account>) -> Command {
    let mut call = Command::new(programs.join(program));
    call.current_dir(folder);
    if let Some(Account { uid, gid }) = account {
        call.uid(uid).gid(gid);
    }
    call
}

/// Debian's newest server, which is not on the PATH.
fn programs() -> Result<PathBuf> {
    let versions = fs::read_dir("/usr/lib/postgresql").context("PostgreSQL is not installed; stage `debian` does that")?;
    let folders = versions.filter_map(|entry| Some(entry.ok()?.path().join("bin")));
    folders.filter(|folder| folder.join("initdb").exists()).max().context("Debian's PostgreSQL has no initdb")
}

/// The account `postgres` when we are root, else ourselves.
fn account() -> Result<Option<Account>> {
    if !geteuid().is_root() {
        return Ok(None);
    }
    let id = |flag| -> Result<u32> { Ok(output(Command::new("id").args([flag, "postgres"]))?.trim().parse()?) };
    Ok(Some(Account { uid: id("-u")?, gid: id("-g")? }))
}
