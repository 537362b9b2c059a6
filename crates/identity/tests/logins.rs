//! Who gets in, with what, until when.

#[cfg(test)]
mod logins {
    use model::Seconds;
    use serde_json::json;
    use testkit::{House, PASSWORD, Reply, house};

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

    /// Somebody to try secrets on that are none of theirs.
    struct Target {
        name: String,
        access_key_id: String,
    }

    /// Everybody whom a stranger must not tell from each other, and secrets of every kind that open nothing.
    struct Targets {
        all: Vec<Target>,
        credential: String,
        access_key: String,
        login_token: String,
    }

    /// Alice holds everything, bob is disabled, carol's credentials have expired or are disabled, dora has nothing.
    async fn targets(house: &House) -> Targets {
        let root = house.root_manager().await;
        let mut all = Vec::new();
        for name in ["alice", "bob", "carol"] {
            root.put(&format!("/api/v1/users/{name}/password"), &json!({"kind": "sign_in", "password": PASSWORD})).await.expect(204);
            let lives = if name == "carol" { 60 } else { 86_400 };
            let credential = json!({"user": name, "description": "ci", "expires_in": lives});
            root.post("/api/v1/credentials", &credential).await.expect(201);
            let key = root.post("/api/v1/access-keys", &json!({"user": name})).await.expect(201).text("access_key_id");
            all.push(Target { name: name.to_owned(), access_key_id: key });
        }
        let off = json!({"enabled": false});
        root.patch("/api/v1/users/bob", &off).await.expect(200);
        root.patch(&format!("/api/v1/access-keys/{}", all[2].access_key_id), &off).await.expect(200);
        let dead = root.post("/api/v1/credentials", &json!({"user": "alice", "description": "gone"})).await.expect(201);
        root.delete(&format!("/api/v1/credentials/{}", dead.text("credential_id"))).await.expect(204);
        let key = root.post("/api/v1/access-keys", &json!({"user": "alice"})).await.expect(201);
        root.delete(&format!("/api/v1/access-keys/{}", key.text("access_key_id"))).await.expect(204);
        let token = root.post("/api/v1/login-tokens", &json!({})).await.expect(201).text("password");
        let (signed, signature) = token.rsplit_once('.').unwrap();
        let forged = format!("{signed}.{}{}", if signature.starts_with('A') { 'B' } else { 'A' }, &signature[1..]);
        for name in ["dora", "nobody", "root", "4444444444444444", "x@y", "nobody@y", "alice@4444444444444444"] {
            all.push(Target { name: name.to_owned(), access_key_id: key.text("access_key_id") });
        }
        let (credential, access_key) = (dead.text("secret"), key.text("access_key_secret"));
        Targets { all, credential, access_key, login_token: forged }
    }

    /// Every way to log in.
    const WAYS: [(&str, u64); 8] = [
        ("permanent password", 1),
        ("permanent password at the token service", 1),
        ("permanent password by the OAuth 2 form", 1),
        ("sign-in password", 1),
        ("access credential", 0),
        ("login token", 0),
        ("access key", 0),
        ("access key in a header", 0),
    ];

    async fn attempt(house: &House, way: &str, who: &Target, targets: &Targets, from: &str) -> Reply {
        let (name, key) = (who.name.as_str(), who.access_key_id.as_str());
        let basic = |password: &str| house.login(name, password).from(from);
        let (wrong, by_key) = ("wrong-password-1", "grant_type=client_credentials");
        let form = format!("grant_type=password&username={}&password={wrong}", name.replace('@', "%40"));
        match way {
            "permanent password" => basic(wrong).get("/v2/").await,
            "permanent password at the token service" => basic(wrong).get("/token?service=registry.example:5000").await,
            "permanent password by the OAuth 2 form" => {
                house.anon().from(from).form("/token", &format!("{form}&service=registry.example%3A5000&client_id=x")).await
            }
            "sign-in password" => house.anon().from(from).form("/api/v1/oauth2/token", &form).await,
            "access credential" => basic(&targets.credential).get("/v2/").await,
            "login token" => basic(&targets.login_token).get("/v2/").await,
            "access key" => {
                let form = format!("{by_key}&client_id={key}&client_secret={}", targets.access_key);
                house.anon().from(from).form("/api/v1/oauth2/token", &form).await
            }
            _ => house.login(key, &targets.access_key).from(from).form("/api/v1/oauth2/token", by_key).await,
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn unknown_wrong_disabled_and_expired_answer_alike_and_cost_alike() {
        let house = house().await.with_user("alice").await.with_user("bob").await.with_user("carol").await;
        house.root_manager().await.post("/api/v1/users", &json!({"name": "dora"})).await.expect(201);
        let targets = targets(&house).await;
        house.advance(Seconds::minutes(2)).await;
        for (number, (way, hashes)) in WAYS.into_iter().enumerate() {
            let mut first = None;
            for who in &targets.all {
                let before = house.identity.hash_calls();
                let reply = attempt(&house, way, who, &targets, &format!("10.0.{number}.1")).await;
                let seen = (reply.status, reply.body, reply.headers, house.identity.hash_calls() - before);
                assert!([400, 401].contains(&seen.0.as_u16()), "{way}: {seen:?}");
                assert_eq!(seen.3, hashes, "{way}: {}", who.name);
                assert_eq!(&seen, first.get_or_insert_with(|| seen.clone()), "{way}: {}", who.name);
            }
        }
        let said = house.login("bob", PASSWORD).get("/v2/").await.expect(401);
        assert!(String::from_utf8_lossy(&said.body).contains("disabled"), "to whom knows the password it may be said");
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn an_expired_secret_opens_nothing_and_its_owner_is_told() {
        let house = house().await.with_user("alice").await;
        let new = json!({"user": "alice", "description": "ci", "expires_in": 60});
        let secret = house.root_manager().await.post("/api/v1/credentials", &new).await.expect(201).text("secret");
        house.login("alice", &secret).get("/v2/").await.expect(200);
        house.advance(Seconds::minutes(1)).await;
        let said = house.login("alice", &secret).get("/v2/").await.expect(401);
        assert!(String::from_utf8_lossy(&said.body).contains("expired"), "{said:?}");
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn all_names_of_somebody_open_as_many_tries_as_one_and_nobody_can_tell() {
        let house = house().await.with_user("alice").await;
        let account = house.bootstrap.account;
        let id = house.root_manager().await.get("/api/v1/users/alice").await.expect(200).text("user_id");
        let known = ["alice".to_owned(), format!("alice@{account}"), id];
        let unknown = ["nobody".to_owned(), format!("nobody@{account}"), "4444444444444444".to_owned()];
        let mut seen = Vec::new();
        for (names, from) in [(&known, "203.0.113.9"), (&unknown, "198.51.100.9")] {
            let before = house.identity.hash_calls();
            let mut answers = Vec::new();
            for name in names {
                for _ in 0..11 {
                    let reply = house.login(name, "wrong-password-1").from(from).get("/v2/").await;
                    answers.push((reply.status, reply.body, reply.headers));
                }
            }
            seen.push((answers, house.identity.hash_calls() - before));
        }
        assert_eq!(seen[0], seen[1]);
        house.advance(Seconds::minutes(5)).await;
        for name in &known[..2] {
            for _ in 0..5 {
                house.login(name, "wrong-password-2").from("203.0.113.9").get("/v2/").await.expect(401);
            }
        }
        // The right one is not even looked at, and it does not show.
        house.login(&known[2], PASSWORD).from("203.0.113.9").get("/v2/").await.expect(401);
        house.login(&known[2], PASSWORD).from("192.0.2.1").get("/v2/").await.expect(200);
        house.advance(Seconds::minutes(5)).await;
        house.login(&known[2], PASSWORD).from("203.0.113.9").get("/v2/").await.expect(200);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn guesses_at_the_same_moment_are_as_many_as_one_after_the_other() {
        let house: &'static House = Box::leak(Box::new(house().await.with_user("alice").await));
        let before = house.identity.hash_calls();
        let statuses = at_once((0..40).map(|n| house.login("alice", &format!("wrong-password-{n}")).from("203.0.113.9"))).await;
        assert_eq!(statuses.iter().filter(|s| **s == 401).count(), 10, "{statuses:?}");
        assert_eq!(statuses.iter().filter(|s| **s == 429).count(), 30, "{statuses:?}");
        assert_eq!(house.identity.hash_calls() - before, 10);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_whole_network_may_log_in_at_once_with_the_right_password() {
        let house: &'static House = Box::leak(Box::new(house().await.with_user("alice").await));
        let before = house.identity.hash_calls();
        let statuses = at_once((0..40).map(|_| house.login("alice", PASSWORD).from("203.0.113.9"))).await;
        assert!(statuses.iter().all(|s| *s == 200), "{statuses:?}");
        assert_eq!(house.identity.hash_calls() - before, 1);
    }

    async fn at_once(clients: impl Iterator<Item = testkit::Client<'static>>) -> Vec<u16> {
        let tries: Vec<_> = clients.map(|client| tokio::spawn(async move { client.get("/v2/").await.status.as_u16() })).collect();
        let mut statuses = Vec::new();
        for one in tries {
            statuses.push(one.await.unwrap());
        }
        statuses
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
