//! Every endpoint with every kind of nonsense: an error of its protocol, never a 5xx, and nothing lost.

use crate::support::api::{Api, push, root};
use crate::support::http::Ask;
use crate::support::node::{Node, Settings};

const DIGEST: &str = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

#[test]
fn nonsense_is_answered_with_an_error_of_the_protocol() {
    let folder = tempfile::tempdir().unwrap();
    let node = Node::start(Settings::in_folder(folder.path(), "data"));
    let authorization = root(&node);
    let kept = push(&node, &authorization, "demo/app", "v1", 1);
    let mut connection = node.connection();
    let mut count = 0;
    for target in targets() {
        for method in ["GET", "HEAD", "PUT", "POST", "PATCH", "PROPFIND"] {
            for (name, value) in headers() {
                let ask = Ask::new(method, &target).with(&authorization).header(name, &value);
                let ask = if matches!(method, "GET" | "HEAD") { ask } else { ask.body("{\"schemaVersion\":2}") };
                let Ok(answer) = connection.send(&ask) else {
                    connection = node.connection();
                    continue;
                };
                count += 1;
                assert!(answer.status < 500, "{method} {target} {name}: {value}: {} {}", answer.status, answer.text());
                if target.starts_with("/v2/") && answer.status >= 400 && method != "HEAD" {
                    assert!(!answer.code().is_empty(), "{method} {target}: {}", answer.text());
                }
            }
        }
    }
    println!("{count} requests");
    let there = node.send(&Ask::get(&format!("/v2/demo/app/manifests/{kept}")).with(&authorization));
    assert_eq!(there.status, 200, "nothing is lost");
    assert!(!node.log().contains("panicked"), "{}", node.log());
}

fn targets() -> Vec<String> {
    let names = ["demo/app", "Demo/app", "demo//app", "demo%2fapp", "..", "a/../b", "demo/app;x", "%00", "é", "_", "a_-b"];
    let items = ["v1", DIGEST, "sha256:00", "md5:d41d8cd98f00b204e9800998ecf8427e", "sha256:E3B0", "..", "%2e%2e", "", ":", "a:b:c", "-x"];
    let mut targets = Vec::new();
    for name in names {
        for item in items {
            for noun in ["manifests", "blobs", "blobs/uploads", "referrers"] {
                targets.push(format!("/v2/{name}/{noun}/{item}"));
            }
        }
        targets.push(format!("/v2/{name}/tags/list"));
    }
    for query in ["n=-1", "n=2147483648", "n=99999999999999999999", "n=1&n=2", "last=%00", "last=%ff", "n=", "last=../..", "n=%31"] {
        targets.extend(["/v2/_catalog", "/v2/demo/app/tags/list"].map(|list| format!("{list}?{query}")));
    }
    for query in [
        "digest=x",
        "digest=",
        "digest=sha256:00&digest=sha256:01",
        "mount=x&from=y",
        "mount=x",
        "from=..",
        "digest=%ff",
        "digest-algorithm=md5",
    ] {
        targets.push(format!("/v2/demo/app/blobs/uploads/?{query}"));
        targets.push(format!("/v2/demo/app/blobs/uploads/unknown?{query}"));
    }
    for query in
        ["scope=x", "scope=repository:A:pull", "service=other", "service=a&service=b", "scope=%ff", "account=%00", "offline_token=2"]
    {
        targets.push(format!("/token?{query}"));
    }
    targets
}

fn headers() -> Vec<(&'static str, String)> {
    vec![
        ("x-nothing", "1".to_owned()),
        ("range", "bytes=9-1".to_owned()),
        ("range", "bytes=-99999999999999999999999".to_owned()),
        ("range", "bytes=0-0,1-1,2-2".to_owned()),
        ("content-range", "18446744073709551615-18446744073709551616".to_owned()),
        ("content-range", "5-1".to_owned()),
        ("content-type", "a/b; charset=\"".to_owned()),
        ("accept", "*/*;q=x,,,".to_owned()),
        ("if-none-match", "\"".to_owned()),
        ("x-forwarded-for", ",,,1.2.3.4.5,".to_owned()),
        ("content-encoding", "gzip".to_owned()),
        ("accept", "a/b,".repeat(2_000)),
    ]
}

/// Zot #4131: metrics need a right of their own. Dragonfly CVE-2026-49254: nothing of the settings comes without one.
#[test]
fn zot_4131_metrics_and_the_trail_need_rights_of_their_own() {
    let folder = tempfile::tempdir().unwrap();
    let node = Node::start(Settings::in_folder(folder.path(), "data"));
    let api = Api::root(&node);
    api.create_user("puller");
    api.create_policy("pull", &["cr:PullRepository", "cr:GetAuthorizationToken"]);
    api.attach("puller", "pull");
    let (_, basic) = api.create_credential("puller");
    assert_eq!(node.send(&Ask::get("/metrics")).status, 401);
    assert_eq!(node.send(&Ask::get("/metrics").with(&basic)).status, 403);
    assert_eq!(node.send(&Ask::get("/metrics").with(&root(&node))).status, 200);
    let own = Api::with_key(&node, &api.create_access_key("puller"));
    for path in ["/audit-events", "/users", "/policies", "/credentials?user=root"] {
        let answer = own.send("GET", path, &serde_json::Value::Null);
        assert!(matches!(answer.status, 403 | 404), "{path}: {} {}", answer.status, answer.text());
    }
}

/// Gitea CVE-2026-20896, GHSA-8jm4: an address that a stranger claims is not believed.
#[test]
fn cve_2026_20896_only_a_trusted_proxy_says_where_a_client_is() {
    let folder = tempfile::tempdir().unwrap();
    let settings = Settings::in_folder(folder.path(), "data");
    let trusting = Node::start(settings.clone());
    let seen = |node: &Node, claimed: &str| {
        let wrong = crate::support::http::basic("nobody", "wrong-Password-1");
        node.send(&Ask::get("/v2/").with(&wrong).header("x-forwarded-for", claimed));
        // Failures are written in the same batch as pulls, each second.
        std::thread::sleep(std::time::Duration::from_millis(1300));
        let events = Api::root(node).audit("action=login&outcome=failed");
        events[0]["source_ip"].as_str().unwrap().to_owned()
    };
    assert_eq!(seen(&trusting, "6.6.6.6, 10.9.8.7"), "10.9.8.7", "the rightmost that is no proxy of ours");
    let settings = trusting.stop().set("TIDEGATE_TRUSTED_PROXIES", "192.0.2.0/24");
    let careful = Node::start(settings);
    assert_eq!(seen(&careful, "10.1.1.1"), "127.0.0.1");
}

/// zot #3980: answers let every origin use a person's login. Here none lets any. Harbor CVE-2024-22244, zot #3844, #4238: a login
/// led wherever its address said. Here nothing leads anywhere.
#[test]
fn zot_3980_cve_2024_22244_no_answer_invites_another_origin_or_leads_elsewhere() {
    let folder = tempfile::tempdir().unwrap();
    let node = Node::start(Settings::in_folder(folder.path(), "data"));
    let authorization = root(&node);
    let evil = "https://evil.example";
    let paths = [
        "/",
        "/v2/",
        "/v2",
        "/token",
        "/healthz",
        "/readyz",
        "/metrics",
        "/api/v1/openapi.json",
        "/api/v1/whoami",
        "/api/v1/oauth2/token",
        "/.well-known/jwks.json",
        "/console/",
        "/login",
        "/v2/_catalog",
        "//evil.example/",
        "/%5cevil.example",
        "/\\evil.example",
        "/v2//evil.example/",
        "/https://evil.example",
    ];
    let queries = [
        "",
        "?redirect_uri=https://evil.example",
        "?callback_ui=//evil.example",
        "?next=%5c%5cevil.example",
        "?return_to=/%0d%0alocation:x",
    ];
    for path in paths {
        for query in queries {
            for method in ["GET", "OPTIONS", "POST"] {
                let ask = Ask::new(method, &format!("{path}{query}")).header("origin", evil).header("referer", evil);
                let ask = ask.header("access-control-request-method", "PUT").header("cookie", "session=x");
                for ask in [ask.clone(), ask.with(&authorization)] {
                    let answer = node.send(&ask);
                    let said = format!("{method} {path}{query}: {}", answer.status);
                    assert!(!(300..400).contains(&answer.status), "{said}");
                    for header in ["location", "refresh", "set-cookie", "access-control-allow-origin", "access-control-allow-credentials"] {
                        assert_eq!(answer.header(header), None, "{said}: {header}");
                    }
                }
            }
        }
    }
    let begun = Ask::new("POST", "/v2/demo/app/blobs/uploads/")
        .with(&authorization)
        .header("origin", evil)
        .header("x-forwarded-host", "evil.example");
    let place = node.send(&begun).expect(202).header("location").unwrap().to_owned();
    assert!(place.starts_with("/v2/demo/app/blobs/uploads/"), "{place}");
}
