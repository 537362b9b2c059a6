//! A role's keys from a URL, for programs that know `ALIBABA_CLOUD_CREDENTIALS_URI`.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use crate::house::{House, has};

struct Served(Child);

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn get(address: &str, method: &str, path: &str) -> (String, Value) {
    let mut socket = TcpStream::connect(address).unwrap();
    write!(socket, "{method} {path} HTTP/1.1\r\nhost: {address}\r\n\r\n").unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.lines().next().unwrap().to_owned(), serde_json::from_str(body).unwrap_or_default())
}

#[test]
fn programs_get_a_role_s_keys_from_one_path_and_from_no_other() {
    let house = House::start();
    let root = house.root();
    let ci = house.user(&root, "ci");
    let trust = r#"{"Version":"1","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"RAM":["*"]}}]}"#;
    root.json(&["role", "create", "deploy", "--trust-policy", &house.document(trust)]);
    root.json(&["policy", "attach", "AliyunSTSAssumeRoleAccess", "--user", "ci"]);
    // What is wrong is said before anything is served.
    let refused = ci.refused(&["role", "serve", "nosuch", "--session-name", "build-7"]);
    assert_eq!(refused["code"], "denied");

    let mut command = Command::new(env!("CARGO_BIN_EXE_tidegate"));
    command.args(["role", "serve", "deploy", "--session-name", "build-7"]).env_clear().envs(ci.environment.iter().cloned());
    let mut served = Served(command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap());
    let mut line = String::new();
    BufReader::new(served.0.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let said: Value = serde_json::from_str(&line).unwrap();
    let uri = said["uri"].as_str().unwrap();
    let (address, path) = uri.strip_prefix("http://").unwrap().split_once('/').unwrap();
    assert!(address.starts_with("127.0.0.1:") && path.len() == 64, "{uri}");

    let (status, keys) = get(address, "GET", &format!("/{path}"));
    assert_eq!((status.as_str(), keys["Code"].as_str()), ("HTTP/1.1 200 OK", Some("Success")));
    has(&keys, &["AccessKeyId", "AccessKeySecret", "SecurityToken", "Expiration"]);
    assert!(keys["AccessKeyId"].as_str().unwrap().starts_with("STS."));
    assert_eq!(keys["Expiration"].as_str().unwrap().len(), "2026-01-02T03:04:05Z".len());
    // The same while it has enough left.
    assert_eq!(get(address, "GET", &format!("/{path}?x=y")).1, keys);
    for (method, path) in [("GET", "/".to_owned()), ("POST", format!("/{path}")), ("GET", format!("/{}", "0".repeat(64)))] {
        let (status, body) = get(address, method, &path);
        assert_eq!((status.as_str(), body["Code"].as_str()), ("HTTP/1.1 404 Not Found", Some("NotFound")), "{method} {path}");
    }
}
