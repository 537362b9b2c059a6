//! A session never exceeds its parents: the role, its own policy, and what assumed it. Revocation is monotone.

use std::collections::BTreeSet;

use http::Method;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};
use testkit::{Client, House, Reply, house};

const REPOSITORIES: [&str; 2] = ["demo/app", "prod/app"];

/// Statements to put into documents, with what each says: does it allow, whom to push, in which repositories.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Says {
    PullDemo,
    PullAll,
    PushDemo,
    PushAll,
    NoProd,
    NoPush,
}

const ALL: [Says; 6] = [Says::PullDemo, Says::PullAll, Says::PushDemo, Says::PushAll, Says::NoProd, Says::NoPush];

impl Says {
    fn statement(self) -> Value {
        let (pull, push) = (json!("cr:PullRepository"), json!(["cr:PullRepository", "cr:PushRepository"]));
        let (effect, action, repositories) = match self {
            Self::PullDemo => ("Allow", pull, "demo/*"),
            Self::PullAll => ("Allow", pull, "*"),
            Self::PushDemo => ("Allow", push, "demo/*"),
            Self::PushAll => ("Allow", push, "*"),
            Self::NoProd => ("Deny", push, "prod/*"),
            Self::NoPush => ("Deny", json!("cr:PushRepository"), "*"),
        };
        json!({"Effect": effect, "Action": action, "Resource": format!("acs:cr:*:*:repository/*/{repositories}")})
    }

    fn allows(self, push: bool, repository: usize) -> bool {
        match self {
            Self::PullDemo => !push && repository == 0,
            Self::PullAll => !push,
            Self::PushDemo => repository == 0,
            Self::PushAll => true,
            Self::NoProd | Self::NoPush => false,
        }
    }

    fn denies(self, push: bool, repository: usize) -> bool {
        match self {
            Self::NoProd => repository == 1,
            Self::NoPush => push,
            _ => false,
        }
    }
}

fn document(says: &BTreeSet<Says>) -> String {
    let mut statements: Vec<Value> = says.iter().map(|one| one.statement()).collect();
    statements.push(json!({"Effect": "Allow", "Action": "cr:GetAuthorizationToken", "Resource": "*"}));
    json!({"Version": "1", "Statement": statements}).to_string()
}

fn allowed(says: &BTreeSet<Says>, push: bool, repository: usize) -> bool {
    says.iter().any(|one| one.allows(push, repository)) && !says.iter().any(|one| one.denies(push, repository))
}

fn says() -> impl Strategy<Value = BTreeSet<Says>> {
    proptest::collection::btree_set(proptest::sample::select(&ALL[..]), 0..4)
}

async fn signed_in<'h>(house: &'h House, session: &Reply) -> Client<'h> {
    let form = format!("grant_type=client_credentials&security_token={}", session.text("security_token"));
    let key = house.login(&session.text("access_key_id"), &session.text("access_key_secret"));
    house.bearer(&key.form("/api/v1/oauth2/token", &form).await.expect(200).text("access_token"))
}

async fn may(client: &Client<'_>, push: bool, repository: usize) -> bool {
    let name = REPOSITORIES[repository];
    let reply = if push {
        client.send(Method::POST, &format!("/v2/{name}/blobs/uploads/"), &[], "").await
    } else {
        client.get(&format!("/v2/{name}/manifests/v1")).await
    };
    assert!(reply.status.is_success() || reply.status.as_u16() == 403, "{}", reply.status);
    reply.status.is_success()
}

async fn case(house: &House, number: usize, role: &BTreeSet<Says>, session: Option<&BTreeSet<Says>>) {
    let root = house.root_manager().await;
    let name = format!("r{number}");
    let trust = json!({"Version": "1", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole",
        "Principal": {"RAM": [format!("acs:ram::{}:user/alice", house.bootstrap.account)]}}]});
    root.post("/api/v1/roles", &json!({"name": name, "trust_policy": trust.to_string()})).await.expect(201);
    root.post("/api/v1/policies", &json!({"name": name, "document": document(role)})).await.expect(201);
    root.put(&format!("/api/v1/roles/{name}/policies/{name}"), &json!({})).await.expect(204);
    let key = root.post("/api/v1/access-keys", &json!({"user": "alice"})).await.expect(201);
    let alice = house.manager(&key.text("access_key_id"), &key.text("access_key_secret")).await;
    let mut wanted = json!({"session_name": "s1"});
    if let Some(says) = session {
        wanted["policy"] = document(says).into();
    }
    let made = alice.post(&format!("/api/v1/roles/{name}/sessions"), &wanted).await.expect(201);
    let manager = signed_in(house, &made).await;
    let token = manager.post("/api/v1/login-tokens", &json!({})).await.expect(201);
    let docker = house.login("cr_temp_user", &token.text("password"));
    let bearer = docker.token("repository:demo/app:pull,push repository:prod/app:pull,push").await;
    for (repository, name) in REPOSITORIES.iter().enumerate() {
        for push in [false, true] {
            let within = allowed(role, push, repository) && session.is_none_or(|says| allowed(says, push, repository));
            assert_eq!(may(&docker, push, repository).await, within, "push: {push}, {name}");
        }
    }
    ends_with_its_key(house, &root, &key.text("access_key_id"), [&manager, &docker, &bearer]).await;
    root.delete(&format!("/api/v1/roles/{name}/sessions")).await.expect(200);
    root.delete(&format!("/api/v1/roles/{name}")).await.expect(204);
    root.delete(&format!("/api/v1/policies/{name}")).await.expect(204);
}

/// Disabled and enabled with the key that assumed it; ended with it for good.
async fn ends_with_its_key(house: &House, root: &Client<'_>, key: &str, [manager, docker, bearer]: [&Client<'_>; 3]) {
    let path = format!("/api/v1/access-keys/{key}");
    let alive = async |expected: bool| {
        for (client, target) in [(manager, "/api/v1/whoami"), (docker, "/v2/"), (bearer, "/v2/")] {
            assert_eq!(client.get(target).await.status.is_success(), expected, "{target}");
        }
    };
    alive(true).await;
    for enabled in [false, true] {
        root.patch(&path, &json!({ "enabled": enabled })).await.expect(200);
        alive(enabled).await;
    }
    root.delete(&path).await.expect(204);
    alive(false).await;
    // Whatever is enabled or made afterwards, what was ended stays ended.
    root.patch(&path, &json!({"enabled": true})).await.expect(404);
    root.patch("/api/v1/users/alice", &json!({"enabled": true})).await.expect(200);
    house.suspend(&house.first_account(), true).await;
    house.suspend(&house.first_account(), false).await;
    alive(false).await;
}

#[test]
fn a_session_never_exceeds_its_parents_and_ends_with_them() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let house = runtime.block_on(async {
        let house = house().await.with_user("alice").await;
        let assume = json!({"Version": "1", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "*"}]});
        let house = house.with_policy("alice", "assume", &assume.to_string()).await;
        for name in REPOSITORIES {
            house.root().push_image(name, "v1").await;
        }
        house
    });
    let number = std::cell::Cell::new(0);
    let mut runner = TestRunner::new(Config { cases: 24, max_shrink_iters: 60, ..Config::default() });
    let run = runner.run(&(says(), proptest::option::of(says())), |(role, session)| {
        number.set(number.get() + 1);
        runtime.block_on(case(&house, number.get(), &role, session.as_ref()));
        Ok(())
    });
    run.unwrap();
}
