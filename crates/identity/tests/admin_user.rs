//! The admin user of an instance: off by default, two passwords, one instance, many hands.

#[cfg(test)]
mod admin_user {
    use serde_json::{Value, json};
    use testkit::{Client, House, house};

    const ADMIN: &str = "/api/v1/instances/local/admin-user";

    async fn enable(manager: &Client<'_>, enabled: bool) -> Value {
        manager.patch(ADMIN, &json!({"enabled": enabled})).await.expect(200).json()
    }

    async fn renew(manager: &Client<'_>, number: u8) -> String {
        let renewed = manager.put(&format!("{ADMIN}/passwords/{number}"), &json!(null)).await.expect(200);
        assert_eq!((renewed.text("username").as_str(), &renewed.json()["number"]), ("local", &json!(number)));
        renewed.text("password")
    }

    /// A house whose admin user is enabled, and its first password.
    async fn enabled() -> (House, String) {
        let house = house().await;
        let root = house.root_manager().await;
        enable(&root, true).await;
        let password = renew(&root, 1).await;
        (house, password)
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn it_is_off_until_somebody_enables_it() {
        let house = house().await;
        let root = house.root_manager().await;
        let shown = root.get(ADMIN).await.expect(200).json();
        let id = house.bootstrap.instance.id.to_string();
        assert_eq!(shown, json!({"instance_id": id, "enabled": false, "username": "local", "passwords": []}));
        let password = renew(&root, 1).await;
        assert!(password.starts_with("tga_"), "it says what it is");
        let admin = house.login("local", &password);
        admin.get("/v2/").await.expect(401);
        assert_eq!(enable(&root, true).await["enabled"], true);
        admin.get("/v2/").await.expect(200);
        let shown = root.get(ADMIN).await.expect(200).json();
        assert_eq!((&shown["passwords"][0]["number"], &shown["passwords"][0]["created_by"]), (&json!(1), &json!("root")));
        assert!(!shown.to_string().contains("tga_"));
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn it_may_do_everything_on_the_registry_of_its_instance_and_nothing_else() {
        let (house, password) = enabled().await;
        let root = house.root_manager().await;
        root.post("/api/v1/instances", &json!({"name": "prod", "hosts": ["prod.example"]})).await.expect(201);
        let admin = house.login("local", &password);
        let digest = admin.push_image("demo/app", "v1").await;
        admin.get("/v2/demo/app/manifests/v1").await.expect(200);
        assert_eq!(admin.get("/v2/_catalog").await.expect(200).json()["repositories"], json!(["demo/app"]));
        let bearer = admin.token("repository:demo/app:pull,push,delete registry:catalog:*").await;
        bearer.get("/v2/demo/app/tags/list").await.expect(200);
        bearer.delete("/v2/demo/app/manifests/v1").await.expect(202);
        admin.delete(&format!("/v2/demo/app/manifests/{digest}")).await.expect(202);
        admin.clone().at("prod.example").get("/v2/").await.expect(401);
        for form in [
            format!("grant_type=client_credentials&client_id=local&client_secret={password}"),
            format!("grant_type=password&username=local&password={password}"),
        ] {
            let status = house.anon().form("/api/v1/oauth2/token", &form).await.status.as_u16();
            assert!(matches!(status, 400 | 401), "{status}");
        }
        for manager in [admin, bearer] {
            manager.get("/api/v1/whoami").await.expect(401);
        }
        for name in ["root", "admin", "", "prod", "LOCAL"] {
            house.login(name, &password).get("/v2/").await.expect(401);
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn each_password_is_renewed_alone() {
        let (house, first) = enabled().await;
        let root = house.root_manager().await;
        let second = renew(&root, 2).await;
        let tokens = [&first, &second].map(|password| house.login("local", password));
        let (by_first, by_second) = (tokens[0].token("repository:a:pull").await, tokens[1].token("repository:a:pull").await);
        let third = renew(&root, 1).await;
        for gone in [&house.login("local", &first), &by_first] {
            gone.get("/v2/").await.expect(401);
        }
        for there in [&house.login("local", &second), &by_second, &house.login("local", &third)] {
            there.get("/v2/").await.expect(200);
        }
        root.put(&format!("{ADMIN}/passwords/3"), &json!(null)).await.expect(404);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn disabled_it_is_out_at_once_by_every_password_and_token() {
        let (house, first) = enabled().await;
        let root = house.root_manager().await;
        let second = renew(&root, 2).await;
        let all =
            [house.login("local", &first), house.login("local", &second), house.login("local", &first).token("repository:a:pull").await];
        enable(&root, false).await;
        for one in &all {
            one.get("/v2/").await.expect(401);
        }
        enable(&root, true).await;
        for one in &all {
            one.get("/v2/").await.expect(200);
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn whoever_opens_it_must_hold_what_it_can_do() {
        let (house, password) = enabled().await;
        let house = house.with_user("alice").await;
        let allow = |actions: &[&str], resource: &str| {
            let statement = json!({"Effect": "Allow", "Action": actions, "Resource": resource});
            json!({"Version": "1", "Statement": [statement]}).to_string()
        };
        let house = house.with_policy("alice", "runs-it", &allow(&["cr:GetInstance", "cr:*AdminUser"], "*")).await;
        let root = house.root_manager().await;
        let key = root.post("/api/v1/access-keys", &json!({"user": "alice"})).await.expect(201);
        let alice = house.manager(&key.text("access_key_id"), &key.text("access_key_secret")).await;
        alice.get(ADMIN).await.expect(200);
        alice.patch(ADMIN, &json!({"enabled": true})).await.expect(403);
        alice.put(&format!("{ADMIN}/passwords/1"), &json!(null)).await.expect(403);
        house.login("local", &password).get("/v2/").await.expect(200);
        // Closing it gives nobody anything.
        enable(&alice, false).await;
        let account = house.bootstrap.account;
        let here = format!("acs:cr:*:{account}:repository/local/*");
        let document = allow(&["cr:PullRepository", "cr:PushRepository", "cr:DeleteRepositoryTag"], &here);
        root.post("/api/v1/policies", &json!({"name": "holds-it", "document": document})).await.expect(201);
        root.put("/api/v1/users/alice/policies/holds-it", &json!({})).await.expect(204);
        enable(&alice, true).await;
        renew(&alice, 1).await;
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn the_trail_says_that_many_may_have_done_it() {
        let (house, password) = enabled().await;
        house.login("local", &password).push_image("demo/app", "v1").await;
        house.login("local", &password).get("/v2/demo/app/manifests/v1").await.expect(200);
        house.access.audit().flush().await.unwrap();
        let root = house.root_manager().await;
        for action in ["cr:PullRepository", "cr:PushRepository"] {
            let events = root.get(&format!("/api/v1/audit-events?action={action}")).await.expect(200).json();
            assert_eq!((&events[0]["principal"], &events[0]["credential_kind"]), (&json!("admin:local"), &json!("admin_password")));
        }
        let events = root.get("/api/v1/audit-events?action=cr:UpdateAdminUser").await.expect(200).json();
        let details: Vec<_> = events.as_array().unwrap().iter().map(|event| event["detail"].as_str().unwrap()).collect();
        assert!(details.contains(&"enabled") && details.contains(&"password 1"), "{details:?}");
        let shown = root.get(ADMIN).await.expect(200).json();
        assert_eq!(shown["passwords"][0]["last_used_from"], "192.0.2.1");
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn it_goes_with_its_instance() {
        let house = house().await;
        let root = house.root_manager().await;
        let prod = json!({"name": "prod", "hosts": ["prod.example"]});
        root.post("/api/v1/instances", &prod).await.expect(201);
        let admin = "/api/v1/instances/prod/admin-user";
        root.patch(admin, &json!({"enabled": true})).await.expect(200);
        let password = root.put(&format!("{admin}/passwords/1"), &json!(null)).await.expect(200).text("password");
        let client = house.login("prod", &password).at("prod.example");
        client.get("/v2/").await.expect(200);
        root.post("/api/v1/users", &json!({"name": "prod"})).await.expect(409);
        root.delete("/api/v1/instances/prod").await.expect(204);
        client.get("/v2/").await.expect(401);
        root.post("/api/v1/instances", &prod).await.expect(201);
        client.get("/v2/").await.expect(401);
        assert_eq!(root.get(admin).await.expect(200).json()["enabled"], false);
    }
}
