//! `tidegate account …`, as whoever holds the server's configuration, beside a running server and without one.

use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _};
use std::path::Path;
use std::time::SystemTime;

use serde_json::{Value, json};

use crate::house::{House, Shell, read};

/// Somebody on the server's machine, with its data folder in the environment.
fn operator(data: &Path) -> Shell {
    Shell { environment: vec![("TIDEGATE_DATA_DIR".to_owned(), data.to_str().unwrap().to_owned())] }
}

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

fn create(at: &Shell, data: &Path) -> Value {
    let made = at.json(&["account", "create", "--alias", "acme", "--instance", "own", "--host", "Acme.example"]);
    let file = data.join(format!("account-{}.json", made["account_id"].as_str().unwrap()));
    assert_eq!((made["file"].as_str(), mode(&file)), (file.to_str(), 0o600));
    let written = read(&file);
    for secret in ["root_password", "access_key_secret"] {
        assert!(!made.to_string().contains(written[secret].as_str().unwrap()), "{secret} is shown");
    }
    assert_eq!((&written["instance_name"], &written["root_user"]), (&json!("own"), &json!("root")));
    assert!(written["endpoint"].as_str().unwrap().contains("//acme.example:"), "{}", written["endpoint"]);
    written
}

/// The root user of a secrets file, by an address that answers.
fn root_of(written: &Value, house: &House) -> Shell {
    let text = |key: &str| written[key].as_str().unwrap().to_owned();
    let endpoint = read(&house.bootstrap())["endpoint"].as_str().unwrap().to_owned();
    let names = [
        ("TIDEGATE_ENDPOINT", endpoint),
        ("TIDEGATE_ACCESS_KEY_ID", text("access_key_id")),
        ("TIDEGATE_ACCESS_KEY_SECRET", text("access_key_secret")),
    ];
    Shell { environment: names.into_iter().map(|(name, value)| (name.to_owned(), value)).collect() }
}

#[test]
fn accounts_are_made_and_suspended_beside_a_running_server() {
    let house = House::start();
    let data = house.bootstrap().parent().unwrap().to_owned();
    let socket = std::fs::metadata(data.join("control.sock")).unwrap();
    assert!(socket.file_type().is_socket() && mode(&data.join("control.sock")) == 0o600);
    let at = operator(&data);
    let written = create(&at, &data);
    let id = written["account_id"].as_str().unwrap();
    let (first, root) = (house.root(), root_of(&written, &house));
    assert_eq!(root.json(&["account", "show"])["account_id"], written["account_id"]);
    assert_eq!(root.json(&["instance", "show", "-"])["hosts"], json!(["acme.example"]));

    let listed = at.json(&["account", "list"]);
    assert_eq!(listed.as_array().unwrap().len(), 2);
    let one = listed.as_array().unwrap().iter().find(|one| one["account_id"] == id).unwrap();
    assert_eq!((&one["alias"], &one["domains"], &one["enabled"]), (&json!("acme"), &json!(["acme.example"]), &json!(true)));
    assert_eq!(at.json(&["account", "suspend", "acme"])["enabled"], json!(false));
    assert_eq!(root.refused(&["whoami"])["code"], "invalid_client");
    first.json(&["whoami"]);
    assert_eq!(at.json(&["account", "resume", id])["enabled"], json!(true));
    root.json(&["whoami"]);

    assert_eq!(first.json(&["account", "update", "--alias", "mine"])["alias"], json!("mine"));
    assert_eq!(first.refused(&["account", "update", "--alias", "acme"])["code"], "already_exists");
    assert_eq!(first.json(&["account", "update", "--no-alias"])["alias"], Value::Null);
    assert_eq!(root.refused(&["instance", "create", "two", "--host", "two.example"])["code"], "invalid_request");
    assert_eq!(at.json(&["account", "domains", "acme", "--host", "two.example"])["domains"], json!(["two.example"]));
    root.json(&["instance", "create", "two", "--host", "two.example"]);

    // Nothing is made where the alias is taken, and no secrets stay behind; nothing is written over.
    assert_eq!(at.refused(&["account", "create", "--alias", "acme"])["code"], "already_exists");
    assert_eq!(at.refused(&["account", "create", "--host", "a.acme.example", "--host", "localhost"])["code"], "invalid_request");
    let bootstrap = house.bootstrap();
    assert_eq!(at.refused(&["account", "create", "--output-file", bootstrap.to_str().unwrap()])["code"], "invalid_file");
    for nobody in ["nobody", "a b/../c", "", "1"] {
        assert_eq!(at.refused(&["account", "suspend", nobody])["code"], "not_found", "{nobody}");
    }
    assert_eq!(at.json(&["account", "list"]).as_array().unwrap().len(), 2);
    let left: Vec<_> = std::fs::read_dir(&data).unwrap().filter_map(|e| e.unwrap().file_name().into_string().ok()).collect();
    let secrets = left.iter().filter(|name| name.starts_with("account-")).count();
    assert!(secrets == 1 && !left.iter().any(|name| name.contains(".json.new")), "{left:?}");
}

#[test]
fn accounts_are_made_while_no_server_runs() {
    let house = House::start();
    let data = house.bootstrap().parent().unwrap().to_owned();
    let house = house.stopped();
    assert!(!data.join("control.sock").exists(), "a graceful stop leaves no socket");
    let at = operator(&data);
    create(&at, &data);
    assert_eq!(at.json(&["account", "suspend", "acme"])["enabled"], json!(false));
    assert_eq!(at.json(&["account", "list"]).as_array().unwrap().len(), 2);
    drop(house);
}

#[test]
fn away_from_the_server_the_command_says_so_and_makes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let nowhere = folder.path().join("data");
    let at = operator(&nowhere);
    for command in [vec!["create"], vec!["list"], vec!["suspend", "x"], vec!["resume", "x"], vec!["domains", "x"]] {
        let refused = at.refused(&[&["account"], &command[..]].concat());
        assert_eq!(refused["code"], "no_server");
        assert!(refused["message"].as_str().unwrap().contains("--data-dir"), "{refused}");
    }
    assert!(!nowhere.exists());
}

#[test]
fn the_control_socket_takes_nothing_but_what_it_knows() {
    use std::io::{Read as _, Write as _};
    let house = House::start();
    let path = house.bootstrap().parent().unwrap().join("control.sock");
    let ask = |request: &str| {
        let mut socket = std::os::unix::net::UnixStream::connect(&path).unwrap();
        socket.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        socket.read_to_string(&mut answer).unwrap();
        answer.split(' ').nth(1).unwrap_or_default().to_owned()
    };
    let request = |method: &str, path: &str, body: &str| {
        ask(&format!("{method} {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}", body.len()))
    };
    assert_eq!(request("GET", "/accounts", ""), "200");
    for (method, path, body, status) in [
        ("GET", "/", "", "404"),
        ("GET", "/accounts/x", "", "404"),
        ("GET", "/accounts?after=x", "", "400"),
        ("DELETE", "/accounts/x", "", "404"),
        ("POST", "/accounts/preparations", "{}x", "400"),
        ("POST", "/accounts/preparations", r#"{"root":true}"#, "400"),
        ("PUT", "/accounts/preparations/1", "null", "404"),
        ("PUT", "/accounts/preparations/1000000000000000", "null", "404"),
        ("PATCH", "/accounts/nobody", "{}", "404"),
        ("PATCH", "/accounts/nobody", r#"{"enabled":"yes"}"#, "400"),
        ("POST", "/nodes", "", "404"),
        ("GET", "/v2/", "", "404"),
        ("GET", "/metrics", "", "404"),
    ] {
        assert_eq!(request(method, path, body), status, "{method} {path} {body}");
    }
    assert_eq!(request("POST", "/accounts/preparations", &"x".repeat(70_000)), "400");
    // What is only asked for is not there, and no more of it waits than there is room for.
    for _ in 0..8 {
        assert_eq!(request("POST", "/accounts/preparations", "{}"), "200");
    }
    assert_eq!(request("POST", "/accounts/preparations", "{}"), "503");
    // By the main listener there is no such door.
    let (head, _) = house.http("GET", "/accounts", "", "");
    assert!(head.starts_with("http/1.1 404"), "{head}");
}

/// Metrics are of the server as a whole: another account's root user does not read them, by whatever host.
#[test]
fn another_account_reads_no_metrics() {
    let house = House::start();
    let data = house.bootstrap().parent().unwrap().to_owned();
    let root = root_of(&create(&operator(&data), &data), &house);
    let status = |host: &str, token: &str| {
        let (head, _) = house.http_at(host, "GET", "/metrics", &format!("authorization: Bearer {token}\r\n"), "");
        head.split(' ').nth(1).unwrap_or_default().to_owned()
    };
    let (first, other) = (house.token(), house.token_of(&root));
    assert_eq!((status("localhost", &first), status("acme.example", &first)), ("200".into(), "403".into()));
    assert_eq!((status("localhost", &other), status("acme.example", &other)), ("403".into(), "403".into()));
}

/// So are the nodes that serve.
#[test]
fn the_operator_and_the_first_account_see_the_nodes_and_nobody_else() {
    let house = House::start();
    let data = house.bootstrap().parent().unwrap().to_owned();
    let at = operator(&data);
    let root = root_of(&create(&at, &data), &house);
    let beaten = |nodes: &Value| nodes.as_array().unwrap().len() == 1 && nodes[0]["alive"] == true && nodes[0]["answering"] == true;
    // It says so first right after its start.
    let end = std::time::Duration::from_secs(5);
    #[expect(clippy::disallowed_methods, reason = "a test measures time")]
    let begun = SystemTime::now();
    while !beaten(&at.json(&["nodes", "--local"])) {
        assert!(begun.elapsed().unwrap() < end, "{}", at.json(&["nodes", "--local"]));
    }
    let listed = house.root().json(&["nodes"]);
    assert!(beaten(&listed), "{listed}");
    let local = at.json(&["nodes", "--local"]);
    assert_eq!((&listed[0]["node_id"], &listed[0]["version"]), (&local[0]["node_id"], &json!(env!("CARGO_PKG_VERSION"))));
    assert_eq!(root.refused(&["nodes"])["code"], "denied");
    assert_eq!(house.user(&house.root(), "alice").refused(&["nodes"])["code"], "denied");

    // Where no server runs any more, the database says the same of those that ended without saying so: of none here.
    let house = house.stopped();
    assert_eq!(at.json(&["nodes", "--local"]), json!([]));
    drop(house);
}
