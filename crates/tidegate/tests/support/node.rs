//! The program as users get it, in a process of its own.

use std::fs::File;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use super::backing::Backing;
use super::http::{Answer, Ask, Connection};

/// What a node is started with, and started again with.
#[derive(Clone)]
pub(crate) struct Settings {
    pub(crate) address: String,
    pub(crate) data: PathBuf,
    pub(crate) environment: Vec<(String, String)>,
    /// Where it is asked whether it is ready, if its own address speaks TLS.
    pub(crate) probe: Option<String>,
    pub(crate) program: PathBuf,
}

impl Settings {
    /// A node on a free port with its data below `folder`.
    pub(crate) fn in_folder(folder: &Path, name: &str) -> Self {
        let settings = Self {
            address: free_address(),
            data: folder.join(name),
            environment: Backing::asked().settings(),
            probe: None,
            program: super::tidegate(),
        };
        settings.set("TIDEGATE_LOG_FORMAT", "json").set("TIDEGATE_TRUSTED_PROXIES", "127.0.0.1/32")
    }

    pub(crate) fn set(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The same by another program.
    pub(crate) fn by(self, program: PathBuf) -> Self {
        Self { program, ..self }
    }

    /// Where it writes its log, over all starts.
    pub(crate) fn log(&self) -> PathBuf {
        self.data.with_extension("log")
    }
}

/// A running node; dropping it kills it.
pub(crate) struct Node {
    child: Child,
    pub(crate) settings: Settings,
}

impl Node {
    pub(crate) fn start(settings: Settings) -> Self {
        let log = File::options().create(true).append(true).open(settings.log()).unwrap();
        let mut command = Command::new(&settings.program);
        command.args(["serve", "--listen", &settings.address, "--data-dir"]).arg(&settings.data);
        command.env_clear().envs(settings.environment.iter().cloned()).stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        let mut node = Self { child: command.spawn().unwrap(), settings };
        node.wait_until_it_answers();
        node
    }

    #[expect(clippy::disallowed_methods, reason = "a test waits for a process")]
    fn wait_until_it_answers(&mut self) {
        let end = Instant::now() + Duration::from_secs(30);
        let probe = self.settings.probe.clone().unwrap_or_else(|| self.address().to_owned());
        while !Connection::once(&probe, &Ask::get("/readyz")).is_ok_and(|answer| answer.status == 200) {
            let ended = self.child.try_wait().unwrap();
            assert!(ended.is_none() && Instant::now() < end, "the server does not start ({ended:?}): {}", self.log());
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    pub(crate) fn address(&self) -> &str {
        &self.settings.address
    }

    /// One request on a connection of its own; none when nobody answers.
    pub(crate) fn try_send(&self, ask: &Ask) -> Option<Answer> {
        Connection::once(self.address(), ask).ok()
    }

    pub(crate) fn send(&self, ask: &Ask) -> Answer {
        Connection::once(self.address(), ask).unwrap()
    }

    pub(crate) fn connection(&self) -> Connection {
        Connection::open(self.address()).unwrap()
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.settings.log()).unwrap_or_default()
    }

    pub(crate) fn signal(&self, signal: Signal) {
        self::signal(self.child.id(), signal);
    }

    /// `kill -9`, and the settings to start again with.
    pub(crate) fn kill(mut self) -> Settings {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        self.settings.clone()
    }

    /// SIGTERM; it must end by itself, with 0.
    pub(crate) fn stop(self) -> Settings {
        self.end(0)
    }

    /// The same with another code.
    pub(crate) fn end(mut self, code: i32) -> Settings {
        self.signal(Signal::TERM);
        assert_eq!(self.child.wait().unwrap().code(), Some(code), "{}", self.log());
        self.settings.clone()
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        // It may have ended, or be stopped: both end here.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub(crate) fn signal(pid: u32, signal: Signal) {
    kill_process(Pid::from_raw(i32::try_from(pid).unwrap()).unwrap(), signal).unwrap();
}

/// A loopback address that nobody listens on at the moment.
pub(crate) fn free_address() -> String {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string()
}
