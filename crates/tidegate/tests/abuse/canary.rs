//! Secrets go in by every way there is, and come out nowhere (GHSA-prh4-vhfh-24mj, CVE-2025-48374).

use serde_json::{Value, json};

use crate::support::api::{Api, bootstrap, push, root, token};
use crate::support::http::{Ask, basic};
use crate::support::node::{Node, Settings};

#[test]
fn ghsa_prh4_vhfh_24mj_no_secret_reaches_a_log_the_trail_the_metrics_or_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let settings = Settings::in_folder(folder.path(), "data").set("TIDEGATE_LOG_LEVEL", "trace");
    let node = Node::start(settings.set("TIDEGATE_MASTER_KEY", crate::support::MASTER_KEY));
    let api = Api::root(&node);
    let mut secrets = vec![crate::support::MASTER_KEY.to_owned()];
    let mut errors = Vec::new();
    made(&node, &api, &mut secrets);
    mistaken(&node, &api, &mut secrets, &mut errors);
    // The trail's batch is written within a second.
    std::thread::sleep(std::time::Duration::from_millis(1300));
    let trail = Value::from(api.audit("")).to_string();
    let metrics = node.send(&Ask::get("/metrics").with(&root(&node))).text();
    let lists: String = ["/credentials?user=alice", "/access-keys?user=alice", "/users", "/instances", "/signing-keys"]
        .map(|path| api.call("GET", path, &Value::Null).to_string())
        .concat();
    let settings = node.stop();
    let log = std::fs::read_to_string(settings.log()).unwrap();
    assert!(log.contains(r#""status":401"#) && log.contains(r#""status":201"#), "the log has the requests");
    let sinks = [("log", &log), ("trail", &trail), ("metrics", &metrics), ("lists", &lists), ("errors", &errors.concat())];
    for secret in &secrets {
        assert!(secret.len() >= 8, "{secret}");
        for (name, sink) in sinks {
            assert!(!sink.contains(secret.as_str()), "{secret} stands in the {name}");
        }
    }
    println!("{} secrets, {} bytes of log", secrets.len(), log.len());
}

/// Everything that the product makes or keeps.
fn made(node: &Node, api: &Api<'_>, secrets: &mut Vec<String>) {
    let first = bootstrap(node);
    secrets.extend(["root_password", "access_key_secret"].map(|key| first[key].as_str().unwrap().to_owned()));
    api.create_user("alice");
    api.create_policy("all", &["cr:*"]);
    api.attach("alice", "all");
    for kind in ["sign_in", "permanent"] {
        let password = format!("Canary-{kind}-1");
        api.call("PUT", "/users/alice/password", &json!({ "kind": kind, "password": password }));
        assert_eq!(node.send(&Ask::get("/v2/").with(&basic("alice", &password))).status == 200, kind == "permanent");
        secrets.push(password);
    }
    let credential = api.call("POST", "/credentials", &json!({ "user": "alice", "description": "canary" }));
    let key = api.create_access_key("alice");
    let own = Api::with_key(node, &key);
    let login = own.call("POST", "/login-tokens", &json!({}));
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let authorization = basic("alice", &text(&credential["secret"]));
    let bearer = token(node, &authorization, "repository:demo/app:pull,push");
    push(node, &bearer, "demo/app", "v1", 1);
    secrets.extend([text(&credential["secret"]), key.secret, text(&login["password"]), authorization[6..].to_owned()]);
    secrets.extend([bearer[7..].to_owned(), own.token()[7..].to_owned()]);
}

/// Secrets in places where they do not belong, or are wrong; every answer is kept.
fn mistaken(node: &Node, api: &Api<'_>, secrets: &mut Vec<String>, errors: &mut Vec<String>) {
    let canary = |place: &str| format!("canary-{place}-Zq7");
    let asks = [
        Ask::get("/v2/").with(&basic("alice", &canary("basic"))),
        Ask::get("/v2/").with(&basic("nobody", &canary("unknown"))),
        Ask::get("/v2/").with(&format!("Bearer {}", canary("bearer"))),
        Ask::get("/v2/").with(&format!("Basic {}", canary("malformed"))),
        Ask::get("/v2/").with(&format!("Digest {}", canary("scheme"))),
        Ask::get("/v2/").with(&basic("root", &canary("twice"))).with(&basic("root", &canary("second"))),
        Ask::get(&format!("/token?service=x&password={}", canary("query"))),
        Ask::get(&format!("/token?refresh_token={}&scope=wrong", canary("refresh"))),
        Ask::new("POST", "/token").form(&[("grant_type", "password"), ("username", "alice"), ("password", &canary("form"))]),
        Ask::new("POST", "/token").form(&[("grant_type", "refresh_token"), ("refresh_token", &canary("grant"))]),
        Ask::new("POST", "/token").body(canary("body")),
        Ask::new("POST", "/api/v1/oauth2/token").form(&[
            ("grant_type", "client_credentials"),
            ("client_id", "x"),
            ("client_secret", &canary("client")),
        ]),
        Ask::new("POST", "/api/v1/oauth2/token").form(&[("grant_type", "password"), ("username", "root"), ("password", &canary("person"))]),
        Ask::get("/api/v1/whoami").header("cookie", &canary("cookie")).header("x-api-key", &canary("header")),
        Ask::get("/metrics").with(&basic("root", &canary("metrics"))),
    ];
    errors.extend(asks.iter().chain(&signed(node, canary)).map(|ask| node.send(ask).text()));
    for body in [
        json!({ "kind": "permanent", "password": "canary-short-Zq7-".repeat(4) }),
        json!({ "kind": "permanent", "password": ["canary-list-Zq7"] }),
        json!({ "kind": "permanent", "password": "canary-field-Zq7", "canary": "canary-extra-Zq7" }),
        json!({ "kind": "canary-kind", "password": "canary-known-Zq7" }),
    ] {
        errors.push(api.send("PUT", "/users/alice/password", &body).text());
    }
    secrets.extend(
        [
            "basic",
            "unknown",
            "bearer",
            "malformed",
            "scheme",
            "twice",
            "second",
            "query",
            "refresh",
            "form",
            "grant",
            "body",
            "client",
            "person",
            "cookie",
            "header",
            "metrics",
            "reset",
            "profile",
            "session",
            "oidc",
            "security",
        ]
        .map(canary),
    );
    secrets.extend(["canary-short-Zq7", "canary-list-Zq7", "canary-field-Zq7", "canary-extra-Zq7", "canary-known-Zq7"].map(str::to_owned));
}

/// Requests of the Alibaba Cloud door, whose secrets stand in queries: of the root user's key, signed wrongly, and of a token that
/// nobody trusts. The answer says what was to be signed.
fn signed(node: &Node, canary: impl Fn(&str) -> String) -> Vec<Ask> {
    let key = bootstrap(node)["access_key_id"].as_str().unwrap().to_owned();
    let common = format!(
        "AccessKeyId={key}&SignatureMethod=HMAC-SHA1&SignatureVersion=1.0&SignatureNonce=n1&Timestamp=2026-01-02T03:04:05Z&Signature=c2lnbg=="
    );
    let asks = [
        format!("Action=ResetLoginPassword&Version=2018-12-01&InstanceId=local&Password={}&{common}", canary("reset")),
        format!("Action=CreateLoginProfile&Version=2015-05-01&UserName=alice&Password={}&{common}", canary("profile")),
        format!("Action=GetCallerIdentity&Version=2015-04-01&SecurityToken={}&{common}", canary("session")),
        format!(
            "Action=AssumeRoleWithOIDC&Version=2015-04-01&OIDCProviderArn=acs:ram::1:oidc-provider/x&RoleArn=acs:ram::1:role/x\
             &RoleSessionName=xx&OIDCToken={}",
            canary("oidc")
        ),
    ];
    let v3 = format!("ACS3-HMAC-SHA256 Credential={key},SignedHeaders=host;x-acs-security-token,Signature=00");
    let v3 = Ask::get("/").header("x-acs-action", "GetCallerIdentity").header("x-acs-version", "2015-04-01").with(&v3);
    let by_header = v3.header("x-acs-security-token", &canary("security"));
    asks.iter().map(|query| Ask::get(&format!("/?{query}"))).chain([by_header]).collect()
}

/// Quay CVE-2019-10205: tokens stood in the database as they are. Here nothing that opens anything stands in any file of the server, but
/// for what the first start hands over and the master key.
#[test]
fn cve_2019_10205_no_secret_stands_in_the_database() {
    let folder = tempfile::tempdir().unwrap();
    let node = Node::start(Settings::in_folder(folder.path(), "data"));
    let api = Api::root(&node);
    let mut secrets = Vec::new();
    made(&node, &api, &mut secrets);
    let service_account = api.call("POST", "/service-accounts", &json!({ "name": "robot" }));
    let admin = api.call("PUT", "/instances/local/admin-user/passwords/1", &Value::Null);
    secrets.extend([&service_account["secret"], &admin["password"]].map(|secret| secret.as_str().unwrap().to_owned()));
    std::thread::sleep(std::time::Duration::from_millis(1300));
    let settings = node.stop();
    let mut files = Vec::new();
    read(&settings.data, &mut files);
    match settings.environment.iter().find(|(name, _)| name == "TIDEGATE_DATABASE") {
        Some((_, url)) => files.extend(tables(url)),
        None => assert!(files.iter().any(|(_, content)| content.starts_with(b"SQLite")), "the database is among them"),
    }
    let holds = |content: &[u8], secret: &str| content.windows(secret.len()).any(|window| window == secret.as_bytes());
    for (name, content) in &files {
        for secret in &secrets {
            assert!(!holds(content, secret), "{secret} stands in {name}");
        }
    }
    // What was looked for can be found.
    let handed_over = std::fs::read(settings.data.join("bootstrap.json")).unwrap();
    assert!(
        holds(&handed_over, &secrets[0]) && holds(&files.iter().map(|(_, content)| &content[..]).collect::<Vec<_>>().concat(), "alice")
    );
}

/// Every table of a PostgreSQL, as text; bytes as what they are besides.
fn tables(url: &str) -> Vec<(String, Vec<u8>)> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let (client, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls).await.unwrap();
        tokio::spawn(connection);
        let names = client.query("SELECT tablename::text FROM pg_tables WHERE schemaname = 'public'", &[]).await.unwrap();
        let mut found = Vec::new();
        for name in names.iter().map(|row| row.get::<_, String>(0)) {
            let rows = client.query(&format!("SELECT t::text FROM {name} t"), &[]).await.unwrap();
            let text: String = rows.iter().map(|row| row.get::<_, String>(0) + "\n").collect();
            let bytes = text.split("\\x").skip(1).flat_map(|rest| {
                let digits: String = rest.chars().take_while(char::is_ascii_hexdigit).collect();
                hex::decode(&digits[..digits.len() / 2 * 2]).unwrap()
            });
            let bytes: Vec<u8> = bytes.collect();
            found.push((name, [text.into_bytes(), bytes].concat()));
        }
        assert!(found.len() > 30, "the database is among them");
        found
    })
}

/// Every file below, but for the two that are meant to hold secrets.
fn read(folder: &std::path::Path, files: &mut Vec<(String, Vec<u8>)>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() {
            read(&path, files);
        } else if path.is_file() && !matches!(name.as_str(), "bootstrap.json" | "master.key") {
            files.push((name, std::fs::read(path).unwrap()));
        }
    }
}
