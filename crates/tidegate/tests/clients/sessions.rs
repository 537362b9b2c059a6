//! A role that somebody assumes, and what container clients do with a login token of the session.

use serde_json::{Value, json};

use crate::client::Client as _;
use crate::containers::Skopeo;
use crate::docker::Docker;
use crate::people::{Login, PASSWORD, People, allow};
use crate::support::house::{Cli, text};
use crate::support::http::{Ask, basic, bearer};

/// A role `deploy` that `carol` may assume: push and pull in `demo`, and nothing else.
fn role(people: &People) -> Cli {
    let root = &people.root;
    let file = |name: &str, document: &Value| {
        let path = people.house.folder.path().join(name);
        std::fs::write(&path, document.to_string()).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let account = text(&people.house.bootstrap()["account_id"]);
    let trust = json!({"Version": "1", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole",
        "Principal": {"RAM": [format!("acs:ram::{account}:user/carol")]}}]});
    root.json(&["role", "create", "deploy", "--trust-policy", &file("trust.json", &trust)]);
    let actions = ["cr:PullRepository", "cr:PushRepository"];
    let demo = allow(&actions, "acs:cr:*:*:repository/local/demo/*");
    for (name, document) in [("in-demo", demo), ("tokens", allow(&["cr:GetAuthorizationToken"], "*"))] {
        root.run(&["policy", "create", name, "--document", &file(&format!("{name}.json"), &document)]).ok();
        root.run(&["policy", "attach", name, "--role", "deploy"]).ok();
    }
    let carol = root.new_user("carol");
    root.grant("carol", "assume", &allow(&["sts:AssumeRole"], "*"));
    carol
}

/// A session of the role, and a login token of the session.
fn assume(somebody: &Cli, name: &str, more: &[&str]) -> (Cli, Login) {
    let session = somebody.json(&[&["role", "assume", "deploy", "--session-name", name], more].concat());
    let session = somebody.in_session(&session);
    assert_eq!(session.json(&["whoami"])["name"], format!("deploy/{name}"));
    let login = People::login_token(&session);
    (session, login)
}

#[test]
#[ignore = "cargo xtask test --only clients"]
fn a_login_token_of_a_session_does_what_the_session_may_and_ends_with_it() {
    let people = People::new();
    let carol = role(&people);
    let (_session, login) = assume(&carol, "build-7", &[]);
    let (mut docker, mut skopeo) = (Docker::new(&people), Skopeo::new(&people));
    docker.login(&Login { kind: "permanent-password", user: "alice".to_owned(), password: PASSWORD.to_owned() }).ok();
    docker.push("secret/app:1").ok();

    docker.login(&login).ok();
    docker.push("demo/app:docker").ok();
    docker.pull("demo/app:docker").ok();
    skopeo.login(&login).ok();
    skopeo.push("demo/app:skopeo").ok();
    skopeo.pull("demo/app:skopeo").ok();
    docker.pull("secret/app:1").refused(&[]);
    // Both look for a layer first, by HEAD, which has no words.
    docker.push("secret/app:2").refused(&["denied"]);
    skopeo.pull("secret/app:1").refused(&["cr:PullRepository on repository/local/secret/app"]);
    skopeo.push("secret/app:2").refused(&["denied"]);

    // Another session of the same role, which its own policy bounds.
    let bound = people.house.folder.path().join("bound.json");
    std::fs::write(&bound, allow(&["cr:PullRepository", "cr:GetAuthorizationToken"], "*").to_string()).unwrap();
    let (bounded, reads) = assume(&carol, "look-1", &["--policy", bound.to_str().unwrap()]);
    skopeo.login(&reads).ok();
    skopeo.pull("demo/app:docker").ok();
    skopeo.push("demo/app:refused").refused(&["cr:PushRepository on repository/local/demo/app"]);
    skopeo.pull("secret/app:1").refused(&[]);

    // Both end by hand, with everything that was made of them.
    let running = people.house.bearer(&login.user, &login.password, "repository:demo/app:pull,push");
    let pull = Ask::get("/v2/demo/app/manifests/docker");
    people.house.send(&pull.clone().with(&bearer(&running))).expect(200);
    people.root.run(&["role", "end-sessions", "deploy"]).ok();
    people.house.send(&pull.clone().with(&bearer(&running))).expect(401);
    people.house.send(&pull.with(&basic(&login.user, &login.password))).expect(401);
    docker.pull("demo/app:docker").refused(&[]);
    docker.login(&login).refused(&[]);
    skopeo.pull("demo/app:docker").refused(&[]);
    skopeo.login(&reads).refused(&[]);
    bounded.run(&["whoami"]).refused(&[]);

    // A session ends with the key that began it.
    let (_session, login) = assume(&carol, "build-8", &[]);
    skopeo.login(&login).ok();
    skopeo.push("demo/app:again").ok();
    let key = text(&people.root.json(&["access-key", "list", "--user", "carol"])[0]["access_key_id"]);
    people.root.run(&["access-key", "disable", &key]).ok();
    skopeo.pull("demo/app:again").refused(&[]);
    skopeo.login(&login).refused(&[]);
}
