//! Groups, service accounts, roles and their sessions, by the doors.

#[cfg(test)]
mod principals {
    use model::Seconds;
    use serde_json::{Value, json};
    use testkit::{Client, House, Reply, house};

    /// A document that allows these actions on everything.
    fn allow(actions: &[&str]) -> String {
        json!({"Version": "1", "Statement": [{"Effect": "Allow", "Action": actions, "Resource": "*"}]}).to_string()
    }

    /// A document that denies these actions on everything.
    fn deny(actions: &[&str]) -> String {
        json!({"Version": "1", "Statement": [{"Effect": "Deny", "Action": actions, "Resource": "*"}]}).to_string()
    }

    async fn policy(root: &Client<'_>, name: &str, document: &str) {
        root.post("/api/v1/policies", &json!({"name": name, "document": document})).await.expect(201);
    }

    async fn attach(root: &Client<'_>, holder: &str, name: &str) {
        root.put(&format!("/api/v1/{holder}/policies/{name}"), &json!({})).await.expect(204);
    }

    /// A user at the management API, who may do this and nothing else.
    async fn manager<'h>(house: &'h House, user: &str, actions: &[&str]) -> Client<'h> {
        let root = house.root_manager().await;
        let name = format!("of-{user}");
        policy(&root, &name, &allow(actions)).await;
        attach(&root, &format!("users/{user}"), &name).await;
        let key = root.post("/api/v1/access-keys", &json!({"user": user})).await.expect(201);
        house.manager(&key.text("access_key_id"), &key.text("access_key_secret")).await
    }

    #[track_caller]
    fn refused(reply: Reply, naming: &str) {
        let said = reply.expect(403).text_of_error();
        assert!(said.contains(naming), "{said}");
    }

    trait Said {
        fn text_of_error(&self) -> String;
    }

    impl Said for Reply {
        fn text_of_error(&self) -> String {
            self.json()["error"]["message"].as_str().unwrap_or_default().to_owned()
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn who_is_in_a_group_has_what_it_has_and_loses_it_at_once() {
        let house = house().await.with_user("alice").await;
        let root = house.root_manager().await;
        house.root().push_image("demo/app", "v1").await;
        root.post("/api/v1/groups", &json!({"name": "readers", "description": "who reads"})).await.expect(201);
        attach(&root, "groups/readers", "AcrPull").await;
        house.user("alice").get("/v2/demo/app/manifests/v1").await.expect(403);

        root.put("/api/v1/groups/readers/users/alice", &json!({})).await.expect(204);
        house.user("alice").get("/v2/demo/app/manifests/v1").await.expect(200);
        let running = house.user("alice").token("repository:demo/app:pull").await;
        running.get("/v2/demo/app/manifests/v1").await.expect(200);
        assert_eq!(root.get("/api/v1/groups/readers/users").await.expect(200).json()[0]["name"], json!("alice"));
        assert_eq!(root.get("/api/v1/users/alice/groups").await.expect(200).json()[0]["name"], json!("readers"));

        root.delete("/api/v1/groups/readers/users/alice").await.expect(204);
        running.get("/v2/demo/app/manifests/v1").await.expect(401);
        root.put("/api/v1/groups/readers/users/alice", &json!({})).await.expect(204);
        running.get("/v2/demo/app/manifests/v1").await.expect(200);
        root.delete("/api/v1/groups/readers/policies/AcrPull").await.expect(204);
        running.get("/v2/demo/app/manifests/v1").await.expect(401);
        attach(&root, "groups/readers", "AcrPull").await;
        root.delete("/api/v1/groups/readers").await.expect(204);
        running.get("/v2/demo/app/manifests/v1").await.expect(401);
        root.get("/api/v1/groups/readers").await.expect(404);
        root.get("/api/v1/users/alice").await.expect(200);
    }

    /// A service account that may pull `demo/*`.
    async fn puller(root: &Client<'_>) -> Reply {
        let new = json!({"name": "ci", "description": "builds", "policies": ["AcrPull"], "repositories": ["demo/*"]});
        root.post("/api/v1/service-accounts", &new).await.expect(201)
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_service_account_logs_in_by_all_its_names_and_has_its_namespace_alone() {
        let house = house().await;
        let root = house.root_manager().await;
        for name in ["demo/app", "prod/app"] {
            house.root().push_image(name, "v1").await;
        }
        let made = puller(&root).await;
        let (client_id, id, secret) = (made.text("client_id"), made.text("user_id"), made.text("secret"));
        assert!(secret.starts_with("tgs_") && made.text("username") == client_id);
        for name in [&client_id, &client_id.to_uppercase(), "ci", "tcr$ci", "tcr@ci", &id] {
            house.login(name, &secret).get("/v2/demo/app/manifests/v1").await.expect(200);
        }
        for name in ["root", "cr_temp_user", "tcr$other", "CI"] {
            house.login(name, &secret).get("/v2/").await.expect(401);
        }
        let ci = house.login("ci", &secret);
        ci.get("/v2/prod/app/manifests/v1").await.expect(403);
        ci.post("/v2/demo/app/blobs/uploads/", &json!({})).await.expect(403);
        let catalog = ci.token("registry:catalog:*").await.get("/v2/_catalog").await.expect(200).json();
        assert_eq!(catalog["repositories"], json!(["demo/app"]));
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn several_secrets_live_side_by_side_and_each_ends_alone() {
        let house = house().await;
        let root = house.root_manager().await;
        let first = puller(&root).await;
        let second =
            root.post("/api/v1/service-accounts/ci/secrets", &json!({"description": "next", "expires_in": 3600})).await.expect(201);
        for _ in 0..3 {
            root.post("/api/v1/service-accounts/ci/secrets", &json!({"description": "more"})).await.expect(201);
        }
        root.post("/api/v1/service-accounts/ci/secrets", &json!({"description": "too many"})).await.expect(409);
        let listed = root.get("/api/v1/service-accounts/ci/secrets").await.expect(200);
        assert!(listed.json().as_array().unwrap().len() == 5 && !String::from_utf8_lossy(&listed.body).contains("tgs_"));

        // Beside those of people, for whoever looks after credentials.
        let held = root.get("/api/v1/credentials?service_account=ci").await.expect(200).json();
        assert_eq!((held.as_array().unwrap().len(), &held[0]["kind"], &held[0]["user"]), (5, &json!("client_secret"), &json!("ci")));
        root.get("/api/v1/credentials?service_account=nobody").await.expect(404);
        root.get("/api/v1/credentials?service_account=ci&user=root").await.expect(400);

        let (old, new) = (house.login("ci", &first.text("secret")), house.login("ci", &second.text("secret")));
        let running = old.token("repository:demo/app:pull").await;
        root.patch(&format!("/api/v1/service-accounts/ci/secrets/{}", first.text("credential_id")), &json!({"enabled": false}))
            .await
            .expect(200);
        old.get("/v2/").await.expect(401);
        running.get("/v2/demo/app/tags/list").await.expect(401);
        new.get("/v2/").await.expect(200);
        house.advance(Seconds::hours(1)).await;
        new.get("/v2/").await.expect(401);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_service_account_ends_as_a_whole_by_time_and_by_hand() {
        let house = house().await;
        let root = house.root_manager().await;
        let secret = puller(&root).await.text("secret");
        let ci = house.login("ci", &secret);
        root.patch("/api/v1/service-accounts/ci", &json!({"enabled": false})).await.expect(200);
        ci.get("/v2/").await.expect(401);
        root.patch("/api/v1/service-accounts/ci", &json!({"enabled": true, "expires_in": 60})).await.expect(200);
        ci.get("/v2/").await.expect(200);
        house.advance(Seconds::minutes(1)).await;
        ci.get("/v2/").await.expect(401);
        let root = house.root_manager().await;
        root.patch("/api/v1/service-accounts/ci", &json!({"expires_in": 0})).await.expect(200);
        ci.get("/v2/").await.expect(200);
        root.delete("/api/v1/service-accounts/ci").await.expect(204);
        ci.get("/v2/").await.expect(401);
        let left = root.get("/api/v1/policies?limit=1000").await.expect(200);
        assert!(!String::from_utf8_lossy(&left.body).contains("service-account-"), "the policy made for it goes with it");
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_service_account_is_no_user_and_manages_itself_by_its_secret() {
        let house = house().await;
        let root = house.root_manager().await;
        let made = puller(&root).await;
        root.get("/api/v1/users/ci").await.expect(404);
        root.delete("/api/v1/users/ci").await.expect(404);
        root.put("/api/v1/users/ci/password", &json!({"kind": "permanent", "password": "right-Password-1"})).await.expect(404);
        root.post("/api/v1/users", &json!({"name": "ci"})).await.expect(409);
        let ci = house.manager(&made.text("client_id"), &made.text("secret")).await;
        let who = ci.get("/api/v1/whoami").await.expect(200).json();
        assert_eq!(
            (&who["name"], &who["kind"], &who["credential_kind"]),
            (&json!("ci"), &json!("service_account"), &json!("client_secret"))
        );
        ci.get("/api/v1/service-accounts/ci/secrets").await.expect(200);
        ci.post("/api/v1/service-accounts/ci/secrets", &json!({"description": "own"})).await.expect(404);
        ci.post("/api/v1/login-tokens", &json!({})).await.expect(403);
    }

    fn trusting(house: &House, who: &str, condition: &Value) -> String {
        let account = house.bootstrap.account;
        let mut statement =
            json!({"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"RAM": [format!("acs:ram::{account}:{who}")]}});
        if !condition.is_null() {
            statement["Condition"] = condition.clone();
        }
        json!({"Version": "1", "Statement": [statement]}).to_string()
    }

    /// A role `deploy` that trusts the user alice and may do everything with repositories.
    async fn deploy(house: &House, condition: Value) {
        let root = house.root_manager().await;
        let trust = trusting(house, "user/alice", &condition);
        root.post("/api/v1/roles", &json!({"name": "deploy", "trust_policy": trust, "max_session": 7200})).await.expect(201);
        attach(&root, "roles/deploy", "AcrPush").await;
    }

    /// The management client of a session.
    async fn assumed<'h>(house: &'h House, session: &Reply) -> Client<'h> {
        let form = format!("grant_type=client_credentials&security_token={}", session.text("security_token"));
        let key = house.login(&session.text("access_key_id"), &session.text("access_key_secret"));
        house.bearer(&key.form("/api/v1/oauth2/token", &form).await.expect(200).text("access_token"))
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_session_has_what_its_role_has_within_its_own_policy_and_ends_in_time() {
        let house = house().await.with_user("alice").await;
        house.root().push_image("demo/app", "v1").await;
        house.root().push_image("prod/app", "v1").await;
        deploy(&house, Value::Null).await;
        let alice = manager(&house, "alice", &["sts:AssumeRole"]).await;
        let bound = json!({"Version": "1", "Statement": [{"Effect": "Allow", "Action": ["cr:PullRepository", "cr:GetAuthorizationToken"],
            "Resource": ["acs:cr:*:*:repository/local/demo/*", "acs:cr:*:*:*"]}, {"Effect": "Deny", "Action": "*", "Resource": "acs:cr:*:*:repository/*/prod/*"}]});
        let wanted = json!({"session_name": "build-7", "duration": 900, "policy": bound.to_string(), "source_identity": "pipeline"});
        let session = alice.post("/api/v1/roles/deploy/sessions", &wanted).await.expect(201);
        assert!(session.text("access_key_id").starts_with("STS.") && session.text("security_token").starts_with("tgt_"));
        let who = assumed(&house, &session).await;
        let said = who.get("/api/v1/whoami").await.expect(200).json();
        assert_eq!((&said["kind"], &said["name"]), (&json!("role"), &json!("deploy/build-7")));

        let token = who.post("/api/v1/login-tokens", &json!({"expires_in": 3600})).await.expect(201);
        let docker = house.login("cr_temp_user", &token.text("password"));
        docker.get("/v2/demo/app/manifests/v1").await.expect(200);
        docker.get("/v2/prod/app/manifests/v1").await.expect(403);
        docker.post("/v2/demo/app/blobs/uploads/", &json!({})).await.expect(403);
        let catalog = docker.token("registry:catalog:*").await.get("/v2/_catalog").await.expect(200).json();
        assert_eq!(catalog["repositories"], json!(["demo/app"]));
        let running = docker.token("repository:demo/app:pull").await;
        running.get("/v2/demo/app/manifests/v1").await.expect(200);
        house.advance(Seconds::minutes(15)).await;
        docker.get("/v2/demo/app/manifests/v1").await.expect(401);
        running.get("/v2/demo/app/manifests/v1").await.expect(401);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_role_is_assumed_by_whom_it_trusts_and_may_and_by_nobody_else() {
        let house = house().await.with_user("alice").await.with_user("bob").await;
        deploy(&house, json!({"StringEquals": {"sts:ExternalId": "ticket-1"}})).await;
        let wanted = json!({"session_name": "s1", "external_id": "ticket-1"});
        let root = house.root_manager().await;
        root.post("/api/v1/roles/deploy/sessions", &wanted).await.expect(400);
        let alice = manager(&house, "alice", &["sts:AssumeRole"]).await;
        let bob = manager(&house, "bob", &["sts:AssumeRole"]).await;
        refused(bob.post("/api/v1/roles/deploy/sessions", &wanted).await, "sts:AssumeRole");
        refused(alice.post("/api/v1/roles/nobody/sessions", &wanted).await, "sts:AssumeRole");
        refused(alice.post("/api/v1/roles/deploy/sessions", &json!({"session_name": "s1"})).await, "sts:AssumeRole");
        alice.post("/api/v1/roles/deploy/sessions", &wanted).await.expect(201);
        for bad in [
            json!({"session_name": "s", "external_id": "ticket-1"}),
            json!({"session_name": "s1", "external_id": "ticket-1", "duration": 899}),
            json!({"session_name": "s1", "external_id": "ticket-1", "duration": 7201}),
            json!({"session_name": "s1", "external_id": "ticket-1", "policy": "{}"}),
            json!({"session_name": "s1", "external_id": "ticket-1", "source_identity": "a b"}),
        ] {
            alice.post("/api/v1/roles/deploy/sessions", &bad).await.expect(400);
        }
        root.delete("/api/v1/users/alice/policies/of-alice").await.expect(204);
        refused(alice.post("/api/v1/roles/deploy/sessions", &wanted).await, "sts:AssumeRole");
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_session_ends_with_what_assumed_it_with_its_role_and_by_hand() {
        let house = house().await.with_user("alice").await;
        deploy(&house, Value::Null).await;
        let root = house.root_manager().await;
        let alice = manager(&house, "alice", &["sts:AssumeRole"]).await;
        let assume = async || alice.post("/api/v1/roles/deploy/sessions", &json!({"session_name": "s1"})).await.expect(201);
        let whoami = "/api/v1/whoami";

        let session = assumed(&house, &assume().await).await;
        session.get(whoami).await.expect(200);
        let held = root.get("/api/v1/credentials?role=deploy").await.expect(200).json();
        assert_eq!((held.as_array().unwrap().len(), &held[0]["kind"]), (1, &json!("session")));
        root.patch("/api/v1/roles/deploy", &json!({"enabled": false})).await.expect(200);
        session.get(whoami).await.expect(401);
        root.patch("/api/v1/roles/deploy", &json!({"enabled": true})).await.expect(200);
        session.get(whoami).await.expect(200);
        assert_eq!(root.delete("/api/v1/roles/deploy/sessions").await.expect(200).json(), json!({"ended": 1}));
        session.get(whoami).await.expect(401);

        let session = assumed(&house, &assume().await).await;
        let key = root.get("/api/v1/access-keys?user=alice").await.expect(200).json()[0]["access_key_id"].as_str().unwrap().to_owned();
        root.patch(&format!("/api/v1/access-keys/{key}"), &json!({"enabled": false})).await.expect(200);
        session.get(whoami).await.expect(401);
        root.patch(&format!("/api/v1/access-keys/{key}"), &json!({"enabled": true})).await.expect(200);
        session.get(whoami).await.expect(200);
        root.patch("/api/v1/users/alice", &json!({"enabled": false})).await.expect(200);
        session.get(whoami).await.expect(401);
        root.patch("/api/v1/users/alice", &json!({"enabled": true})).await.expect(200);
        root.delete("/api/v1/roles/deploy").await.expect(204);
        session.get(whoami).await.expect(401);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_sessions_key_is_nothing_without_its_token_and_a_role_has_no_password() {
        let house = house().await.with_user("alice").await;
        deploy(&house, Value::Null).await;
        let root = house.root_manager().await;
        let alice = manager(&house, "alice", &["sts:AssumeRole"]).await;
        let one = alice.post("/api/v1/roles/deploy/sessions", &json!({"session_name": "s1"})).await.expect(201);
        let two = alice.post("/api/v1/roles/deploy/sessions", &json!({"session_name": "s2"})).await.expect(201);
        let key = house.login(&one.text("access_key_id"), &one.text("access_key_secret"));
        key.form("/api/v1/oauth2/token", "grant_type=client_credentials").await.expect(401);
        let other = format!("grant_type=client_credentials&security_token={}", two.text("security_token"));
        key.form("/api/v1/oauth2/token", &other).await.expect(401);
        key.get("/v2/").await.expect(401);
        house.login("deploy", &one.text("security_token")).get("/v2/").await.expect(401);
        let password = json!({"kind": "permanent", "password": "right-Password-1"});
        root.put("/api/v1/users/deploy/password", &password).await.expect(404);
        let role = root.get("/api/v1/roles/deploy").await.expect(200).text("role_id");
        root.put(&format!("/api/v1/users/{role}/password"), &password).await.expect(404);
        root.post("/api/v1/access-keys", &json!({"user": role})).await.expect(404);
        root.post("/api/v1/credentials", &json!({"user": role, "description": "no"})).await.expect(404);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_chain_of_roles_is_short_and_no_longer_than_its_first_link() {
        let house = house().await.with_user("alice").await;
        let root = house.root_manager().await;
        let names = ["a0", "a1", "a2", "a3"];
        for (index, name) in names.iter().enumerate() {
            let who = if index == 0 { "user/alice".to_owned() } else { format!("role/{}", names[index - 1]) };
            root.post("/api/v1/roles", &json!({"name": name, "trust_policy": trusting(&house, &who, &Value::Null)})).await.expect(201);
            policy(&root, &format!("assume-{name}"), &allow(&["sts:AssumeRole"])).await;
            attach(&root, &format!("roles/{name}"), &format!("assume-{name}")).await;
        }
        let mut at = manager(&house, "alice", &["sts:AssumeRole"]).await;
        let mut ends = Vec::new();
        for (index, name) in names[..3].iter().enumerate() {
            let wanted = json!({"session_name": "s1", "duration": if index == 0 { 900 } else { 3600 }});
            let session = at.post(&format!("/api/v1/roles/{name}/sessions"), &wanted).await.expect(201);
            ends.push(session.text("expires_at"));
            at = assumed(&house, &session).await;
        }
        assert!(ends.iter().all(|end| *end == ends[0]), "{ends:?}");
        at.post("/api/v1/roles/a3/sessions", &json!({"session_name": "s1"})).await.expect(400);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_cold_grant_costs_at_most_three_reads() {
        let house = house().await.with_user("alice").await;
        let root = house.root_manager().await;
        root.post("/api/v1/groups", &json!({"name": "readers"})).await.expect(201);
        for number in 0..5 {
            let name = format!("p{number}");
            policy(&root, &name, &allow(&["cr:PullRepository"])).await;
            attach(&root, if number % 2 == 0 { "users/alice" } else { "groups/readers" }, &name).await;
        }
        root.put("/api/v1/groups/readers/users/alice", &json!({})).await.expect(204);
        let made = root.post("/api/v1/credentials", &json!({"user": "alice", "description": "x"})).await.expect(201);
        house.anon().get("/v2/").await.expect(401);
        let before = house.store.reads();
        house.login("alice", &made.text("secret")).token("repository:demo/app:pull").await;
        assert!(house.store.reads() - before <= 3, "{}", house.store.reads() - before);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn whoever_grants_gives_at_most_what_they_hold() {
        let house = house().await.with_user("alice").await.with_user("bob").await.with_user("admin").await;
        let root = house.root_manager().await;
        attach(&root, "users/admin", "AdministratorAccess").await;
        policy(
            &root,
            "pull-demo",
            &json!({"Version": "1", "Statement": [{"Effect": "Allow", "Action": ["cr:PullRepository", "cr:GetRepository", "cr:ListRepositoryTag"],
            "Resource": "acs:cr:*:*:repository/local/demo/*"}]})
            .to_string(),
        )
        .await;
        attach(&root, "users/bob", "pull-demo").await;
        let bob = manager(
            &house,
            "bob",
            &["ram:*", "cr:*ServiceAccount*", "cr:*ClientSecret*", "cr:CreateAccessCredential", "cr:ResetLoginPassword"],
        )
        .await;

        // Inside what he holds: done. Beyond it: refused, whatever the way.
        bob.put("/api/v1/users/alice/policies/pull-demo", &json!({})).await.expect(204);
        let narrow = json!({"name": "ci", "repositories": ["demo/*"]});
        bob.post("/api/v1/service-accounts", &narrow).await.expect(201);
        for (wide, naming) in [
            (json!({"name": "x1", "repositories": ["prod/*"]}), "cr:PullRepository"),
            (json!({"name": "x2", "repositories": ["demo/*"], "policies": ["AcrPush"]}), "cr:PushRepository"),
            (json!({"name": "x3", "policies": ["AcrPull"]}), ""),
        ] {
            refused(bob.post("/api/v1/service-accounts", &wide).await, naming);
        }
        house.access.audit().flush().await.unwrap();
        let trail = root.get("/api/v1/audit-events?user=bob&outcome=denied").await.expect(200);
        assert!(String::from_utf8_lossy(&trail.body).contains("to somebody else"), "{trail:?}");
        for holder in ["users/alice", "users/bob", "service-accounts/ci"] {
            refused(bob.put(&format!("/api/v1/{holder}/policies/AdministratorAccess"), &json!({})).await, "this would give");
        }
        for (path, body) in
            [("/api/v1/access-keys", json!({"user": "admin"})), ("/api/v1/credentials", json!({"user": "admin", "description": "mine"}))]
        {
            refused(bob.post(path, &body).await, "this would give");
        }
        for kind in ["permanent", "sign_in"] {
            let password = json!({"kind": kind, "password": "right-Password-1"});
            refused(bob.put("/api/v1/users/admin/password", &password).await, "this would give");
        }
        bob.post("/api/v1/groups", &json!({"name": "admins"})).await.expect(201);
        attach(&root, "groups/admins", "AdministratorAccess").await;
        refused(bob.put("/api/v1/groups/admins/users/bob", &json!({})).await, "this would give");
        let trust = trusting(&house, "user/bob", &Value::Null);
        root.post("/api/v1/roles", &json!({"name": "boss", "trust_policy": trusting(&house, "user/admin", &Value::Null)}))
            .await
            .expect(201);
        attach(&root, "roles/boss", "AdministratorAccess").await;
        refused(bob.patch("/api/v1/roles/boss", &json!({"trust_policy": trust})).await, "this would give");
        let wider = json!({"document": allow(&["cr:*"])});
        refused(bob.post("/api/v1/policies/pull-demo/versions", &wider).await, "this would give");
        let kept = json!({"document": allow(&["cr:*"]), "set_as_default": false});
        let version = bob.post("/api/v1/policies/pull-demo/versions", &kept).await.expect(201).json()["version"].clone();
        refused(bob.put("/api/v1/policies/pull-demo/default-version", &json!({"version": version})).await, "this would give");
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn what_is_denied_is_lifted_only_by_who_holds_it() {
        let house = house().await.with_user("bob").await;
        let root = house.root_manager().await;
        let bob = manager(&house, "bob", &["ram:*"]).await;
        policy(&root, "no-push", &deny(&["cr:PushRepository"])).await;
        root.post("/api/v1/groups", &json!({"name": "barred"})).await.expect(201);
        attach(&root, "groups/barred", "no-push").await;
        attach(&root, "users/bob", "no-push").await;
        root.put("/api/v1/groups/barred/users/bob", &json!({})).await.expect(204);
        refused(bob.delete("/api/v1/users/bob/policies/no-push").await, "this would give");
        refused(bob.delete("/api/v1/groups/barred/users/bob").await, "this would give");
        refused(bob.delete("/api/v1/groups/barred").await, "this would give");
        refused(
            bob.post("/api/v1/policies/no-push/versions", &json!({"document": deny(&["cr:DeleteRepository"])})).await,
            "this would give",
        );
        root.delete("/api/v1/users/bob/policies/no-push").await.expect(204);
    }
}
