//! Accounts: alias, host names, suspension, what belongs to the server.

use model::AccountId;
use serde_json::json;
use testkit::{Client, HOST, House, house};

use crate::things::allow;

async fn alias(root: &Client<'_>, alias: &str) -> u16 {
    root.put("/api/v1/account/alias", &json!({ "alias": alias })).await.status.as_u16()
}

async fn give_user(root: &Client<'_>, name: &str, password: &str) {
    root.post("/api/v1/users", &json!({ "name": name })).await.expect(201);
    for kind in ["permanent", "sign_in"] {
        root.put(&format!("/api/v1/users/{name}/password"), &json!({"kind": kind, "password": password})).await.expect(204);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_alias_is_as_good_as_the_id_and_nobody_elses() {
    let house = house().await.with_user("alice").await.with_account("other").await;
    let root = house.root_manager().await;
    assert_eq!(alias(&root, "acme").await, 200);
    assert_eq!(alias(&root, "acme").await, 200, "one's own again");
    assert_eq!(root.get("/api/v1/account").await.expect(200).json()["alias"], json!("acme"));
    for name in ["alice@acme".to_owned(), format!("alice@{}", house.bootstrap.account)] {
        house.login(&name, testkit::PASSWORD).get("/v2/").await.expect(200);
    }
    for name in ["alice@other", "alice@nobody"] {
        house.login(name, testkit::PASSWORD).get("/v2/").await.expect(401);
    }
    for bad in ["ab", "1234567890123456", "-abc", "Abc", "a@b"] {
        assert_eq!(alias(&root, bad).await, 400, "{bad}");
    }
    // That it is taken has to be said; whose it is, is not.
    let taken = root.put("/api/v1/account/alias", &json!({"alias": "other"})).await.expect(409);
    let id = house.account("other").id();
    assert!(!String::from_utf8_lossy(&taken.body).contains(&id));
    root.delete("/api/v1/account/alias").await.expect(204);
    house.login("alice@acme", testkit::PASSWORD).from("198.51.100.1").get("/v2/nothing/manifests/x").await.expect(403);
    assert_eq!(alias(&house.account("other").root_manager().await, "acme").await, 200);
    house.login("alice@acme", testkit::PASSWORD.to_uppercase().as_str()).get("/v2/").await.expect(401);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_accounts_may_have_the_same_names_and_the_host_or_the_name_says_which() {
    let house = house().await.with_account("other").await;
    let other = house.account("other");
    give_user(&house.root_manager().await, "alice", "first-horse-9").await;
    give_user(&other.root_manager().await, "alice", "other-horse-9").await;
    house.login("alice", "first-horse-9").get("/v2/").await.expect(200);
    house.login("alice", "other-horse-9").get("/v2/").await.expect(401);
    house.login("alice@other", "other-horse-9").get("/v2/").await.expect(401);
    other.login("alice", "other-horse-9").get("/v2/").await.expect(200);
    other.login("alice@other", "other-horse-9").get("/v2/").await.expect(200);
    other.login("alice", "first-horse-9").get("/v2/").await.expect(401);

    // At the management API a host is not needed where the user name says the account.
    let sign_in = async |at: &str, name: &str, password: &str| {
        let form = format!("grant_type=password&username={name}&password={password}");
        house.anon().at(at).form("/api/v1/oauth2/token", &form).await.status.as_u16()
    };
    assert_eq!(sign_in(HOST, "alice%40other", "other-horse-9").await, 200);
    assert_eq!(sign_in("other.example", "alice", "other-horse-9").await, 200);
    assert_eq!(sign_in("other.example", &format!("alice%40{}", house.bootstrap.account), "first-horse-9").await, 200);
    assert_eq!(sign_in(HOST, "alice", "other-horse-9").await, 400);
    assert_eq!(sign_in(HOST, "alice%40nobody", "other-horse-9").await, 400);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_claims_only_host_names_that_it_has_been_handed() {
    let house = house().await.with_account("other").await.with_account("third").await;
    let (first, other) = (house.root_manager().await, house.account("other").root_manager().await);
    let claim = async |root: &Client<'_>, name: &str, host: &str| {
        root.post("/api/v1/instances", &json!({"name": name, "hosts": [host]})).await.status.as_u16()
    };
    assert_eq!(claim(&other, "one", "registry.example").await, 400, "the first account's by default");
    assert_eq!(claim(&other, "one", "new.example").await, 400);
    assert_eq!(claim(&other, "one", "x.third.example").await, 409);
    assert_eq!(claim(&other, "one", "third.example").await, 409);
    assert_eq!(claim(&first, "one", "other.example").await, 409);
    assert_eq!(claim(&first, "one", "not-yet.other.example").await, 409, "nor before the other has claimed it");
    assert_eq!(claim(&other, "one", "x.y.other.example").await, 201);
    assert_eq!(claim(&first, "one", "new.example").await, 201);
    house.anon().at("nobody-claims.this").get("/v2/").await.expect(401);

    let operator = async |domains: &[&str]| {
        let changes = identity::UpdateAccount { enabled: None, domains: Some(domains.iter().map(|d| (*d).to_owned()).collect()) };
        house.identity.update_account(house.operator(), "other", changes).await.map(|(_, domains)| domains)
    };
    assert!(operator(&["new.example"]).await.is_err(), "the first account has an instance there");
    assert!(operator(&["example"]).await.is_err());
    assert!(operator(&["third.example"]).await.is_err());
    assert_eq!(operator(&["other.example", "more.example"]).await.unwrap(), ["more.example", "other.example"]);
    assert_eq!(claim(&other, "two", "a.more.example").await, 201);
}

#[tokio::test(flavor = "multi_thread")]
async fn unknown_hosts_mean_the_first_account_whatever_the_clock_does() {
    let house = house().await;
    let back = model::Seconds::days(-3);
    house.advance(back).await;
    let house = house.with_account("other").await;
    house.root().get("/v2/").await.expect(200);
    assert_eq!(house.identity.first_account().await.unwrap(), Some(house.bootstrap.account));
    let other = house.account("other").root_manager().await;
    // Where a request names no instance, it is the account's own.
    for at in [HOST, "other.example"] {
        let here = other.clone().at(at).get("/api/v1/instances/-").await.expect(200).json();
        assert_eq!((&here["is_default"], &here["hosts"]), (&json!(true), &json!(["other.example"])));
    }
}

/// Everything that somebody of an account can hold, and whether it opens something.
async fn carriers(house: &House) -> Vec<(&'static str, Client<'_>, &'static str)> {
    let other = house.account("other");
    let root = other.root_manager().await;
    give_user(&root, "alice", "other-horse-9").await;
    root.post("/api/v1/policies", &json!({"name": "all", "document": allow(&["*"])})).await.expect(201);
    root.put("/api/v1/users/alice/policies/all", &json!({})).await.expect(204);
    root.patch("/api/v1/instances/local", &json!({"identity_tokens": true})).await.expect(200);
    other.root().push_image("demo/app", "v1").await;
    root.patch("/api/v1/instances/local/namespaces/demo", &json!({"public": true})).await.expect(200);
    let key = root.post("/api/v1/access-keys", &json!({"user": "alice"})).await.expect(201);
    let manager = other.manager(&key.text("access_key_id"), &key.text("access_key_secret")).await;
    let credential = root.post("/api/v1/credentials", &json!({"user": "alice", "description": "x"})).await.expect(201);
    let login = manager.post("/api/v1/login-tokens", &json!({})).await.expect(201);
    let program = root.post("/api/v1/service-accounts", &json!({"name": "ci", "policies": ["all"]})).await.expect(201);
    let pull = "/v2/demo/app/manifests/v1";
    let bearer = other.login("alice", "other-horse-9").token("repository:demo/app:pull").await;
    vec![
        ("anonymous", other.anon(), pull),
        ("root by password", other.root(), pull),
        ("password", other.login("alice", "other-horse-9"), pull),
        ("credential", other.login("alice", &credential.text("secret")), pull),
        ("login token", other.login("cr_temp_user", &login.text("password")), pull),
        ("client secret", other.login("ci", &program.text("secret")), pull),
        ("bearer", bearer, pull),
        ("anonymous bearer", other.anon().token("repository:demo/app:pull").await, pull),
        ("management token", manager, "/api/v1/whoami"),
        ("root's management token", root, "/api/v1/users"),
        ("the token endpoint", other.login("alice", "other-horse-9"), "/token?service=other.example&scope=repository:demo/app:pull"),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_of_a_suspended_account_is_anybody() {
    let house = house().await.with_account("other").await;
    let other = house.account("other");
    let form = "grant_type=password&service=other.example&client_id=docker&username=alice&password=other-horse-9&access_type=offline";
    let carriers = carriers(&house).await;
    let refresh = other.anon().form("/token", form).await.expect(200).text("refresh_token");
    let refreshed = async || {
        let form = format!("grant_type=refresh_token&service=other.example&client_id=docker&refresh_token={refresh}");
        other.anon().form("/token", &form).await.status.as_u16()
    };
    let keys = async || {
        let (id, secret) = (&other.bootstrap.access_key_id, other.bootstrap.access_key_secret.reveal());
        house.login(id, secret).form("/api/v1/oauth2/token", "grant_type=client_credentials").await.status.as_u16()
    };
    for suspended in [false, true, false, true] {
        house.suspend(&other, suspended).await;
        for (what, client, target) in &carriers {
            let status = client.get(target).await.status.as_u16();
            assert_eq!(status == 200, !suspended, "{what}, suspended: {suspended}: {status}");
            assert!(status == 200 || status == 401, "{what}: {status}");
        }
        assert_eq!((refreshed().await == 200, keys().await == 200), (!suspended, !suspended), "suspended: {suspended}");
        house.root().get("/v2/").await.expect(200);
    }
    let trail = house.root_manager().await.get("/api/v1/audit-events?limit=1000").await.expect(200);
    assert!(!String::from_utf8_lossy(&trail.body).contains("SuspendAccount"), "another account's trail");
    house.suspend(&other, false).await;
    let trail = other.root_manager().await.get("/api/v1/audit-events?action=operator:SuspendAccount").await.expect(200).json();
    assert_eq!((trail.as_array().unwrap().len(), &trail[0]["principal"]), (2, &json!("operator")));
    let made = other.root_manager().await.get("/api/v1/audit-events?action=operator:CreateAccount").await.expect(200).json();
    assert_eq!(made.as_array().unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_suspended_first_account_leaves_the_others_alone() {
    let house = house().await.with_account("other").await;
    house.suspend(&house.first_account(), true).await;
    house.root().get("/v2/").await.expect(401);
    house.account("other").root().get("/v2/").await.expect(200);
    house.account("other").root_manager().await.get("/api/v1/users").await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_the_servers_is_not_another_accounts() {
    let house = house().await.with_account("other").await.with_account("third").await;
    let other = house.account("other").root_manager().await;
    other.post("/api/v1/signing-keys", &json!({})).await.expect(403);
    house.root_manager().await.post("/api/v1/signing-keys", &json!({})).await.expect(200);
    other.get("/api/v1/nodes").await.expect(403);
    house.root_manager().await.get("/api/v1/nodes").await.expect(200);
    // Another registry that trusts this server's tokens (the setting `services`) knows no accounts.
    let listed = "/token?service=other.example:5000&scope=repository:any/thing:pull,push";
    house.root().get("/token?service=other.example&scope=repository:any/thing:push").await.expect(200);
    house.account("other").root().at("other.example:5000").get(listed).await.expect(200);
    house.account("third").root().get("/token?service=other.example&scope=repository:any/thing:push").await.expect(400);
    let asked = json!({"user": "root", "action": "cr:RotateSigningKey"});
    assert_eq!(other.post("/api/v1/policy-explanations", &asked).await.expect(200).json()["decision"], json!("deny"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_is_found_by_id_or_alias_and_by_nothing_else() {
    let house = house().await.with_account("other").await;
    let update = async |text: &str| house.identity.update_account(house.operator(), text, identity::UpdateAccount::default()).await.is_ok();
    assert!(update("other").await && update(&house.bootstrap.account.to_string()).await);
    for text in ["", "nobody", "0", "-1", "1", &AccountId::from_random(7).to_string()] {
        assert!(!update(text).await, "{text}");
    }
    let listed = house.identity.list_accounts(house.operator(), 0).await.unwrap();
    assert_eq!(listed.len(), 2);
}

/// Whoever asks by name is stopped by rights before anything is looked up. This is the wall behind that one: whose a key is, is told in its
/// own account alone, whatever has been decided before.
#[tokio::test(flavor = "multi_thread")]
async fn whose_a_key_is_is_told_in_its_own_account_alone() {
    let house = house().await.with_account("other").await;
    let mut found = Vec::new();
    for account in [house.first_account(), house.account("other")] {
        let root = account.root_manager().await;
        let credential = root.post("/api/v1/credentials", &json!({"description": "x"})).await.expect(201).text("credential_id");
        let key = account.bootstrap.access_key_id.clone();
        found.push((caller(&house, &account).await, credential, key));
    }
    for (mine, (caller, ..)) in found.iter().enumerate() {
        for (theirs, (_, credential, key)) in found.iter().enumerate() {
            let by_credential = house.identity.owner_of_credential(caller, credential.parse().unwrap()).await;
            let by_key = house.identity.owner_of_access_key(caller, key).await;
            for (owner, what) in [(by_credential, "credential"), (by_key, "access key")] {
                match owner {
                    Ok(owner) => assert!(mine == theirs && owner.account == caller.known().unwrap().account, "{what}"),
                    Err(error) => {
                        assert!(mine != theirs && matches!(error, identity::IdentityError::NotFound(noun) if noun == what), "{error}");
                    }
                }
            }
        }
    }
    let nobody = model::Caller::anonymous();
    let (_, credential, key) = &found[0];
    assert!(house.identity.owner_of_credential(&nobody, credential.parse().unwrap()).await.is_err());
    assert!(house.identity.owner_of_access_key(&nobody, key).await.is_err());
}

/// An account's root user, as the doors know them.
async fn caller(house: &House, account: &testkit::Account<'_>) -> model::Caller {
    let op = model::Op {
        request_id: model::RequestId::from_random(1),
        now: house.now(),
        source_ip: [192, 0, 2, 1].into(),
        network: model::Network::Public,
        secure: false,
        user_agent: None,
    };
    let instance = house.access.enter(&op, account.host().split(':').next().unwrap()).await.unwrap().unwrap();
    let password = secrets::Plain::new(account.bootstrap.root_password.reveal().to_owned()).unwrap();
    let presented = identity::Presented::Basic { username: "root".to_owned(), password };
    let at = identity::At::Registry { instance: &instance, service: account.host() };
    house.identity.authenticate(&op, presented, at).await.unwrap()
}
