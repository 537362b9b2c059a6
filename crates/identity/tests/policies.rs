//! Who says what: policies of namespaces and repositories, guards, and the questions about them, by the doors.

#[cfg(test)]
mod policies {
    use serde_json::{Value, json};
    use testkit::{Client, House, Reply, house};

    fn document(statements: &[Value]) -> String {
        json!({"Version": "1", "Statement": statements}).to_string()
    }

    /// A statement of a namespace's or repository's policy.
    fn says(house: &House, effect: &str, actions: &[&str], who: &[&str]) -> Value {
        let account = &house.bootstrap.account;
        let who: Vec<_> = who.iter().map(|who| if *who == "*" { "*".to_owned() } else { format!("acs:ram::{account}:{who}") }).collect();
        json!({"Effect": effect, "Action": actions, "Principal": {"RAM": who}})
    }

    fn on(effect: &str, actions: &[&str], tail: &str) -> Value {
        let resource = if tail == "*" { "*".to_owned() } else { format!("acs:cr:*:*:repository/local/{tail}") };
        json!({"Effect": effect, "Action": actions, "Resource": resource})
    }

    async fn policy(root: &Client<'_>, name: &str, statements: &[Value]) {
        root.post("/api/v1/policies", &json!({"name": name, "document": document(statements)})).await.expect(201);
    }

    async fn attach(root: &Client<'_>, holder: &str, name: &str) {
        root.put(&format!("/api/v1/{holder}/policies/{name}"), &json!({})).await.expect(204);
    }

    /// A user at the management API, with a policy of these statements.
    async fn manager<'h>(house: &'h House, user: &str, statements: &[Value]) -> Client<'h> {
        let root = house.root_manager().await;
        let name = format!("of-{user}");
        policy(&root, &name, statements).await;
        attach(&root, &format!("users/{user}"), &name).await;
        let key = root.post("/api/v1/access-keys", &json!({"user": user})).await.expect(201);
        house.manager(&key.text("access_key_id"), &key.text("access_key_secret")).await
    }

    const DEMO: &str = "/api/v1/instances/local/namespace-policies/demo";
    const APP: &str = "/api/v1/instances/local/repository-policies/demo/app";

    async fn set(by: &Client<'_>, place: &str, statements: &[Value]) -> Reply {
        by.put(place, &json!({"document": document(statements)})).await
    }

    async fn pulls(house: &House, user: &str, repository: &str) -> u16 {
        house.user(user).get(&format!("/v2/{repository}/manifests/v1")).await.status.as_u16()
    }

    async fn catalog(house: &House, user: &str) -> Value {
        house.user(user).token("registry:catalog:*").await.get("/v2/_catalog").await.expect(200).json()["repositories"].clone()
    }

    fn message(reply: &Reply) -> String {
        reply.json()["error"]["message"].as_str().unwrap_or_default().to_owned()
    }

    /// A house with images in three namespaces.
    async fn registry() -> House {
        let house = house().await.with_user("alice").await.with_user("bob").await;
        for name in ["demo/app", "demo/web", "prod/app"] {
            house.root().push_image(name, "v1").await;
        }
        house
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_namespace_lets_others_in_and_out_at_once() {
        let house = registry().await;
        let root = house.root_manager().await;
        assert_eq!((pulls(&house, "bob", "demo/app").await, catalog(&house, "bob").await), (403, json!([])));
        root.get(DEMO).await.expect(404);
        let made = set(&root, DEMO, &[says(&house, "Allow", &["cr:PullRepository"], &["user/bob"])]).await.expect(200);
        assert_eq!(made.text("resource"), "namespace/local/demo");
        assert_eq!((pulls(&house, "bob", "demo/app").await, pulls(&house, "bob", "prod/app").await), (200, 403));
        assert_eq!(pulls(&house, "alice", "demo/app").await, 403);
        assert_eq!(catalog(&house, "bob").await, json!(["demo/app", "demo/web"]));
        let running = house.user("bob").token("repository:demo/app:pull").await;
        running.get("/v2/demo/app/manifests/v1").await.expect(200);
        house.user("bob").post("/v2/demo/app/blobs/uploads/", &json!({})).await.expect(403);

        set(&root, APP, &[says(&house, "Deny", &["cr:*"], &["*"])]).await.expect(200);
        running.get("/v2/demo/app/manifests/v1").await.expect(401);
        assert_eq!(pulls(&house, "bob", "demo/web").await, 200);
        assert_eq!(catalog(&house, "bob").await, json!(["demo/web"]));
        house.root().get("/v2/demo/app/manifests/v1").await.expect(200);
        root.delete(APP).await.expect(204);
        running.get("/v2/demo/app/manifests/v1").await.expect(200);
        root.delete(DEMO).await.expect(204);
        running.get("/v2/demo/app/manifests/v1").await.expect(401);
        root.delete(DEMO).await.expect(404);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn groups_are_let_in_and_nobody_in_particular_never_is() {
        let house = registry().await;
        let root = house.root_manager().await;
        root.post("/api/v1/groups", &json!({"name": "ops"})).await.expect(201);
        root.put("/api/v1/groups/ops/users/bob", &json!({})).await.expect(204);
        set(&root, DEMO, &[says(&house, "Allow", &["cr:PullRepository"], &["group/ops"])]).await.expect(200);
        assert_eq!((pulls(&house, "bob", "demo/app").await, pulls(&house, "alice", "demo/app").await), (200, 403));
        root.delete("/api/v1/groups/ops/users/bob").await.expect(204);
        assert_eq!(pulls(&house, "bob", "demo/app").await, 403);
        set(&root, DEMO, &[says(&house, "Allow", &["cr:PullRepository"], &["*"])]).await.expect(200);
        assert_eq!((pulls(&house, "bob", "demo/app").await, pulls(&house, "alice", "demo/app").await), (200, 200));
        house.anon().get("/v2/demo/app/manifests/v1").await.expect(401);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_policy_goes_with_what_it_belongs_to() {
        let house = registry().await;
        let root = house.root_manager().await;
        let pull = [says(&house, "Allow", &["cr:PullRepository"], &["user/bob"])];
        set(&root, APP, &pull).await.expect(200);
        assert_eq!(pulls(&house, "bob", "demo/app").await, 200);
        root.delete("/api/v1/instances/local/repositories/demo/app").await.expect(204);
        set(&root, APP, &pull).await.expect(404);
        house.root().push_image("demo/app", "v1").await;
        assert_eq!(pulls(&house, "bob", "demo/app").await, 403, "whoever takes a name begins without");
        set(&root, DEMO, &pull).await.expect(200);
        for repository in ["demo/app", "demo/web"] {
            root.delete(&format!("/api/v1/instances/local/repositories/{repository}")).await.expect(204);
        }
        root.delete("/api/v1/instances/local/namespaces/demo").await.expect(204);
        house.root().push_image("demo/app", "v1").await;
        assert_eq!(pulls(&house, "bob", "demo/app").await, 403);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn an_owner_gives_what_they_hold_inside_and_nothing_more() {
        let house = registry().await;
        let owner = ["cr:PullRepository", "cr:SetNamespacePolicy", "cr:GetNamespacePolicy", "cr:DeleteNamespacePolicy", "cr:GetNamespace"];
        let alice = manager(&house, "alice", &[on("Allow", &owner, "demo"), on("Allow", &owner, "demo/*")]).await;
        set(&alice, DEMO, &[says(&house, "Allow", &["cr:PullRepository"], &["user/bob"])]).await.expect(200);
        let push = [says(&house, "Allow", &["cr:PushRepository"], &["user/bob"])];
        let refused = set(&alice, DEMO, &push).await.expect(403);
        assert!(message(&refused).contains("this would give cr:PushRepository"), "{}", message(&refused));
        let elsewhere = json!({"Effect": "Allow", "Action": "cr:PullRepository", "Principal": {"RAM": "*"}, "Resource": "*"});
        let refused = set(&alice, DEMO, &[elsewhere]).await.expect(400);
        assert!(message(&refused).contains("not inside namespace/local/demo"), "{}", message(&refused));
        set(&alice, "/api/v1/instances/local/namespace-policies/prod", &push).await.expect(404);
        assert_eq!(pulls(&house, "bob", "demo/app").await, 200, "what was there stays");

        // What somebody else denied, only they take away who hold it.
        let root = house.root_manager().await;
        set(&root, DEMO, &[says(&house, "Deny", &["cr:PushRepository"], &["user/bob"])]).await.expect(200);
        alice.delete(DEMO).await.expect(403);
        set(&alice, DEMO, &[says(&house, "Allow", &["cr:PullRepository"], &["user/bob"])]).await.expect(403);
        let beside =
            [says(&house, "Allow", &["cr:PullRepository"], &["user/bob"]), says(&house, "Deny", &["cr:PushRepository"], &["user/bob"])];
        set(&alice, DEMO, &beside).await.expect(200);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn whoever_stands_in_for_somebody_holds_what_places_give_them() {
        let house = registry().await;
        let root = house.root_manager().await;
        let alice = manager(&house, "alice", &[on("Allow", &["ram:CreateAccessKey", "ram:GetUser"], "*")]).await;
        alice.post("/api/v1/access-keys", &json!({"user": "bob"})).await.expect(201);
        set(&root, APP, &[says(&house, "Allow", &["cr:PullRepository"], &["user/bob"])]).await.expect(200);
        let refused = alice.post("/api/v1/access-keys", &json!({"user": "bob"})).await.expect(403);
        assert!(message(&refused).contains("cr:PullRepository"), "{}", message(&refused));
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn what_a_place_gives_or_denies_a_group_counts_with_its_members() {
        let house = registry().await;
        let root = house.root_manager().await;
        root.post("/api/v1/groups", &json!({"name": "ops"})).await.expect(201);
        let actions = ["ram:AddUserToGroup", "ram:RemoveUserFromGroup", "ram:GetGroup", "ram:GetUser"];
        let alice = manager(&house, "alice", &[on("Allow", &actions, "*")]).await;
        let member = "/api/v1/groups/ops/users/bob";
        alice.put(member, &json!({})).await.expect(204);
        set(&root, DEMO, &[says(&house, "Deny", &["cr:PushRepository"], &["group/ops"])]).await.expect(200);
        alice.delete(member).await.expect(403);
        root.delete(member).await.expect(204);
        set(&root, DEMO, &[says(&house, "Allow", &["cr:PullRepository"], &["group/ops"])]).await.expect(200);
        alice.put(member, &json!({})).await.expect(403);
        assert_eq!(pulls(&house, "bob", "demo/app").await, 403);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn guards_bound_everybody_but_the_root_user() {
        let house = registry().await;
        let root = house.root_manager().await;
        let admin = manager(&house, "alice", &[on("Allow", &["*"], "*")]).await;
        policy(&root, "floor", &[on("Allow", &["cr:Pull*", "cr:Get*", "ram:*"], "*"), on("Deny", &["cr:*"], "prod/*")]).await;
        assert_eq!(pulls(&house, "alice", "prod/app").await, 200);
        root.put("/api/v1/guard-policies/floor", &json!({})).await.expect(204);
        assert_eq!(root.get("/api/v1/guard-policies").await.expect(200).json()[0]["name"], json!("floor"));
        assert_eq!((pulls(&house, "alice", "demo/app").await, pulls(&house, "alice", "prod/app").await), (200, 403));
        assert_eq!(catalog(&house, "alice").await, json!(["demo/app", "demo/web"]));
        house.user("alice").post("/v2/demo/app/blobs/uploads/", &json!({})).await.expect(403);
        house.root().push_image("prod/app", "v2").await;

        // Nobody whom it binds loosens it: by taking it away, adding another one, or changing what it says.
        admin.delete("/api/v1/guard-policies/floor").await.expect(403);
        admin.put("/api/v1/guard-policies/AdministratorAccess", &json!({})).await.expect(403);
        let wide = json!({"document": document(&[on("Allow", &["*"], "*")])});
        admin.post("/api/v1/policies/floor/versions", &wide).await.expect(403);
        admin.put("/api/v1/guard-policies/AcrPull", &json!({})).await.expect(403);
        policy(&root, "less", &[on("Allow", &["cr:PullRepository"], "demo/*")]).await;
        admin.put("/api/v1/guard-policies/less", &json!({})).await.expect(204);
        admin.delete("/api/v1/guard-policies/less").await.expect(204);
        root.delete("/api/v1/policies/floor").await.expect(409);
        root.delete("/api/v1/guard-policies/floor").await.expect(204);
        assert_eq!(pulls(&house, "alice", "prod/app").await, 200);
    }

    async fn explained(by: &Client<'_>, principal: &str, action: &str, resource: &str) -> Value {
        let asked = json!({"principal": principal, "action": action, "resource": resource});
        by.post("/api/v1/policy-explanations", &asked).await.expect(200).json()
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn an_explanation_names_the_layer() {
        let house = registry().await;
        let root = house.root_manager().await;
        let pull = async |who: &str, repository: &str| {
            let said = explained(&root, who, "cr:PullRepository", repository).await;
            (said["decision"].clone(), said["layer"].clone(), said["policy"].clone(), said["reason"].as_str().unwrap().to_owned())
        };
        let (decision, layer, policy_name, reason) = pull("user/bob", "demo/app").await;
        assert_eq!((decision, layer, policy_name), (json!("deny"), json!(null), json!(null)));
        assert!(reason.ends_with("no policy is attached"), "{reason}");

        set(&root, APP, &[says(&house, "Allow", &["cr:PullRepository"], &["user/bob"])]).await.expect(200);
        let said = pull("user/bob", "demo/app").await;
        assert_eq!((said.0, said.1, said.2), (json!("allow"), json!("resource"), json!("repository/local/demo/app")));
        root.post("/api/v1/groups", &json!({"name": "ops"})).await.expect(201);
        attach(&root, "groups/ops", "AcrPull").await;
        root.put("/api/v1/groups/ops/users/bob", &json!({})).await.expect(204);
        let said = pull("user/bob", "prod/app").await;
        assert_eq!((said.0, said.1, said.2), (json!("allow"), json!("group/ops"), json!("AcrPull")));
        assert_eq!(said.3, "statement 1 of policy AcrPull of group ops allows cr:PullRepository on repository/local/prod/app");
        assert_eq!(pull("group/ops", "prod/app").await.1, json!("own"));
        root.post("/api/v1/service-accounts", &json!({"name": "ci", "policies": ["AcrPull"]})).await.expect(201);
        assert_eq!(pull("service-account/ci", "prod/app").await.0, json!("allow"));
        assert_eq!(explained(&root, "user/root", "cr:PullRepository", "prod/app").await["layer"], json!("root"));

        policy(&root, "floor", &[on("Allow", &["cr:Pull*"], "demo/*")]).await;
        root.put("/api/v1/guard-policies/floor", &json!({})).await.expect(204);
        let said = pull("user/bob", "prod/app").await;
        assert_eq!((said.0, said.1, said.2), (json!("deny"), json!("guard"), json!(null)));
        assert!(said.3.contains("but no policy that guards the account does"), "{}", said.3);
        root.post("/api/v1/policy-explanations", &json!({"principal": "user/nobody", "action": "cr:PullRepository", "resource": "a"}))
            .await
            .expect(404);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_session_is_explained_with_what_bounds_it() {
        let house = registry().await;
        let root = house.root_manager().await;
        let trust = json!({"Version": "1", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"RAM": "*"}}]});
        root.post("/api/v1/roles", &json!({"name": "reader", "trust_policy": trust.to_string()})).await.expect(201);
        attach(&root, "roles/reader", "AcrPull").await;
        let alice = manager(&house, "alice", &[on("Allow", &["sts:AssumeRole"], "*")]).await;
        let bound = document(&[on("Allow", &["cr:PullRepository"], "demo/*")]);
        let session = alice.post("/api/v1/roles/reader/sessions", &json!({"session_name": "s1", "policy": bound})).await.expect(201);
        let said = async |session: Option<&str>, repository: &str| {
            let mut asked = json!({"principal": "role/reader", "action": "cr:PullRepository", "resource": repository});
            asked["session"] = session.into();
            let said = root.post("/api/v1/policy-explanations", &asked).await.expect(200).json();
            (said["decision"].clone(), said["layer"].clone())
        };
        let id = session.text("credential_id");
        assert_eq!(said(None, "prod/app").await, (json!("allow"), json!("own")));
        assert_eq!(said(Some(&id), "demo/app").await, (json!("allow"), json!("own")));
        assert_eq!(said(Some(&id), "prod/app").await, (json!("deny"), json!("session")));
        let of_another = json!({"user": "alice", "session": id, "action": "cr:PullRepository", "resource": "demo/app"});
        root.post("/api/v1/policy-explanations", &of_another).await.expect(404);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_simulation_tries_a_document_that_is_not_stored() {
        let house = registry().await;
        let root = house.root_manager().await;
        manager(&house, "alice", &[on("Allow", &["cr:PullRepository"], "demo/*")]).await;
        let asked = |action: &str, repository: &str| json!({"principal": "user/alice", "action": action, "resource": repository});
        let requests = json!([asked("cr:PullRepository", "demo/app"), asked("cr:PushRepository", "demo/app"), {"action": "cr:PullRepository", "resource": "demo/app"}]);
        let tried = document(&[on("Allow", &["cr:PushRepository"], "demo/*"), on("Deny", &["cr:PullRepository"], "demo/web")]);
        let decide = async |body: Value| -> Vec<(Value, Value)> {
            let said = root.post("/api/v1/policy-simulations", &body).await.expect(200).json();
            said.as_array().unwrap().iter().map(|said| (said["decision"].clone(), said["layer"].clone())).collect()
        };
        let (allow, deny) = (json!("allow"), json!("deny"));
        let as_is = decide(json!({"requests": requests})).await;
        assert_eq!(as_is, [(allow.clone(), json!("own")), (deny.clone(), json!(null)), (allow.clone(), json!("root"))]);
        let beside = decide(json!({"requests": requests, "document": tried})).await;
        assert_eq!(beside[1], (allow.clone(), json!("proposed")));
        let instead = json!({"requests": [asked("cr:PullRepository", "demo/web")], "document": tried, "instead": true});
        assert_eq!(decide(instead).await, [(deny, json!("proposed"))]);
        house.user("alice").post("/v2/demo/app/blobs/uploads/", &json!({})).await.expect(403);
        let many: Vec<_> = (0..1001).map(|_| asked("cr:PullRepository", "demo/app")).collect();
        root.post("/api/v1/policy-simulations", &json!({"requests": &many[..1000]})).await.expect(200);
        root.post("/api/v1/policy-simulations", &json!({"requests": many})).await.expect(400);
        root.post("/api/v1/policy-simulations", &json!({"requests": requests, "document": "{}"})).await.expect(400);
        let bob = manager(&house, "bob", &[on("Allow", &["ram:ListUsers"], "*")]).await;
        bob.post("/api/v1/policy-simulations", &json!({"requests": [asked("cr:PullRepository", "demo/app")]})).await.expect(404);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn who_can_finds_everybody_page_by_page() {
        let house = registry().await;
        let root = house.root_manager().await;
        let alice = manager(&house, "alice", &[on("Allow", &["cr:PullRepository"], "demo/*")]).await;
        root.post("/api/v1/service-accounts", &json!({"name": "ci", "policies": ["AcrPull"]})).await.expect(201);
        set(&root, APP, &[says(&house, "Allow", &["cr:PullRepository"], &["user/bob"])]).await.expect(200);
        let ask = "/api/v1/permitted-principals?action=cr:PullRepository&resource=demo/app";
        let mut found = Vec::new();
        let mut next = format!("{ask}&limit=2");
        loop {
            let page = root.get(&next).await.expect(200);
            for who in page.json().as_array().unwrap() {
                found.push(format!("{} {} {}", who["principal"].as_str().unwrap(), who["layer"].as_str().unwrap(), who["policy"]));
            }
            let Some(link) = page.headers.get("link").map(|link| link.to_str().unwrap().to_owned()) else { break };
            next = link.split(['<', '>']).nth(1).unwrap().to_owned();
        }
        found.sort();
        let app = "\"repository/local/demo/app\"";
        let want = [
            "service-account/ci own \"AcrPull\"".to_owned(),
            "user/alice own \"of-alice\"".to_owned(),
            format!("user/bob resource {app}"),
            "user/root root null".to_owned(),
        ];
        assert_eq!(found, want);
        alice.get(ask).await.expect(403);
        root.get("/api/v1/permitted-principals?action=cr:Fly").await.expect(400);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn who_can_shows_by_which_roles_somebody_comes_to_do_it() {
        let house = registry().await;
        let root = house.root_manager().await;
        let account = &house.bootstrap.account;
        let role = async |name: &str, trusts: &str| {
            let principal = json!({"RAM": format!("acs:ram::{account}:{trusts}")});
            let trust = document(&[json!({"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": principal})]);
            root.post("/api/v1/roles", &json!({"name": name, "trust_policy": trust})).await.expect(201);
        };
        role("deploy", "role/step").await;
        role("step", "user/alice").await;
        attach(&root, "roles/deploy", "AcrPush").await;
        let through = async || {
            let reply = root.get("/api/v1/permitted-principals?action=cr:PushRepository&resource=demo/app").await.expect(200).json();
            let shown = |who: &Value| format!("{} {} {}", who["principal"].as_str().unwrap(), who["policy"], who["through"]);
            let mut shown: Vec<_> = reply.as_array().unwrap().iter().map(shown).collect();
            shown.sort();
            shown
        };
        let (deploy, one) = ("role/deploy \"AcrPush\" []", "user/root null []");
        assert_eq!(through().await, [deploy, one], "nobody may assume them");
        attach(&root, "roles/step", "AliyunSTSAssumeRoleAccess").await;
        let step = r#"role/step "AcrPush" ["role/deploy"]"#;
        assert_eq!(through().await, [deploy, step, one]);
        attach(&root, "users/alice", "AliyunSTSAssumeRoleAccess").await;
        attach(&root, "users/bob", "AliyunSTSAssumeRoleAccess").await;
        assert_eq!(through().await, [deploy, step, r#"user/alice "AcrPush" ["role/step","role/deploy"]"#, one], "bob is not trusted");
        attach(&root, "users/alice", "AcrPush").await;
        assert_eq!(through().await[2], r#"user/alice "AcrPush" []"#, "whoever may themselves needs no role");
        root.patch("/api/v1/roles/deploy", &json!({"enabled": false})).await.expect(200);
        assert_eq!(through().await, [r#"user/alice "AcrPush" []"#, one]);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn another_account_cannot_be_asked_about() {
        let house = registry().await.with_account("other").await;
        let bob = house.root_manager().await.get("/api/v1/users/bob").await.expect(200).text("user_id");
        let stranger = house.account("other").root_manager().await;
        for principal in [bob.clone(), format!("user/{bob}"), "user/bob".to_owned()] {
            let asked = json!({"principal": principal, "action": "ram:ListUsers"});
            stranger.post("/api/v1/policy-explanations", &asked).await.expect(404);
            stranger.post("/api/v1/policy-simulations", &json!({"requests": [asked]})).await.expect(404);
        }
        stranger.get(DEMO).await.expect(404);
        let foreign =
            [json!({"Effect": "Allow", "Action": "cr:*", "Principal": {"RAM": format!("acs:ram::{}:user/bob", house.bootstrap.account)}})];
        let root = house.root_manager().await;
        set(&root, DEMO, &[json!({"Effect": "Allow", "Action": "cr:*", "Principal": {"RAM": "acs:ram::1:root"}})]).await.expect(400);
        set(&root, DEMO, &foreign).await.expect(200);
    }
}
