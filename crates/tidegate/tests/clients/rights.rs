//! What changes while a client is logged in: credentials that are disabled, policies that begin to deny.

use std::time::Duration;

use serde_json::{Value, json};

use crate::client::Client;
use crate::containers::Skopeo;
use crate::docker::Docker;
use crate::layout::{Layout, tar};
use crate::modules::Crane;
use crate::people::{Login, PASSWORD, People};
use crate::support::http::{self, Ask};
use crate::support::program::Program;
use crate::support::wait_until;

const MANIFEST: &str = "/v2/demo/app/manifests/1";

/// People, alice's crane, and `demo/app:1`.
fn scene() -> (People, Crane) {
    let people = People::new();
    let mut crane = Crane::new(&people);
    crane.login(&Login { kind: "permanent-password", user: "alice".to_owned(), password: PASSWORD.to_owned() }).ok();
    crane.push("demo/app:1").ok();
    (people, crane)
}

/// The status of a GET of `demo/app:1` with a bearer token.
fn status(people: &People, bearer: &str) -> u16 {
    people.house.send(&Ask::get(MANIFEST).with(&http::bearer(bearer))).status
}

#[test]
#[ignore = "cargo xtask test --only clients"]
fn a_disabled_credential_ends_at_once_with_its_bearer_tokens() {
    let (people, mut crane) = scene();
    let (id, secret) = people.root.new_credential("alice");
    crane.login(&Login { kind: "access-credential", user: "alice".to_owned(), password: secret.clone() }).ok();
    let bearer = people.house.bearer("alice", &secret, "repository:demo/app:pull");
    assert_eq!(status(&people, &bearer), 200);

    people.root.run(&["credential", "disable", &id]).ok();
    assert_eq!(status(&people, &bearer), 401, "in force before the command returned");
    crane.pull("demo/app:1").refused(&["UNAUTHORIZED"]);

    people.root.run(&["credential", "enable", &id]).ok();
    let bearer = people.house.bearer("alice", &secret, "repository:demo/app:pull");
    assert_eq!(status(&people, &bearer), 200);
    crane.pull("demo/app:1").ok();
}

/// Everything else here is refused at the manifest, since its layers are there already; this one at its first upload.
#[test]
#[ignore = "cargo xtask test --only clients"]
fn a_new_layer_is_refused_by_the_name_of_the_right() {
    let (people, mut crane) = scene();
    let layout = Layout::new(&people.house.folder.path().join("new"));
    let image = layout.image("amd64", &[tar("new", b"nobody has this")]);
    let layout = layout.tagged(image);
    crane.login(&People::bob()).ok();
    crane.push_layout(&layout, "demo/app:2").refused(&["cr:PushRepository on repository/local/demo/app"]);
    crane.push_layout(&layout, "elsewhere/app:2").refused(&["401 Unauthorized"]);
}

/// A document that denies pulling where the condition holds.
fn deny(condition: &Value) -> Value {
    let statement = json!({"Effect": "Deny", "Action": "cr:PullRepository", "Resource": "*", "Condition": condition});
    json!({"Version": "1", "Statement": [statement]})
}

#[test]
#[ignore = "cargo xtask test --only clients"]
fn a_deny_by_address_wins_over_an_allow() {
    let (people, crane) = scene();
    let bearer = people.house.bearer("alice", PASSWORD, "repository:demo/app:pull");
    people.root.grant("alice", "not-from-elsewhere", &deny(&json!({"IpAddress": {"acs:SourceIp": "192.0.2.0/24"}})));
    assert_eq!(status(&people, &bearer), 200, "a deny for another address");
    crane.pull("demo/app:1").ok();

    people.root.grant("alice", "not-from-here", &deny(&json!({"IpAddress": {"acs:SourceIp": ["127.0.0.0/8"]}})));
    let answer = people.house.send(&Ask::get(MANIFEST).with(&http::bearer(&bearer))).expect(401);
    assert!(answer.text().contains("cr:PullRepository"), "{}", answer.text());
    crane.pull("demo/app:1").refused(&["cr:PullRepository"]);
}

#[test]
#[ignore = "cargo xtask test --only clients"]
fn a_deny_by_time_begins_while_a_bearer_token_is_out() {
    let (people, crane) = scene();
    let bearer = people.house.bearer("alice", PASSWORD, "repository:demo/app:pull");
    let date = Program::new("/bin/date", people.house.folder.path());
    let soon = date.run(&["--utc", "--date", "+3 seconds", "+%Y-%m-%dT%H:%M:%SZ"]).ok().out.trim().to_owned();
    people.root.grant("alice", "not-later", &deny(&json!({"DateGreaterThan": {"acs:CurrentTime": soon}})));
    assert_eq!(status(&people, &bearer), 200, "the time has not come");
    wait_until("the time has come", Duration::from_secs(5), || status(&people, &bearer) == 401);
    crane.pull("demo/app:1").refused(&["cr:PullRepository"]);
}

/// Each client prints what the registry says, and does not try again.
#[test]
#[ignore = "cargo xtask test --only clients"]
fn an_immutable_tag_is_refused_in_words_by_docker_skopeo_and_crane() {
    let people = People::new();
    let alice = Login { kind: "permanent-password", user: "alice".to_owned(), password: PASSWORD.to_owned() };
    let (mut docker, mut skopeo, mut crane) = (Docker::new(&people), Skopeo::new(&people), Crane::new(&people));
    let layout = Layout::new(&people.house.folder.path().join("other"));
    let image = layout.image("amd64", &[tar("other", b"another image")]);
    let layout = layout.tagged(image);
    crane.login(&alice).ok();
    crane.push_layout(&layout, "demo/app:v1").ok();
    people.root.json(&["immutable-tag-rule", "create", "demo", "--tags", "v*"]);
    let words = &["tag v1 is immutable here (v*): push under another tag"];
    for client in [&mut docker as &mut dyn Client, &mut skopeo, &mut crane] {
        client.login(&alice).ok();
        client.push("demo/app:v1").refused(words);
        client.push("demo/app:latest").ok();
    }
    crane.push_layout(&layout, "demo/app:v1").ok();
    // Without a tag it is `latest`, which is a tag like any other.
    crane.push_layout(&layout, "demo/app:latest").ok();
    people.root.json(&["immutable-tag-rule", "create", "demo", "--tags", "**"]);
    docker.push("demo/app").refused(&["tag latest is immutable here (**): push under another tag"]);
    skopeo.push("demo/app").refused(&["tag latest is immutable here (**): push under another tag"]);
    let statement = json!({"Effect": "Allow", "Action": "cr:DeleteRepositoryTag", "Resource": "*"});
    people.root.grant("alice", "deletes", &json!({"Version": "1", "Statement": [statement]}));
    crane.run("delete", &[&people.at("demo/app:v1")]).refused(words);
    people.root.json(&["repository", "lock", "demo/app", "write", "read"]);
    for client in [&mut docker as &mut dyn Client, &mut skopeo, &mut crane] {
        client.pull("demo/app:v1").refused(&["locked against reading"]);
        client.push("demo/app:latest").refused(&[]);
    }
}
