//! Nothing forgotten: every operation of the OpenAPI document, tried by nobody and by somebody without any right.

use serde_json::Value;

use crate::house::{House, read};

/// What is open to whoever has signed in, named on purpose.
const WITHOUT_RIGHT: [&str; 2] = ["whoami", "list_signing_keys"];
/// What is open to anybody.
const WITHOUT_LOGIN: [&str; 2] = ["create_token", "show_openapi"];

/// A body that reads, so that the right is what decides. An operation that is missing here fails the test.
fn body(operation: &str) -> &'static str {
    match operation {
        "create_user" => r#"{"name":"eve"}"#,
        "update_user" | "update_credential" | "update_access_key" | "update_client_secret" | "update_admin_user" => r#"{"enabled":true}"#,
        "set_audit_retention" => r#"{"days":100}"#,
        "set_account_alias" => r#"{"alias":"acme"}"#,
        "assume_role_with_oidc" => r#"{"role":"deploy","token":"x","session_name":"s1"}"#,
        "create_oidc_provider" => r#"{"name":"corp","issuer":"https://issuer.example"}"#,
        "create_federated_credential" => r#"{"name":"main","audience":"here","issuer":"https://issuer.example","subject":"a"}"#,
        "create_group" => r#"{"name":"writers"}"#,
        "create_service_account" => r#"{"name":"deploy","repositories":["demo/*"]}"#,
        "update_group" | "update_policy" | "create_client_secret" => r#"{"description":"x"}"#,
        "create_role" => r#"{"name":"other","trust_policy":"{\"Version\":\"1\",\"Statement\":[]}"}"#,
        "assume_role" => r#"{"session_name":"s1"}"#,
        "set_password" => r#"{"kind":"permanent","password":"correct horse 9"}"#,
        "create_credential" => r#"{"user":"root","description":"x"}"#,
        "create_integration" => r#"{"name":"other","kind":"other"}"#,
        "look_up_secrets" => r#"{"secrets":["x"]}"#,
        "update_integration"
        | "rotate_credential"
        | "rotate_client_secret"
        | "rotate_access_key"
        | "create_login_token"
        | "update_oidc_provider"
        | "update_federated_credential"
        | "update_instance"
        | "update_namespace"
        | "update_repository"
        | "update_immutable_tag_rule"
        | "lock_repository"
        | "lock_image"
        | "update_service_account"
        | "update_role"
        | "update_public_endpoint" => "{}",
        "create_access_key" => r#"{"user":"root"}"#,
        "create_policy" => r#"{"name":"p","document":"{\"Version\":\"1\",\"Statement\":[]}"}"#,
        "create_policy_version" | "set_namespace_policy" | "set_repository_policy" => {
            r#"{"document":"{\"Version\":\"1\",\"Statement\":[]}"}"#
        }
        "set_namespace_quota" => r#"{"max_bytes":1048576}"#,
        "set_retention" => r#"{"rules":[{"keep_newest":3}]}"#,
        "run_retention" => r#"{"dry_run":true}"#,
        "set_default_policy_version" => r#"{"version":1}"#,
        "explain_policy" => r#"{"user":"root","action":"cr:PullRepository","resource":"demo/app"}"#,
        "simulate_policies" => r#"{"requests":[{"user":"root","action":"cr:PullRepository","resource":"demo/app"}]}"#,
        "create_instance" => r#"{"name":"prod"}"#,
        "create_endpoint" => r#"{"network":"office"}"#,
        "create_endpoint_entry" => r#"{"cidr":"127.0.0.0/8"}"#,
        "create_namespace" => r#"{"name":"other"}"#,
        "create_repository" => r#"{"name":"demo/other"}"#,
        "create_immutable_tag_rule" => r#"{"tags":"v*"}"#,
        "create_tag" => {
            r#"{"repository":"demo/app","name":"v1","digest":"sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"}"#
        }
        "update_tag" => r#"{"digest":"sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"}"#,
        label if label.starts_with("label_") => r#"{"labels":{"team":"blue"}}"#,
        other => panic!("{other} takes a body: say here which one reads"),
    }
}

fn query(operation: &str) -> &'static str {
    match operation {
        "list_credentials" | "list_access_keys" => "?user=root",
        "list_repositories" => "?namespace=demo",
        "list_tags" => "?repository=demo/app",
        "list_digest_holders" => "?digest=sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "list_permitted_principals" => "?action=ram:ListUsers",
        _ => "",
    }
}

struct Attempt {
    operation: String,
    method: String,
    path: String,
    body: &'static str,
}

/// Every operation, against things that are there.
fn attempts(house: &House) -> Vec<Attempt> {
    let key = read(&house.bootstrap())["access_key_id"].as_str().unwrap().to_owned();
    let credential = house.root().json(&["credential", "list"])[0]["credential_id"].as_str().unwrap().to_owned();
    let document: Value = serde_json::from_str(&house.http("GET", "/api/v1/openapi.json", "", "").1).unwrap();
    let mut attempts = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        let path = path
            .replace("{user}", "root")
            .replace("{credential}", &credential)
            .replace("{access_key}", &key)
            .replace("{group}", "readers")
            .replace("{service_account}", "ci")
            .replace("{role}", "deploy")
            .replace("{provider}", "corp")
            .replace("{integration}", "prod")
            .replace("{federated_credential}", "main")
            .replace("{policy}", "AdministratorAccess")
            .replace("{version}", "1")
            .replace("{instance}", "local")
            .replace("{number}", "1")
            .replace("{endpoint}", "office")
            .replace("{cidr}", "127.0.0.0/8")
            .replace("{namespace}", "demo")
            .replace("{repository}", "demo/app")
            .replace("{tag}", "demo/app/v1")
            .replace("{image}", "demo/app/v1")
            .replace("{rule}", "itr-0000000000000001");
        assert!(!path.contains('{'), "{path}: say here what the placeholder stands for");
        for (method, operation) in item.as_object().unwrap() {
            let id = operation["operationId"].as_str().unwrap().to_owned();
            let takes = operation.get("requestBody").is_some() && id != "create_token";
            let body = if takes { body(&id) } else { "" };
            attempts.push(Attempt { method: method.to_uppercase(), path: format!("{path}{}", query(&id)), body, operation: id });
        }
    }
    attempts
}

const TRUST: &str = r#"{"Version":"1","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"RAM":["*"]}}]}"#;

/// What the attempts are made against.
fn furnish(house: &House) {
    let root = house.root();
    root.json(&["namespace", "create", "demo"]);
    root.json(&["repository", "create", "demo/app"]);
    root.json(&["group", "create", "readers"]);
    root.json(&["service-account", "create", "ci"]);
    root.json(&["integration", "create", "prod"]);
    let trust = house.bootstrap().with_file_name("trust.json");
    std::fs::write(&trust, TRUST).unwrap();
    root.json(&["role", "create", "deploy", "--trust-policy", trust.to_str().unwrap()]);
}

fn try_as(house: &House, token: Option<&str>, attempt: &Attempt) -> (u16, String) {
    let bearer = token.map_or_else(String::new, |token| format!("authorization: Bearer {token}\r\n"));
    let headers = format!("{bearer}content-type: application/json\r\n");
    let (head, body) = house.http(&attempt.method, &attempt.path, &headers, attempt.body);
    (head.split(' ').nth(1).unwrap().parse().unwrap(), body)
}

#[test]
fn whoever_has_no_right_does_nothing_and_learns_nothing() {
    let house = House::start();
    let root = house.root();
    furnish(&house);
    let alice = house.token_of(&house.user(&root, "alice"));
    for attempt in attempts(&house) {
        let name = attempt.operation.as_str();
        let (nobody, _) = try_as(&house, None, &attempt);
        assert_eq!(nobody == 401, !WITHOUT_LOGIN.contains(&name), "{name}: {nobody}");
        if WITHOUT_LOGIN.contains(&name) {
            continue;
        }
        let (status, body) = try_as(&house, Some(&alice), &attempt);
        // Its own token says who asks, whoever has signed in.
        let refused = matches!(status, 403 | 404) || (name == "assume_role_with_oidc" && status == 401);
        assert_eq!(refused, !WITHOUT_RIGHT.contains(&name), "{name}: {status} {body}");
    }
}

#[test]
fn no_operation_fails_whoever_may_do_everything() {
    let house = House::start();
    furnish(&house);
    let token = house.token();
    // What ends the root user's own means of asking comes last.
    let (last, first): (Vec<_>, Vec<_>) = attempts(&house).into_iter().partition(|a| a.method == "DELETE");
    for attempt in first.iter().chain(&last) {
        let (status, body) = try_as(&house, Some(&token), attempt);
        assert!(status < 500 && status != 403, "{}: {status} {body}", attempt.operation);
    }
}
