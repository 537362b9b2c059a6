//! A PostgreSQL of a test's own, to be stopped, frozen, filled and starved.

use std::os::unix::fs::{PermissionsExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rustix::process::Signal;

use super::node::{free_address, signal};
use super::wait_until;

/// Who a node connects as: it owns its database, and is no superuser.
const ROLE: &str = "tidegate";

/// A cluster with an empty database.
pub(crate) struct Postgres {
    child: Child,
    pub(crate) address: String,
    folder: PathBuf,
    settings: Vec<String>,
}

impl Postgres {
    /// In a folder of the caller's, with further settings of the server's: `max_connections=8`.
    pub(crate) fn start(folder: &Path, settings: &[&str]) -> Self {
        // Its account must get there.
        for above in folder.ancestors().take_while(|above| *above != std::env::temp_dir()) {
            std::fs::set_permissions(above, std::fs::Permissions::from_mode(0o711)).unwrap();
        }
        let folder = folder.join("postgres");
        std::fs::create_dir(&folder).unwrap();
        std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o700)).unwrap();
        let (uid, gid) = account();
        chown(&folder, uid, gid).unwrap();
        let mut initdb = call("initdb", &folder);
        initdb.args(["--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync", "--wal-segsize=1"]);
        let made = initdb.arg("--pgdata").arg(folder.join("data")).output().unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let address = free_address();
        let settings: Vec<String> = settings.iter().map(|one| (*one).to_owned()).collect();
        let postgres = Self { child: serve(&folder, &address, &settings), address, folder, settings };
        postgres.wait();
        postgres.run(&format!("CREATE ROLE {ROLE} LOGIN"));
        postgres.run(&format!("CREATE DATABASE {ROLE} OWNER {ROLE}"));
        postgres
    }

    /// What a node connects to.
    pub(crate) fn url(&self) -> String {
        format!("postgres://{ROLE}@{}/{ROLE}", self.address)
    }

    fn owner(&self) -> String {
        format!("postgres://postgres@{}/postgres?options=-c%20default_transaction_read_only%3Doff", self.address)
    }

    /// It opens its port before it answers.
    fn wait(&self) {
        wait_until("PostgreSQL answers", Duration::from_secs(30), || self.query("SELECT 1").is_ok());
    }

    /// A statement as the superuser; the first column of what it returns.
    pub(crate) fn query(&self, statement: &str) -> Result<Vec<String>, tokio_postgres::Error> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let (client, connection) = tokio_postgres::connect(&self.owner(), tokio_postgres::NoTls).await?;
            tokio::spawn(connection);
            let answers = client.simple_query(statement).await?;
            let text = |answer: tokio_postgres::SimpleQueryMessage| match answer {
                tokio_postgres::SimpleQueryMessage::Row(row) => Some(row.get(0).unwrap_or_default().to_owned()),
                _ => None,
            };
            Ok(answers.into_iter().filter_map(text).collect())
        })
    }

    pub(crate) fn run(&self, statement: &str) -> Vec<String> {
        self.query(statement).unwrap()
    }

    /// INT ends it at once and in order, QUIT as a crash does.
    pub(crate) fn stop(&mut self, how: Signal) {
        signal(self.child.id(), how);
        self.child.wait().unwrap();
    }

    /// After [`Self::stop`], or where it has ended by itself.
    pub(crate) fn again(&mut self) {
        if self.child.try_wait().unwrap().is_some() {
            self.child = serve(&self.folder, &self.address, &self.settings);
        }
        self.wait();
    }

    /// Stops or continues every process of it, without a word to its clients.
    pub(crate) fn freeze(&self, how: Signal) {
        for process in std::iter::once(self.child.id()).chain(children(self.child.id())) {
            let process = rustix::process::Pid::from_raw(i32::try_from(process).unwrap()).unwrap();
            // A backend may have ended meanwhile.
            let _ = rustix::process::kill_process(process, how);
        }
    }

    /// Ends every connection of nodes, as an administrator or a failover does.
    pub(crate) fn disconnect(&self) {
        // It may be starting again.
        let _ = self.query(&format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '{ROLE}'"));
    }

    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.folder.join("log")).unwrap_or_default()
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        self.freeze(Signal::CONT);
        // It may have ended.
        let _ = rustix::process::kill_process(rustix::process::Pid::from_raw(self.child.id().cast_signed()).unwrap(), Signal::QUIT);
        let _ = self.child.wait();
    }
}

fn serve(folder: &Path, address: &str, settings: &[String]) -> Child {
    let (host, port) = address.split_once(':').unwrap();
    let mut postgres = call("postgres", folder);
    postgres.arg("-D").arg(folder.join("data")).arg("-k").arg(folder).args(["-h", host, "-p", port]);
    for setting in ["fsync=off", "min_wal_size=2MB", "max_wal_size=8MB", "shared_buffers=16MB"] {
        postgres.args(["-c", setting]);
    }
    for setting in settings {
        postgres.args(["-c", setting]);
    }
    let log = std::fs::File::options().create(true).append(true).open(folder.join("log")).unwrap();
    postgres.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).spawn().unwrap()
}

fn children(parent: u32) -> Vec<u32> {
    let list = std::fs::read_to_string(format!("/proc/{parent}/task/{parent}/children")).unwrap_or_default();
    list.split_whitespace().map(|id| id.parse().unwrap()).collect()
}

fn call(program: &str, folder: &Path) -> Command {
    let versions = std::fs::read_dir("/usr/lib/postgresql").expect("PostgreSQL is not installed; stage `debian` does that");
    let programs = versions.map(|entry| entry.unwrap().path().join("bin")).filter(|bin| bin.join("initdb").exists()).max().unwrap();
    let mut call = Command::new(programs.join(program));
    call.current_dir(folder);
    if let (Some(uid), Some(gid)) = account() {
        call.uid(uid).gid(gid);
    }
    call
}

/// The account `postgres` when we are root, whom the server refuses to run as.
fn account() -> (Option<u32>, Option<u32>) {
    if !rustix::process::geteuid().is_root() {
        return (None, None);
    }
    let id = |flag: &str| {
        let printed = Command::new("id").args([flag, "postgres"]).output().unwrap().stdout;
        Some(String::from_utf8(printed).unwrap().trim().parse().unwrap())
    };
    (id("-u"), id("-g"))
}
