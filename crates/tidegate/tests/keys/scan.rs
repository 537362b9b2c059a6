//! Secrets of ours in other people's files.

use serde_json::{Value, json};

use crate::support::house::{Cli, House, text};
use crate::support::http::{Ask, basic};
use crate::support::program::{Program, Ran};
use crate::support::tidegate;

/// A house in whose folder `leak` secrets lie about.
struct Leak {
    house: House,
    root: Cli,
    credential: (String, String),
    key_secret: String,
    token: String,
}

impl Leak {
    fn new() -> Self {
        let house = House::start();
        let root = house.root();
        root.new_user("alice");
        let credential = root.new_credential("alice");
        let key_secret = text(&root.json(&["access-key", "create", "--user", "alice"])["access_key_secret"]);
        let token = text(&root.json(&["login-token", "create"])["password"]);
        let leak = Self { house, root, credential, key_secret, token };
        std::fs::create_dir_all(leak.path("deep/er")).unwrap();
        std::fs::write(leak.path("deep/ci.yaml"), format!("a: b\n  password: '{}'\n", leak.credential.1)).unwrap();
        std::fs::write(leak.path("deep/er/blob"), format!("\0\0{}\0{}", leak.key_secret, leak.credential.1)).unwrap();
        std::fs::write(leak.path("log"), format!("POST {} 200\n", leak.token)).unwrap();
        std::fs::write(leak.path("innocent"), "tgc_ is a prefix, eyJhbGciOiJub25lIn0.e30. is no token of ours").unwrap();
        leak
    }

    fn path(&self, name: &str) -> String {
        self.house.folder.path().join("leak").join(name).to_str().unwrap().to_owned()
    }

    #[track_caller]
    fn tells_no_secret(&self, ran: &Ran) {
        for secret in [&self.credential.1, &self.key_secret, &self.token] {
            assert!(!ran.says(secret.as_str()), "{ran}");
        }
    }

    fn works(&self) -> bool {
        self.house.send(&Ask::get("/v2/").with(&basic("alice", &self.credential.1))).status == 200
    }
}

fn kinds(found: &Value) -> Vec<&str> {
    let mut kinds: Vec<_> = found.as_array().unwrap().iter().map(|f| f["kind"].as_str().unwrap()).collect();
    kinds.sort_unstable();
    kinds
}

#[test]
fn what_leaked_is_found_and_told_whose_it_is() {
    let leak = Leak::new();
    let ran = leak.root.run(&["scan", &leak.path("."), "--output", "json"]);
    assert_eq!(ran.code, Some(1), "{ran}");
    leak.tells_no_secret(&ran);
    let found = ran.json();
    assert_eq!(kinds(&found), ["access_credential", "access_credential", "access_key_secret", "login_token"]);
    let place = |line: i64| found.as_array().unwrap().iter().find(|f| f["line"] == line).unwrap();
    let yaml = place(2);
    assert!(yaml["place"].as_str().unwrap().ends_with("deep/ci.yaml:2:14"), "{yaml}");
    assert_eq!((&yaml["owner"], &yaml["credential_id"], &yaml["enabled"]), (&json!("alice"), &json!(leak.credential.0), &json!(true)));
    assert_eq!(yaml["disabled"], false);
    assert!(ran.err.contains("4 files, ") && ran.err.contains("4 found"), "{ran}");
    assert!(leak.works(), "nobody asked for it to be disabled");
}

/// A key in a layer of an image, as `docker save` writes one: where leaked keys are found.
#[test]
fn what_leaked_into_an_image_is_found() {
    let leak = Leak::new();
    let folder = leak.house.folder.path().join("image");
    std::fs::create_dir_all(folder.join("app/config")).unwrap();
    std::fs::write(folder.join("app/config/token"), format!("# ci\npassword={}\n", leak.credential.1)).unwrap();
    let shell = Program::new("/bin/sh", &folder);
    let pack = "tar -czf layer.tar.gz app && rm -r app && echo '{}' > manifest.json && tar -cf image.tar layer.tar.gz manifest.json && \
                rm layer.tar.gz manifest.json && mkdir only && mv image.tar only/";
    shell.run(&["-c", pack]).ok();
    let ran = leak.root.run(&["scan", folder.join("only").to_str().unwrap(), "--output", "json"]);
    assert_eq!(ran.code, Some(1), "{ran}");
    leak.tells_no_secret(&ran);
    let found = ran.json();
    assert_eq!(kinds(&found), ["access_credential"]);
    assert!(found[0]["place"].as_str().unwrap().ends_with("only/image.tar!layer.tar.gz!app/config/token:2:10"), "{found}");
    assert_eq!(found[0]["owner"], "alice");
}

#[test]
fn what_leaked_is_disabled_one_by_one() {
    let leak = Leak::new();
    // Whoever may not is told so, for each.
    let bob = leak.root.new_user("bob");
    let refused = bob.run(&["scan", "--disable", &leak.path("deep")]);
    assert!(refused.err.contains("cr:IdentifySecret") && leak.works(), "{refused}");
    let document = json!({"Version": "1", "Statement": [{"Effect": "Allow", "Action": "cr:IdentifySecret", "Resource": "*"}]});
    leak.root.grant("bob", "finder", &document);
    let refused = bob.run(&["scan", "--disable", &leak.path("deep")]);
    assert!(refused.err.contains("was not disabled") && leak.works(), "{refused}");
    let ran = leak.root.run(&["scan", "--disable", &leak.path("deep"), "--output", "json"]);
    assert_eq!(ran.code, Some(1), "{ran}");
    leak.tells_no_secret(&ran);
    assert!(ran.err.contains(&format!("Disabled {} (access credential of alice", leak.credential.0)), "{ran}");
    assert!(ran.json().as_array().unwrap().iter().all(|f| f["disabled"] == true), "{ran}");
    assert!(!leak.works());
    let again = leak.root.run(&["scan", "--disable", &leak.path("deep"), "--output", "json"]);
    assert!(again.json().as_array().unwrap().iter().all(|f| f["enabled"] == false && f["disabled"] == false), "{again}");
}

#[test]
fn without_a_server_it_still_finds_and_its_exit_code_says_so() {
    let leak = Leak::new();
    let program = Program::new(tidegate(), &leak.house.folder.path().join("nobody"));
    let ran = program.run(&["scan", &leak.path("deep"), "-o", "json"]);
    assert_eq!((ran.code, kinds(&ran.json()).len()), (Some(1), 3), "{ran}");
    assert!(ran.err.contains("No server is configured") && ran.json()[0].get("known").is_none(), "{ran}");
    let piped = program.piped(&["scan", "--offline", "-"], &format!("x {}", leak.credential.1));
    assert_eq!(piped.code, Some(1), "{piped}");
    assert!(piped.out.contains("(standard input):1:3"), "{piped}");
    leak.tells_no_secret(&piped);
    assert_eq!(program.run(&["scan", &leak.path("innocent")]).code, Some(0));
    assert_eq!(program.run(&["scan", &leak.path("innocent"), &leak.path("missing")]).code, Some(1));
    assert_eq!(program.run(&["scan"]).code, Some(2));
    assert_eq!(program.run(&["scan", "--offline", "--disable", "."]).code, Some(2));
}

#[test]
fn rotation_and_integrations_at_the_command_line() {
    let house = House::start();
    let root = house.root();
    root.json(&["integration", "create", "prod", "--kind", "kubernetes-cluster", "--link", "https://clusters.example/prod"]);
    let made = root.json(&["credential", "create", "--description", "pulls", "--integration", "prod", "--expires-in", "10d"]);
    let id = text(&made["credential_id"]);
    let soon = root.json(&["credential", "list", "--expiring", "30d"]);
    assert_eq!(
        (&soon[0]["credential_id"], &soon[0]["integration"], &soon[0]["user"]),
        (&made["credential_id"], &json!("prod"), &json!("root"))
    );
    let rotated = root.json(&["credential", "rotate", &id, "--overlap", "1h"]);
    assert_eq!(rotated["old_credential_id"], made["credential_id"]);
    assert_ne!(rotated["secret"], made["secret"]);
    root.run(&["credential", "rotate", &id]).refused(&["was rotated already", &text(&rotated["credential_id"])]);
    assert_eq!(root.json(&["credential", "list", "--integration", "prod"]).as_array().unwrap().len(), 2);
    root.json(&["integration", "update", "prod", "--gone"]);
    assert_eq!(root.json(&["integration", "list", "--stale"])[0]["name"], "prod");
    root.run(&["integration", "delete", "prod"]).refused(&["2 credentials"]);
    for id in [id, text(&rotated["credential_id"])] {
        root.run(&["credential", "delete", &id]).ok();
    }
    root.run(&["integration", "delete", "prod"]).ok();
    let account = root.json(&["service-account", "create", "robot"]);
    let secrets = root.json(&["service-account", "secret", "list", "robot"]);
    let rotated = root.json(&["service-account", "secret", "rotate", "robot", &text(&secrets[0]["credential_id"])]);
    assert_eq!(rotated["username"], account["client_id"]);
    for secret in [&account["secret"], &rotated["secret"]] {
        let ask = Ask::get("/v2/").with(&basic("robot", secret.as_str().unwrap()));
        house.send(&ask).expect(200);
    }
    let key = root.json(&["access-key", "rotate", &text(&house.bootstrap()["access_key_id"])]);
    root.run(&["access-key", "rotate", &text(&key["access_key_id"])]).refused(&["no more than 2 access keys"]);
}
