//! Holes that other registries had to mend, one test each, named after it (docs/security.md, "Holes of the field, as tests"). Those that
//! are looked for in every operation are in `isolation/holes.rs`.

#[cfg(test)]
mod holes {
    use std::collections::BTreeSet;

    use base64::Engine as _;
    use http::Method;
    use model::{Action, Seconds};
    use serde_json::{Value, json};
    use testkit::{Client, House, PASSWORD, Reply, house, registry_operations};

    const MANIFEST: [(&str, &str); 1] = [("content-type", "application/vnd.oci.image.manifest.v1+json")];

    fn allow(actions: &[&str], resource: &str) -> String {
        json!({"Version": "1", "Statement": [{"Effect": "Allow", "Action": actions, "Resource": resource}]}).to_string()
    }

    /// A user without a password who may do this and nothing else; an access credential of theirs.
    async fn holder(root: &Client<'_>, name: &str, actions: &[&str]) -> String {
        root.post("/api/v1/users", &json!({"name": name})).await.expect(201);
        if !actions.is_empty() {
            let policy = json!({"name": format!("of-{name}"), "document": allow(actions, "*")});
            root.post("/api/v1/policies", &policy).await.expect(201);
            root.put(&format!("/api/v1/users/{name}/policies/of-{name}"), &json!({})).await.expect(204);
        }
        root.post("/api/v1/credentials", &json!({"user": name, "description": "x"})).await.expect(201).text("secret")
    }

    /// Somebody's access key, at the management API.
    async fn manager<'h>(house: &'h House, user: &str) -> Client<'h> {
        let key = house.root_manager().await.post("/api/v1/access-keys", &json!({"user": user})).await.expect(201);
        house.manager(&key.text("access_key_id"), &key.text("access_key_secret")).await
    }

    /// The management client of a session.
    async fn assumed<'h>(house: &'h House, session: &Reply) -> Client<'h> {
        let form = format!("grant_type=client_credentials&security_token={}", session.text("security_token"));
        let key = house.login(&session.text("access_key_id"), &session.text("access_key_secret"));
        house.bearer(&key.form("/api/v1/oauth2/token", &form).await.expect(200).text("access_token"))
    }

    fn trusting(house: &House, who: &str) -> String {
        let whom = format!("acs:ram::{}:{who}", house.bootstrap.account);
        json!({"Version": "1", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"RAM": [whom]}}]}).to_string()
    }

    /// The actions that a bearer token carries on a repository.
    fn carried(token: &str, repository: &str) -> BTreeSet<String> {
        let payload = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(token.split('.').nth(1).unwrap()).unwrap();
        let claims: Value = serde_json::from_slice(&payload).unwrap();
        let access = claims["access"].as_array().unwrap().iter().filter(|entry| entry["name"] == repository);
        access.flat_map(|entry| entry["actions"].as_array().unwrap()).map(|action| action.as_str().unwrap().to_owned()).collect()
    }

    fn pulls(reply: &Reply) -> bool {
        assert!(matches!(reply.status.as_u16(), 200 | 401 | 403 | 404), "{reply:?}");
        reply.status == 200
    }

    /// Harbor #23675: whose name began with `scanner-` was taken for the scanner. Here a name says nothing about what somebody is.
    #[tokio::test(flavor = "multi_thread")]
    async fn harbor_23675_a_name_says_nothing_about_what_somebody_is() {
        let house = house().await;
        let root = house.root_manager().await;
        house.root().push_image("demo/app", "v1").await;
        for name in ["scanner-trivy", "robot-ci", "admin", "administrator", "system", "operator", "tidegate", "anonymous", "admin-local"] {
            let secret = holder(&root, name, &[]).await;
            let said = manager(&house, name).await.get("/api/v1/whoami").await.expect(200).json();
            assert_eq!((&said["kind"], &said["name"]), (&json!("user"), &json!(name)));
            let client = house.login(name, &secret);
            client.get("/v2/").await.expect(200);
            client.get("/v2/demo/app/manifests/v1").await.expect(403);
            client.send(Method::POST, "/v2/demo/app/blobs/uploads/", &[], "").await.expect(403);
            assert_eq!(client.get("/v2/_catalog").await.expect(200).json()["repositories"], json!([]));
            manager(&house, name).await.get("/api/v1/users").await.expect(403);
            // A program of that name is another one, and a name is somebody's once.
            root.post("/api/v1/service-accounts", &json!({"name": name})).await.expect(409);
            root.post("/api/v1/roles", &json!({"name": name, "trust_policy": trusting(&house, "root")})).await;
            client.get("/v2/demo/app/manifests/v1").await.expect(403);
        }
        for taken in
            ["root", "cr_temp_user", "temp_user_cr", "local", "4444444444444444", "01234567-89ab-4def-8123-456789abcdef", "tcr$x", "tcr@x"]
        {
            for path in ["users", "service-accounts"] {
                let status = root.post(&format!("/api/v1/{path}"), &json!({"name": taken})).await.status.as_u16();
                assert!(matches!(status, 400 | 409), "{path} {taken}: {status}");
            }
        }
    }

    /// Harbor #22556: with an empty prefix for robots every name was a robot's. Here the prefix is fixed, means a service account of
    /// exactly that name, and is nobody's without one.
    #[tokio::test(flavor = "multi_thread")]
    async fn harbor_22556_a_prefix_means_a_service_account_and_nobody_else() {
        let house = house().await.with_user("alice").await;
        let root = house.root_manager().await;
        let secret = root.post("/api/v1/service-accounts", &json!({"name": "ci"})).await.expect(201).text("secret");
        for name in ["ci", "tcr$ci", "tcr@ci"] {
            house.login(name, &secret).get("/v2/").await.expect(200);
        }
        let names = [
            "",
            "tcr$",
            "tcr@",
            "$ci",
            "@ci",
            "tcr$tcr$ci",
            "tcr$ ci",
            "TCR$ci",
            "robot$ci",
            "tcr#ci",
            "tcr$alice",
            "tcr$root",
            "alice",
            "root",
        ];
        for name in names {
            house.login(name, &secret).get("/v2/").await.expect(401);
        }
        for (number, name) in ["tcr$alice", "tcr@alice", "tcr$", "tcr$root"].into_iter().enumerate() {
            let from = format!("10.9.{number}.1");
            house.login(name, PASSWORD).from(&from).get("/v2/").await.expect(401);
            house.login(name, house.bootstrap.root_password.reveal()).from(&from).get("/v2/").await.expect(401);
        }
    }

    /// Harbor #20232, #19298: a token had more actions than were asked for. Every set of actions, asked for by holders of every set.
    #[tokio::test(flavor = "multi_thread")]
    async fn harbor_20232_a_token_has_what_was_asked_for_and_is_allowed() {
        let all = [("pull", "cr:PullRepository"), ("push", "cr:PushRepository"), ("delete", "cr:DeleteRepositoryTag")];
        let house = house().await;
        let root = house.root_manager().await;
        let subset = |bits: usize| all.iter().enumerate().filter(move |(at, _)| bits & (1 << at) != 0).map(|(_, pair)| *pair);
        for held in 0..8 {
            let actions: Vec<&str> = subset(held).map(|(_, action)| action).collect();
            let secret = holder(&root, &format!("u{held}"), &actions).await;
            let login = house.login(&format!("u{held}"), &secret);
            // Whoever may push may pull.
            let may: BTreeSet<&str> = subset(if held & 2 == 0 { held } else { held | 1 }).map(|(scope, _)| scope).collect();
            for asked in 1..8 {
                let scopes: Vec<&str> = subset(asked).map(|(scope, _)| scope).collect();
                let target = format!("/token?service=registry.example:5000&scope=repository:demo/app:{}", scopes.join(","));
                let token = login.get(&target).await.expect(200).text("token");
                let wanted: BTreeSet<String> = scopes.iter().filter(|scope| may.contains(*scope)).map(|&scope| scope.to_owned()).collect();
                assert_eq!(carried(&token, "demo/app"), wanted, "{actions:?} asked for {scopes:?}");
                assert!(carried(&token, "demo/other").is_empty());
            }
            let star = login.get("/token?service=registry.example:5000&scope=repository:demo/app:*").await.expect(200).text("token");
            assert!(carried(&star, "demo/app").iter().all(|scope| may.contains(scope.as_str())), "{actions:?} asked for *");
        }
    }

    /// Harbor, robots of other projects (2019 to 2020): a robot's rights were not held against its maker's. Here a service account, its
    /// policies and a credential reach no further than who makes them.
    #[tokio::test(flavor = "multi_thread")]
    async fn harbor_cross_project_robot_reaches_no_further_than_its_maker() {
        let house = house().await.with_user("bob").await;
        let root = house.root_manager().await;
        for name in ["demo/app", "prod/app"] {
            house.root().push_image(name, "v1").await;
        }
        root.post("/api/v1/instances", &json!({"name": "prod", "hosts": ["prod.example"]})).await.expect(201);
        let own = allow(&["cr:PullRepository", "cr:GetRepository", "cr:ListRepositoryTag"], "acs:cr:*:*:repository/local/demo/*");
        let grants = allow(&["cr:*ServiceAccount*", "cr:*ClientSecret*", "ram:AttachPolicyTo*"], "*");
        for (name, document) in [("own", own), ("making", grants)] {
            root.post("/api/v1/policies", &json!({"name": name, "document": document})).await.expect(201);
            root.put(&format!("/api/v1/users/bob/policies/{name}"), &json!({})).await.expect(204);
        }
        let bob = manager(&house, "bob").await;
        let ci = bob.post("/api/v1/service-accounts", &json!({"name": "ci", "policies": ["own"]})).await.expect(201);
        let program = house.login("ci", &ci.text("secret"));
        program.get("/v2/demo/app/manifests/v1").await.expect(200);
        program.get("/v2/prod/app/manifests/v1").await.expect(403);
        for wide in [
            json!({"name": "x1", "repositories": ["prod/*"], "policies": ["AcrPull"]}),
            json!({"name": "x2", "repositories": ["*"], "policies": ["AcrPull"]}),
            json!({"name": "x3", "repositories": ["demo/*"], "policies": ["AcrPush"]}),
            json!({"name": "x4", "instance": "prod", "repositories": ["demo/*"]}),
            json!({"name": "x5", "policies": ["AdministratorAccess"]}),
        ] {
            bob.post("/api/v1/service-accounts", &wide).await.expect(403);
        }
        bob.put("/api/v1/service-accounts/ci/policies/AcrPull", &json!({})).await.expect(403);
        let others = root.post("/api/v1/service-accounts", &json!({"name": "other", "policies": ["AcrPush"]})).await.expect(201);
        bob.post("/api/v1/service-accounts/other/secrets", &json!({"description": "mine"})).await.expect(403);
        let one = format!("/api/v1/service-accounts/other/secrets/{}/rotations", others.text("credential_id"));
        bob.post(&one, &json!({})).await.expect(403);
    }

    /// Everything that somebody in a group can carry about.
    async fn carriers<'h>(house: &'h House, (name, secret): (&str, &str), manager: &Client<'h>) -> Vec<(&'static str, Client<'h>)> {
        let basic = house.login(name, secret);
        let token = manager.post("/api/v1/login-tokens", &json!({})).await.expect(201).text("password");
        let login = house.login("cr_temp_user", &token);
        let bearer = basic.token("repository:demo/app:pull,push").await;
        let of_login = login.token("repository:demo/app:pull,push").await;
        vec![("Basic", basic), ("login token", login), ("bearer", bearer), ("bearer of a login token", of_login)]
    }

    /// zot CVE-2025-23208: groups were added at a login and never taken away. Here whoever has left one has nothing of it left, by
    /// whatever they logged in with before or after.
    #[tokio::test(flavor = "multi_thread")]
    async fn cve_2025_23208_who_left_a_group_has_nothing_of_it_left() {
        let house = house().await;
        let root = house.root_manager().await;
        house.root().push_image("demo/app", "v1").await;
        root.patch("/api/v1/instances/local", &json!({"identity_tokens": true})).await.expect(200);
        let secret = holder(&root, "alice", &[]).await;
        let alice = manager(&house, "alice").await;
        root.post("/api/v1/policies", &json!({"name": "tokens", "document": allow(&["cr:GetAuthorizationToken"], "*")})).await.expect(201);
        let join = async || {
            root.post("/api/v1/groups", &json!({"name": "writers"})).await;
            for policy in ["AcrPush", "tokens"] {
                root.put(&format!("/api/v1/groups/writers/policies/{policy}"), &json!({})).await.expect(204);
            }
            root.put("/api/v1/groups/writers/users/alice", &json!({})).await.expect(204);
        };
        for leave in ["/api/v1/groups/writers/users/alice", "/api/v1/groups/writers"] {
            join().await;
            let refresh = house.login("alice", &secret).get("/token?offline_token=true").await.expect(200).text("refresh_token");
            let carriers = carriers(&house, ("alice", &secret), &alice).await;
            for (what, client) in &carriers {
                assert!(pulls(&client.get("/v2/demo/app/manifests/v1").await), "{what}");
            }
            root.delete(leave).await.expect(204);
            for (what, client) in &carriers {
                assert!(!pulls(&client.get("/v2/demo/app/manifests/v1").await), "{what} after {leave}");
                let begun = client.send(Method::POST, "/v2/demo/app/blobs/uploads/", &[], "").await.status.as_u16();
                assert!(matches!(begun, 401 | 403), "{what} after {leave}: {begun}");
            }
            let form = format!(
                "grant_type=refresh_token&client_id=x&service=registry.example%3A5000&refresh_token={refresh}&scope=repository:demo/app:pull"
            );
            let again = house.anon().form("/token", &form).await.expect(200).text("access_token");
            assert!(carried(&again, "demo/app").is_empty(), "a refresh after {leave}");
            let anew = house.login("alice", &secret).token("repository:demo/app:pull").await;
            assert!(!pulls(&anew.get("/v2/demo/app/manifests/v1").await), "a login after {leave}");
            alice.post("/api/v1/login-tokens", &json!({})).await.expect(403);
        }
    }

    /// zot CVE-2026-31801: the tag `latest` was overwritten without the right. Here the name of a tag decides nothing.
    #[tokio::test(flavor = "multi_thread")]
    async fn cve_2026_31801_no_tag_is_overwritten_without_the_right_whatever_its_name() {
        let house = house().await;
        let root = house.root_manager().await;
        let (reader, writer) = (
            holder(&root, "reader", &["cr:PullRepository", "cr:CreateRepositoryTag"]).await,
            holder(&root, "writer", &["cr:PushRepository"]).await,
        );
        let (reader, writer) = (house.login("reader", &reader), house.login("writer", &writer));
        let hexadecimal = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        let like_a_referrer = format!("sha256-{hexadecimal}");
        let other = house.root().push_image("demo/app", "other").await;
        let content = house.root().get(&format!("/v2/demo/app/manifests/{other}")).await.expect(200).body;
        for tag in ["latest", "LATEST", "v1", "stable", "main", "_", "1", hexadecimal, &like_a_referrer] {
            let kept = house.root().push_image("demo/app", tag).await;
            let path = format!("/v2/demo/app/manifests/{tag}");
            let digest = async || house.root().head(&path).await.expect(200).header("docker-content-digest").to_owned();
            for client in [&reader, &reader.token("repository:demo/app:pull,push").await, &house.anon()] {
                let status = client.send(Method::PUT, &path, &MANIFEST, content.clone()).await.status.as_u16();
                assert!(matches!(status, 401 | 403), "{tag}: {status}");
                let status = client.delete(&path).await.status.as_u16();
                assert!(matches!(status, 401 | 403), "{tag}: {status}");
            }
            assert_eq!(digest().await, kept, "{tag}");
            writer.send(Method::PUT, &path, &MANIFEST, content.clone()).await.expect(201);
            assert_eq!(digest().await, other, "{tag}");
        }
    }

    /// zot #4161: methods were mapped to the wrong rights. Holders of exactly one action, of all there are, at every route with every
    /// method; GHSA-5f2q: the verbs of chunked uploads among them.
    #[tokio::test(flavor = "multi_thread")]
    async fn zot_4161_each_action_opens_its_own_routes_and_no_other() {
        let house = house().await;
        let root = house.root_manager().await;
        let mut opened = 0;
        for (number, held) in Action::ALL.iter().enumerate() {
            let secret = holder(&root, &format!("u{number}"), &[held.as_str()]).await;
            let basic = house.login(&format!("u{number}"), &secret);
            let bearer = basic.token("repository:demo/app:pull,push,delete registry:catalog:*").await;
            let digest = house.root().push_image("demo/app", "v1").await;
            for (method, template, action) in registry_operations() {
                let Some(action) = action.filter(|_| template.contains("<name>")) else { continue };
                let path = template.replace("<name>", "demo/app").replace("<reference>", "v1").replace("<digest>", &digest);
                let path = path.replace("<id>", "upl-0000000000000001");
                let path = if *method == Method::PUT { format!("{path}?digest={digest}") } else { path };
                let may = *held == action || (*held == Action::PushRepository && action == Action::PullRepository);
                for client in [&basic, &bearer] {
                    let status = client.send(method.clone(), &path, &[], "").await.status.as_u16();
                    assert_eq!(!matches!(status, 401 | 403), may, "{} at {method} {template}: {status}", held.as_str());
                }
                opened += usize::from(may);
            }
        }
        assert!(opened >= 20, "{opened}");
    }

    /// zot, own finding: the scopes of an API key were stored and not enforced. Here what narrows a key narrows whatever is made of it.
    #[tokio::test(flavor = "multi_thread")]
    async fn zot_api_key_scopes_are_enforced_whatever_carries_them() {
        let house = house().await;
        let root = house.root_manager().await;
        for name in ["demo/app", "prod/app"] {
            house.root().push_image(name, "v1").await;
        }
        root.patch("/api/v1/instances/local", &json!({"identity_tokens": true})).await.expect(200);
        let new = json!({"name": "ci", "policies": ["AcrPull"], "repositories": ["demo/*"]});
        let made = root.post("/api/v1/service-accounts", &new).await.expect(201);
        let basic = house.login("ci", &made.text("secret"));
        let everything = "repository:demo/app:pull,push,delete repository:prod/app:pull,push,delete registry:catalog:*";
        let refresh = basic.get("/token?offline_token=true").await.expect(200).text("refresh_token");
        let form = format!(
            "grant_type=refresh_token&client_id=x&service=registry.example%3A5000&refresh_token={refresh}&scope={}",
            everything.replace(' ', "+").replace('*', "%2A")
        );
        let refreshed = house.anon().form("/token", &form).await.expect(200).text("access_token");
        let managing = format!("grant_type=client_credentials&client_id=ci&client_secret={}", made.text("secret"));
        let managing = house.anon().form("/api/v1/oauth2/token", &managing).await;
        let bearer = basic.token(everything).await;
        for (what, client) in [("Basic", &basic), ("bearer", &bearer), ("refreshed", &house.bearer(&refreshed))] {
            assert!(pulls(&client.get("/v2/demo/app/manifests/v1").await), "{what}");
            assert!(!pulls(&client.get("/v2/prod/app/manifests/v1").await), "{what}");
            assert!(!pulls(&client.get("/v2/prod/app/tags/list").await), "{what}");
            for name in ["demo/app", "prod/app"] {
                let begun = client.send(Method::POST, &format!("/v2/{name}/blobs/uploads/"), &[], "").await.status.as_u16();
                assert!(matches!(begun, 401 | 403), "{what}: {begun}");
                let deleted = client.delete(&format!("/v2/{name}/manifests/v1")).await.status.as_u16();
                assert!(matches!(deleted, 401 | 403), "{what}: {deleted}");
            }
            assert_eq!(client.get("/v2/_catalog").await.expect(200).json()["repositories"], json!(["demo/app"]), "{what}");
        }
        if managing.status == 200 {
            let managing = house.bearer(&managing.text("access_token"));
            let there = |name: &str| format!("/api/v1/instances/local/repositories/{name}");
            managing.get(&there("demo/app")).await.expect(200);
            managing.get(&there("prod/app")).await.expect(404);
        }
    }

    /// GHSA-vvc3: a token acted with all that its owner may. Here one of the root user's is what was asked for and no more; and
    /// artifact-keeper #2290, #2430: no token is traded for a wider one.
    #[tokio::test(flavor = "multi_thread")]
    async fn artifact_keeper_2290_no_exchange_widens_a_token() {
        let house = house().await;
        for name in ["demo/app", "prod/app"] {
            house.root().push_image(name, "v1").await;
        }
        let narrow = house.root().token("repository:demo/app:pull").await;
        narrow.get("/v2/demo/app/manifests/v1").await.expect(200);
        for (method, path) in [
            (Method::GET, "/v2/prod/app/manifests/v1"),
            (Method::POST, "/v2/demo/app/blobs/uploads/"),
            (Method::DELETE, "/v2/demo/app/manifests/v1"),
            (Method::GET, "/v2/_catalog"),
            (Method::GET, "/api/v1/whoami"),
            (Method::POST, "/api/v1/login-tokens"),
        ] {
            let reply = narrow.send(method.clone(), path, &[], "").await;
            let nothing = reply.status == 401 || (reply.status == 200 && reply.json()["repositories"] == json!([]));
            assert!(nothing, "{method} {path}: {} {}", reply.status, String::from_utf8_lossy(&reply.body));
        }
        let token = narrow.authorization().unwrap().strip_prefix("Bearer ").unwrap().to_owned();
        let wider = "/token?service=registry.example:5000&scope=repository:prod/app:pull,push";
        for client in [narrow.clone(), house.login("root", &token), house.login("cr_temp_user", &token)] {
            let reply = client.get(wider).await;
            let gained = reply.status == 200 && !carried(&reply.text("token"), "prod/app").is_empty();
            assert!(!gained, "{reply:?}");
        }
        for form in [
            format!(
                "grant_type=refresh_token&client_id=x&service=registry.example%3A5000&refresh_token={token}&scope=repository:prod/app:pull"
            ),
            format!(
                "grant_type=password&client_id=x&service=registry.example%3A5000&username=root&password={token}&scope=repository:prod/app:pull"
            ),
        ] {
            house.anon().form("/token", &form).await.expect(401);
        }
        for grant in ["urn:ietf:params:oauth:grant-type:jwt-bearer&assertion", "client_credentials&client_assertion"] {
            let status = house.anon().form("/api/v1/oauth2/token", &format!("grant_type={grant}={token}")).await.status.as_u16();
            assert!(matches!(status, 400 | 401), "{grant}: {status}");
        }
    }

    /// Gitea CVE-2025-68941, CVE-2026-24791, CVE-2026-25714: what was made for public things read private ones. Here nobody's token
    /// reads what is public and nothing else, by no route.
    #[tokio::test(flavor = "multi_thread")]
    async fn cve_2025_68941_nobodys_token_reads_what_is_public_alone() {
        let house = house().await;
        let root = house.root_manager().await;
        root.post("/api/v1/instances/local/namespaces", &json!({"name": "open", "public": true})).await.expect(201);
        house.root().push_image("open/app", "v1").await;
        let private = house.root().push_image("demo/app", "hidden").await;
        let blob = house.root().push_blob("demo/app", b"hidden").await;
        let bearer = house.anon().token("repository:open/app:pull repository:demo/app:pull registry:catalog:*").await;
        for client in [house.anon(), bearer] {
            assert!(pulls(&client.get("/v2/open/app/manifests/v1").await));
            for path in [
                "/v2/demo/app/manifests/hidden".to_owned(),
                "/v2/demo/app/tags/list".to_owned(),
                format!("/v2/demo/app/manifests/{private}"),
                format!("/v2/demo/app/blobs/{blob}"),
                format!("/v2/demo/app/referrers/{private}"),
                // By way of what is public.
                format!("/v2/open/app/manifests/{private}"),
                format!("/v2/open/app/blobs/{blob}"),
            ] {
                assert!(!pulls(&client.get(&path).await), "{path}");
            }
            let catalog = client.get("/v2/_catalog").await;
            assert!(!String::from_utf8_lossy(&catalog.body).contains("demo/app"), "{catalog:?}");
        }
    }

    /// Angos: a remembered decision left out what it was made of. Here the address counts at each request, whatever was decided before.
    #[tokio::test(flavor = "multi_thread")]
    async fn angos_no_decision_is_taken_for_another_address_or_repository() {
        let house = house().await;
        let root = house.root_manager().await;
        let near = holder(&root, "near", &[]).await;
        let document = json!({"Version": "1", "Statement": [{
            "Effect": "Allow", "Action": ["cr:PullRepository"], "Resource": "acs:cr:*:*:repository/local/demo/app",
            "Condition": {"IpAddress": {"acs:SourceIp": "192.0.2.0/24"}},
        }]});
        root.post("/api/v1/policies", &json!({"name": "near", "document": document.to_string()})).await.expect(201);
        root.put("/api/v1/users/near/policies/near", &json!({})).await.expect(204);
        for repository in ["demo/app", "demo/other"] {
            house.root().push_image(repository, "v1").await;
        }
        let bearer = house.login("near", &near).from("192.0.2.1").token("repository:demo/app:pull repository:demo/other:pull").await;
        for client in [house.login("near", &near), bearer] {
            for (address, repository, may) in [
                ("192.0.2.1", "demo/app", true),
                ("198.51.100.7", "demo/app", false),
                ("192.0.2.1", "demo/other", false),
                ("192.0.2.9", "demo/app", true),
                ("198.51.100.7", "demo/app", false),
            ] {
                let reply = client.clone().from(address).get(&format!("/v2/{repository}/manifests/v1")).await;
                assert_eq!(pulls(&reply), may, "{address} {repository}");
            }
        }
    }

    /// Angos: a mount was authorised, and granted when its source or the right to it was gone. Here what is mounted is there and may be
    /// read, and what is not is not linked.
    #[tokio::test(flavor = "multi_thread")]
    async fn angos_a_mount_beside_deletion_links_nothing_that_is_gone() {
        let house = house().await;
        let root = house.root();
        let (mut mounted, mut refused) = (0, 0);
        let mount = async |client: &Client<'_>, digest: &str| {
            let path = format!("/v2/demo/app/blobs/uploads/?mount={digest}&from=demo%2Fbase");
            client.send(Method::POST, &path, &[], "").await.status.as_u16()
        };
        for round in 0..40 {
            let content = format!("content {round}");
            let digest = root.push_blob("demo/base", content.as_bytes()).await;
            let source = format!("/v2/demo/base/blobs/{digest}");
            let status = if round % 2 == 0 {
                tokio::join!(mount(&root, &digest), root.delete(&source)).0
            } else {
                tokio::join!(root.delete(&source), mount(&root, &digest)).1
            };
            let there = root.get(&format!("/v2/demo/app/blobs/{digest}")).await;
            match status {
                201 => assert_eq!(there.expect(200).body, content.as_bytes(), "{round}"),
                202 => assert_eq!(there.status.as_u16(), 404, "{round}"),
                other => panic!("{round}: {other}"),
            }
            if status == 201 { mounted += 1 } else { refused += 1 }
        }
        assert!(mounted > 0 && refused > 0, "{mounted} {refused}");

        let manager = house.root_manager().await;
        let writer = holder(&manager, "writer", &["cr:PushRepository", "cr:PullRepository"]).await;
        let writer = house.login("writer", &writer).token("repository:demo/app:pull,push repository:demo/base:pull").await;
        let digest = root.push_blob("demo/base", b"kept").await;
        manager.delete("/api/v1/users/writer/policies/of-writer").await.expect(204);
        assert!(matches!(mount(&writer, &digest).await, 401 | 403));
        assert_eq!(root.get(&format!("/v2/demo/app/blobs/{digest}")).await.status.as_u16(), 404);
    }

    /// artifact-keeper #2298: a locked name still cost a hash. Here it costs none.
    #[tokio::test(flavor = "multi_thread")]
    async fn artifact_keeper_2298_a_locked_name_costs_no_hash() {
        let house = house().await.with_user("alice").await;
        for _ in 0..10 {
            house.login("alice", "wrong-password-1").from("203.0.113.9").get("/v2/").await.expect(401);
        }
        let before = house.identity.hash_calls();
        for password in ["wrong-password-1", "wrong-password-2", PASSWORD] {
            house.login("alice", password).from("203.0.113.9").get("/v2/").await.expect(429);
        }
        assert_eq!(house.identity.hash_calls(), before);
    }

    /// artifact-keeper #2534: a rotation of keys lost tokens. Here those of before and after verify, at each moment of it.
    #[tokio::test(flavor = "multi_thread")]
    async fn artifact_keeper_2534_no_token_is_lost_when_keys_are_rotated() {
        let house = house().await;
        let root = house.root_manager().await;
        house.root().push_image("demo/app", "v1").await;
        let mut tokens = Vec::new();
        for round in 0..3 {
            tokens.push(house.root().token("repository:demo/app:pull").await);
            root.post("/api/v1/signing-keys", &json!({})).await.expect(200);
            tokens.push(house.root().token("repository:demo/app:pull").await);
            for token in &tokens {
                assert!(pulls(&token.get("/v2/demo/app/manifests/v1").await), "round {round}");
            }
            root.get("/api/v1/whoami").await.expect(200);
            house.advance(Seconds(20)).await;
        }
    }

    /// artifact-keeper #2877: the first start, again, took over an identity that was there. Here a second one changes nothing.
    #[tokio::test(flavor = "multi_thread")]
    async fn artifact_keeper_2877_a_second_first_start_changes_nothing() {
        let house = house().await;
        let root = house.root_manager().await;
        let seen = async || {
            let mut said = Vec::new();
            for path in ["users", "instances", "access-keys", "account"] {
                said.push(root.get(&format!("/api/v1/{path}")).await.expect(200).json());
            }
            said
        };
        let before = seen().await;
        let again = house.identity.prepare_bootstrap(house.now()).await.unwrap();
        assert!(!house.identity.commit_bootstrap(&again).await.unwrap());
        assert_eq!(seen().await, before);
        house.login("root", again.root_password.reveal()).get("/v2/").await.expect(401);
        let key = house.login(&again.access_key_id, again.access_key_secret.reveal());
        key.form("/api/v1/oauth2/token", "grant_type=client_credentials").await.expect(401);
        house.root().get("/v2/").await.expect(200);
    }

    /// NORA GHSA-78cx: anybody made tokens of an administrator's. Here a token is one's own, and a key of another's needs the right and
    /// all that the other one holds.
    #[tokio::test(flavor = "multi_thread")]
    async fn nora_ghsa_78cx_nobody_makes_a_token_of_somebody_elses() {
        let house = house().await;
        let root = house.root_manager().await;
        holder(&root, "maker", &["cr:GetAuthorizationToken", "cr:CreateAccessCredential", "ram:CreateAccessKey", "cr:ResetLoginPassword"])
            .await;
        holder(&root, "admin", &["*"]).await;
        let maker = manager(&house, "maker").await;
        for field in ["user", "username", "account", "principal", "role", "on_behalf_of"] {
            maker.post("/api/v1/login-tokens", &json!({field: "root"})).await.expect(400);
        }
        let token = maker.post("/api/v1/login-tokens", &json!({})).await.expect(201).text("password");
        for name in ["root", "admin"] {
            house.login(name, &token).get("/v2/").await.expect(401);
            for (path, body) in [("credentials", json!({"user": name, "description": "x"})), ("access-keys", json!({"user": name}))] {
                let status = maker.post(&format!("/api/v1/{path}"), &body).await.status.as_u16();
                assert!(matches!(status, 403 | 404), "{path} of {name}: {status}");
            }
            let password = json!({"kind": "permanent", "password": "another-Horse-9"});
            let status = maker.put(&format!("/api/v1/users/{name}/password"), &password).await.status.as_u16();
            assert!(matches!(status, 403 | 404), "password of {name}: {status}");
        }
    }

    /// Quay CVE-2019-3867: a session never ended. Here everything that somebody was given by logging in ends by itself.
    #[tokio::test(flavor = "multi_thread")]
    async fn cve_2019_3867_what_a_login_gives_ends_by_itself() {
        let house = house().await;
        let root = house.root_manager().await;
        house.root().push_image("demo/app", "v1").await;
        holder(&root, "alice", &["cr:*", "sts:AssumeRole"]).await;
        let alice = manager(&house, "alice").await;
        let role = json!({"name": "deploy", "trust_policy": trusting(&house, "user/alice")});
        root.post("/api/v1/roles", &role).await.expect(201);
        root.put("/api/v1/roles/deploy/policies/AcrPull", &json!({})).await.expect(204);
        let session = alice.post("/api/v1/roles/deploy/sessions", &json!({"session_name": "s1"})).await.expect(201);
        let login = alice.post("/api/v1/login-tokens", &json!({"expires_in": 86_400})).await.expect(201).text("password");
        let login = house.login("cr_temp_user", &login);
        let bearer = login.token("repository:demo/app:pull").await;
        let session = assumed(&house, &session).await;
        let all = [(&alice, "/api/v1/whoami"), (&session, "/api/v1/whoami"), (&login, "/v2/"), (&bearer, "/v2/demo/app/manifests/v1")];
        for (client, path) in &all {
            client.get(path).await.expect(200);
        }
        house.advance(Seconds::days(1)).await;
        for (client, path) in &all {
            client.get(path).await.expect(401);
        }
    }
}
