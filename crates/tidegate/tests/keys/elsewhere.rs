//! A server that sends its clients elsewhere, with their keys.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::support::program::Program;
use crate::support::tidegate;

const KEY: &str = "tgk_canary-that-must-not-travel";

/// Answers everybody alike, and keeps what it was sent.
struct Listener {
    address: String,
    heard: Arc<Mutex<Vec<String>>>,
}

impl Listener {
    fn answering(answer: impl Fn(&str) -> String + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (address, heard) = (listener.local_addr().unwrap().to_string(), Arc::new(Mutex::new(Vec::new())));
        let kept = Arc::clone(&heard);
        std::thread::spawn(move || {
            for socket in listener.incoming() {
                let mut socket: TcpStream = socket.unwrap();
                socket.set_read_timeout(Some(Duration::from_millis(200))).unwrap();
                let mut bytes = vec![0; 16 * 1024];
                let length = socket.read(&mut bytes).unwrap_or(0);
                let request = String::from_utf8_lossy(&bytes[..length]).into_owned();
                let answer = answer(&request);
                kept.lock().unwrap().push(request);
                // Whoever has read enough hangs up.
                let _ = socket.write_all(answer.as_bytes());
            }
        });
        Self { address, heard }
    }
}

fn answer(status: &str, headers: &str, body: &str) -> String {
    format!("HTTP/1.1 {status}\r\n{headers}content-length: {}\r\nconnection: close\r\n\r\n{body}", body.len())
}

/// regclient CVE-2026-49349, oras CVE-2026-48978, CVE-2026-50151, GHSA-78h6: a client took its login to wherever a server pointed. Ours
/// speaks to the server that it was told, and to nobody else.
#[test]
fn cve_2026_49349_the_client_takes_its_key_nowhere_else() {
    let elsewhere =
        Listener::answering(|_| answer("200 OK", "content-type: application/json\r\n", r#"{"access_token":"x","expires_in":60}"#));
    let there = elsewhere.address.clone();
    for status in ["301 Moved", "302 Found", "303 See Other", "307 Temporary Redirect", "308 Permanent Redirect", "401 Unauthorized"] {
        for after_login in [false, true] {
            let there = there.clone();
            let server = Listener::answering(move |request| {
                if after_login && request.starts_with("POST /api/v1/oauth2/token") {
                    let token = r#"{"access_token":"canary-token-that-must-not-travel","token_type":"Bearer","expires_in":600}"#;
                    return answer("200 OK", "content-type: application/json\r\n", token);
                }
                let link = format!("link: <http://{there}/api/v1/users?after=a>; rel=\"next\"\r\n");
                let headers =
                    format!("location: http://{there}/steal\r\nwww-authenticate: Bearer realm=\"http://{there}/token\"\r\n{link}");
                answer(status, &headers, "[]")
            });
            let folder = tempfile::tempdir().unwrap();
            let program = Program::new(tidegate(), folder.path()).with("TIDEGATE_ENDPOINT", &format!("http://{}", server.address));
            let program = program.with("TIDEGATE_ACCESS_KEY_ID", "LTAIcanary").with("TIDEGATE_ACCESS_KEY_SECRET", KEY);
            let ran = program.run(&["user", "list"]);
            assert!(ran.code != Some(0), "{status}: {ran}");
            assert!(!ran.says(KEY) && !ran.says("canary-token"), "{ran}");
            assert!(!server.heard.lock().unwrap().is_empty(), "the server was asked");
        }
    }
    // A list's next page at another place, from a server that answers well.
    let there = elsewhere.address.clone();
    let server = Listener::answering(move |request| {
        if request.starts_with("POST /api/v1/oauth2/token") {
            let token = r#"{"access_token":"canary-token-that-must-not-travel","token_type":"Bearer","expires_in":600}"#;
            return answer("200 OK", "content-type: application/json\r\n", token);
        }
        answer("200 OK", &format!("content-type: application/json\r\nlink: <http://{there}/api/v1/users?after=a>; rel=\"next\"\r\n"), "[]")
    });
    let folder = tempfile::tempdir().unwrap();
    let program = Program::new(tidegate(), folder.path()).with("TIDEGATE_ENDPOINT", &format!("http://{}", server.address));
    program.with("TIDEGATE_ACCESS_KEY_ID", "LTAIcanary").with("TIDEGATE_ACCESS_KEY_SECRET", KEY).run(&["user", "list", "--output", "json"]);
    assert_eq!(*elsewhere.heard.lock().unwrap(), Vec::<String>::new(), "it was never spoken to");
}
