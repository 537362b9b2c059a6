//! Users and groups change their names, and no name changes hands under a document that speaks of it.

#[cfg(test)]
mod names {
    use serde_json::{Value, json};
    use store::{Database, Store};
    use testkit::{Client, House, house};

    fn trust(principal: &str) -> String {
        json!({"Version": "1", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"RAM": [principal]}}]})
            .to_string()
    }

    fn allow(actions: &[&str], resource: &str) -> String {
        json!({"Version": "1", "Statement": [{"Effect": "Allow", "Action": actions, "Resource": resource}]}).to_string()
    }

    async fn make(root: &Client<'_>, path: &str, body: Value) -> Value {
        root.post(&format!("/api/v1{path}"), &body).await.expect(201).json()
    }

    async fn key_of<'h>(house: &'h House, root: &Client<'_>, user: &str) -> Client<'h> {
        let key = root.post("/api/v1/access-keys", &json!({"user": user})).await.expect(201);
        house.manager(&key.text("access_key_id"), &key.text("access_key_secret")).await
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn what_is_said_of_a_user_can_be_changed_and_taken_back() {
        let house = house().await;
        let root = house.root_manager().await;
        let made =
            make(&root, "/users", json!({"name": "alice", "display_name": "Alice A.", "description": "builds", "email": "a@example.com"}))
                .await;
        assert_eq!(
            (&made["display_name"], &made["email"], &made["updated_at"]),
            (&json!("Alice A."), &json!("a@example.com"), &json!(null))
        );
        let path = "/api/v1/users/alice";
        let changed = root.patch(path, &json!({"phone": "+49 30 1", "email": "", "description": "tests"})).await.expect(200).json();
        assert_eq!((&changed["email"], &changed["phone"], &changed["display_name"]), (&json!(""), &json!("+49 30 1"), &json!("Alice A.")));
        assert!(changed["updated_at"].is_string() && changed["enabled"] == json!(true));
        for bad in
            [json!({"email": "nowhere"}), json!({"email": "a@b@c"}), json!({"phone": "call me"}), json!({"display_name": "x".repeat(129)})]
        {
            root.patch(path, &bad).await.expect(400);
        }
        assert_eq!(root.get(path).await.expect(200).json()["description"], json!("tests"));
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_user_keeps_id_keys_and_rights_under_a_new_name_and_the_old_one_opens_nothing() {
        let house = house().await.with_user("alice").await;
        let root = house.root_manager().await;
        let password = json!({"kind": "permanent", "password": "correct horse 9"});
        root.put("/api/v1/users/alice/password", &password).await.expect(204);
        let id = root.get("/api/v1/users/alice").await.expect(200).text("user_id");
        // The right password of the old name is remembered for a minute.
        house.login("alice", "correct horse 9").get("/v2/").await.expect(200);
        assert_eq!(root.patch("/api/v1/users/alice", &json!({"name": "alina"})).await.expect(200).json()["user_id"], json!(id));
        house.login("alice", "correct horse 9").get("/v2/").await.expect(401);
        house.login("alina", "correct horse 9").get("/v2/").await.expect(200);
        root.get("/api/v1/users/alice").await.expect(404);
        // Who comes after has nothing of it.
        make(&root, "/users", json!({"name": "alice"})).await;
        house.login("alice", "correct horse 9").get("/v2/").await.expect(401);
        root.patch("/api/v1/users/alice", &json!({"name": "alina"})).await.expect(409);
        root.patch("/api/v1/users/alice", &json!({"name": "root"})).await.expect(400);
        root.patch("/api/v1/users/root", &json!({"name": "other"})).await.expect(400);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn whoever_renames_may_change_both_names() {
        let house = house().await.with_user("alice").await.with_user("bob").await;
        let root = house.root_manager().await;
        let account = house.first_account().id();
        make(
            &root,
            "/policies",
            json!({"name": "team", "document": allow(&["ram:UpdateUser", "ram:GetUser"], &format!("acs:ram::{account}:user/b*"))}),
        )
        .await;
        root.put("/api/v1/users/alice/policies/team", &json!({})).await.expect(204);
        let alice = key_of(&house, &root, "alice").await;
        alice.patch("/api/v1/users/bob", &json!({"name": "carol"})).await.expect(403);
        alice.patch("/api/v1/users/alice", &json!({"name": "brigitte"})).await.expect(403);
        alice.patch("/api/v1/users/bob", &json!({"name": "bert"})).await.expect(200);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_name_that_a_trust_policy_speaks_of_does_not_change_hands() {
        let house = house().await.with_user("alice").await.with_user("bob").await;
        let root = house.root_manager().await;
        let account = house.first_account().id();
        let of = |name: &str| format!("acs:ram::{account}:user/{name}");
        make(&root, "/roles", json!({"name": "deploy", "trust_policy": trust(&of("alice"))})).await;
        // Neither into it nor out of it.
        root.patch("/api/v1/users/alice", &json!({"name": "alina"})).await.expect(409);
        root.delete("/api/v1/users/alice").await.expect(204);
        root.patch("/api/v1/users/bob", &json!({"name": "alice"})).await.expect(409);
        root.post("/api/v1/users", &json!({"name": "alice"})).await.expect(409);
        root.post("/api/v1/service-accounts", &json!({"name": "alice"})).await.expect(201);
        root.delete("/api/v1/service-accounts/alice").await.expect(204);
        // Who is named in advance is meant.
        root.patch("/api/v1/roles/deploy", &json!({"trust_policy": trust(&of("later"))})).await.expect(200);
        root.post("/api/v1/users", &json!({"name": "alice"})).await.expect(201);
        root.patch("/api/v1/users/bob", &json!({"name": "later"})).await.expect(409);
        root.post("/api/v1/users", &json!({"name": "later"})).await.expect(201);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn nor_does_one_that_a_repository_or_a_namespace_speaks_of() {
        let house = house().await;
        let root = house.root_manager().await;
        house.root().push_image("demo/app", "v1").await;
        let account = house.first_account().id();
        make(&root, "/groups", json!({"name": "readers"})).await;
        // Escaped, it is the same name.
        let document = format!(
            r#"{{"Version":"1","Statement":[{{"Effect":"Deny","Action":"cr:PullRepository","Principal":{{"RAM":"acs:ram::{account}:group/r\u0065aders"}}}}]}}"#
        );
        let path = "/api/v1/instances/local/repository-policies/demo/app";
        root.put(path, &json!({"document": document})).await.expect(200);
        root.patch("/api/v1/groups/readers", &json!({"name": "writers"})).await.expect(409);
        assert_eq!(root.patch("/api/v1/groups/readers", &json!({"description": "who reads"})).await.expect(200).text("name"), "readers");
        root.delete("/api/v1/groups/readers").await.expect(204);
        root.post("/api/v1/groups", &json!({"name": "readers"})).await.expect(409);
        root.delete(path).await.expect(204);
        root.post("/api/v1/groups", &json!({"name": "readers"})).await.expect(201);
        let renamed = root.patch("/api/v1/groups/readers", &json!({"name": "writers"})).await.expect(200);
        assert_eq!((renamed.text("name"), renamed.text("description")), ("writers".into(), String::new()));
        root.get("/api/v1/groups/readers").await.expect(404);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn policies_say_whom_they_are_attached_to_and_let_the_oldest_version_go() {
        holders_and_versions(house().await).await;
    }

    /// The statements are one text for both databases.
    #[test]
    fn policies_do_so_and_names_stay_on_postgres() {
        testkit::on_postgres("identity_names", async |settings| {
            let house = || async { House::over(Store::open(&Database::Postgres(settings.clone())).await.unwrap()).await };
            holders_and_versions(house().await).await;
        });
    }

    async fn holders_and_versions(house: House) {
        let house = house.with_user("alice").await;
        let root = house.root_manager().await;
        let document = allow(&["cr:PullRepository"], "*");
        make(&root, "/policies", json!({"name": "p", "document": document})).await;
        make(&root, "/groups", json!({"name": "readers"})).await;
        for holder in ["users/alice", "groups/readers"] {
            root.put(&format!("/api/v1/{holder}/policies/p"), &json!({})).await.expect(204);
            // Again: nothing changes.
            root.put(&format!("/api/v1/{holder}/policies/p"), &json!({})).await.expect(204);
        }
        let first = root.get("/api/v1/policies/p/holders?limit=1").await.expect(200);
        assert!(first.header("link").contains("after=") && first.json().as_array().unwrap().len() == 1);
        let holders = root.get("/api/v1/policies/p/holders").await.expect(200).json();
        let mut names: Vec<_> = holders.as_array().unwrap().iter().map(|h| h["principal"].as_str().unwrap()).collect();
        names.sort_unstable();
        assert_eq!(names, ["group/readers", "user/alice"]);
        assert_eq!(root.get("/api/v1/policies/p").await.expect(200).json()["attachments"], json!(2));
        assert_eq!(root.get("/api/v1/policies/AcrPull/holders").await.expect(200).json(), json!([]));
        root.get("/api/v1/policies/nobody/holders").await.expect(404);
        root.delete("/api/v1/policies/p").await.expect(409);
        assert_eq!(root.patch("/api/v1/policies/p", &json!({"description": "pulls"})).await.expect(200).text("description"), "pulls");

        for _ in 0..4 {
            make(&root, "/policies/p/versions", json!({"document": document, "set_as_default": false})).await;
        }
        root.post("/api/v1/policies/p/versions", &json!({"document": document})).await.expect(409);
        let sixth = make(&root, "/policies/p/versions", json!({"document": document, "set_as_default": false, "drop_oldest": true})).await;
        assert_eq!(sixth["version"], json!(6));
        let versions = root.get("/api/v1/policies/p/versions").await.expect(200).json();
        let numbers: Vec<_> = versions.as_array().unwrap().iter().map(|v| v["version"].as_i64().unwrap()).collect();
        assert_eq!(numbers, [1, 3, 4, 5, 6], "the one in force stays");
        root.get("/api/v1/policies/p/versions/2").await.expect(404);
        assert_eq!(root.get("/api/v1/policies/p/versions/1").await.expect(200).json()["is_default"], json!(true));

        // What else is asked of the database: who is in a group, names that are kept, what is counted.
        let account = house.first_account().id();
        root.put("/api/v1/groups/readers/users/alice", &json!({})).await.expect(204);
        assert_eq!(root.get("/api/v1/groups/readers/users").await.expect(200).json()[0]["name"], json!("alice"));
        assert_eq!(root.get("/api/v1/users/alice/groups").await.expect(200).json()[0]["name"], json!("readers"));
        make(&root, "/roles", json!({"name": "deploy", "trust_policy": trust(&format!("acs:ram::{account}:user/alice"))})).await;
        root.delete("/api/v1/users/alice").await.expect(204);
        root.post("/api/v1/users", &json!({"name": "alice"})).await.expect(409);
        root.delete("/api/v1/roles/deploy").await.expect(204);
        root.post("/api/v1/users", &json!({"name": "alice", "phone": "1"})).await.expect(201);
        root.patch("/api/v1/users/alice", &json!({"name": "alina"})).await.expect(200);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_sign_in_password_is_seen_and_deleted_and_what_it_opened_ends() {
        let house = house().await.with_user("alice").await;
        let root = house.root_manager().await;
        let path = "/api/v1/users/alice/sign-in-password";
        root.get(path).await.expect(404);
        root.put("/api/v1/users/alice/password", &json!({"kind": "sign_in", "password": "correct horse 9"})).await.expect(204);
        assert_eq!(root.get(path).await.expect(200).json()["enabled"], json!(true));
        let signed_in = "grant_type=password&username=alice&password=correct+horse+9";
        let token = house.anon().form("/api/v1/oauth2/token", signed_in).await.expect(200).text("access_token");
        let alice = house.bearer(&token);
        alice.get("/api/v1/whoami").await.expect(200);
        root.delete(path).await.expect(204);
        alice.get("/api/v1/whoami").await.expect(401);
        root.delete(path).await.expect(404);
        root.delete("/api/v1/users/root/sign-in-password").await.expect(400);
    }
}
