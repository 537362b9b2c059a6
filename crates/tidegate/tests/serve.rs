//! The program itself: started, asked, told to stop.
#![expect(clippy::unwrap_used, reason = "the helpers of a test may fail it")]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

const PROGRAM: &str = env!("CARGO_BIN_EXE_tidegate");

struct Server {
    child: Child,
    address: String,
}

impl Server {
    fn start(data_dir: &Path, more: &[&str]) -> Self {
        let mut command = Command::new(PROGRAM);
        command.args(["serve", "--listen", "127.0.0.1:0", "--log-format", "json", "--data-dir"]).arg(data_dir).args(more);
        let mut child = command.env_clear().stderr(Stdio::piped()).spawn().unwrap();
        let mut log = BufReader::new(child.stderr.take().unwrap());
        let mut line = String::new();
        while !line.contains("http://") {
            line.clear();
            assert!(log.read_line(&mut line).unwrap() > 0, "the server ended");
        }
        let address = line.split("http://").nth(1).unwrap().split('"').next().unwrap().to_owned();
        child.stderr = Some(log.into_inner());
        Self { child, address }
    }

    fn get(&self, path: &str) -> String {
        get(&self.address, path)
    }

    /// SIGTERM; exit code and what it logged.
    fn terminate(mut self) -> (Option<i32>, String) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
        let mut log = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut log).unwrap();
        (self.child.wait().unwrap().code(), log)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
    }
}

fn get(address: &str, path: &str) -> String {
    let mut socket = TcpStream::connect(address).unwrap();
    write!(socket, "GET {path} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).unwrap();
    answer
}

fn refused(arguments: &[&str]) -> String {
    let Output { status, stderr, .. } = Command::new(PROGRAM).args(arguments).env_clear().output().unwrap();
    assert_eq!(status.code(), Some(1));
    String::from_utf8(stderr).unwrap()
}

#[test]
fn starts_answers_and_stops() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(&folder.path().join("data"), &[]);
    assert!(server.get("/healthz").starts_with("HTTP/1.1 200"));
    assert!(server.get("/readyz?secret=1").starts_with("HTTP/1.1 200"));
    assert!(server.get("/nowhere").starts_with("HTTP/1.1 404"));
    let (code, log) = server.terminate();
    assert_eq!(code, Some(0));
    let line = log.lines().find(|line| line.contains("/readyz")).expect("a line a request");
    for field in [r#""method":"GET""#, r#""status":200"#, r#""source_ip":"127.0.0.1""#, r#""door":"health""#, r#""request_id":""#] {
        assert!(line.contains(field), "{field}: {line}");
    }
    assert!(!log.contains("secret"), "a query string was logged");
}

#[test]
fn refusals_say_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let (first, second) = (folder.path().join("first"), folder.path().join("second"));
    let server = Server::start(&first, &[]);
    let port = refused(&["serve", "--listen", &server.address, "--data-dir", second.to_str().unwrap()]);
    assert!(port.starts_with(&format!("error: {} is already in use", server.address)) && port.contains("--listen"), "{port}");
    let data = refused(&["serve", "--listen", "127.0.0.1:0", "--data-dir", first.to_str().unwrap()]);
    assert!(data.contains("in use by another Tidegate server") && data.contains("--data-dir"), "{data}");
}

#[test]
fn metrics_come_without_authentication_on_the_admin_listener_alone() {
    let folder = tempfile::tempdir().unwrap();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let admin = taken.local_addr().unwrap().to_string();
    drop(taken);
    let server = Server::start(folder.path(), &["--admin-listen", &admin]);
    assert!(server.get("/metrics").starts_with("HTTP/1.1 401"), "on the main listener they need a login");
    let metrics = get(&admin, "/metrics");
    assert!(metrics.contains(r#"tidegate_http_requests_total{door="metrics",operation="metrics",status="401"} 1"#), "{metrics}");
}

#[test]
fn health_is_asked_at_the_control_socket() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().to_str().unwrap();
    let health = || {
        let Output { status, stdout, stderr } = Command::new(PROGRAM).args(["health", "--data-dir", data]).env_clear().output().unwrap();
        (status.code(), String::from_utf8([stdout, stderr].concat()).unwrap())
    };
    let (code, said) = health();
    assert!(code == Some(1) && said.contains("control.sock"), "{said}");
    let server = Server::start(folder.path(), &[]);
    assert_eq!(health(), (Some(0), "ready\n".to_owned()));
    assert_eq!(server.terminate().0, Some(0));
    assert_eq!(health().0, Some(1), "it has stopped");
}

#[test]
fn other_commands_answer() {
    let output =
        |arguments: &[&str]| String::from_utf8(Command::new(PROGRAM).args(arguments).env_clear().output().unwrap().stdout).unwrap();
    assert!(output(&["version"]).starts_with("tidegate 0."));
    assert!(output(&["completion", "bash"]).contains("_tidegate"));
    assert!(output(&["config", "show"]).contains("127.0.0.1:5000"));
    let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/metrics.md")).unwrap_or_default();
    assert!(output(&["generate", "metrics"]) == page, "stale: run `tidegate generate metrics > docs/metrics.md`");
    assert_eq!(Command::new(PROGRAM).arg("nonsense").output().unwrap().status.code(), Some(2));
}
