//! A server on its first start, and people with shells.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;

const PROGRAM: &str = env!("CARGO_BIN_EXE_tidegate");

/// A server on its first start, and the home folder of somebody who is its root user.
pub(crate) struct House {
    server: Child,
    folder: tempfile::TempDir,
}

/// Somebody with a shell: an environment and nothing else.
#[derive(Clone)]
pub(crate) struct Shell {
    pub(crate) environment: Vec<(String, String)>,
}

pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl House {
    pub(crate) fn start() -> Self {
        Self::start_in(tempfile::tempdir().unwrap(), "127.0.0.1:0", &[], &[])
    }

    /// With these settings.
    pub(crate) fn start_with(environment: &[(&str, &str)]) -> Self {
        Self::start_in(tempfile::tempdir().unwrap(), "127.0.0.1:0", &[], environment)
    }

    /// In a folder where a server may have been before, at an address, with further arguments and settings.
    pub(crate) fn start_in(folder: tempfile::TempDir, address: &str, arguments: &[&str], environment: &[(&str, &str)]) -> Self {
        let mut command = Command::new(PROGRAM);
        command.args(["serve", "--listen", address, "--log-format", "json"]).args(arguments);
        command.arg("--data-dir").arg(folder.path().join("data")).env_clear().envs(environment.iter().copied());
        let mut server = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let mut log = BufReader::new(server.stderr.take().unwrap());
        let mut line = String::new();
        while !line.contains("http://") {
            line.clear();
            assert!(log.read_line(&mut line).unwrap() > 0, "the server ended");
        }
        // Whoever stops reading would stop the server.
        std::thread::spawn(move || std::io::copy(&mut log, &mut std::io::sink()));
        Self { server, folder }
    }

    /// The same folder, after a graceful stop.
    pub(crate) fn stopped(mut self) -> Self {
        let pid = rustix::process::Pid::from_raw(self.server.id().cast_signed()).unwrap();
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
        assert!(self.server.wait().unwrap().success());
        self
    }

    /// Where the server keeps its things.
    pub(crate) fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// The folder of a stopped one, for the next.
    pub(crate) fn into_folder(mut self) -> tempfile::TempDir {
        std::mem::replace(&mut self.folder, tempfile::tempdir().unwrap())
    }

    pub(crate) fn bootstrap(&self) -> PathBuf {
        self.folder.path().join("data/bootstrap.json")
    }

    /// The root user, after `tidegate configure`.
    pub(crate) fn root(&self) -> Shell {
        let root = self.home("root");
        let ran = root.run(&["configure", "--from", self.bootstrap().to_str().unwrap()]);
        assert_eq!(ran.code, Some(0), "{}", ran.err);
        root
    }

    pub(crate) fn home(&self, name: &str) -> Shell {
        let home = self.folder.path().join(name);
        Shell { environment: vec![("HOME".to_owned(), home.to_str().unwrap().to_owned())] }
    }

    /// A new user, signed in with an access key by environment variables.
    pub(crate) fn user(&self, root: &Shell, name: &str) -> Shell {
        root.json(&["user", "create", name]);
        let key = root.json(&["access-key", "create", "--user", name]);
        let endpoint = read(&self.bootstrap())["endpoint"].as_str().unwrap().to_owned();
        let text = |key: &Value| key.as_str().unwrap().to_owned();
        Shell {
            environment: vec![
                ("TIDEGATE_ENDPOINT".to_owned(), endpoint),
                ("TIDEGATE_ACCESS_KEY_ID".to_owned(), text(&key["access_key_id"])),
                ("TIDEGATE_ACCESS_KEY_SECRET".to_owned(), text(&key["access_key_secret"])),
            ],
        }
    }

    pub(crate) fn document(&self, text: &str) -> String {
        self.file("document.json", text)
    }

    /// A file in the house's folder.
    pub(crate) fn file(&self, name: &str, text: &str) -> String {
        let path = self.folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    }
}

impl Drop for House {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

impl Shell {
    pub(crate) fn run(&self, arguments: &[&str]) -> Ran {
        self.piped(arguments, "")
    }

    pub(crate) fn piped(&self, arguments: &[&str], input: &str) -> Ran {
        let mut command = Command::new(PROGRAM);
        command.args(arguments).env_clear().envs(self.environment.iter().cloned());
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        // A command that reads nothing may have ended already.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        let Output { status, stdout, stderr } = child.wait_with_output().unwrap();
        Ran { code: status.code(), out: String::from_utf8(stdout).unwrap(), err: String::from_utf8(stderr).unwrap() }
    }

    pub(crate) fn json(&self, arguments: &[&str]) -> Value {
        let ran = self.run(arguments);
        assert_eq!(ran.code, Some(0), "{arguments:?}: {}", ran.err);
        serde_json::from_str(&ran.out).unwrap()
    }

    /// The error of a command that is refused.
    pub(crate) fn refused(&self, arguments: &[&str]) -> Value {
        let ran = self.run(&[arguments, &["-o", "json"]].concat());
        assert_eq!((ran.code, &*ran.out), (Some(1), ""), "{arguments:?}");
        serde_json::from_str::<Value>(&ran.err).unwrap()["error"].clone()
    }
}

pub(crate) fn read(path: &Path) -> Value {
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

#[track_caller]
pub(crate) fn has(value: &Value, keys: &[&str]) {
    for key in keys {
        assert!(value.get(key).is_some(), "{key} is missing in {value}");
    }
}

impl House {
    /// One raw HTTP request; the answer's head in lower case, and its body.
    pub(crate) fn http(&self, method: &str, path: &str, headers: &str, body: &str) -> (String, String) {
        self.http_at("localhost", method, path, headers, body)
    }

    /// The same by another host name.
    pub(crate) fn http_at(&self, host: &str, method: &str, path: &str, headers: &str, body: &str) -> (String, String) {
        let endpoint = read(&self.bootstrap())["endpoint"].as_str().unwrap().to_owned();
        let address = endpoint.strip_prefix("http://").unwrap();
        let mut socket = TcpStream::connect(address).unwrap();
        let length = body.len();
        write!(socket, "{method} {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\ncontent-length: {length}\r\n{headers}\r\n{body}")
            .unwrap();
        let mut answer = String::new();
        socket.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        (head.to_lowercase(), body.to_owned())
    }

    /// A token of the bootstrap's root user.
    pub(crate) fn token(&self) -> String {
        let bootstrap = read(&self.bootstrap());
        self.token_for(bootstrap["access_key_id"].as_str().unwrap(), bootstrap["access_key_secret"].as_str().unwrap())
    }

    /// A token of whoever has an access key in the environment.
    pub(crate) fn token_of(&self, shell: &Shell) -> String {
        let set = |name: &str| shell.environment.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str()).unwrap();
        self.token_for(set("TIDEGATE_ACCESS_KEY_ID"), set("TIDEGATE_ACCESS_KEY_SECRET"))
    }

    fn token_for(&self, id: &str, secret: &str) -> String {
        let form = format!("grant_type=client_credentials&client_id={id}&client_secret={secret}");
        let (head, body) = self.http("POST", "/api/v1/oauth2/token", FORM, &form);
        assert!(head.starts_with("http/1.1 200"), "{head}");
        serde_json::from_str::<Value>(&body).unwrap()["access_token"].as_str().unwrap().to_owned()
    }
}

pub(crate) const FORM: &str = "content-type: application/x-www-form-urlencoded\r\n";
