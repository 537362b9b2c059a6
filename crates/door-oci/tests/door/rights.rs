//! Who may what: the table of operations walked by everybody, the answers to credentials, the spellings of paths.

use http::Method;
use model::{Action, Caller, Digest};

use crate::house::{HOST, House, basic, house, house_at};

const METHODS: [Method; 9] =
    [Method::GET, Method::HEAD, Method::PUT, Method::POST, Method::PATCH, Method::DELETE, Method::OPTIONS, Method::TRACE, Method::CONNECT];

/// Every operation with a path that can be read.
fn walk() -> Vec<(&'static Method, String, Option<Action>)> {
    let digest = Digest::sha256(b"layer").to_string();
    let concrete = |template: &str| {
        let path = template.replace("<name>", "demo/app").replace("<reference>", "v1").replace("<id>", "upl-0000000000000001");
        path.replace("<digest>", &digest)
    };
    let operations: Vec<_> = door_oci::operations().map(|(method, path, action)| (method, concrete(path), action)).collect();
    assert_eq!(operations.len(), 16);
    operations
        .into_iter()
        .map(|(m, path, a)| if *m == Method::PUT { (m, format!("{path}?digest={digest}"), a) } else { (m, path, a) })
        .collect()
}

fn scope(path: &str, action: Option<Action>) -> String {
    match action {
        None => String::new(),
        Some(_) if path == "/v2/_catalog" => r#",scope="registry:catalog:*""#.into(),
        Some(Action::PushRepository) => r#",scope="repository:demo/app:pull,push""#.into(),
        Some(Action::DeleteRepositoryTag) => r#",scope="repository:demo/app:delete""#.into(),
        Some(_) => r#",scope="repository:demo/app:pull""#.into(),
    }
}

#[tokio::test]
async fn nobody_is_asked_to_log_in_everywhere() {
    let house = house().await;
    for (method, path, action) in walk() {
        let answer = house.ask(method.as_str(), &path, &[], b"").await;
        assert_eq!(answer.error(), (401, "UNAUTHORIZED".into()), "{method} {path}");
        let want = format!(r#"Bearer realm="http://{HOST}/token",service="{HOST}"{}"#, scope(&path, action));
        assert_eq!(answer.header("www-authenticate"), want, "{method} {path}");
    }
}

#[tokio::test]
async fn whoever_has_no_right_is_told_which_is_missing() {
    let house = house().await;
    let token = house.bearer(&house.bob, "repository:demo/app:pull,push,delete").await;
    for (method, path, action) in walk() {
        let (by_basic, by_bearer) =
            (house.by(&house.bob.basic, method.as_str(), &path).await, house.by(&token, method.as_str(), &path).await);
        let Some(action) = action else {
            assert_eq!((by_basic.status.as_u16(), by_bearer.status.as_u16()), (200, 200));
            continue;
        };
        if path == "/v2/_catalog" {
            assert_eq!(by_basic.body, r#"{"repositories":[]}"#);
        } else {
            assert_eq!(by_basic.error(), (403, "DENIED".into()), "{method} {path}");
            assert!(by_basic.message().contains(action.as_str()), "{}", by_basic.message());
            assert_eq!(by_basic.json()["errors"][0]["detail"]["action"], action.as_str());
            assert_eq!(by_basic.json()["errors"][0]["detail"]["resource"], "repository/local/demo/app");
        }
        assert_eq!(by_bearer.error(), (401, "UNAUTHORIZED".into()), "{method} {path}");
        assert!(by_bearer.header("www-authenticate").ends_with(r#",error="insufficient_scope""#), "{method} {path}");
        assert!(by_bearer.message().contains(action.as_str()), "{}", by_bearer.message());
    }
}

#[tokio::test]
async fn other_methods_are_405_and_say_which_are_taken() {
    let house = house().await;
    for (_, path, _) in walk() {
        for method in &METHODS {
            let place = |p: &str| p.split('?').next().unwrap().to_owned();
            let taken: Vec<_> = walk().into_iter().filter(|(_, p, _)| place(p) == place(&path)).map(|(m, _, _)| m.clone()).collect();
            if taken.contains(method) || (*method == Method::HEAD && taken.contains(&Method::GET)) {
                continue;
            }
            let answer = house.send(method.as_str(), &path, &[], b"").await;
            assert_eq!(answer.error(), (405, "UNSUPPORTED".into()), "{method} {path}");
            let allow: Vec<_> = answer.header("allow").split(", ").map(str::to_owned).collect();
            assert!(taken.iter().all(|m| allow.iter().any(|a| a == m.as_str())), "{allow:?}");
        }
    }
}

/// What is missing answers a stranger as what is there.
#[tokio::test]
async fn what_one_may_not_read_looks_like_what_is_not_there() {
    let house = house().await;
    house.push_image("demo/secret", "v1", "").await;
    for kind in ["manifests/v1", "tags/list"] {
        let there = house.by(&house.bob.basic, "GET", &format!("/v2/demo/secret/{kind}")).await;
        let missing = house.by(&house.bob.basic, "GET", &format!("/v2/demo/absent/{kind}")).await;
        assert_eq!(there.status, missing.status);
        assert_eq!(std::str::from_utf8(&there.body).unwrap().replace("secret", "absent"), missing.body);
    }
}

#[tokio::test]
async fn wrong_credentials_are_one_401() {
    let house = house().await;
    let generated = house.alice.basic.strip_prefix("Basic ").unwrap();
    let wrong = [
        basic("alice", "wrong-Password1"),
        basic("nobody", "wrong-Password1"),
        format!("Basic {}", &generated[..generated.len() - 8]),
        "Basic".into(),
        "Basic !".into(),
        "Digest x".into(),
        String::new(),
    ];
    let mut bodies = Vec::new();
    for who in &wrong {
        let answer = house.by(who, "GET", "/v2/").await;
        assert_eq!(answer.error(), (401, "UNAUTHORIZED".into()), "{who}");
        assert_eq!(answer.header("www-authenticate"), format!(r#"Bearer realm="http://{HOST}/token",service="{HOST}""#));
        bodies.push(answer.body);
    }
    bodies.dedup();
    assert_eq!(bodies.len(), 1);
    let forged = house.by("Bearer a.b.c", "GET", "/v2/demo/app/tags/list").await;
    assert!(forged.header("www-authenticate").ends_with(r#",scope="repository:demo/app:pull",error="invalid_token""#));
    let long = house.by(&format!("Bearer {}", "a".repeat(5000)), "GET", "/v2/").await;
    assert_eq!((long.status.as_u16(), &long.body), (401, &bodies[0]));
    let twice = house.ask("GET", "/v2/", &[("authorization", &house.root.basic), ("authorization", &house.root.basic)], b"").await;
    assert_eq!(twice.error(), (400, "UNAUTHORIZED".into()));
    let elsewhere = house.bearer_for(&Caller::anonymous(), "repository:demo/app:pull", "other.example").await;
    assert_eq!(house.by(&elsewhere, "GET", "/v2/demo/app/tags/list").await.status, 401);
}

/// zot #3868: whoever is not logged in gets a challenge at `/v2/`, with a token for nobody too.
#[tokio::test]
async fn zot_3868_the_base_takes_a_login() {
    let house = house().await;
    for path in ["/v2/", "/v2"] {
        assert_eq!(house.ask("GET", path, &[], b"").await.status, 401);
        let answer = house.by(&house.bob.basic, "GET", path).await;
        assert_eq!((answer.status.as_u16(), answer.header("content-type"), &answer.body[..]), (200, "application/json", &b"{}"[..]));
    }
    let nobodys = house.bearer_for(&Caller::anonymous(), "", HOST).await;
    assert_eq!(house.by(&nobodys, "GET", "/v2/").await.status, 401);
}

#[tokio::test]
async fn an_external_url_stands_in_realms_and_locations() {
    let house = house_at(Some("https://public.example/")).await;
    let answer = house.ask("GET", "/v2/", &[], b"").await;
    assert_eq!(answer.header("www-authenticate"), format!(r#"Bearer realm="https://public.example/token",service="{HOST}""#));
    let begun = house.send("POST", "/v2/demo/app/blobs/uploads/", &[], b"").await;
    assert!(begun.header("location").starts_with("https://public.example/v2/demo/app/blobs/uploads/upl-"));
}

async fn decision(house: &House, path: &str) -> u16 {
    house.by(&house.alice.basic, "GET", path).await.status.as_u16()
}

/// CVE-2020-29662, GHSA-fv45: no spelling of a path is served that the canonical one is not; here none but the canonical is.
#[tokio::test]
async fn cve_2020_29662_only_the_canonical_path_is_served() {
    let house = house().await;
    house.push_image("demo/app", "v1", "").await;
    house.push_image("other/app", "v1", "").await;
    assert_eq!(decision(&house, "/v2/demo/app/manifests/v1").await, 200);
    assert_eq!(decision(&house, "/v2/other/app/manifests/v1").await, 403);
    for path in [
        "/v2//demo/app/manifests/v1",
        "/v2/demo//app/manifests/v1",
        "/v2/demo/app//manifests/v1",
        "/v2/demo/app/manifests//v1",
        "/v2/demo/app/manifests/v1/",
        "/v2/demo%2fapp/manifests/v1",
        "/v2/demo%2Fapp/manifests/v1",
        "/v2/demo/app/manifests%2fv1",
        "/v2/demo/../other/app/manifests/v1",
        "/v2/demo/./app/manifests/v1",
        "/v2/demo/%2e%2e/other/app/manifests/v1",
        "/v2/demo/..;/other/app/manifests/v1",
        "/v2/DEMO/app/manifests/v1",
        "/v2/demo/app/MANIFESTS/v1",
        "/v2/demo/app/manifests/v1;x",
        "/v2/demo/app/manifests/v1%00",
        "/v2/demo/app/manifests/%76%31",
        "/v2/demo/app/manifests/",
        "/v2/_catalog/",
        "/v2//_catalog",
        "/v2/%5fcatalog",
        "/v2/_Catalog",
    ] {
        let answer = house.by(&house.alice.basic, "GET", path).await;
        assert!([400, 404].contains(&answer.status.as_u16()), "{path}: {answer:?}");
        answer.error();
    }
}

/// The same rights by Basic and by Bearer; a token with less than its owner's rights does less.
#[tokio::test]
async fn a_token_carries_its_scopes_and_no_more() {
    let house = house().await;
    house.push_image("demo/app", "v1", "").await;
    house.push_image("demo/two", "v1", "").await;
    let token = house.bearer(&house.alice, "repository:demo/app:pull,push").await;
    assert_eq!(house.by(&token, "GET", "/v2/demo/app/manifests/v1").await.status, 200);
    let other = house.by(&token, "GET", "/v2/demo/two/manifests/v1").await;
    assert_eq!(other.error(), (401, "UNAUTHORIZED".into()));
    assert!(other.message().contains("cr:PullRepository"), "{}", other.message());
    assert_eq!(house.by(&house.alice.basic, "GET", "/v2/demo/two/manifests/v1").await.status, 200);
    assert_eq!(house.by(&token, "POST", "/v2/demo/app/blobs/uploads/").await.status, 401);
    assert_eq!(house.by(&house.alice.basic, "POST", "/v2/demo/app/blobs/uploads/").await.status, 403);
}
