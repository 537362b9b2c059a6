//! Looking after keys: rotation, what ends soon, what nobody uses, integrations, and whose a found secret is.

#[cfg(test)]
mod care {
    use model::Seconds;
    use serde_json::{Value, json};
    use store::{StoreError, params};
    use testkit::{Client, House, Reply, house};

    const DAY: i64 = 86_400;

    fn allow(actions: &[&str]) -> String {
        json!({"Version": "1", "Statement": [{"Effect": "Allow", "Action": actions, "Resource": "*"}]}).to_string()
    }

    /// Somebody who is there, allowed these actions, at the management API.
    async fn manager<'h>(house: &'h House, name: &str, document: &str) -> Client<'h> {
        let root = house.root_manager().await;
        root.post("/api/v1/policies", &json!({"name": name, "document": document})).await.expect(201);
        root.put(&format!("/api/v1/users/{name}/policies/{name}"), &json!({})).await.expect(204);
        let key = root.post("/api/v1/access-keys", &json!({"user": name})).await.expect(201);
        house.manager(&key.text("access_key_id"), &key.text("access_key_secret")).await
    }

    async fn create(client: &Client<'_>, body: Value) -> Reply {
        client.post("/api/v1/credentials", &body).await.expect(201)
    }

    async fn rotate(client: &Client<'_>, id: &str, body: Value) -> Reply {
        client.post(&format!("/api/v1/credentials/{id}/rotations"), &body).await
    }

    async fn works(house: &House, user: &str, secret: &str) -> bool {
        house.login(user, secret).get("/v2/").await.status.as_u16() == 200
    }

    fn says(reply: Reply, status: u16, words: &str) {
        let text = String::from_utf8_lossy(&reply.expect(status).body).into_owned();
        assert!(text.contains(words), "{text}");
    }

    fn ids(reply: Reply) -> Vec<String> {
        let all = reply.expect(200).json();
        all.as_array().unwrap().iter().map(|c| c["credential_id"].as_str().unwrap().to_owned()).collect()
    }

    async fn sql(house: &House, statement: &'static str) {
        let done: Result<(), StoreError> =
            house.store.write(|tx| Box::pin(async move { tx.execute(statement, params![]).await.map(drop) })).await;
        done.unwrap();
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn both_live_until_the_overlap_ends() {
        let house = house().await.with_user("alice").await;
        let root = house.root_manager().await;
        let body = json!({"user": "alice", "description": "ci", "expires_in": 30 * DAY, "instance": "local"});
        let old = create(&root, body).await;
        house.advance(Seconds::days(10)).await;
        let root = house.root_manager().await;
        let new = rotate(&root, &old.text("credential_id"), json!({"overlap": 3600})).await.expect(201);
        assert_eq!((new.text("username"), new.text("description")), ("alice".to_owned(), "ci".to_owned()));
        assert_eq!(new.text("old_credential_id"), old.text("credential_id"));
        assert_eq!(new.text("expires_at"), "2026-02-11T03:04:05Z", "as long as the old one was made for");
        assert_eq!(new.text("old_expires_at"), "2026-01-12T04:04:05Z");
        assert_eq!(new.json()["instance_id"], old.json()["instance_id"]);
        assert!(works(&house, "alice", &old.text("secret")).await && works(&house, "alice", &new.text("secret")).await);
        house.advance(Seconds::hours(1)).await;
        assert!(!works(&house, "alice", &old.text("secret")).await, "the overlap is over");
        assert!(works(&house, "alice", &new.text("secret")).await);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn the_overlap_lengthens_nothing() {
        let house = house().await;
        let root = house.root_manager().await;
        let old = create(&root, json!({"description": "ci", "expires_in": 600})).await;
        let new = rotate(&root, &old.text("credential_id"), json!({"overlap": 3600})).await.expect(201);
        assert_eq!(new.json()["old_expires_at"], old.json()["expires_at"]);
        let at_once = create(&root, json!({"description": "ci"})).await;
        rotate(&root, &at_once.text("credential_id"), json!({"overlap": 0})).await.expect(201);
        assert!(!works(&house, "root", &at_once.text("secret")).await);
        says(rotate(&root, &new.text("credential_id"), json!({"overlap": 31 * DAY})).await, 400, "overlap");
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn of_two_rotations_at_once_one_wins() {
        let house = house().await;
        let root = house.root_manager().await;
        let old = create(&root, json!({"description": "ci"})).await.text("credential_id");
        let (one, two) = tokio::join!(rotate(&root, &old, json!({})), rotate(&root, &old, json!({})));
        let mut statuses = [one.status.as_u16(), two.status.as_u16()];
        statuses.sort_unstable();
        assert_eq!(statuses, [201, 409]);
        let won = if one.status == 201 { one } else { two };
        says(rotate(&root, &old, json!({})).await, 409, &won.text("credential_id"));
        // When its successor is gone, it may have another.
        root.delete(&format!("/api/v1/credentials/{}", won.text("credential_id"))).await.expect(204);
        let again = rotate(&root, &old, json!({})).await.expect(201).json();
        assert_eq!(again["expires_at"], json!(null), "its end was brought forward, and is not passed on");
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn what_does_not_work_is_not_rotated() {
        let house = house().await.with_user("alice").await;
        let root = house.root_manager().await;
        let made = create(&root, json!({"description": "ci", "expires_in": 60})).await.text("credential_id");
        root.patch(&format!("/api/v1/credentials/{made}"), &json!({"enabled": false})).await.expect(200);
        says(rotate(&root, &made, json!({})).await, 400, "disabled");
        root.patch(&format!("/api/v1/credentials/{made}"), &json!({"enabled": true})).await.expect(200);
        house.advance(Seconds::minutes(1)).await;
        says(rotate(&root, &made, json!({})).await, 400, "has ended");
        let all = root.get("/api/v1/credentials?user=alice").await.expect(200).json();
        let password = all[0]["credential_id"].as_str().unwrap().to_owned();
        says(rotate(&root, &password, json!({})).await, 400, "password");
        rotate(&root, "cred-0000000000000000", json!({})).await.expect(404);
    }

    /// A thief of a key must not be able to make another of it that outlives its disabling.
    #[tokio::test(flavor = "multi_thread")]
    async fn rotating_needs_the_right_to_create() {
        let house = house().await.with_user("alice").await.with_user("bob").await;
        let root = house.root_manager().await;
        let own = create(&root, json!({"user": "alice", "description": "ci"})).await.text("credential_id");
        let others = create(&root, json!({"user": "bob", "description": "ci"})).await.text("credential_id");
        let alice = manager(&house, "alice", &allow(&["cr:PullRepository"])).await;
        says(rotate(&alice, &own, json!({})).await, 403, "cr:CreateAccessCredential");
        rotate(&alice, &others, json!({})).await.expect(404);
        let bob = manager(&house, "bob", &allow(&["cr:CreateAccessCredential", "cr:ListAccessCredential"])).await;
        rotate(&bob, &others, json!({})).await.expect(201);
        says(rotate(&bob, &own, json!({})).await, 403, "cr:UpdateAccessCredential");
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn an_access_key_is_rotated_unless_there_are_two_already() {
        let house = house().await;
        let root = house.root_manager().await;
        let old = house.bootstrap.access_key_id.clone();
        let rotate = async |id: &str| root.post(&format!("/api/v1/access-keys/{id}/rotations"), &json!({"overlap": 60})).await;
        let new = rotate(&old).await.expect(201);
        assert_eq!(new.text("old_access_key_id"), old);
        says(rotate(&new.text("access_key_id")).await, 409, "no more than 2 access keys");
        house.manager(&new.text("access_key_id"), &new.text("access_key_secret")).await.get("/api/v1/whoami").await.expect(200);
        root.get("/api/v1/whoami").await.expect(200);
        house.advance(Seconds::minutes(1)).await;
        root.get("/api/v1/whoami").await.expect(401);
        // The one that has ended makes room by itself.
        let root = house.manager(&new.text("access_key_id"), &new.text("access_key_secret")).await;
        root.post(&format!("/api/v1/access-keys/{}/rotations", new.text("access_key_id")), &json!({})).await.expect(201);
        let held = root.get("/api/v1/access-keys").await.expect(200).json();
        assert!(held.as_array().unwrap().iter().all(|key| key["access_key_id"] != old), "{held}");
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn what_ends_soon_is_found_by_those_who_may_see_it() {
        let house = house().await.with_user("alice").await.with_user("bob").await;
        let root = house.root_manager().await;
        let make = async |user: &str, days: i64| {
            create(&root, json!({"user": user, "description": "ci", "expires_in": days * DAY})).await.text("credential_id")
        };
        let (alices, bobs, late) = (make("alice", 6).await, make("bob", 2).await, make("bob", 40).await);
        create(&root, json!({"user": "bob", "description": "for ever"})).await;
        let soon = async |client: &Client<'_>, query: &str| ids(client.get(&format!("/api/v1/credentials?{query}")).await);
        let week = format!("expiring_within={}", 7 * DAY);
        assert_eq!(soon(&root, &week).await, [bobs.clone(), alices.clone()], "the soonest first");
        assert_eq!(soon(&root, &format!("{week}&user=bob")).await, std::slice::from_ref(&bobs));
        assert_eq!(soon(&root, &format!("expiring_within={}", 60 * DAY)).await, [bobs.clone(), alices.clone(), late]);
        let alice = manager(&house, "alice", &allow(&["cr:PullRepository"])).await;
        assert_eq!(soon(&alice, &week).await, std::slice::from_ref(&alices), "one's own");
        let document = json!({"Version": "1", "Statement": [
            {"Effect": "Allow", "Action": "cr:ListAccessCredential", "Resource": "*"},
            {"Effect": "Deny", "Action": "cr:ListAccessCredential", "Resource": "acs:ram:*:*:user/alice"},
        ]});
        let bob = manager(&house, "bob", &document.to_string()).await;
        assert_eq!(soon(&bob, &week).await, std::slice::from_ref(&bobs));
        // What was rotated or disabled warns no longer.
        rotate(&root, &bobs, json!({"overlap": DAY})).await.expect(201);
        root.patch(&format!("/api/v1/credentials/{alices}"), &json!({"enabled": false})).await.expect(200);
        let left = soon(&root, &week).await;
        assert!(left.len() == 1 && left[0] != bobs, "the successor alone: {left:?}");
        let ending = house.identity.credentials_ending(house.now()).await.unwrap();
        assert_eq!((ending.day, ending.week, ending.month), (0, 1, 1));
        root.get("/api/v1/credentials?expiring_within=-1").await.expect(400);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn long_lists_come_in_pages() {
        let house = house().await.with_user("alice").await;
        let root = house.root_manager().await;
        for days in 1..=5 {
            create(&root, json!({"user": "alice", "description": "ci", "expires_in": days * DAY})).await;
        }
        for query in
            [format!("expiring_within={}", 30 * DAY), format!("unused_for=0&expiring_within={}", 30 * DAY), "unused_for=0".to_owned()]
        {
            house.advance(Seconds(1)).await;
            let mut found = Vec::new();
            let mut next = Some(format!("/api/v1/credentials?limit=2&{query}"));
            while let Some(target) = next {
                let reply = root.get(&target).await.expect(200);
                next = reply.headers.get("link").map(|l| l.to_str().unwrap().split(['<', '>']).nth(1).unwrap().to_owned());
                found.extend(ids(reply));
            }
            let mut once = found.clone();
            once.sort();
            once.dedup();
            assert_eq!(once.len(), found.len(), "{query}: each once");
            assert!(found.len() >= 5, "{query}: {}", found.len());
        }
        root.get("/api/v1/credentials?unused_for=0&after=x").await.expect(400);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn what_nobody_uses_is_found() {
        let house = house().await.with_user("alice").await;
        let root = house.root_manager().await;
        let idle = create(&root, json!({"user": "alice", "description": "idle"})).await;
        let busy = create(&root, json!({"user": "alice", "description": "busy"})).await;
        house.advance(Seconds::days(91)).await;
        assert!(works(&house, "alice", &busy.text("secret")).await);
        house.access.audit().flush().await.unwrap();
        let root = house.root_manager().await;
        let stale = ids(root.get(&format!("/api/v1/credentials?unused_for={}", 90 * DAY)).await);
        assert!(stale.contains(&idle.text("credential_id")) && !stale.contains(&busy.text("credential_id")), "{stale:?}");
    }

    async fn integrate(root: &Client<'_>, name: &str) {
        let body = json!({"name": name, "kind": "kubernetes-cluster", "link": "https://clusters.example/prod"});
        root.post("/api/v1/integrations", &body).await.expect(201);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn an_integration_lists_what_was_made_for_it() {
        let house = house().await.with_user("alice").await;
        let root = house.root_manager().await;
        integrate(&root, "prod").await;
        root.post("/api/v1/integrations", &json!({"name": "prod", "kind": "other"})).await.expect(409);
        let made = create(&root, json!({"user": "alice", "description": "pulls", "integration": "prod"})).await;
        let rotated = rotate(&root, &made.text("credential_id"), json!({})).await.expect(201);
        let all = root.get("/api/v1/credentials?integration=prod").await.expect(200).json();
        assert_eq!(all.as_array().unwrap().len(), 2);
        assert!(all.as_array().unwrap().iter().all(|c| c["integration"] == "prod" && c["user"] == "alice"), "{all}");
        let shown = root.get("/api/v1/integrations/prod").await.expect(200).json();
        assert_eq!((&shown["credentials"], &shown["state"]), (&json!(2), &json!("present")));
        says(root.delete("/api/v1/integrations/prod").await, 409, "2 credentials");
        for id in [made.text("credential_id"), rotated.text("credential_id")] {
            root.delete(&format!("/api/v1/credentials/{id}")).await.expect(204);
        }
        root.delete("/api/v1/integrations/prod").await.expect(204);
        root.get("/api/v1/integrations/prod").await.expect(404);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_live_one_is_not_deleted_by_mistake() {
        let house = house().await;
        let root = house.root_manager().await;
        integrate(&root, "prod").await;
        let made = create(&root, json!({"description": "pulls", "integration": "prod"})).await;
        let path = format!("/api/v1/credentials/{}", made.text("credential_id"));
        assert!(works(&house, "root", &made.text("secret")).await);
        house.access.audit().flush().await.unwrap();
        let refused = root.delete(&path).await.expect(409);
        assert_eq!(refused.json()["error"]["code"], "recently_used");
        house.advance(Seconds::days(1)).await;
        let root = house.root_manager().await;
        assert!(works(&house, "root", &made.text("secret")).await);
        house.access.audit().flush().await.unwrap();
        root.delete(&path).await.expect(409);
        root.delete(&format!("{path}?force=true")).await.expect(204);
        // What no integration carries is its owner's to delete.
        let own = create(&root, json!({"description": "mine"})).await;
        assert!(works(&house, "root", &own.text("secret")).await);
        house.access.audit().flush().await.unwrap();
        root.delete(&format!("/api/v1/credentials/{}", own.text("credential_id"))).await.expect(204);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn what_is_gone_is_offered_for_removal() {
        let house = house().await;
        let root = house.root_manager().await;
        integrate(&root, "old").await;
        integrate(&root, "new").await;
        let update = async |body: Value| root.patch("/api/v1/integrations/old", &body).await.expect(200).json();
        assert_eq!(update(json!({"gone": true})).await["state"], "gone");
        let stale = async |days: i64| {
            let all = root.get(&format!("/api/v1/integrations?unused_for={}", days * DAY)).await.expect(200).json();
            all.as_array().unwrap().iter().map(|i| i["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(stale(90).await, ["old"]);
        says(root.post("/api/v1/credentials", &json!({"description": "x", "integration": "old"})).await, 400, "gone");
        assert_eq!(update(json!({"gone": false, "link": ""})).await["link"], Value::Null);
        assert_eq!(update(json!({})).await["gone_at"], Value::Null);
        house.advance(Seconds::days(91)).await;
        let root = house.root_manager().await;
        let all = root.get(&format!("/api/v1/integrations?unused_for={}", 90 * DAY)).await.expect(200).json();
        assert_eq!(all.as_array().unwrap().len(), 2);
        root.patch("/api/v1/integrations/old", &json!({"link": "https://u:p@x"})).await.expect(400);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn an_integration_that_may_not_be_seen_is_not_there() {
        let house = house().await.with_user("alice").await;
        let root = house.root_manager().await;
        integrate(&root, "prod").await;
        let alice = manager(&house, "alice", &allow(&["cr:CreateAccessCredential"])).await;
        for name in ["prod", "nowhere"] {
            alice.post("/api/v1/credentials", &json!({"description": "x", "integration": name})).await.expect(404);
            alice.get(&format!("/api/v1/credentials?integration={name}")).await.expect(404);
            alice.get(&format!("/api/v1/integrations/{name}")).await.expect(404);
        }
        alice.get("/api/v1/integrations").await.expect(403);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_found_secret_says_whose_it_is_to_those_who_may_ask() {
        let house = house().await.with_user("alice").await;
        let root = house.root_manager().await;
        let made = create(&root, json!({"user": "alice", "description": "ci"})).await;
        let token = root.post("/api/v1/login-tokens", &json!({})).await.expect(201).text("password");
        let key = house.bootstrap.access_key_secret.reveal().to_owned();
        let password = house.bootstrap.root_password.reveal().to_owned();
        let never = "tgc_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAA0VauYx";
        let secrets = [made.text("secret"), key, token, password, never.to_owned(), "tgc_wrong".to_owned()];
        let reply = root.post("/api/v1/secret-lookups", &json!({"secrets": secrets})).await.expect(200);
        let told = reply.json();
        assert_eq!(
            (&told[0]["owner"], &told[0]["kind"], &told[0]["description"]),
            (&json!("alice"), &json!("access_credential"), &json!("ci"))
        );
        assert_eq!((&told[1]["owner"], &told[1]["access_key_id"]), (&json!("root"), &json!(house.bootstrap.access_key_id)));
        assert_eq!((&told[2]["token"], &told[2]["credential_id"]), (&json!("login_token"), &told[1]["credential_id"]));
        for unknown in 3..6 {
            assert_eq!(told[unknown], told[4], "a chosen password is not looked up, and nothing else is told apart");
            assert_eq!(told[unknown]["known"], false);
        }
        for secret in &secrets {
            assert!(!String::from_utf8_lossy(&reply.body).contains(secret.as_str()));
        }
        let alice = manager(&house, "alice", &allow(&["cr:PullRepository"])).await;
        says(alice.post("/api/v1/secret-lookups", &json!({"secrets": secrets})).await, 403, "cr:IdentifySecret");
        root.post("/api/v1/secret-lookups", &json!({"secrets": []})).await.expect(400);
        root.post("/api/v1/secret-lookups", &json!({"secrets": vec![never; 101]})).await.expect(400);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn another_accounts_secret_is_answered_like_none() {
        let house = house().await.with_user("alice").await;
        let root = house.root_manager().await;
        let made = create(&root, json!({"user": "alice", "description": "ci"})).await;
        let body = json!({"secrets": [made.text("secret"), "tgc_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAA0VauYx"]});
        sql(&house, "INSERT INTO account (id, uuid, created_ms) VALUES (1000000000000001, 'u', 0)").await;
        sql(&house, "UPDATE credential SET account_id = 1000000000000001 WHERE description = 'ci'").await;
        let told = root.post("/api/v1/secret-lookups", &body).await.expect(200).json();
        assert_eq!(told[0], told[1]);
    }
}
