//! Other people's programs: run with a home of their own, a time limit, and an account of what they said.

use std::fs::File;
use std::io::{Read as _, Seek as _, Write as _};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// How long one command may take before it counts as stuck.
const PATIENCE: Duration = Duration::from_mins(2);

/// A program with the environment and folder that it runs in.
#[derive(Clone, Debug)]
pub(crate) struct Program {
    path: PathBuf,
    folder: PathBuf,
    environment: Vec<(String, String)>,
}

/// A program that goes on until it is dropped.
#[derive(Debug)]
pub(crate) struct Daemon {
    child: Child,
    log: PathBuf,
}

/// What a command did.
#[derive(Debug)]
pub(crate) struct Ran {
    /// The command line, for messages.
    pub(crate) line: String,
    /// None: ended by a signal.
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Program {
    /// Runs in `home`, and keeps there whatever it keeps; of this process's environment it sees nothing.
    pub(crate) fn new(path: impl Into<PathBuf>, home: &Path) -> Self {
        std::fs::create_dir_all(home.join("run")).unwrap();
        let home_text = home.to_str().unwrap();
        let program = Self { path: path.into(), folder: home.to_owned(), environment: Vec::new() };
        program
            .with("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
            .with("HOME", home_text)
            .with("XDG_RUNTIME_DIR", &format!("{home_text}/run"))
            .with("TMPDIR", "/tmp")
            .with("LC_ALL", "C.UTF-8")
    }

    /// The same with one more variable.
    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Ran {
        self.piped(arguments, "")
    }

    /// Runs with `input` on its standard input.
    pub(crate) fn piped(&self, arguments: &[&str], input: &str) -> Ran {
        let line = self.line(arguments);
        let (mut out, mut err) = (tempfile::tempfile().unwrap(), tempfile::tempfile().unwrap());
        let mut child = self.spawn(arguments, Stdio::piped(), out.try_clone().unwrap(), err.try_clone().unwrap());
        // A command that reads nothing may have ended already.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        let status = wait(&mut child, PATIENCE);
        let ran = Ran { line, code: status.and_then(|status| status.code()), out: whole(&mut out), err: whole(&mut err) };
        assert!(status.is_some(), "still running after {PATIENCE:?}, so killed: {ran}");
        ran
    }

    /// Starts something that goes on, with its output in `log`.
    pub(crate) fn start(&self, arguments: &[&str], log: &Path) -> Daemon {
        let file = File::create(log).unwrap();
        let child = self.spawn(arguments, Stdio::null(), file.try_clone().unwrap(), file);
        Daemon { child, log: log.to_owned() }
    }

    fn spawn(&self, arguments: &[&str], input: Stdio, out: File, err: File) -> Child {
        let mut command = Command::new(&self.path);
        command.args(arguments).env_clear().envs(self.environment.iter().cloned()).current_dir(&self.folder);
        // A group of its own, so that what it starts ends with it.
        command.stdin(input).stdout(out).stderr(err).process_group(0);
        command.spawn().unwrap_or_else(|error| panic!("{}: {error}", self.line(arguments)))
    }

    fn line(&self, arguments: &[&str]) -> String {
        let name = self.path.file_name().unwrap_or_default().to_string_lossy();
        format!("{name} {}", arguments.join(" "))
    }
}

impl Ran {
    /// It succeeded; what it printed.
    #[track_caller]
    pub(crate) fn ok(self) -> Self {
        assert_eq!(self.code, Some(0), "should succeed: {self}");
        self
    }

    /// It failed, and said each of `words` somewhere.
    #[track_caller]
    pub(crate) fn refused(self, words: &[&str]) -> Self {
        assert!(self.code.is_some_and(|code| code != 0), "should be refused: {self}");
        for word in words {
            assert!(self.says(word), "should say `{word}`: {self}");
        }
        self
    }

    /// Whether either output has this text.
    pub(crate) fn says(&self, text: &str) -> bool {
        self.out.contains(text) || self.err.contains(text)
    }

    #[track_caller]
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("should print JSON, {error}: {self}"))
    }
}

impl std::fmt::Display for Ran {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "{}", self.line)?;
        writeln!(f, "exit code {:?}\n--- standard output\n{}", self.code, end_of(&self.out))?;
        writeln!(f, "--- standard error\n{}", end_of(&self.err))
    }
}

impl Daemon {
    /// Everything that it has said.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Its process id.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn has_ended(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // Asked first, since an engine has children of its own that only it can end.
        if let Some(process) = process(&self.child) {
            let _ = rustix::process::kill_process(process, rustix::process::Signal::TERM);
        }
        wait(&mut self.child, Duration::from_secs(20));
    }
}

fn process(child: &Child) -> Option<rustix::process::Pid> {
    rustix::process::Pid::from_raw(i32::try_from(child.id()).ok()?)
}

/// Ends the child and all that it started, at once.
fn kill(child: &mut Child) {
    if let Some(group) = process(child) {
        // Both may have ended already.
        let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
    }
    let _ = child.kill();
    let _ = child.wait();
}

/// Waits for its end; after `limit` it is killed, and None.
fn wait(child: &mut Child, limit: Duration) -> Option<std::process::ExitStatus> {
    let begin = Instant::now();
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return Some(status);
        }
        if begin.elapsed() > limit {
            kill(child);
            return None;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn whole(file: &mut File) -> String {
    let mut bytes = Vec::new();
    file.rewind().unwrap();
    file.read_to_end(&mut bytes).unwrap();
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Enough of an output for a message.
fn end_of(text: &str) -> &str {
    let start = text.len().saturating_sub(6000);
    let start = (start..=text.len()).find(|place| text.is_char_boundary(*place)).unwrap_or(0);
    &text[start..]
}
