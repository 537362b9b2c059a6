//! Revocation is monotone: whatever is taken away, in whatever order, what somebody could not do before they cannot do after. Nothing
//! that is disabled, detached, deleted, narrowed or left to its end lets anybody back in.

use std::collections::BTreeSet;

use http::Method;
use model::Seconds;
use proptest::sample::select;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};
use testkit::{Client, House, house};

const REPOSITORIES: [&str; 2] = ["demo/app", "prod/app"];

/// A way to take something away.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Step {
    DisableUser,
    DeleteUser,
    DisableCredential,
    DeleteCredential,
    DisableKey,
    DeleteKey,
    DisableSecret,
    DeleteSecret,
    DisableServiceAccount,
    DeleteServiceAccount,
    DisableRole,
    EndSessions,
    DeleteRole,
    LeaveGroup,
    DeleteGroup,
    DetachFromUser,
    DetachFromGroup,
    DetachFromRole,
    DetachFromServiceAccount,
    NarrowPolicy,
    Deny,
    DeletePlacePolicy,
    Guard,
    TakeTrust,
    Rotate,
    Wait(i64),
}

const STEPS: [Step; 28] = [
    Step::DisableUser,
    Step::DeleteUser,
    Step::DisableCredential,
    Step::DeleteCredential,
    Step::DisableKey,
    Step::DeleteKey,
    Step::DisableSecret,
    Step::DeleteSecret,
    Step::DisableServiceAccount,
    Step::DeleteServiceAccount,
    Step::DisableRole,
    Step::EndSessions,
    Step::DeleteRole,
    Step::LeaveGroup,
    Step::DeleteGroup,
    Step::DetachFromUser,
    Step::DetachFromGroup,
    Step::DetachFromRole,
    Step::DetachFromServiceAccount,
    Step::NarrowPolicy,
    Step::Deny,
    Step::DeletePlacePolicy,
    Step::Guard,
    Step::TakeTrust,
    Step::Rotate,
    Step::Wait(1),
    Step::Wait(400),
    Step::Wait(4000),
];

/// A house with one of everything that opens something.
struct World<'h> {
    house: &'h House,
    /// Each carrier with a name.
    carriers: Vec<(&'static str, Client<'h>)>,
    credential: String,
    key: String,
    secret: String,
}

fn document(effect: &str, actions: &[&str], tail: &str) -> String {
    let resource = if tail == "*" { "*".to_owned() } else { format!("acs:cr:*:*:repository/local/{tail}") };
    json!({"Version": "1", "Statement": [{"Effect": effect, "Action": actions, "Resource": resource}]}).to_string()
}

async fn put(root: &Client<'_>, path: &str) {
    root.put(path, &json!({})).await.expect(204);
}

async fn furnish(house: &House) {
    let root = house.root_manager().await;
    for name in REPOSITORIES {
        house.root().push_image(name, "v1").await;
    }
    let write = ["cr:PullRepository", "cr:PushRepository"];
    let policies = [
        ("own", document("Allow", &write, "demo/*")),
        ("group", document("Allow", &["cr:PullRepository"], "prod/*")),
        ("role", document("Allow", &["cr:*"], "*")),
        ("barred", document("Deny", &["cr:PushRepository"], "*")),
        ("floor", document("Allow", &["cr:PullRepository"], "demo/*")),
    ];
    for (name, document) in policies {
        root.post("/api/v1/policies", &json!({"name": name, "document": document})).await.expect(201);
    }
    root.post("/api/v1/groups", &json!({"name": "ops"})).await.expect(201);
    put(&root, "/api/v1/groups/ops/users/alice").await;
    let account = &house.bootstrap.account;
    let principal = |who: &str| json!({"RAM": format!("acs:ram::{account}:{who}")});
    let trust =
        json!({"Version": "1", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": principal("user/alice")}]});
    root.post("/api/v1/roles", &json!({"name": "deploy", "trust_policy": trust.to_string()})).await.expect(201);
    let place =
        json!({"Version": "1", "Statement": [{"Effect": "Allow", "Action": "cr:PushRepository", "Principal": principal("user/alice")}]});
    root.put("/api/v1/instances/local/namespace-policies/prod", &json!({"document": place.to_string()})).await.expect(200);
    let attached = [
        "users/alice/policies/own",
        "users/alice/policies/AliyunSTSAssumeRoleAccess",
        "groups/ops/policies/group",
        "roles/deploy/policies/role",
    ];
    for path in attached {
        put(&root, &format!("/api/v1/{path}")).await;
    }
}

const SCOPES: &str = "repository:demo/app:pull,push repository:prod/app:pull,push";

impl<'h> World<'h> {
    async fn new(house: &'h House) -> Self {
        furnish(house).await;
        let root = house.root_manager().await;
        let credential = root.post("/api/v1/credentials", &json!({"user": "alice", "description": "x"})).await.expect(201);
        let key = root.post("/api/v1/access-keys", &json!({"user": "alice"})).await.expect(201);
        let account = json!({"name": "ci", "policies": ["AcrPush"]});
        let secret = root.post("/api/v1/service-accounts", &account).await.expect(201);
        let by_credential = house.login("alice", &credential.text("secret"));
        let by_secret = house.login("ci", &secret.text("secret"));
        let alice = house.manager(&key.text("access_key_id"), &key.text("access_key_secret")).await;
        let session = alice.post("/api/v1/roles/deploy/sessions", &json!({"session_name": "s1"})).await.expect(201);
        let form = format!("grant_type=client_credentials&security_token={}", session.text("security_token"));
        let session = house.login(&session.text("access_key_id"), &session.text("access_key_secret"));
        let session = house.bearer(&session.form("/api/v1/oauth2/token", &form).await.expect(200).text("access_token"));
        let token = session.post("/api/v1/login-tokens", &json!({"expires_in": 3600})).await.expect(201);
        let by_session = house.login("cr_temp_user", &token.text("password"));
        let carriers = vec![
            ("password", house.user("alice")),
            ("bearer of a password", house.user("alice").token(SCOPES).await),
            ("bearer of a credential", by_credential.token(SCOPES).await),
            ("bearer of a secret", by_secret.token(SCOPES).await),
            ("bearer of a session", by_session.token(SCOPES).await),
            ("credential", by_credential),
            ("secret", by_secret),
            ("session", session),
            ("login token of a session", by_session),
            ("access key", alice),
        ];
        let (credential, key, secret) = (credential.text("credential_id"), key.text("access_key_id"), secret.text("credential_id"));
        Self { house, carriers, credential, key, secret }
    }

    /// Everything that works now, by carrier.
    async fn works(&self) -> BTreeSet<(&'static str, String)> {
        let mut works = BTreeSet::new();
        for (carrier, client) in &self.carriers {
            for name in REPOSITORIES {
                let (pull, push) = (format!("/v2/{name}/manifests/v1"), format!("/v2/{name}/blobs/uploads/"));
                for (method, target) in [(Method::GET, pull), (Method::POST, push)] {
                    if client.send(method.clone(), &target, &[], "").await.status.is_success() {
                        works.insert((*carrier, format!("{method} {target}")));
                    }
                }
            }
            for target in ["/v2/", "/api/v1/whoami"] {
                if client.get(target).await.status.is_success() {
                    works.insert((*carrier, target.to_owned()));
                }
            }
        }
        works
    }

    /// What the step sends; what is gone already answers so.
    fn request(&self, step: Step) -> (Method, String, Value) {
        let Self { credential, key, secret, .. } = self;
        let off = || json!({"enabled": false});
        let delete = |path: String| (Method::DELETE, path, Value::Null);
        match step {
            Step::DisableUser => (Method::PATCH, "users/alice".into(), off()),
            Step::DeleteUser => delete("users/alice".into()),
            Step::DisableCredential => (Method::PATCH, format!("credentials/{credential}"), off()),
            Step::DeleteCredential => delete(format!("credentials/{credential}")),
            Step::DisableKey => (Method::PATCH, format!("access-keys/{key}"), off()),
            Step::DeleteKey => delete(format!("access-keys/{key}")),
            Step::DisableSecret => (Method::PATCH, format!("service-accounts/ci/secrets/{secret}"), off()),
            Step::DeleteSecret => delete(format!("service-accounts/ci/secrets/{secret}")),
            Step::DisableServiceAccount => (Method::PATCH, "service-accounts/ci".into(), off()),
            Step::DeleteServiceAccount => delete("service-accounts/ci".into()),
            Step::DisableRole => (Method::PATCH, "roles/deploy".into(), off()),
            Step::EndSessions => delete("roles/deploy/sessions".into()),
            Step::DeleteRole => delete("roles/deploy".into()),
            Step::LeaveGroup => delete("groups/ops/users/alice".into()),
            Step::DeleteGroup => delete("groups/ops".into()),
            Step::DetachFromUser => delete("users/alice/policies/own".into()),
            Step::DetachFromGroup => delete("groups/ops/policies/group".into()),
            Step::DetachFromRole => delete("roles/deploy/policies/role".into()),
            Step::DetachFromServiceAccount => delete("service-accounts/ci/policies/AcrPush".into()),
            Step::NarrowPolicy => {
                (Method::POST, "policies/role/versions".into(), json!({"document": document("Allow", &["cr:PullRepository"], "demo/*")}))
            }
            Step::Deny => (Method::PUT, "users/alice/policies/barred".into(), json!({})),
            Step::DeletePlacePolicy => delete("instances/local/namespace-policies/prod".into()),
            Step::Guard => (Method::PUT, "guard-policies/floor".into(), json!({})),
            Step::TakeTrust => (Method::PATCH, "roles/deploy".into(), json!({"trust_policy": self.nobodys_trust()})),
            Step::Rotate => (Method::POST, format!("credentials/{credential}/rotations"), json!({"overlap": 0})),
            Step::Wait(_) => (Method::GET, "whoami".into(), Value::Null),
        }
    }

    fn nobodys_trust(&self) -> String {
        let nobody = json!({"RAM": format!("acs:ram::{}:user/nobody", self.house.bootstrap.account)});
        json!({"Version": "1", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": nobody}]}).to_string()
    }

    async fn apply(&self, step: Step) {
        if let Step::Wait(seconds) = step {
            self.house.advance(Seconds(seconds)).await;
            return;
        }
        let root = self.house.root_manager().await;
        let (method, path, body) = self.request(step);
        let reply = root.send(method, &format!("/api/v1/{path}"), &[("content-type", "application/json")], body.to_string()).await;
        let status = reply.status.as_u16();
        // Gone already, rotated already, or too many versions.
        assert!(reply.status.is_success() || matches!(status, 404 | 409) || (step == Step::Rotate && status == 400), "{step:?}: {reply:?}");
    }

    /// What must not work any more once the step is done.
    fn is_ended(step: Step, carrier: &str, deed: &str) -> bool {
        match step {
            Step::DisableUser | Step::DeleteUser => !carrier.contains("secret"),
            Step::DisableCredential | Step::DeleteCredential | Step::Rotate => carrier.contains("credential"),
            Step::DisableKey | Step::DeleteKey => carrier.contains("session") || carrier == "access key",
            Step::DisableSecret | Step::DeleteSecret | Step::DisableServiceAccount | Step::DeleteServiceAccount => {
                carrier.contains("secret")
            }
            Step::DisableRole | Step::EndSessions | Step::DeleteRole => carrier.contains("session"),
            Step::DetachFromRole => carrier.contains("session") && deed.starts_with(['G', 'P']),
            Step::DetachFromServiceAccount => carrier.contains("secret") && deed.starts_with(['G', 'P']),
            Step::Deny => !carrier.contains("secret") && !carrier.contains("session") && deed.starts_with("POST"),
            Step::Guard => deed.starts_with("POST") || deed.contains("prod"),
            Step::Wait(4000) => carrier.contains("session") || carrier.contains("bearer") || carrier == "access key",
            _ => false,
        }
    }
}

async fn run(steps: &[Step]) {
    let house = house().await.with_user("alice").await;
    let world = World::new(&house).await;
    let mut before = world.works().await;
    assert!(before.len() > 40, "{before:?}");
    for step in steps {
        world.apply(*step).await;
        let after = world.works().await;
        let back: Vec<_> = after.difference(&before).collect();
        assert!(back.is_empty(), "{step:?} lets in: {back:?}");
        let left: Vec<_> = after.iter().filter(|(carrier, deed)| World::is_ended(*step, carrier, deed)).collect();
        assert!(left.is_empty(), "{step:?} leaves: {left:?}");
        before = after;
    }
}

#[test]
fn revocation_is_monotone() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let mut runner = TestRunner::new(Config { cases: 12, max_shrink_iters: 40, failure_persistence: None, ..Config::default() });
    let run = runner.run(&proptest::collection::vec(select(&STEPS[..]), 3..10), |steps| {
        runtime.block_on(run(&steps));
        Ok(())
    });
    run.unwrap();
}

/// Each way alone takes what it must.
#[test]
fn every_way_to_take_away_takes_away() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    for step in STEPS {
        runtime.block_on(run(&[step]));
    }
}
