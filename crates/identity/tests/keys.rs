//! What everybody may do to what they hold, and what only somebody else may do to it; and what the database may do meanwhile.

#[cfg(test)]
mod keys {
    use std::sync::Arc;

    use identity::Keeper;
    use model::Seconds;
    use rand_chacha::ChaCha20Rng;
    use rand_chacha::rand_core::SeedableRng as _;
    use secrets::Dice;
    use serde_json::json;
    use store::{StoreError, params};
    use testkit::{Client, House, NOW, PASSWORD, Reply, house};
    use tokens::Tokens;

    fn allow(actions: &[&str]) -> String {
        json!({"Version": "1", "Statement": [{"Effect": "Allow", "Action": actions, "Resource": "*"}]}).to_string()
    }

    /// Alice, allowed these actions, at the management API.
    async fn alice<'h>(house: &'h House, actions: &[&str]) -> Client<'h> {
        let root = house.root_manager().await;
        root.post("/api/v1/policies", &json!({"name": "hers", "document": allow(actions)})).await.expect(201);
        root.put("/api/v1/users/alice/policies/hers", &json!({})).await.expect(204);
        let key = root.post("/api/v1/access-keys", &json!({"user": "alice"})).await.expect(201);
        house.manager(&key.text("access_key_id"), &key.text("access_key_secret")).await
    }

    /// The id of the one credential of that kind that somebody holds.
    async fn held(client: &Client<'_>, user: &str, kind: &str) -> String {
        let all = client.get(&format!("/api/v1/credentials?user={user}")).await.expect(200).json();
        let one = all.as_array().unwrap().iter().find(|c| c["kind"] == kind).unwrap();
        one["credential_id"].as_str().unwrap().to_owned()
    }

    fn says(reply: Reply, status: u16, words: &str) {
        let text = String::from_utf8_lossy(&reply.expect(status).body).into_owned();
        assert!(text.contains(words), "{text}");
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn whoever_runs_an_instance_takes_no_host_name_that_is_not_its_own() {
        let house = house().await.with_user("alice").await;
        let root = house.root_manager().await;
        root.post("/api/v1/instances", &json!({"name": "team", "hosts": ["team.example"]})).await.expect(201);
        let alice = alice(&house, &["cr:UpdateInstance", "cr:GetInstance"]).await;
        let set = async |client: &Client<'_>, hosts: &[&str]| client.patch("/api/v1/instances/team", &json!({"hosts": hosts})).await;
        let refused = set(&alice, &["team.example", "registry.example"]).await;
        says(refused, 403, "cr:CreateInstance");
        set(&alice, &["TEAM.example"]).await.expect(200);
        alice.patch("/api/v1/instances/team", &json!({"identity_tokens": true})).await.expect(200);
        set(&alice, &[]).await.expect(200);
        says(set(&alice, &["team.example"]).await, 403, "cr:CreateInstance");
        set(&root, &["registry.example"]).await.expect(200);
        let hosts = alice.get("/api/v1/instances/team").await.expect(200).json()["hosts"].clone();
        assert_eq!(hosts, json!(["registry.example"]));
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_disabled_password_stays_disabled_until_somebody_enables_it() {
        let house = house().await.with_user("alice").await;
        let root = house.root_manager().await;
        let alice = alice(&house, &["cr:PullRepository"]).await;
        let id = held(&root, "alice", "permanent_password").await;
        let enabled = async |enabled: bool| root.patch(&format!("/api/v1/credentials/{id}"), &json!({"enabled": enabled})).await;
        enabled(false).await.expect(200);
        let another = "another-horse-8";
        let set = json!({"kind": "permanent", "password": another});
        says(alice.put("/api/v1/users/alice/password", &set).await, 403, "cr:UpdateAccessCredential");
        says(alice.delete(&format!("/api/v1/credentials/{id}")).await, 403, "cr:UpdateAccessCredential");
        for password in [PASSWORD, another] {
            house.login("alice", password).get("/v2/").await.expect(401);
        }
        // Somebody else may set another one, which is as disabled as the one before.
        root.put("/api/v1/users/alice/password", &set).await.expect(204);
        house.login("alice", another).get("/v2/").await.expect(401);
        let id = held(&root, "alice", "permanent_password").await;
        root.patch(&format!("/api/v1/credentials/{id}"), &json!({"enabled": true})).await.expect(200);
        house.login("alice", another).get("/v2/").await.expect(200);
        alice.put("/api/v1/users/alice/password", &json!({"kind": "permanent", "password": PASSWORD})).await.expect(204);
        house.user("alice").get("/v2/").await.expect(200);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn what_is_missing_to_enable_ones_own_key_is_said() {
        let house = house().await.with_user("alice").await.with_user("bob").await;
        let root = house.root_manager().await;
        let alice = alice(&house, &["cr:PullRepository"]).await;
        let (on, off) = (json!({"enabled": true}), json!({"enabled": false}));
        for user in ["alice", "bob"] {
            root.post("/api/v1/credentials", &json!({"user": user, "description": "ci"})).await.expect(201);
        }
        let own = format!("/api/v1/credentials/{}", held(&alice, "alice", "access_credential").await);
        let others = format!("/api/v1/credentials/{}", held(&root, "bob", "access_credential").await);
        alice.patch(&own, &off).await.expect(200);
        says(alice.patch(&own, &on).await, 403, "cr:UpdateAccessCredential");
        assert_eq!(alice.get(&own).await.expect(200).json()["enabled"], json!(false));
        for hidden in [alice.patch(&others, &on).await, alice.patch(&others, &off).await, alice.get(&others).await] {
            hidden.expect(404);
        }
        let second = root.post("/api/v1/access-keys", &json!({"user": "alice"})).await.expect(201).text("access_key_id");
        let second = format!("/api/v1/access-keys/{second}");
        alice.patch(&second, &off).await.expect(200);
        says(alice.patch(&second, &on).await, 403, "ram:UpdateAccessKey");
        says(alice.post("/api/v1/credentials", &json!({"description": "mine"})).await, 403, "cr:CreateAccessCredential");
        says(alice.get("/api/v1/users/alice").await, 403, "ram:GetUser");
        alice.get("/api/v1/users/bob").await.expect(404);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn the_account_is_shown_to_who_may_see_it() {
        let house = house().await.with_user("alice").await;
        let account = house.root_manager().await.get("/api/v1/account").await.expect(200).json();
        assert_eq!(account["account_id"], json!(house.bootstrap.account.to_string()));
        assert_eq!((account["uuid"].as_str().unwrap().len(), &account["alias"]), (36, &json!(null)));
        let alice = alice(&house, &["cr:PullRepository"]).await;
        says(alice.get("/api/v1/account").await, 403, "ram:GetAccountAlias");
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn the_trail_finds_who_is_gone_by_name_and_by_id() {
        let house = house().await.with_user("alice").await.with_user("bob").await;
        let root = house.root_manager().await;
        let alice = alice(&house, &["cr:GetAuthorizationToken"]).await;
        alice.post("/api/v1/login-tokens", &json!({})).await.expect(201);
        house.user("bob").get("/token").await.expect(200);
        let id = root.get("/api/v1/users/alice").await.expect(200).text("user_id");
        root.delete("/api/v1/users/alice").await.expect(204);
        house.access.audit().flush().await.unwrap();
        let found = async |query: &str| {
            let events = root.get(&format!("/api/v1/audit-events?{query}")).await.expect(200).json();
            events.as_array().unwrap().clone()
        };
        for user in ["alice", &id] {
            let events = found(&format!("user={user}")).await;
            assert!(events.iter().any(|e| e["action"] == "cr:GetAuthorizationToken"), "{user}: {events:?}");
            assert!(events.iter().all(|e| e["principal"] == "alice"), "{user}: {events:?}");
        }
        let first = found("user=alice&action=cr:GetAuthorizationToken").await.remove(0);
        let by_key = found(&format!("credential={}", first["credential_id"].as_str().unwrap())).await;
        assert!(by_key.iter().any(|e| e["action"] == "cr:GetAuthorizationToken") && by_key.iter().all(|e| e["principal"] == "alice"));
        assert_eq!(found("user=never-there").await.len(), 0);
        root.get("/api/v1/audit-events?credential=x").await.expect(400);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_refused_catalog_is_written_down() {
        let house = house().await.with_user("alice").await;
        let bearer = house.user("alice").token("repository:demo/app:pull").await;
        bearer.get("/v2/_catalog").await.expect(401);
        house.access.audit().flush().await.unwrap();
        let root = house.root_manager().await;
        let events = root.get("/api/v1/audit-events?user=alice&outcome=denied").await.expect(200).json();
        assert_eq!((&events[0]["action"], &events[0]["principal"]), (&json!("cr:PullRepository"), &json!("alice")), "{events}");
    }

    async fn sql(house: &House, statement: &'static str) {
        let done: Result<(), StoreError> =
            house.store.write(|tx| Box::pin(async move { tx.execute(statement, params![]).await.map(drop) })).await;
        done.unwrap();
    }

    /// Whoever can write to the database only makes no tokens: what verifies them is sealed too.
    #[tokio::test(flavor = "multi_thread")]
    async fn a_public_key_that_is_put_into_the_database_verifies_nothing() {
        let house = house().await;
        let root = house.root_manager().await;
        sql(&house, "UPDATE signing_key SET public = x'00'").await;
        // The ring is read again.
        root.post("/api/v1/signing-keys", &json!({})).await.expect(200);
        house.root_manager().await.get("/api/v1/whoami").await.expect(200);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_use_that_could_not_be_written_is_written_the_next_time() {
        let house = house().await.with_user("alice").await;
        let root = house.root_manager().await;
        let made = root.post("/api/v1/credentials", &json!({"user": "alice", "description": "ci"})).await.expect(201);
        house.login("alice", &made.text("secret")).get("/v2/").await.expect(200);
        sql(&house, "ALTER TABLE credential RENAME TO elsewhere").await;
        house.access.audit().flush().await.unwrap_err();
        sql(&house, "ALTER TABLE elsewhere RENAME TO credential").await;
        house.access.audit().flush().await.unwrap();
        let shown = root.get(&format!("/api/v1/credentials/{}", made.text("credential_id"))).await.expect(200).json();
        assert_eq!(shown["last_used_from"], json!("192.0.2.1"));
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_change_that_is_stored_is_done_and_a_node_that_cannot_see_it_decides_nothing() {
        let house = house().await.with_user("alice").await;
        let root = house.root_manager().await;
        let alice = house.user("alice").token("repository:demo/app:pull").await;
        root.get("/api/v1/whoami").await.expect(200);
        // A row of the feed that does not read stands between this node and its own change.
        sql(&house, "UPDATE counter SET value = value + 1 WHERE name = 'change'").await;
        sql(&house, "INSERT INTO change SELECT value, 0, X'00', 0 FROM counter WHERE name = 'change'").await;
        root.patch("/api/v1/users/alice", &json!({"enabled": false})).await.expect(200);
        for reply in [root.get("/api/v1/whoami").await, alice.get("/v2/").await, house.user("alice").get("/v2/").await] {
            assert!(!reply.expect(503).header("retry-after").is_empty());
        }
        sql(&house, "UPDATE change SET kind = 'another' WHERE at_ms = 0").await;
        root.get("/api/v1/whoami").await.expect(200);
        alice.get("/v2/").await.expect(401);
    }

    /// Both have found that it is time, and one was stopped before it went on.
    #[tokio::test(flavor = "multi_thread")]
    async fn two_nodes_that_find_it_time_for_a_new_signing_key_make_one() {
        let house = house().await;
        let dice = Arc::new(Dice::new(Box::new(ChaCha20Rng::seed_from_u64(7))));
        let sealing = Keeper::open(&house.store, &house.master_keys, &dice, NOW).await.unwrap().sealing();
        let other = Tokens::open(Arc::clone(&house.store), sealing, dice, tokens::ISSUER, Seconds::minutes(5), NOW).await.unwrap();
        let (here, later) = (house.identity.tokens(), NOW.plus(Seconds::days(31)));
        assert!(other.rotate_if_due(later).await.unwrap());
        // It has not heard of it: nobody has looked at the change feed.
        assert!(!here.rotate_if_due(later.plus(Seconds(1))).await.unwrap());
        let kids = async |tokens: &Tokens| tokens.public_keys(later).await.unwrap().into_iter().map(|key| key.kid).collect::<Vec<_>>();
        assert_eq!((kids(here).await.len(), kids(here).await), (2, kids(&other).await));
        let third = later.plus(Seconds::days(31));
        assert!(here.rotate_if_due(third).await.unwrap() && !other.rotate_if_due(third).await.unwrap());
    }
}
