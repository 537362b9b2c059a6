//! Delegation that cannot escalate, by the doors: whoever can make somebody of themselves holds all that this one can become.

#[cfg(test)]
#[expect(dead_code, reason = "an issuer's keys are enough here")]
mod issuer;

#[cfg(test)]
mod delegation {
    use http::Method;
    use serde_json::{Value, json};
    use testkit::{Client, House, Reply, house};

    use super::issuer::{AUDIENCE, Signer};

    fn document(statements: &[Value]) -> String {
        json!({"Version": "1", "Statement": statements}).to_string()
    }

    fn named(house: &House, who: &[&str]) -> Value {
        let account = &house.bootstrap.account;
        json!({"RAM": who.iter().map(|who| format!("acs:ram::{account}:{who}")).collect::<Vec<_>>()})
    }

    fn lets_in(house: &House, who: &[&str]) -> Value {
        json!({"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": named(house, who)})
    }

    /// A role that trusts these, with a built-in policy.
    async fn role(house: &House, name: &str, trust: &[Value], policy: Option<&str>) {
        let root = house.root_manager().await;
        root.post("/api/v1/roles", &json!({"name": name, "trust_policy": document(trust)})).await.expect(201);
        if let Some(policy) = policy {
            root.put(&format!("/api/v1/roles/{name}/policies/{policy}"), &json!({})).await.expect(204);
        }
    }

    async fn trusts(house: &House, role: &str, trust: &[Value]) {
        let root = house.root_manager().await;
        root.patch(&format!("/api/v1/roles/{role}"), &json!({"trust_policy": document(trust)})).await.expect(200);
    }

    /// A user at the management API who may do all but this, whatever it is done to.
    async fn all_but<'h>(house: &'h House, user: &str, action: &str) -> Client<'h> {
        let root = house.root_manager().await;
        let text = document(&[json!({"Effect": "Allow", "NotAction": action, "Resource": "*"})]);
        root.post("/api/v1/policies", &json!({"name": format!("of-{user}"), "document": text})).await.expect(201);
        root.put(&format!("/api/v1/users/{user}/policies/of-{user}"), &json!({})).await.expect(204);
        let key = root.post("/api/v1/access-keys", &json!({"user": user})).await.expect(201);
        house.manager(&key.text("access_key_id"), &key.text("access_key_secret")).await
    }

    /// Mallory, who may do all but push, and bob, who holds nothing.
    async fn two() -> House {
        house().await.with_user("mallory").await.with_user("bob").await
    }

    #[track_caller]
    fn said(reply: &Reply) -> String {
        reply.json()["error"]["message"].as_str().unwrap_or_default().to_owned()
    }

    #[track_caller]
    fn refused(reply: Reply, by_way_of: &str) {
        let said = said(&reply.expect(403));
        assert!(said.contains("this would give cr:PushRepository") && said.contains(by_way_of), "{said}");
    }

    async fn denials(house: &House) -> usize {
        house.access.audit().flush().await.unwrap();
        let root = house.root_manager().await;
        let events = root.get("/api/v1/audit-events?user=mallory&outcome=denied&limit=1000").await.expect(200).json();
        let events = events.as_array().unwrap();
        events.iter().filter(|event| event["detail"].as_str().is_some_and(|detail| detail.contains("to somebody else"))).count()
    }

    /// Every way to be a user, or to let somebody be one.
    fn ways_to_be_bob(key: &str, credential: &str) -> Vec<(Method, String, Value)> {
        let password = |kind: &str| json!({"kind": kind, "password": "right-Password-1"});
        vec![
            (Method::POST, "/api/v1/access-keys".into(), json!({"user": "bob"})),
            (Method::POST, format!("/api/v1/access-keys/{key}/rotations"), json!({})),
            (Method::PATCH, format!("/api/v1/access-keys/{key}"), json!({"enabled": true})),
            (Method::POST, "/api/v1/credentials".into(), json!({"user": "bob", "description": "mine"})),
            (Method::POST, format!("/api/v1/credentials/{credential}/rotations"), json!({})),
            (Method::PATCH, format!("/api/v1/credentials/{credential}"), json!({"enabled": true})),
            (Method::PUT, "/api/v1/users/bob/password".into(), password("permanent")),
            (Method::PUT, "/api/v1/users/bob/password".into(), password("sign_in")),
            (Method::PATCH, "/api/v1/users/bob".into(), json!({"enabled": true})),
        ]
    }

    async fn send(by: &Client<'_>, (method, path, body): &(Method, String, Value)) -> Reply {
        by.send(method.clone(), path, &[("content-type", "application/json")], body.to_string()).await
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn whoever_can_be_somebody_holds_what_the_roles_hold_that_trust_them() {
        let house = two().await;
        let root = house.root_manager().await;
        let mallory = all_but(&house, "mallory", "cr:PushRepository").await;
        let key = root.post("/api/v1/access-keys", &json!({"user": "bob"})).await.expect(201).text("access_key_id");
        let credential = root.post("/api/v1/credentials", &json!({"user": "bob", "description": "x"})).await.expect(201);
        let ways = ways_to_be_bob(&key, &credential.text("credential_id"));
        role(&house, "deploy", &[lets_in(&house, &["user/alice"])], Some("AcrPush")).await;
        for way in &ways {
            let reply = send(&mallory, way).await;
            assert!(reply.status.is_success() || reply.status == 409, "{way:?}: {reply:?}");
        }
        assert_eq!(denials(&house).await, 0);
        // What stands in the condition is taken as given.
        let mut trust = lets_in(&house, &["user/bob"]);
        trust["Condition"] = json!({"StringEquals": {"sts:ExternalId": "ticket-1"}});
        trusts(&house, "deploy", &[trust]).await;
        for way in &ways {
            let reply = send(&mallory, way).await;
            assert_eq!(reply.status.as_u16(), 403, "{way:?}: {reply:?}");
            refused(reply, "by way of role/deploy");
        }
        assert_eq!(denials(&house).await, ways.len());
        // What takes away asks for no more than before.
        mallory.patch("/api/v1/users/bob", &json!({"enabled": false})).await.expect(200);
        let off = (Method::PATCH, format!("/api/v1/access-keys/{key}"), json!({"enabled": false}));
        assert!(send(&mallory, &off).await.status.is_success());
        // Who holds it all may.
        let admin = house.root_manager().await;
        for way in &ways[2..3] {
            assert!(send(&admin, way).await.status.is_success(), "{way:?}");
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn whoever_can_be_a_service_account_holds_what_the_roles_hold_that_trust_it() {
        let house = two().await;
        let root = house.root_manager().await;
        let mallory = all_but(&house, "mallory", "cr:PushRepository").await;
        let signer = Signer::new();
        let provider = json!({"name": "corp", "issuer": Signer::ISSUER, "jwks": signer.jwks(), "client_ids": ["roles"]});
        root.post("/api/v1/oidc-providers", &provider).await.expect(201);
        let made = root.post("/api/v1/service-accounts", &json!({"name": "ci"})).await.expect(201);
        let secret = format!("/api/v1/service-accounts/ci/secrets/{}", made.text("credential_id"));
        let federated = |name: &str| json!({"name": name, "issuer": Signer::ISSUER, "audience": AUDIENCE, "subject": "repo:a/b:*"});
        let all = "/api/v1/service-accounts/ci/federated-credentials";
        let ways = |name: &str| {
            vec![
                (Method::POST, "/api/v1/service-accounts/ci/secrets".to_owned(), json!({"description": "more"})),
                (Method::POST, format!("{secret}/rotations"), json!({})),
                (Method::PATCH, secret.clone(), json!({"enabled": true})),
                (Method::PATCH, "/api/v1/service-accounts/ci".to_owned(), json!({"enabled": true})),
                (Method::POST, all.to_owned(), federated(name)),
                (Method::PATCH, format!("{all}/one"), json!({"subject": "repo:a/c:*"})),
                (Method::PATCH, "/api/v1/oidc-providers/corp".to_owned(), json!({"jwks": signer.jwks()})),
                (Method::PATCH, "/api/v1/oidc-providers/corp".to_owned(), json!({"enabled": true})),
            ]
        };
        root.post(all, &federated("one")).await.expect(201);
        for way in &ways("two") {
            let reply = send(&mallory, way).await;
            assert!(reply.status.is_success(), "{way:?}: {reply:?}");
        }
        role(&house, "deploy", &[lets_in(&house, &["service-account/ci"])], Some("AcrPush")).await;
        for way in &ways("three") {
            let reply = send(&mallory, way).await;
            assert_eq!(reply.status.as_u16(), 403, "{way:?}: {reply:?}");
            refused(reply, "by way of role/deploy");
        }
        // Its end comes nearer without more, and not the other way.
        mallory.patch("/api/v1/service-accounts/ci", &json!({"expires_in": 3600})).await.expect(200);
        mallory.patch("/api/v1/service-accounts/ci", &json!({"expires_in": 60})).await.expect(200);
        refused(mallory.patch("/api/v1/service-accounts/ci", &json!({"expires_in": 7200})).await, "by way of role/deploy");
        refused(mallory.patch("/api/v1/service-accounts/ci", &json!({"expires_in": 0})).await, "by way of role/deploy");
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn groups_everybody_and_chains_let_one_in_too() {
        let house = two().await;
        let root = house.root_manager().await;
        let mallory = all_but(&house, "mallory", "cr:PushRepository").await;
        let key = async || mallory.post("/api/v1/credentials", &json!({"user": "bob", "description": "x"})).await;
        root.post("/api/v1/groups", &json!({"name": "ops"})).await.expect(201);
        role(&house, "deploy", &[lets_in(&house, &["group/ops"])], Some("AcrPush")).await;
        key().await.expect(201);
        refused(mallory.put("/api/v1/groups/ops/users/bob", &json!({})).await, "by way of role/deploy");
        root.put("/api/v1/groups/ops/users/bob", &json!({})).await.expect(204);
        refused(key().await, "by way of role/deploy");

        // Everybody is mallory too, unless she is kept out.
        trusts(&house, "deploy", &[lets_in(&house, &["root"])]).await;
        key().await.expect(201);
        let keeps_out = |who: &str| json!({"Effect": "Deny", "Action": "sts:*", "Principal": named(&house, &[who])});
        trusts(&house, "deploy", &[lets_in(&house, &["root"]), keeps_out("user/mallory")]).await;
        refused(key().await, "by way of role/deploy");
        trusts(&house, "deploy", &[lets_in(&house, &["root"]), keeps_out("user/bob")]).await;
        key().await.expect(201);

        // By way of another role, that holds nothing itself; and roles that trust each other come to an end.
        trusts(&house, "deploy", &[lets_in(&house, &["role/step", "role/deploy"])]).await;
        role(&house, "step", &[lets_in(&house, &["user/bob", "role/deploy"])], None).await;
        refused(key().await, "by way of role/deploy");
        refused(
            mallory.patch("/api/v1/roles/step", &json!({"trust_policy": document(&[lets_in(&house, &["user/mallory"])])})).await,
            "role/deploy",
        );
        refused(mallory.patch("/api/v1/roles/step", &json!({"enabled": true})).await, "by way of role/deploy");
        trusts(&house, "step", &[lets_in(&house, &["user/nobody"])]).await;
        key().await.expect(201);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn what_roles_have_from_namespaces_by_name_counts_with_them() {
        let house = two().await;
        let root = house.root_manager().await;
        house.root().push_image("demo/app", "v1").await;
        let mallory = all_but(&house, "mallory", "cr:PushRepository").await;
        role(&house, "deploy", &[lets_in(&house, &["user/bob"])], None).await;
        let key = async || mallory.post("/api/v1/credentials", &json!({"user": "bob", "description": "x"})).await;
        key().await.expect(201);
        let place = "/api/v1/instances/local/namespace-policies/demo";
        let says = json!({"Effect": "Allow", "Action": "cr:PushRepository", "Principal": named(&house, &["role/deploy"])});
        root.put(place, &json!({"document": document(&[says])})).await.expect(200);
        refused(key().await, "by way of role/deploy");
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_name_that_is_spoken_of_already_is_taken_by_who_holds_what_it_gives() {
        let house = two().await;
        let root = house.root_manager().await;
        house.root().push_image("demo/app", "v1").await;
        let mallory = all_but(&house, "mallory", "cr:PushRepository").await;
        role(&house, "deploy", &[lets_in(&house, &["role/step", "service-account/old"])], Some("AcrPush")).await;
        let place = "/api/v1/instances/local/namespace-policies/demo";
        let says =
            json!({"Effect": "Allow", "Action": "cr:PushRepository", "Principal": named(&house, &["role/gone", "service-account/gone"])});
        root.put(place, &json!({"document": document(&[says])})).await.expect(200);
        let new_role = |name: &str| json!({"name": name, "trust_policy": document(&[lets_in(&house, &["user/mallory"])])});
        refused(mallory.post("/api/v1/roles", &new_role("step")).await, "by way of role/deploy");
        refused(mallory.post("/api/v1/roles", &new_role("gone")).await, "");
        mallory.post("/api/v1/roles", &new_role("fresh")).await.expect(201);
        refused(mallory.post("/api/v1/service-accounts", &json!({"name": "old"})).await, "by way of role/deploy");
        refused(mallory.post("/api/v1/service-accounts", &json!({"name": "gone"})).await, "");
        mallory.post("/api/v1/service-accounts", &json!({"name": "fresh"})).await.expect(201);
        // A user has no way in until somebody makes one: there it counts.
        trusts(&house, "deploy", &[lets_in(&house, &["user/carol"])]).await;
        mallory.post("/api/v1/users", &json!({"name": "carol"})).await.expect(201);
        refused(mallory.post("/api/v1/access-keys", &json!({"user": "carol"})).await, "by way of role/deploy");
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_role_that_others_assume_is_given_what_its_giver_holds() {
        let house = two().await;
        let mallory = all_but(&house, "mallory", "cr:PushRepository").await;
        role(&house, "deploy", &[lets_in(&house, &["user/bob"])], None).await;
        refused(mallory.put("/api/v1/roles/deploy/policies/AcrPush", &json!({})).await, "");
        mallory.put("/api/v1/roles/deploy/policies/AcrPull", &json!({})).await.expect(204);
        let trust = |who: &str| json!({"trust_policy": document(&[lets_in(&house, &[who])])});
        mallory.patch("/api/v1/roles/deploy", &trust("user/mallory")).await.expect(200);
        house.root_manager().await.put("/api/v1/roles/deploy/policies/AcrPush", &json!({})).await.expect(204);
        refused(mallory.patch("/api/v1/roles/deploy", &trust("user/bob")).await, "");
        mallory.patch("/api/v1/roles/deploy", &json!({"enabled": false})).await.expect(200);
        refused(mallory.patch("/api/v1/roles/deploy", &json!({"enabled": true})).await, "");
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn whom_a_role_keeps_out_as_a_group_leaves_it_by_who_holds_what_the_role_holds() {
        let house = two().await;
        let root = house.root_manager().await;
        let mallory = all_but(&house, "mallory", "cr:PushRepository").await;
        root.post("/api/v1/groups", &json!({"name": "barred"})).await.expect(201);
        root.put("/api/v1/groups/barred/users/bob", &json!({})).await.expect(204);
        let bars = json!({"Effect": "Deny", "Action": "sts:AssumeRole", "Principal": named(&house, &["group/barred"])});
        role(&house, "deploy", &[lets_in(&house, &["root"]), bars], Some("AcrPush")).await;
        refused(mallory.delete("/api/v1/groups/barred/users/bob").await, "by way of role/deploy");
        refused(mallory.delete("/api/v1/groups/barred").await, "by way of role/deploy");
        trusts(&house, "deploy", &[lets_in(&house, &["root"])]).await;
        mallory.delete("/api/v1/groups/barred/users/bob").await.expect(204);
    }

    /// A session that is bounded by its own policy has less than its role, and lets nobody be the role.
    #[tokio::test(flavor = "multi_thread")]
    async fn a_bounded_session_gives_no_more_than_it_holds() {
        let house = two().await;
        let root = house.root_manager().await;
        let mallory = all_but(&house, "mallory", "cr:PushRepository").await;
        role(&house, "deploy", &[lets_in(&house, &["user/mallory"])], Some("AdministratorAccess")).await;
        let bound = document(&[json!({"Effect": "Allow", "Action": ["ram:*", "sts:*"], "Resource": "*"})]);
        let assumed = async |wanted: Value| {
            let session = mallory.post("/api/v1/roles/deploy/sessions", &wanted).await.expect(201);
            let form = format!("grant_type=client_credentials&security_token={}", session.text("security_token"));
            let key = house.login(&session.text("access_key_id"), &session.text("access_key_secret"));
            house.bearer(&key.form("/api/v1/oauth2/token", &form).await.expect(200).text("access_token"))
        };
        let trust = json!({"trust_policy": document(&[lets_in(&house, &["user/bob", "user/mallory"])])});
        let session = assumed(json!({"session_name": "s1", "policy": bound})).await;
        assert!(said(&session.patch("/api/v1/roles/deploy", &trust).await.expect(403)).starts_with("this would give"));
        let whole = assumed(json!({"session_name": "s2"})).await;
        whole.patch("/api/v1/roles/deploy", &trust).await.expect(200);
        drop(root);
    }

    /// A trust policy may spell a provider with escapes: what it means counts, not how it is written.
    #[tokio::test(flavor = "multi_thread")]
    async fn a_provider_is_found_in_trust_policies_however_they_are_spelled() {
        let house = two().await;
        let mallory = all_but(&house, "mallory", "cr:PushRepository").await;
        let account = &house.bootstrap.account;
        let text = format!(
            r#"{{"Version":"1","Statement":[{{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{{"Federated":"acs:ram::{account}:oidc-provider\/c\u006frp"}},"Condition":{{"StringEquals":{{"oidc:sub":"x"}}}}}}]}}"#
        );
        let root = house.root_manager().await;
        root.post("/api/v1/roles", &json!({"name": "deploy", "trust_policy": text})).await.expect(201);
        root.put("/api/v1/roles/deploy/policies/AcrPush", &json!({})).await.expect(204);
        let signer = Signer::new();
        let provider = json!({"name": "corp", "issuer": Signer::ISSUER, "jwks": signer.jwks(), "client_ids": ["roles"]});
        refused(mallory.post("/api/v1/oidc-providers", &provider).await, "");
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn what_exceeds_the_giver_is_in_the_audit_trail_as_denied() {
        let house = two().await;
        let root = house.root_manager().await;
        let mallory = all_but(&house, "mallory", "cr:PushRepository").await;
        let floor = document(&[json!({"Effect": "Allow", "NotAction": "cr:DeleteRepository", "Resource": "*"})]);
        root.post("/api/v1/policies", &json!({"name": "floor", "document": floor})).await.expect(201);
        root.put("/api/v1/guard-policies/floor", &json!({})).await.expect(204);
        let lone = document(&[json!({"Effect": "Allow", "Action": "cr:DeleteRepository", "Resource": "*"})]);
        root.post("/api/v1/policies", &json!({"name": "lone", "document": lone})).await.expect(201);
        // She holds it, and the guards keep it from her: only the loosening is too much.
        mallory.put("/api/v1/guard-policies/lone", &json!({})).await.expect(403);
        assert_eq!(denials(&house).await, 1, "adding a guard");
        mallory.post("/api/v1/policies/floor/versions", &json!({"document": lone})).await.expect(403);
        assert_eq!(denials(&house).await, 2, "changing one");
        root.put("/api/v1/guard-policies/lone", &json!({})).await.expect(204);
        root.delete("/api/v1/guard-policies/lone").await.expect(204);
        mallory.delete("/api/v1/guard-policies/floor").await.expect(403);
        assert_eq!(denials(&house).await, 3, "taking the last one away");
        mallory.put("/api/v1/users/bob/policies/AcrPush", &json!({})).await.expect(403);
        assert_eq!(denials(&house).await, 4, "attaching");
        mallory.patch("/api/v1/instances/local/admin-user", &json!({"enabled": true})).await.expect(403);
        assert_eq!(denials(&house).await, 5, "the admin user");
    }
}
