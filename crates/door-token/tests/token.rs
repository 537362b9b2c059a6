//! The token service, in both forms of the Docker token specification.

#[cfg(test)]
mod tokens {
    use model::Seconds;
    use serde_json::{Value, json};
    use testkit::{Client, House, PASSWORD, Reply, house};

    const SERVICE: &str = "registry.example%3A5000";
    const PULL: &str = r#"{"Version":"1","Statement":[{"Effect":"Allow","Action":"cr:PullRepository","Resource":"*"}]}"#;

    /// Alice may pull; `demo/app` and `open/app` are there, and anybody may read the second.
    async fn furnished() -> House {
        let house = house().await.with_user("alice").await.with_policy("alice", "pull", PULL).await;
        let namespace = json!({"name": "open", "public": true});
        house.root_manager().await.post("/api/v1/instances/local/namespaces", &namespace).await.expect(201);
        for name in ["demo/app", "open/app"] {
            house.root().push_image(name, "v1").await;
        }
        house
    }

    async fn identity_tokens(house: &House, on: bool) {
        house.root_manager().await.patch("/api/v1/instances/local", &json!({"identity_tokens": on})).await.expect(200);
    }

    async fn by_password(house: &House, more: &str) -> Reply {
        let form = format!("grant_type=password&client_id=test&service={SERVICE}&username=alice&password={PASSWORD}{more}");
        house.anon().form("/token", &form).await
    }

    async fn by_refresh_token(house: &House, token: &str, service: &str) -> Reply {
        let form =
            format!("grant_type=refresh_token&client_id=test&service={service}&refresh_token={token}&scope=repository:demo/app:pull");
        house.anon().form("/token", &form).await
    }

    /// What a bearer token carries: its payload's own words.
    fn scopes(token: &str) -> String {
        use base64::Engine as _;
        let payload = token.split('.').nth(1).unwrap();
        let payload = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(payload).unwrap();
        let claims: Value = serde_json::from_slice(&payload).unwrap();
        let access = claims["access"].as_array().unwrap();
        access.iter().map(|a| format!("{}{}", a["name"], a["actions"])).collect::<Vec<_>>().join(" ")
    }

    async fn may(client: &Client<'_>, name: &str) -> bool {
        let status = client.get(&format!("/v2/{name}/manifests/v1")).await.status.as_u16();
        assert!([200, 401].contains(&status), "{status}");
        status == 200
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn scopes_come_repeated_or_separated_by_spaces_and_carry_what_is_allowed() {
        let house = furnished().await;
        let alice = house.user("alice");
        let asked = [
            "scope=repository:demo/app:pull,push&scope=repository:open/app:pull",
            "scope=repository:demo/app:pull,push+repository:open/app:pull",
        ];
        for query in asked {
            let token = alice.get(&format!("/token?service={SERVICE}&account=alice&{query}")).await.expect(200).text("token");
            assert_eq!(scopes(&token), "\"demo/app\"[\"pull\"] \"open/app\"[\"pull\"]");
            let granted = by_password(&house, &format!("&{query}")).await.expect(200);
            assert_eq!(granted.text("scope"), "repository:demo/app:pull repository:open/app:pull");
            assert_eq!(granted.json()["expires_in"], json!(300));
            assert!(may(&house.bearer(&granted.text("access_token")), "demo/app").await);
        }
        let nothing = alice.get("/token").await.expect(200).text("token");
        house.bearer(&nothing).get("/v2/").await.expect(200);
        assert!(!may(&house.bearer(&nothing), "demo/app").await);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn nobody_gets_what_nobody_may() {
        let house = furnished().await;
        let anybody = house.anon().token("repository:open/app:pull,push repository:demo/app:pull").await;
        assert!(may(&anybody, "open/app").await);
        assert!(!may(&anybody, "demo/app").await);
        let begun = anybody.send(http::Method::POST, "/v2/open/app/blobs/uploads/", &[], "").await;
        begun.expect(401);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn the_service_is_this_host_or_a_listed_one() {
        let house = furnished().await;
        let alice = house.user("alice");
        for (service, status) in [(SERVICE, 200), ("other.example", 200), ("registry.example", 400), ("elsewhere.example", 400)] {
            alice.get(&format!("/token?service={service}")).await.expect(status);
        }
        let elsewhere = alice.get("/token?service=other.example&scope=repository:demo/app:pull").await.expect(200).text("token");
        assert!(!may(&house.bearer(&elsewhere), "demo/app").await, "a token for another service opens nothing here");
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_refresh_token_is_given_only_where_the_instance_hands_them_out() {
        let house = furnished().await;
        let alice = house.user("alice");
        let get = async || alice.get("/token?offline_token=true").await.expect(200).json()["refresh_token"].clone();
        let post = async || by_password(&house, "&access_type=offline").await.expect(200).json()["refresh_token"].clone();
        assert_eq!((get().await, post().await), (Value::Null, Value::Null));
        identity_tokens(&house, true).await;
        assert_eq!(alice.get("/token").await.expect(200).json()["refresh_token"], Value::Null, "unless it is asked for");
        for token in [get().await, post().await] {
            let token = token.as_str().unwrap().to_owned();
            for _ in 0..2 {
                let granted = by_refresh_token(&house, &token, SERVICE).await.expect(200);
                assert!(may(&house.bearer(&granted.text("access_token")), "demo/app").await, "as often as one likes");
            }
            by_refresh_token(&house, &token, "other.example").await.expect(401);
            house.bearer(&token).get("/v2/").await.expect(401);
            house.login("alice", &token).get("/v2/").await.expect(401);
            identity_tokens(&house, false).await;
            by_refresh_token(&house, &token, SERVICE).await.expect(401);
            identity_tokens(&house, true).await;
            by_refresh_token(&house, &token, SERVICE).await.expect(200);
        }
        assert_eq!(house.anon().get("/token?offline_token=true").await.expect(200).json()["refresh_token"], Value::Null);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_refresh_token_lives_as_long_as_the_credential_behind_it() {
        let house = furnished().await;
        identity_tokens(&house, true).await;
        let root = house.root_manager().await;
        let refresh = async |life: i64| {
            let wanted = json!({"user": "alice", "description": "ci", "expires_in": life});
            let made = root.post("/api/v1/credentials", &wanted).await.expect(201);
            let login = house.login("alice", &made.text("secret"));
            (made.text("credential_id"), login.get("/token?offline_token=true").await.expect(200).text("refresh_token"))
        };
        let ((_, short), (id, long)) = (refresh(3600).await, refresh(864_000).await);
        house.advance(Seconds::hours(1)).await;
        by_refresh_token(&house, &short, SERVICE).await.expect(401);
        by_refresh_token(&house, &long, SERVICE).await.expect(200);
        house.advance(Seconds::days(3)).await;
        by_refresh_token(&house, &long, SERVICE).await.expect(200);
        house.root_manager().await.patch(&format!("/api/v1/credentials/{id}"), &json!({"enabled": false})).await.expect(200);
        by_refresh_token(&house, &long, SERVICE).await.expect(401);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn what_is_no_grant_is_refused_in_words_of_oauth() {
        let house = furnished().await;
        let error = async |form: &str| {
            let reply = house.anon().form("/token", form).await;
            (reply.status.as_u16(), reply.text("error"))
        };
        let refused = |status: u16, code: &str| (status, code.to_owned());
        assert_eq!(error("grant_type=implicit").await, refused(400, "unsupported_grant_type"));
        assert_eq!(error("grant_type=password&username=alice").await, refused(400, "invalid_request"));
        assert_eq!(error("grant_type=password&grant_type=password").await, refused(400, "invalid_request"));
        assert_eq!(error("grant_type=password&username=alice&password=wrong-password-1").await, refused(401, "invalid_grant"));
        assert_eq!(error("grant_type=refresh_token&refresh_token=x.y.z").await, refused(401, "invalid_grant"));
        house.user("alice").send(http::Method::POST, "/token", &[("content-type", "application/json")], "{}").await.expect(400);
    }
}
