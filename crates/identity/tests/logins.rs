//! Who gets in, with what, until when.

#[cfg(test)]
mod logins {
    use model::Seconds;
    use testkit::{House, PASSWORD, house};

    const EVERYTHING: &str = r#"{"Version":"1","Statement":[{"Effect":"Allow","Action":["cr:*"],"Resource":"*"}]}"#;
    const TOKEN: &str = r#"{"Version":"1","Statement":[{"Effect":"Allow","Action":["cr:GetAuthorizationToken","cr:PullRepository","cr:PushRepository"],"Resource":"*"}]}"#;

    /// Alice, with a policy and an access key of her own at the management API.
    async fn alice(document: &str) -> (House, String, String) {
        let house = house().await.with_user("alice").await.with_policy("alice", "hers", document).await;
        let root = house.root_manager().await;
        let key = root.post("/api/v1/access-keys", &serde_json::json!({"user": "alice"})).await.expect(201);
        let (id, secret) = (key.text("access_key_id"), key.text("access_key_secret"));
        (house, id, secret)
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_user_has_several_names_and_nobody_elses() {
        let house = house().await.with_user("alice").await;
        let account = house.bootstrap.account;
        let id = house.root_manager().await.get("/api/v1/users/alice").await.expect(200).text("user_id");
        for name in ["alice", &format!("alice@{account}"), &id] {
            house.login(name, PASSWORD).get("/v2/").await.expect(200);
        }
        for name in ["bob", "root", "Alice", "alice@1", "cr_temp_user", "", &account.to_string()] {
            house.login(name, PASSWORD).get("/v2/").await.expect(401);
        }
        let root = house.bootstrap.root_password.reveal();
        for name in ["root", &account.to_string()] {
            house.login(name, root).get("/v2/").await.expect(200);
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_login_token_opens_what_its_maker_may_and_ends_by_itself() {
        let (house, id, secret) = alice(TOKEN).await;
        let alice = house.manager(&id, &secret).await;
        let made = alice.post("/api/v1/login-tokens", &serde_json::json!({"expires_in": 900})).await.expect(201);
        let (username, password) = (made.text("username"), made.text("password"));
        assert_eq!(username, "cr_temp_user");
        for name in ["cr_temp_user", "temp_user_cr", "alice"] {
            house.login(name, &password).get("/v2/").await.expect(200);
        }
        house.login("root", &password).get("/v2/").await.expect(401);
        house.login("cr_temp_user", &password).push_image("demo/app", "v1").await;
        house.advance(Seconds::minutes(15)).await;
        house.login("cr_temp_user", &password).get("/v2/").await.expect(401);
        for life in [899, 86_401, 0, -1] {
            house.manager(&id, &secret).await.post("/api/v1/login-tokens", &serde_json::json!({"expires_in": life})).await.expect(400);
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_login_token_ends_with_the_key_that_made_it() {
        let (house, id, secret) = alice(TOKEN).await;
        let made = house.manager(&id, &secret).await.post("/api/v1/login-tokens", &serde_json::json!({})).await.expect(201);
        let login = house.login("cr_temp_user", &made.text("password"));
        let bearer = login.token("repository:demo/app:pull,push").await;
        bearer.push_image("demo/app", "v1").await;
        let root = house.root_manager().await;
        root.patch(&format!("/api/v1/access-keys/{id}"), &serde_json::json!({"enabled": false})).await.expect(200);
        login.get("/v2/").await.expect(401);
        bearer.get("/v2/demo/app/manifests/v1").await.expect(401);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn unknown_wrong_and_disabled_answer_alike_and_cost_alike() {
        let house = house().await.with_user("alice").await.with_user("bob").await;
        let root = house.root_manager().await;
        root.patch("/api/v1/users/bob", &serde_json::json!({"enabled": false})).await.expect(200);
        let mut answers = Vec::new();
        for name in ["alice", "bob", "nobody", "root", "4444444444444444", "x@y"] {
            let before = house.identity.hash_calls();
            let reply = house.login(name, "wrong-password-1").get("/v2/").await.expect(401);
            answers.push((reply.body, reply.headers, house.identity.hash_calls() - before));
        }
        for other in &answers {
            assert_eq!(other, &answers[0]);
        }
        assert_eq!(answers[0].2, 1);
        let said = house.login("bob", PASSWORD).get("/v2/").await.expect(401);
        assert!(String::from_utf8_lossy(&said.body).contains("disabled"), "to whom knows the password it may be said");
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_stranger_is_locked_out_and_the_owner_is_not() {
        let house = house().await.with_user("alice").await;
        house.user("alice").from("198.51.100.7").get("/v2/").await.expect(200);
        for _ in 0..10 {
            house.login("alice", "wrong-password-1").from("203.0.113.9").get("/v2/").await.expect(401);
        }
        let locked = house.login("alice", PASSWORD).from("203.0.113.9").get("/v2/").await.expect(429);
        assert!(locked.header("retry-after").parse::<u32>().unwrap() > 0);
        house.user("alice").from("198.51.100.7").get("/v2/").await.expect(200);
        house.advance(Seconds::minutes(5)).await;
        house.login("alice", PASSWORD).from("203.0.113.9").get("/v2/").await.expect(200);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_password_is_never_cut() {
        let house = house().await.with_user("alice").await;
        let root = house.root_manager().await;
        let set = async |password: &str| {
            let body = serde_json::json!({"kind": "permanent", "password": password});
            root.put("/api/v1/users/alice/password", &body).await.status.as_u16()
        };
        for bad in ["short-1", "onlyletters", "12345678", &"a1".repeat(17), "tab\tbed-12", ""] {
            assert_eq!(set(bad).await, 400, "{bad}");
        }
        let longest = "aB3$".repeat(8);
        assert_eq!(set(&longest).await, 204);
        house.login("alice", &longest).get("/v2/").await.expect(200);
        house.login("alice", &format!("{longest}x")).get("/v2/").await.expect(401);
        house.login("alice", &longest[..31]).get("/v2/").await.expect(401);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_credential_bound_to_an_instance_opens_no_other() {
        let house = house().await.with_user("alice").await.with_policy("alice", "all", EVERYTHING).await;
        let root = house.root_manager().await;
        let other = root.post("/api/v1/instances", &serde_json::json!({"name": "second"})).await.expect(201).text("instance_id");
        let make = async |instance: serde_json::Value| {
            let body = serde_json::json!({"user": "alice", "description": "ci", "instance": instance});
            root.post("/api/v1/credentials", &body).await.expect(201).text("secret")
        };
        let (here, there, all) = (make("local".into()).await, make(other.into()).await, make(serde_json::Value::Null).await);
        house.login("alice", &here).get("/v2/").await.expect(200);
        house.login("alice", &there).get("/v2/").await.expect(401);
        house.login("alice", &all).get("/v2/").await.expect(200);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn nobody_but_root_touches_root() {
        let all = r#"{"Version":"1","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#;
        let (house, id, secret) = alice(all).await;
        let alice = house.manager(&id, &secret).await;
        let body = serde_json::json!({"kind": "permanent", "password": PASSWORD});
        alice.put("/api/v1/users/alice/password", &body).await.expect(204);
        for reply in [
            alice.put("/api/v1/users/root/password", &body).await,
            alice.post("/api/v1/credentials", &serde_json::json!({"user": "root", "description": "mine"})).await,
            alice.post("/api/v1/access-keys", &serde_json::json!({"user": "root"})).await,
            alice.delete("/api/v1/users/root").await,
        ] {
            assert!([403, 404].contains(&reply.status.as_u16()), "{reply:?}");
        }
    }
}
