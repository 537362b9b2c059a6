//! Workload identity by the doors: a token of an issuer that the account trusts, and every token that is not.

#[cfg(test)]
mod issuer;

#[cfg(test)]
mod federation {
    use model::Seconds;
    use serde_json::{Value, json};
    use testkit::{Client, House, Reply, house};

    use super::issuer::{AUDIENCE, Issuer, Signer};

    const SUBJECT: &str = "repo:acme/app:ref:refs/heads/main";

    /// A service account that may pull and push, and an issuer whose keys are pinned.
    async fn trusting(house: &House, signer: &Signer) {
        let root = house.root_manager().await;
        house.root().push_image("demo/app", "v1").await;
        root.post("/api/v1/service-accounts", &json!({"name": "ci", "policies": ["AcrPush"]})).await.expect(201);
        let provider = json!({"name": "corp", "issuer": Signer::ISSUER, "jwks": signer.jwks(), "client_ids": ["roles"]});
        root.post("/api/v1/oidc-providers", &provider).await.expect(201);
        trust(&root, "ci", &json!({"name": "main", "issuer": Signer::ISSUER, "audience": AUDIENCE, "subject": SUBJECT})).await.expect(201);
    }

    async fn trust(root: &Client<'_>, service_account: &str, new: &Value) -> Reply {
        root.post(&format!("/api/v1/service-accounts/{service_account}/federated-credentials"), new).await
    }

    fn claims(house: &House) -> Value {
        let now = house.now().seconds();
        json!({"iss": Signer::ISSUER, "sub": SUBJECT, "aud": AUDIENCE, "iat": now, "nbf": now, "exp": now + 600, "repository": "acme/app"})
    }

    fn with(house: &House, more: &Value) -> Value {
        let mut all = claims(house);
        all.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        all
    }

    async fn pulls(house: &House, token: &str) -> Reply {
        house.login("whatever", token).get("/v2/demo/app/manifests/v1").await
    }

    /// What is said, status and words.
    fn said(reply: &Reply) -> (u16, String) {
        let message = reply.json()["errors"][0]["message"].as_str().unwrap_or_default().to_owned();
        (reply.status.as_u16(), message)
    }

    async fn exchange(house: &House, form: &str) -> Reply {
        house.anon().form("/api/v1/oauth2/token", form).await
    }

    fn assertion(token: &str) -> String {
        format!(
            "grant_type=client_credentials&client_assertion_type=urn:ietf:params:oauth:client-assertion-type:jwt-bearer&client_assertion={token}"
        )
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_token_is_a_password_with_any_user_name() {
        let (house, signer) = (house().await, Signer::new());
        trusting(&house, &signer).await;
        for alg in ["RS256", "ES256", "EdDSA"] {
            let token = signer.token(alg, &claims(&house));
            for username in ["whatever", "ci", "00000000-0000-0000-0000-000000000000", "<token>", "oauth2"] {
                house.login(username, &token).get("/v2/demo/app/manifests/v1").await.expect(200);
            }
            let bearer = house.login("whatever", &token).token("repository:demo/app:pull,push").await;
            bearer.get("/v2/demo/app/manifests/v1").await.expect(200);
            bearer.push_image("demo/app", alg.to_lowercase().as_str()).await;
        }
        let root = house.root_manager().await;
        house.access.audit().flush().await.unwrap();
        let shown = root.get("/api/v1/service-accounts/ci/federated-credentials/main").await.expect(200).json();
        assert_eq!((&shown["last_used_from"], &shown["provider"], &shown["enabled"]), (&json!("192.0.2.1"), &json!("corp"), &json!(true)));
        let id = shown["credential_id"].as_str().unwrap();
        let among_all = root.get(&format!("/api/v1/credentials/{id}")).await.expect(200).json();
        assert_eq!((&among_all["kind"], &among_all["last_used_from"]), (&json!("federated_credential"), &json!("192.0.2.1")));
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_token_is_exchanged_for_one_of_ours_in_three_standard_ways() {
        let (house, signer) = (house().await, Signer::new());
        trusting(&house, &signer).await;
        let token = signer.token("RS256", &claims(&house));
        let client_id = house.root_manager().await.get("/api/v1/service-accounts/ci").await.text("client_id");
        let jwt_bearer = format!("grant_type=urn:ietf:params:oauth:grant-type:jwt-bearer&assertion={token}");
        let exchanged =
            "grant_type=urn:ietf:params:oauth:grant-type:token-exchange&subject_token_type=urn:ietf:params:oauth:token-type:jwt";
        for form in [
            assertion(&token),
            format!("{}&client_id={client_id}", assertion(&token)),
            format!("{}&client_id=ci", assertion(&token)),
            jwt_bearer,
            format!("{exchanged}&subject_token={token}"),
        ] {
            let reply = exchange(&house, &form).await.expect(200);
            let me = house.bearer(&reply.text("access_token")).get("/api/v1/whoami").await.expect(200).json();
            assert_eq!((&me["name"], &me["credential_kind"]), (&json!("ci"), &json!("federated_credential")), "{form}");
        }
        for (form, status, code) in [
            (format!("{}&client_id=root", assertion(&token)), 401, "invalid_client"),
            (format!("{}&client_secret=x", assertion(&token)), 400, "invalid_request"),
            (format!("grant_type=client_credentials&client_assertion={token}"), 400, "invalid_request"),
            ("grant_type=urn:ietf:params:oauth:grant-type:jwt-bearer".to_owned(), 400, "invalid_request"),
            (format!("{exchanged}:x&subject_token={token}"), 400, "invalid_request"),
            ("grant_type=urn:ietf:params:oauth:grant-type:jwt-bearer&assertion=x".to_owned(), 400, "invalid_grant"),
        ] {
            assert_eq!(exchange(&house, &form).await.expect(status).text("error"), code, "{form}");
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn what_is_made_from_a_token_ends_with_it() {
        let (house, signer) = (house().await, Signer::new());
        trusting(&house, &signer).await;
        let token = signer.token("RS256", &with(&house, &json!({"exp": house.now().seconds() + 100})));
        let bearer = house.login("x", &token).token("repository:demo/app:pull").await;
        let reply = exchange(&house, &assertion(&token)).await.expect(200);
        assert!(reply.json()["expires_in"].as_i64().unwrap() <= 100);
        let manager = house.bearer(&reply.text("access_token"));
        manager.get("/api/v1/whoami").await.expect(200);
        house.advance(Seconds(99)).await;
        bearer.get("/v2/demo/app/manifests/v1").await.expect(200);
        house.advance(Seconds(1)).await;
        bearer.get("/v2/demo/app/manifests/v1").await.expect(401);
        manager.get("/api/v1/whoami").await.expect(401);
        let (status, message) = said(&pulls(&house, &token).await);
        assert_eq!(status, 401);
        assert!(message.contains("the token expired at 2026-01-02T03:05:45Z"), "{message}");
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_login_token_of_a_workload_ends_with_the_workloads_token() {
        let (house, signer) = (house().await, Signer::new());
        trusting(&house, &signer).await;
        let document = json!({"Version": "1", "Statement": [{"Effect": "Allow", "Action": "cr:GetAuthorizationToken", "Resource": "*"}]});
        let root = house.root_manager().await;
        root.post("/api/v1/policies", &json!({"name": "tokens", "document": document.to_string()})).await.expect(201);
        root.put("/api/v1/service-accounts/ci/policies/tokens", &json!({})).await.expect(204);
        let reply = exchange(&house, &assertion(&signer.token("RS256", &claims(&house)))).await.expect(200);
        let made = house.bearer(&reply.text("access_token")).post("/api/v1/login-tokens", &json!({"expires_in": 7200})).await.expect(201);
        let ends = made.json()["expires_at_ms"].as_i64().unwrap();
        assert!(ends <= (house.now().seconds() + 600) * 1000, "{ends}");
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn who_holds_a_token_of_a_trusted_issuer_is_told_what_does_not_fit_and_not_what_would() {
        let (house, signer) = (house().await, Signer::new());
        trusting(&house, &signer).await;
        let now = house.now().seconds();
        for (more, told) in [
            (json!({"aud": "elsewhere"}), "its audience 'elsewhere' is not trusted here"),
            (json!({"aud": ["a", "b"]}), "its audience 'a', 'b' is not trusted here"),
            (json!({"sub": "repo:evil/app:ref:refs/heads/main"}), "its subject 'repo:evil/app:ref:refs/heads/main' is not trusted here"),
            (json!({"exp": now}), "the token expired at"),
            (json!({"nbf": now + 61}), "the token does not hold before"),
            (json!({"iat": now + 61}), "which is in the future here"),
        ] {
            let token = signer.token("RS256", &with(&house, &more));
            let (status, message) = said(&pulls(&house, &token).await);
            assert!(status == 401 && message.contains(told) && message.contains(Signer::ISSUER), "{message}");
            assert!(!message.contains("acme") && !message.contains("ci'"), "what would have been right is not said: {message}");
            let told_too = exchange(&house, &assertion(&token)).await.expect(401).text("error_description");
            assert!(told_too.contains(told), "{told_too}");
        }
        house.access.audit().flush().await.unwrap();
        let trail = house.root_manager().await.get("/api/v1/audit-events?action=login").await.expect(200).json().to_string();
        assert!(trail.contains("repo:evil/app"), "whoever may read the trail finds what was presented");
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_stranger_gets_one_answer_for_everything() {
        let (house, signer, stranger) = (house().await, Signer::new(), Signer::new());
        trusting(&house, &signer).await;
        let unknown = said(&house.login("nobody", "correct-horse-1").get("/v2/demo/app/manifests/v1").await);
        let good = claims(&house);
        let hashed = house.identity.hash_calls();
        for (what, token) in [
            ("another's signature", stranger.token("RS256", &good)),
            ("an unknown issuer", stranger.token("RS256", &with(&house, &json!({"iss": "https://evil.example"})))),
            ("an issuer that looks alike", signer.token("RS256", &with(&house, &json!({"iss": format!("{}/", Signer::ISSUER)})))),
            ("no algorithm", signer.token("none", &good)),
            ("a shared secret", signer.token("HS256", &good)),
            ("a key that is not there", signer.token_with(&json!({"alg": "RS256", "kid": "other"}), &good)),
            ("a key of its own", stranger.token_with(&json!({"alg": "RS256", "kid": "rsa", "jwk": {"kty": "RSA"}}), &good)),
            ("no expiry", signer.token("RS256", &with(&house, &json!({"exp": null})))),
            ("no subject", signer.token("RS256", &with(&house, &json!({"sub": ""})))),
        ] {
            assert_eq!(said(&pulls(&house, &token).await), unknown, "{what}");
            let reply = exchange(&house, &assertion(&token)).await.expect(401);
            assert_eq!(reply.text("error_description"), "the token is not one that is trusted here", "{what}");
        }
        assert_eq!(house.identity.hash_calls(), hashed, "no token is taken for a password");
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn conditions_are_held_against_the_token() {
        let (house, signer) = (house().await, Signer::new());
        trusting(&house, &signer).await;
        let root = house.root_manager().await;
        root.post("/api/v1/service-accounts", &json!({"name": "deploy", "policies": ["AcrPull"]})).await.expect(201);
        let new = json!({"name": "prod", "issuer": Signer::ISSUER, "audience": AUDIENCE, "subject": "repo:acme/*",
            "claims": {"environment": ["prod", "stage-*"], "/kubernetes.io/namespace": ["demo"]}});
        trust(&root, "deploy", &new).await.expect(201);
        let token = |environment: &str| {
            let more = json!({"sub": "repo:acme/deploy:x", "environment": environment, "kubernetes.io": {"namespace": "demo"}});
            signer.token("ES256", &with(&house, &more))
        };
        pulls(&house, &token("stage-7")).await.expect(200);
        let (status, message) = said(&pulls(&house, &token("dev")).await);
        assert!(status == 401 && message.ends_with("its claim environment ('dev') is not trusted here"), "{message}");
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn where_several_trust_a_token_the_user_name_chooses() {
        let (house, signer) = (house().await, Signer::new());
        trusting(&house, &signer).await;
        let root = house.root_manager().await;
        root.post("/api/v1/service-accounts", &json!({"name": "cd"})).await.expect(201);
        trust(&root, "cd", &json!({"name": "all", "issuer": Signer::ISSUER, "audience": AUDIENCE, "subject": "repo:acme/*"}))
            .await
            .expect(201);
        let token = signer.token("RS256", &claims(&house));
        let (status, message) = said(&pulls(&house, &token).await);
        assert!(status == 401 && message.contains("several service accounts trust it"), "{message}");
        house.login("ci", &token).get("/v2/demo/app/manifests/v1").await.expect(200);
        house.login("cd", &token).get("/v2/demo/app/manifests/v1").await.expect(403);
        root.patch("/api/v1/service-accounts/cd", &json!({"enabled": false})).await.expect(200);
        pulls(&house, &token).await.expect(200);
    }

    /// Each way to take the trust away, and that the next request knows: with the token itself, a bearer, a management token.
    #[tokio::test(flavor = "multi_thread")]
    async fn what_is_taken_away_ends_at_once_running_tokens_included() {
        let one = "/api/v1/service-accounts/ci/federated-credentials/main";
        let off = json!({"enabled": false});
        for (what, path, change) in [
            ("the credential is disabled", one, Some(&off)),
            ("the credential is deleted", one, None),
            ("the provider is disabled", "/api/v1/oidc-providers/corp", Some(&off)),
            ("the provider is deleted", "/api/v1/oidc-providers/corp", None),
            ("the service account is disabled", "/api/v1/service-accounts/ci", Some(&off)),
            ("the service account is deleted", "/api/v1/service-accounts/ci", None),
        ] {
            let (house, signer) = (house().await, Signer::new());
            trusting(&house, &signer).await;
            let root = house.root_manager().await;
            let token = signer.token("RS256", &claims(&house));
            let bearer = house.login("x", &token).token("repository:demo/app:pull").await;
            let manager = house.bearer(&exchange(&house, &assertion(&token)).await.expect(200).text("access_token"));
            pulls(&house, &token).await.expect(200);
            bearer.get("/v2/demo/app/manifests/v1").await.expect(200);
            manager.get("/api/v1/whoami").await.expect(200);
            match change {
                Some(change) => drop(root.patch(path, change).await.expect(200)),
                None => drop(root.delete(path).await.expect(204)),
            }
            assert_eq!(pulls(&house, &token).await.status.as_u16(), 401, "{what}");
            assert_eq!(bearer.get("/v2/demo/app/manifests/v1").await.status.as_u16(), 401, "{what}");
            assert_eq!(manager.get("/api/v1/whoami").await.status.as_u16(), 401, "{what}");
            if change.is_some() {
                root.patch(path, &json!({"enabled": true})).await.expect(200);
                assert_eq!(pulls(&house, &token).await.status.as_u16(), 200, "{what}, and enabled again");
            }
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_changed_condition_holds_for_a_token_that_was_let_in_before() {
        let (house, signer) = (house().await, Signer::new());
        trusting(&house, &signer).await;
        let root = house.root_manager().await;
        let token = signer.token("RS256", &claims(&house));
        pulls(&house, &token).await.expect(200);
        let one = "/api/v1/service-accounts/ci/federated-credentials/main";
        root.patch(one, &json!({"subject": "repo:acme/other:*"})).await.expect(200);
        pulls(&house, &token).await.expect(401);
        root.patch(one, &json!({"subject": "repo:acme/*"})).await.expect(200);
        pulls(&house, &token).await.expect(200);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn keys_are_found_at_the_issuer_and_rotation_is_followed() {
        let (house, signer) = (house().await, Signer::new());
        trusting(&house, &signer).await;
        let root = house.root_manager().await;
        let issuer = Issuer::start(&signer).await;
        let provider = json!({"name": "found", "issuer": issuer.url, "allow_internal": true});
        root.post("/api/v1/oidc-providers", &provider).await.expect(201);
        assert_eq!(root.post("/api/v1/oidc-providers/found/checks", &json!({})).await.expect(200).json()["keys"], json!(3));
        trust(&root, "ci", &json!({"name": "found", "issuer": issuer.url, "audience": AUDIENCE, "subject": "abc"})).await.expect(201);
        let token = |signer: &Signer| signer.token("RS256", &with(&house, &json!({"iss": issuer.url, "sub": "abc"})));
        pulls(&house, &token(&signer)).await.expect(200);
        let asked = issuer.asked();
        pulls(&house, &token(&signer)).await.expect(200);
        assert_eq!(issuer.asked(), asked, "kept");

        let next = Signer::named("next");
        pulls(&house, &token(&next)).await.expect(401);
        issuer.publish(&next);
        pulls(&house, &token(&next)).await.expect(401);
        assert_eq!(issuer.asked(), asked, "a key that is not known is asked for once a minute");
        house.advance(Seconds(61)).await;
        pulls(&house, &token(&next)).await.expect(200);
        assert_eq!(issuer.asked(), asked + 1);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn an_issuer_that_nobody_trusts_is_never_asked_nor_one_inside_without_leave() {
        let (house, signer) = (house().await, Signer::new());
        trusting(&house, &signer).await;
        let root = house.root_manager().await;
        let issuer = Issuer::start(&signer).await;
        let token = signer.token("RS256", &with(&house, &json!({"iss": issuer.url})));
        pulls(&house, &token).await.expect(401);
        assert_eq!(issuer.asked(), 0, "unknown");
        let refused = root.post("/api/v1/oidc-providers", &json!({"name": "inside", "issuer": issuer.url})).await.expect(400);
        assert!(refused.json().to_string().contains("https"), "plain http needs leave");
        let inside = format!("https://localhost:{}", issuer.port);
        root.post("/api/v1/oidc-providers", &json!({"name": "inside", "issuer": inside})).await.expect(201);
        let checked = root.post("/api/v1/oidc-providers/inside/checks", &json!({})).await.expect(200).json();
        assert!(checked["problem"].as_str().unwrap().contains("which is internal"), "{checked}");
        let token = signer.token("RS256", &with(&house, &json!({"iss": inside})));
        pulls(&house, &token).await.expect(503);
        assert_eq!(issuer.asked(), 0, "inside");
        root.patch("/api/v1/oidc-providers/inside", &json!({"enabled": false})).await.expect(200);
        pulls(&house, &token).await.expect(401);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn an_issuer_that_does_not_answer_is_no_wrong_token() {
        let (house, signer) = (house().await, Signer::new());
        trusting(&house, &signer).await;
        let root = house.root_manager().await;
        let issuer = Issuer::start(&signer).await;
        root.post("/api/v1/oidc-providers", &json!({"name": "found", "issuer": issuer.url, "allow_internal": true})).await.expect(201);
        trust(&root, "ci", &json!({"name": "found", "issuer": issuer.url, "audience": AUDIENCE, "subject": "abc"})).await.expect(201);
        let token = signer.token("RS256", &with(&house, &json!({"iss": issuer.url, "sub": "abc"})));
        for body in ["<html>".to_owned(), format!("{{\"keys\": [{}]}}", " ".repeat(300_000))] {
            issuer.answer(&body);
            let reply = pulls(&house, &token).await.expect(503);
            assert!(!reply.header("retry-after").is_empty());
            house.advance(Seconds(10)).await;
        }
        issuer.publish(&signer);
        pulls(&house, &token).await.expect(200);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_withdrawn_key_verifies_nothing_once_its_provider_was_checked() {
        let (house, old, new) = (house().await, Signer::named("old-"), Signer::named("new-"));
        trusting(&house, &old).await;
        let root = house.root_manager().await;
        let issuer = Issuer::start(&old).await;
        root.post("/api/v1/oidc-providers", &json!({"name": "found", "issuer": issuer.url, "allow_internal": true})).await.expect(201);
        trust(&root, "ci", &json!({"name": "found", "issuer": issuer.url, "audience": AUDIENCE, "subject": "abc"})).await.expect(201);
        let claims = with(&house, &json!({"iss": issuer.url, "sub": "abc"}));
        let by = |signer: &Signer| signer.token("RS256", &claims);
        let (stolen, never_seen) = (by(&old), old.token("ES256", &claims));
        let check = async || root.post("/api/v1/oidc-providers/found/checks", &json!({})).await.expect(200).json();
        pulls(&house, &stolen).await.expect(200);
        issuer.publish(&new);
        pulls(&house, &never_seen).await.expect(200);
        assert_eq!(check().await["keys"], 3);
        for token in [&stolen, &never_seen] {
            pulls(&house, token).await.expect(401);
        }
        pulls(&house, &by(&new)).await.expect(200);
        // An issuer that does not answer is no reason to forget what is known of it.
        issuer.answer("<html>");
        assert!(check().await["problem"].is_string());
        pulls(&house, &new.token("ES256", &claims)).await.expect(200);
        let asked = issuer.asked();
        pulls(&house, &new.token("EdDSA", &claims)).await.expect(200);
        assert_eq!(issuer.asked(), asked, "kept");
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn conditions_that_nobody_can_mean_are_refused() {
        let house = house().await;
        let root = house.root_manager().await;
        root.post("/api/v1/service-accounts", &json!({"name": "ci"})).await.expect(201);
        let github = "https://token.actions.githubusercontent.com";
        let new = |more: Value| {
            let mut new = json!({"name": "gh1", "audience": AUDIENCE});
            new.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            new
        };
        for (bad, field) in [
            (json!({"issuer": github, "subject": "*"}), "subject"),
            (json!({"issuer": github, "subject": "repo:*", "claims": {"environment": ["prod"]}}), "subject"),
            (json!({"preset": "github-actions", "with": {"repository": "*/*"}}), "preset"),
            (json!({"preset": "github-actions"}), "preset"),
            (json!({"preset": "github-actions", "with": {"repository": "acme/app"}, "claims": {"repository": ["*"]}}), "subject"),
            (json!({"issuer": "https://kubernetes.default.svc", "subject": "*"}), "subject"),
            (json!({"issuer": "https://k", "subject": " x"}), "subject"),
            (json!({"issuer": "https://k", "subject": "xyz", "audience": "*"}), "audience"),
            (json!({"issuer": "k", "subject": "xyz"}), "issuer"),
            (json!({"subject": "xyz"}), "issuer"),
            (json!({"issuer": "https://k"}), "subject"),
            (json!({"issuer": "https://k", "subject": "xyz", "name": "a b"}), "name"),
        ] {
            let reply = trust(&root, "ci", &new(bad.clone())).await.expect(400);
            assert_eq!(reply.json()["error"]["field"], json!(field), "{bad}: {}", reply.json());
        }
        let made =
            trust(&root, "ci", &new(json!({"preset": "github-actions", "with": {"repository": "acme/app", "ref": "refs/heads/main"}})))
                .await;
        let made = made.expect(201).json();
        assert_eq!((&made["issuer"], &made["claims"]), (&json!(github), &json!({"ref": ["refs/heads/main"], "repository": ["acme/app"]})));
        assert_eq!(made["provider"], json!("token.actions.githubusercontent.com"), "a provider was made for it");
        trust(&root, "ci", &new(json!({"preset": "github-actions", "with": {"repository": "acme/app"}}))).await.expect(409);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn twenty_credentials_a_service_account_and_no_more() {
        let (house, signer) = (house().await, Signer::new());
        trusting(&house, &signer).await;
        let root = house.root_manager().await;
        let new = |n: usize| json!({"name": format!("n-{n}"), "issuer": Signer::ISSUER, "audience": AUDIENCE, "subject": format!("s-{n}")});
        for n in 2..=20 {
            trust(&root, "ci", &new(n)).await.expect(201);
        }
        trust(&root, "ci", &new(21)).await.expect(409);
        assert_eq!(root.get("/api/v1/service-accounts/ci/federated-credentials").await.json().as_array().unwrap().len(), 20);
    }

    /// Angos (2026-07): who was named like a provider was taken for whom it vouches. Here somebody is a kind, an issuer and a name
    /// together, and a name alone is nobody of another kind.
    #[tokio::test(flavor = "multi_thread")]
    async fn angos_a_name_like_a_providers_or_a_subjects_is_nobody_of_its() {
        let (house, signer) = (house().await.with_user("corp").await, Signer::new());
        trusting(&house, &signer).await;
        let root = house.root_manager().await;
        let user = json!({"name": "abc"});
        root.post("/api/v1/users", &user).await.expect(201);
        root.put("/api/v1/users/abc/password", &json!({"kind": "permanent", "password": testkit::PASSWORD})).await.expect(204);
        trust(&root, "ci", &json!({"name": "abc", "issuer": Signer::ISSUER, "audience": AUDIENCE, "subject": "abc"})).await.expect(201);
        for name in ["corp", "abc"] {
            house.user(name).get("/v2/").await.expect(200);
            house.user(name).get("/v2/demo/app/manifests/v1").await.expect(403);
        }
        for name in ["ci", "main", "Signer", SUBJECT, Signer::ISSUER] {
            house.login(name, testkit::PASSWORD).from(&format!("10.8.{}.1", name.len())).get("/v2/").await.expect(401);
        }
        // And the token is the service account's, whoever else has the name that comes with it.
        let token = signer.token("RS256", &with(&house, &json!({"sub": "abc"})));
        let bearer = house.login("abc", &token).token("repository:demo/app:pull").await;
        bearer.get("/v2/demo/app/manifests/v1").await.expect(200);
        let managing = exchange(&house, &assertion(&token)).await.expect(200).text("access_token");
        let said = house.bearer(&managing).get("/api/v1/whoami").await.expect(200).json();
        assert_eq!((&said["kind"], &said["name"]), (&json!("service_account"), &json!("ci")));
    }

    /// A role that trusts the provider `corp` under a condition.
    async fn role(root: &Client<'_>, name: &str, condition: &Value) {
        let account = root.get("/api/v1/whoami").await.text("account_id");
        let trust = json!({"Version": "1", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole",
            "Principal": {"Federated": [format!("acs:ram::{account}:oidc-provider/corp")]}, "Condition": condition}]});
        root.post("/api/v1/roles", &json!({"name": name, "trust_policy": trust.to_string()})).await.expect(201);
        root.put(&format!("/api/v1/roles/{name}/policies/AcrPull"), &json!({})).await.expect(204);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_role_is_assumed_with_a_token_that_its_trust_policy_lets_in() {
        let (house, signer) = (house().await, Signer::new());
        trusting(&house, &signer).await;
        let root = house.root_manager().await;
        role(
            &root,
            "puller",
            &json!({"StringEquals": {"oidc:iss": Signer::ISSUER, "oidc:aud": "roles"}, "StringLike": {"oidc:sub": "repo:acme/*"}}),
        )
        .await;
        role(&root, "open", &json!({"StringEquals": {"oidc:aud": "roles", "oidc:iss": Signer::ISSUER}})).await;
        let assume = async |role: &str, token: &str| {
            house.anon().post("/api/v1/oidc-sessions", &json!({"role": role, "token": token, "session_name": "job-7"})).await
        };
        let token = |more: &Value| signer.token("RS256", &with(&house, more));
        let good = token(&json!({"aud": ["other", "roles"]}));
        let session = assume("puller", &good).await.expect(201);
        assert_eq!(session.text("assumed_role"), "puller/job-7");
        let form = format!("grant_type=client_credentials&security_token={}", session.text("security_token"));
        let key = house.login(&session.text("access_key_id"), &session.text("access_key_secret"));
        let me = house.bearer(&key.form("/api/v1/oauth2/token", &form).await.expect(200).text("access_token"));
        assert_eq!(me.get("/api/v1/whoami").await.expect(200).text("name"), "puller/job-7");

        for (role, token, told) in [
            ("puller", token(&json!({})), "its audience 'registry.example:5000' is not trusted here"),
            ("puller", token(&json!({"aud": "roles", "sub": "repo:evil/x"})), "its subject 'repo:evil/x' is not trusted here"),
            ("nobody", good.clone(), "its subject"),
            // Who names nobody trusts everybody whom the issuer knows: that cannot be meant.
            ("open", good.clone(), "its subject"),
        ] {
            let message = assume(role, &token).await.expect(401).json()["error"]["message"].as_str().unwrap().to_owned();
            assert!(message.contains(told), "{role}: {message}");
        }
        assume("puller", &Signer::new().token("RS256", &claims(&house))).await.expect(401);

        root.patch("/api/v1/oidc-providers/corp", &json!({"enabled": false})).await.expect(200);
        me.get("/api/v1/whoami").await.expect(401);
        root.patch("/api/v1/oidc-providers/corp", &json!({"enabled": true})).await.expect(200);
        me.get("/api/v1/whoami").await.expect(200);
        root.delete("/api/v1/oidc-providers/corp").await.expect(204);
        me.get("/api/v1/whoami").await.expect(401);
    }

    /// Somebody at the management API who may do this and nothing else.
    async fn manager<'h>(house: &'h House, user: &str, actions: &[&str]) -> Client<'h> {
        let root = house.root_manager().await;
        let document = json!({"Version": "1", "Statement": [{"Effect": "Allow", "Action": actions, "Resource": "*"}]}).to_string();
        root.post("/api/v1/policies", &json!({"name": format!("of-{user}"), "document": document})).await.expect(201);
        root.put(&format!("/api/v1/users/{user}/policies/of-{user}"), &json!({})).await.expect(204);
        let key = root.post("/api/v1/access-keys", &json!({"user": user})).await.expect(201);
        house.manager(&key.text("access_key_id"), &key.text("access_key_secret")).await
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn nobody_vouches_their_way_to_more_than_they_hold() {
        let (house, signer) = (house().await.with_user("eve").await, Signer::new());
        trusting(&house, &signer).await;
        let root = house.root_manager().await;
        role(&root, "puller", &json!({"StringLike": {"oidc:sub": "repo:acme/*"}})).await;
        let eve = manager(&house, "eve", &["cr:*FederatedCredential*", "cr:GetServiceAccount", "ram:*OIDCProvider*"]).await;
        let own = json!({"name": "own", "issuer": Signer::ISSUER, "audience": AUDIENCE, "subject": "eve"});
        trust(&eve, "ci", &own).await.expect(403);
        let one = "/api/v1/service-accounts/ci/federated-credentials/main";
        eve.patch(one, &json!({"subject": "eve-the-first"})).await.expect(403);
        eve.patch(one, &json!({"enabled": false})).await.expect(200);
        eve.patch(one, &json!({"enabled": true})).await.expect(403);
        let keys = Signer::new().jwks();
        eve.patch("/api/v1/oidc-providers/corp", &json!({"jwks": keys})).await.expect(403);
        eve.patch("/api/v1/oidc-providers/corp", &json!({"client_ids": ["mine"]})).await.expect(403);
        eve.patch("/api/v1/oidc-providers/corp", &json!({"description": "seen"})).await.expect(200);
        // Roles name providers: whoever could put another in the place of one that went would be all of them.
        eve.delete("/api/v1/oidc-providers/corp").await.expect(204);
        eve.post("/api/v1/oidc-providers", &json!({"name": "corp", "issuer": Signer::ISSUER, "jwks": keys})).await.expect(403);
        eve.post("/api/v1/oidc-providers", &json!({"name": "other", "issuer": Signer::ISSUER, "jwks": keys})).await.expect(201);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn providers_are_checked_and_hidden() {
        let (house, signer) = (house().await.with_user("eve").await, Signer::new());
        trusting(&house, &signer).await;
        let root = house.root_manager().await;
        for (bad, field) in [
            (json!({"name": "a b", "issuer": "https://i"}), "name"),
            (json!({"name": "i", "issuer": "ftp://i"}), "issuer"),
            (json!({"name": "i", "issuer": "https://i", "jwks": "{}"}), "jwks"),
            (json!({"name": "i", "issuer": "https://i", "ca": "hello"}), "ca"),
            (json!({"name": "i", "issuer": "https://i", "client_ids": ["a b"]}), "client_ids"),
            (json!({"name": "i", "issuer": "https://i", "client_ids": vec!["a"; 51]}), "client_ids"),
        ] {
            assert_eq!(root.post("/api/v1/oidc-providers", &bad).await.expect(400).json()["error"]["field"], json!(field), "{bad}");
        }
        root.post("/api/v1/oidc-providers", &json!({"name": "corp", "issuer": "https://i"})).await.expect(409);
        root.post("/api/v1/oidc-providers", &json!({"name": "twice", "issuer": Signer::ISSUER})).await.expect(409);
        let eve = manager(&house, "eve", &["cr:GetRepository"]).await;
        eve.get("/api/v1/oidc-providers/corp").await.expect(404);
        eve.get("/api/v1/oidc-providers/none").await.expect(404);
        eve.get("/api/v1/service-accounts/ci/federated-credentials").await.expect(404);
        let shown = root.get("/api/v1/oidc-providers/corp").await.expect(200).json();
        assert!(shown["arn"].as_str().unwrap().ends_with(":oidc-provider/corp"), "{shown}");
    }
}
