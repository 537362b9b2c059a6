//! The audit trail at the command line: verified, exported, verified again without the server, delivered.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::path::Path;
use std::sync::mpsc;
use std::time::Duration;

use serde_json::Value;

use crate::house::{House, Shell, has};

/// The report of a verification, and its exit code.
fn verify(shell: &Shell, arguments: &[&str]) -> (Option<i32>, Value, String) {
    let ran = shell.run(&[&["audit", "verify", "-o", "json"], arguments].concat());
    (ran.code, serde_json::from_str(&ran.out).unwrap_or_default(), ran.err)
}

/// Verifies until the creation of that user is sealed.
fn sealed(shell: &Shell, user: &str) {
    for _ in 0..100 {
        let event = &shell.json(&["audit", "list", "--resource", &format!("user/{user}"), "--action", "ram:CreateUser"])[0];
        if event["sequence"].is_i64() {
            return;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    panic!("not sealed within ten seconds");
}

#[test]
fn the_trail_is_verified_exported_and_verified_again() {
    let house = House::start();
    let root = house.root();
    root.json(&["user", "create", "alice"]);
    sealed(&root, "alice");
    let (code, report, error) = verify(&root, &[]);
    assert_eq!((code, &report["whole"]), (Some(0), &Value::Bool(true)), "{error}");
    has(&report, &["records", "first", "last", "checkpoint", "problems"]);
    let checked = house.file("checked.json", &report.to_string());

    root.json(&["user", "create", "bob"]);
    sealed(&root, "bob");
    assert_eq!(verify(&root, &["--checkpoint", &checked]).0, Some(0));
    let keys = house.file("keys.pem", &root.run(&["audit", "keys"]).out);
    assert_eq!(verify(&root, &["--keys", &keys]).0, Some(0));

    let nobody = Shell { environment: vec![] };
    let target = house.file("trail.jsonl", "");
    for format in ["jsonl", "cloudevents"] {
        assert_eq!(root.run(&["audit", "export", "--format", format, "--to", &target]).code, Some(0));
        let (code, report, error) = verify(&nobody, &["--file", &target, "--keys", &keys, "--checkpoint", &checked]);
        assert_eq!(code, Some(0), "{error}");
        let text = std::fs::read_to_string(&target).unwrap();
        assert_eq!(report["records"], text.lines().count());
        let piped = root.run(&["audit", "export", "--format", format]).out;
        assert!(piped.starts_with(&text), "the same on standard output");

        let changed = house.file("changed", &text.replace("user/alice", "user/alicf"));
        let (code, report, error) = verify(&nobody, &["--file", &changed, "--keys", &keys]);
        assert_eq!((code, &report["problems"][0]["kind"]), (Some(1), &"changed".into()));
        let at = &report["problems"][0]["at"];
        has(at, &["sequence", "event_id", "time"]);
        assert!(error.contains(at["event_id"].as_str().unwrap()), "{error}");
        let lines: Vec<&str> = text.lines().collect();
        let without = house.file("without", &[&lines[..2], &lines[3..]].concat().join("\n"));
        assert_eq!(verify(&nobody, &["--file", &without, "--keys", &keys]).1["problems"][0]["kind"], "missing");
        let cut = house.file("cut", lines[0]);
        let (code, report, _) = verify(&nobody, &["--file", &cut, "--keys", &keys, "--checkpoint", &checked]);
        assert_eq!((code, report["problem_count"].as_i64() > Some(0)), (Some(1), true));
        let broken = house.file("broken", &format!("{}\nno record\n{}", lines[0], lines[1]));
        assert_eq!(verify(&nobody, &["--file", &broken, "--keys", &keys]).0, Some(1));
    }
    // A person reads it too.
    let ran = root.run(&["audit", "verify", "-o", "table"]);
    assert!(ran.out.contains("whole") && ran.out.contains("yes"), "{}", ran.out);
    assert_eq!(nobody.run(&["audit", "verify", "--file", &target]).code, Some(2), "whose keys?");
    assert_eq!(verify(&root, &["--keys", &target]).0, Some(2), "these are no keys");
    assert_eq!(verify(&nobody, &["--file", "/nonexistent", "--keys", &keys]).0, Some(1));
    assert_eq!(root.run(&["audit", "export", "--to", "/nonexistent/x"]).code, Some(1));
    let since = root.json(&["audit", "list", "--resource", "user/bob"])[0]["time"].as_str().unwrap().to_owned();
    let part = root.run(&["audit", "export", "--since", &since]).out;
    assert!(part.contains("user/bob") && !part.contains("user/alice"));
}

#[test]
fn the_key_is_changed_and_what_it_signed_goes_on_to_hold() {
    let house = House::start();
    let root = house.root();
    root.json(&["user", "create", "alice"]);
    sealed(&root, "alice");
    let keys = house.file("keys.pem", &root.run(&["audit", "keys"]).out);
    assert_eq!(root.json(&["audit", "rotate-key"]).as_array().unwrap().len(), 2);
    assert_eq!(root.refused(&["audit", "rotate-key"])["code"], "conflict");
    root.json(&["user", "create", "bob"]);
    sealed(&root, "bob");
    let (code, report, error) = verify(&root, &[]);
    assert_eq!(code, Some(0), "{error}");
    let checked = house.file("checked.json", &report.to_string());
    // By the old key alone, which hands over in the trail; online, and of an export.
    root.json(&["user", "create", "carol"]);
    sealed(&root, "carol");
    let (code, _, error) = verify(&root, &["--keys", &keys, "--checkpoint", &checked]);
    assert_eq!(code, Some(0), "{error}");
    let file = house.file("trail.jsonl", "");
    assert_eq!(root.run(&["audit", "export", "--to", &file]).code, Some(0));
    assert_eq!(verify(&root, &["--file", &file, "--keys", &keys]).0, Some(0));
    assert_eq!(root.json(&["audit", "list", "--action", "audit-key"]).as_array().unwrap().len(), 1);
    // The record in which it hands over is gone.
    let text = std::fs::read_to_string(&file).unwrap();
    let without: Vec<&str> = text.lines().filter(|line| !line.contains("\"audit-key\"")).collect();
    let without = house.file("without.jsonl", &without.join("\n"));
    let (code, _, error) = verify(&root, &["--file", &without, "--keys", &keys]);
    assert!(code == Some(1) && error.contains("a key that is not known"), "{error}");
}

#[test]
fn how_long_the_trail_is_kept_is_shown_and_said() {
    let house = House::start_with(&[("TIDEGATE_AUDIT_RETENTION", "30d"), ("TIDEGATE_AUDIT_RETENTION_MAX", "100d")]);
    let root = house.root();
    let shown = root.json(&["audit", "retention", "show"]);
    let wanted = serde_json::json!({"days": null, "kept_days": 30, "default_days": 30, "least_days": 30, "most_days": 100});
    assert_eq!(shown, wanted);
    assert_eq!(root.json(&["audit", "retention", "set", "--days", "60"])["kept_days"], 60);
    assert_eq!(root.refused(&["audit", "retention", "set", "--days", "29"])["field"], "days");
    assert_eq!(root.json(&["audit", "retention", "set", "--server-default"]), wanted);
    assert_eq!(root.run(&["audit", "retention", "set"]).code, Some(2));
    let alice = house.user(&root, "alice");
    assert_eq!(alice.refused(&["audit", "retention", "show"])["code"], "denied");
    assert_eq!(alice.refused(&["audit", "rotate-key"])["code"], "denied");
}

/// A server's answer at its admin listener.
fn admin(address: &str, path: &str) -> String {
    let mut socket = std::net::TcpStream::connect(address).unwrap();
    write!(socket, "GET {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn a_database_that_was_set_back_is_said_at_the_start() {
    // The same addresses at each start.
    let free = [TcpListener::bind("127.0.0.1:0").unwrap(), TcpListener::bind("127.0.0.1:0").unwrap()];
    let [served, address] = free.map(|free| free.local_addr().unwrap().to_string());
    let start = |folder| House::start_in(folder, &served, &["--admin-listen", &address], &[]);
    let metric = |name: &str, wanted: &str| {
        for _ in 0..100 {
            if admin(&address, "/metrics").lines().any(|line| line == format!("tidegate_{name} {wanted}")) {
                return;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        panic!("{name} is not {wanted}: {}", admin(&address, "/metrics"));
    };
    let house = start(tempfile::tempdir().unwrap());
    let root = house.root();
    root.json(&["user", "create", "alice"]);
    sealed(&root, "alice");
    let data = house.bootstrap().parent().unwrap().to_owned();
    let house = house.stopped();
    let database = || {
        std::fs::read_dir(&data).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.to_string_lossy().contains("tidegate.db"))
    };
    let copies = tempfile::tempdir().unwrap();
    for file in database() {
        std::fs::copy(&file, copies.path().join(file.file_name().unwrap())).unwrap();
    }
    let house = start(house.into_folder());
    let root = house.root();
    root.json(&["user", "create", "bob"]);
    sealed(&root, "bob");
    metric("audit_heads_differing", "0");
    metric("audit_unsealed_records", "0");
    let house = house.stopped();
    // The database of before, over the heads that were kept since.
    for file in database() {
        std::fs::remove_file(file).unwrap();
    }
    for copy in std::fs::read_dir(copies.path()).unwrap() {
        let copy = copy.unwrap().path();
        std::fs::copy(&copy, data.join(copy.file_name().unwrap())).unwrap();
    }
    let _house = start(house.into_folder());
    metric("audit_heads_differing", "1");
    assert!(admin(&address, "/readyz").starts_with("HTTP/1.1 200"), "it serves all the same");
}

#[test]
fn whoever_may_not_read_the_trail_verifies_nothing() {
    let house = House::start();
    let root = house.root();
    let alice = house.user(&root, "alice");
    assert_eq!(alice.refused(&["audit", "verify"])["code"], "denied");
    assert_eq!(alice.refused(&["audit", "export"])["code"], "denied");
    assert_eq!(alice.refused(&["audit", "keys"])["code"], "denied");
}

/// Answers requests that come, the first one with 503, and says what was in them.
fn receive(listener: &TcpListener, told: &mpsc::Sender<(String, String)>) {
    for (number, socket) in listener.incoming().enumerate() {
        let mut reader = BufReader::new(socket.unwrap());
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            assert!(reader.read_line(&mut head).unwrap() > 0);
        }
        let head = head.to_lowercase();
        let length = head.split("content-length: ").nth(1).unwrap().lines().next().unwrap().parse().unwrap();
        let mut body = vec![0; length];
        reader.read_exact(&mut body).unwrap();
        let status = if number == 0 { "503 No" } else { "204 Yes" };
        write!(reader.get_mut(), "HTTP/1.1 {status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n").unwrap();
        if number > 0 && told.send((head, String::from_utf8(body).unwrap())).is_err() {
            return;
        }
    }
}

#[test]
fn the_sink_of_the_settings_gets_every_record() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/audit", listener.local_addr().unwrap());
    let (told, batches) = mpsc::channel();
    std::thread::spawn(move || receive(&listener, &told));
    let folder = tempfile::tempdir().unwrap();
    let token = folder.path().join("token");
    std::fs::write(&token, "sesame-4711\n").unwrap();
    let house = House::start_with(&[
        ("TIDEGATE_AUDIT_SINK_URL", &url),
        ("TIDEGATE_AUDIT_SINK_INTERNAL", "true"),
        ("TIDEGATE_AUDIT_SINK_TOKEN_FILE", token.to_str().unwrap()),
    ]);
    let root = house.root();
    root.json(&["user", "create", "alice"]);
    let mut bodies = String::new();
    while !bodies.contains("user/alice") {
        let (head, body) = batches.recv_timeout(Duration::from_secs(20)).unwrap();
        assert!(head.starts_with("post /audit http/1.1") && head.contains("authorization: bearer sesame-4711"), "{head}");
        bodies += &body;
    }
    let exported = root.run(&["audit", "export"]).out;
    assert!(exported.starts_with(&bodies), "in order, each once");
    assert!(Path::new(&house.bootstrap()).with_file_name("tidegate.db").exists());
}
