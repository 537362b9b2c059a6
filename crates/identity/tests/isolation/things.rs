//! One of each thing that an account can have, and what nobody has.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use testkit::{Account, Client};

/// By the word that paths, queries and bodies use for it: its id, and its name where it has one.
pub(crate) type Things = BTreeMap<&'static str, [String; 2]>;

/// A document that allows these actions on everything.
pub(crate) fn allow(actions: &[&str]) -> String {
    json!({"Version": "1", "Statement": [{"Effect": "Allow", "Action": actions, "Resource": "*"}]}).to_string()
}

fn text(value: &Value, key: &str) -> String {
    value[key].as_str().unwrap_or_else(|| panic!("{key} in {value}")).to_owned()
}

async fn make(root: &Client<'_>, path: &str, body: Value) -> Value {
    root.post(&format!("/api/v1{path}"), &body).await.expect(201).json()
}

/// Gives an account one of each thing, all named with `prefix`.
pub(crate) async fn furnish(account: &Account<'_>, prefix: &str) -> Things {
    let root = account.root_manager().await;
    let name = |noun: &str| format!("{prefix}-{noun}");
    let mut things = Things::new();

    let user = make(&root, "/users", json!({"name": name("user")})).await;
    things.insert("user", [text(&user, "user_id"), name("user")]);
    let password = json!({"kind": "sign_in", "password": "correct horse 9"});
    root.put(&format!("/api/v1/users/{}/password", name("user")), &password).await.expect(204);
    let credential = make(&root, "/credentials", json!({"user": name("user"), "description": name("text")})).await;
    things.insert("credential", [text(&credential, "credential_id"), text(&credential, "credential_id")]);
    let key = make(&root, "/access-keys", json!({"user": name("user")})).await;
    things.insert("access_key", [text(&key, "access_key_id"), text(&key, "access_key_id")]);
    let policy = make(&root, "/policies", json!({"name": name("policy"), "document": allow(&["cr:PullRepository"])})).await;
    things.insert("policy", [name("policy"), name("policy")]);
    assert!(policy["policy_id"].is_string());
    make(&root, &format!("/policies/{}/versions", name("policy")), json!({"document": allow(&["cr:GetRepository"])})).await;
    things.insert("version", ["2".to_owned(), "2".to_owned()]);
    let group = make(&root, "/groups", json!({"name": name("group")})).await;
    things.insert("group", [text(&group, "group_id"), name("group")]);
    let program = make(&root, "/service-accounts", json!({"name": name("robot"), "policies": [name("policy")]})).await;
    things.insert("service_account", [text(&program, "client_id"), name("robot")]);
    things.insert("secret", [text(&program, "credential_id"), text(&program, "credential_id")]);
    let keys =
        json!({"keys": [{"kty": "OKP", "crv": "Ed25519", "kid": "1", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}).to_string();
    let provider = json!({"name": name("idp"), "issuer": format!("https://{prefix}.example"), "jwks": keys});
    let provider = make(&root, "/oidc-providers", provider).await;
    assert!(provider["provider_id"].is_string());
    things.insert("provider", [name("idp"), name("idp")]);
    let trusted =
        json!({"name": name("fed"), "audience": "here", "issuer": format!("https://{prefix}.example"), "subject": "repo:acme/app"});
    make(&root, &format!("/service-accounts/{}/federated-credentials", name("robot")), trusted).await;
    things.insert("federated_credential", [name("fed"), name("fed")]);
    let integration = make(&root, "/integrations", json!({"name": name("cluster"), "kind": "other"})).await;
    things.insert("integration", [text(&integration, "integration_id"), name("cluster")]);
    let trust = json!({"Version": "1", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole",
        "Principal": {"RAM": [format!("acs:ram::{}:root", account.id())]}}]});
    let role = make(&root, "/roles", json!({"name": name("role"), "trust_policy": trust.to_string()})).await;
    things.insert("role", [text(&role, "role_id"), name("role")]);
    for holder in ["users", "groups", "service-accounts", "roles"] {
        let noun = if holder == "service-accounts" { "robot" } else { holder.trim_end_matches('s') };
        let path = format!("/api/v1/{holder}/{}/policies/{}", name(noun), name("policy"));
        assert!(root.put(&path, &json!({})).await.status.as_u16() < 500);
    }
    root.put(&format!("/api/v1/groups/{}/users/{}", name("group"), name("user")), &json!({})).await.expect(204);
    fill(account, prefix, &root, &mut things).await;
    things
}

/// An instance with an image in it.
async fn fill(account: &Account<'_>, prefix: &str, root: &Client<'_>, things: &mut Things) {
    let name = |noun: &str| format!("{prefix}-{noun}");
    let host = format!("{prefix}.{}", account.host().split(':').next().unwrap());
    let instance = make(root, "/instances", json!({"name": name("inst"), "hosts": [host]})).await;
    let id = text(&instance, "instance_id");
    root.patch(&format!("/api/v1/instances/{id}"), &json!({"auto_create_namespace": true})).await.expect(200);
    make(root, &format!("/instances/{id}/endpoints"), json!({"network": "office"})).await;
    things.insert("instance", [id.clone(), name("inst")]);
    let own = make(root, "/credentials", json!({"description": "root's own"})).await;
    let pusher = account.login("root", &text(&own, "secret")).at(&host);
    let repository = format!("{}/app", name("ns"));
    let digest = pusher.push_image(&repository, &name("v1")).await;
    let owned = json!({"Version": "1", "Statement": [{"Effect": "Allow", "Action": "cr:PullRepository", "Principal": {"RAM": "*"}}]});
    for place in [format!("namespace-policies/{}", name("ns")), format!("repository-policies/{repository}")] {
        root.put(&format!("/api/v1/instances/{id}/{place}"), &json!({"document": owned.to_string()})).await.expect(200);
    }
    let rule = make(root, &format!("/instances/{id}/namespaces/{}/immutable-tag-rules", name("ns")), json!({"tags": "never"})).await;
    let rule = text(&rule, "rule_id");
    things.insert("rule", [rule.clone(), rule]);
    // A guard that bounds nobody, so that another one beside it does not either.
    root.put("/api/v1/guard-policies/AdministratorAccess", &json!({})).await.expect(204);
    let both = |text: String| [text.clone(), text];
    things.insert("namespace", both(name("ns")));
    things.insert("repository", both(repository.clone()));
    things.insert("tag", both(format!("{repository}/{}", name("v1"))));
    things.insert("image", [format!("{repository}/{}", name("v1")), format!("{repository}/{digest}")]);
    things.insert("digest", both(digest));
}

/// The same words, for what does not exist.
pub(crate) fn nobodys() -> Things {
    let pairs = [
        ("user", "9999999999999998", "nobody-user"),
        ("credential", "cred-0000000000000001", "cred-0000000000000001"),
        ("secret", "cred-0000000000000001", "cred-0000000000000001"),
        ("access_key", "TGAK0000000000000001", "TGAK0000000000000001"),
        ("policy", "nobody-policy", "nobody-policy"),
        ("version", "7", "7"),
        ("group", "9999999999999997", "nobody-group"),
        ("service_account", "01234567-89ab-4def-8123-456789abcdef", "nobody-robot"),
        ("role", "9999999999999996", "nobody-role"),
        ("provider", "nobody-idp", "nobody-idp"),
        ("federated_credential", "nobody-fed", "nobody-fed"),
        ("integration", "int-0000000000000001", "nobody-cluster"),
        ("instance", "cri-0000000000000001", "nobody-inst"),
        ("namespace", "nobody-ns", "nobody-ns"),
        ("repository", "nobody-ns/app", "nobody-ns/app"),
        ("tag", "nobody-ns/app/nobody-v1", "nobody-ns/app/nobody-v1"),
        ("rule", "itr-0000000000000001", "itr-0000000000000001"),
        ("image", "nobody-ns/app/nobody-v1", "nobody-ns/app/sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        (
            "digest",
            "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
            "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        ),
    ];
    pairs.into_iter().map(|(word, id, name)| (word, [id.to_owned(), name.to_owned()])).collect()
}
