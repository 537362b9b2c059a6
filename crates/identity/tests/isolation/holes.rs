//! Holes that others had in one route or one list, looked for in every operation of the management API (docs/security.md, "Holes of
//! the field, as tests").

use std::collections::BTreeSet;

use http::Method;
use serde_json::{Value, json};
use testkit::{Client, House, Reply, house};

use crate::strangers::{Filled, Operation, administrator, fill, in_order, operations, properties, without};
use crate::things::{Things, allow, furnish, nobodys};

const JSON: [(&str, &str); 1] = [("content-type", "application/json")];

/// The first account with two of each thing.
async fn furnished() -> (House, Things, Things) {
    let house = house().await;
    let one = furnish(&house.first_account(), "one").await;
    let two = furnish(&house.first_account(), "two").await;
    (house, one, two)
}

/// What nobody says about oneself, another or a thing: the server does.
const PRIVILEGED: [(&str, &str); 22] = [
    ("admin", "true"),
    ("is_admin", "true"),
    ("sysadmin_flag", "true"),
    ("has_admin_role", "true"),
    ("root", "true"),
    ("kind", r#""root""#),
    ("id", r#""1""#),
    ("user_id", r#""1""#),
    ("account_id", r#""1""#),
    ("principal", r#""root""#),
    ("credential_id", r#""cred-0000000000000001""#),
    ("created_by", r#""root""#),
    ("created_at", r#""2001-01-01T00:00:00Z""#),
    ("last_used_at", r#""2001-01-01T00:00:00Z""#),
    ("expires_at", r#""2999-01-01T00:00:00Z""#),
    ("enabled", "true"),
    ("uuid", r#""01234567-89ab-4def-8123-456789abcdef""#),
    ("secret", r#""tgc_probe""#),
    ("policies", r#"["AdministratorAccess"]"#),
    ("groups", r#"["one-group"]"#),
    ("role", r#""Owner""#),
    ("scopes", r#"["*"]"#),
];

/// Harbor CVE-2019-16097: a body that carried a field of the answer set it. Here a field that an operation does not take is refused.
#[tokio::test(flavor = "multi_thread")]
async fn cve_2019_16097_no_body_takes_a_field_that_is_not_the_operations_own() {
    let (house, one, _) = furnished().await;
    let root = administrator(&house.first_account()).await;
    let (operations, document) = operations(&root).await;
    let things = fill(&one, 0);
    let mut tried = 0;
    for operation in &operations {
        let Some(schema) = &operation.body else { continue };
        let own = properties(&document, schema);
        for (field, value) in PRIVILEGED.iter().filter(|(field, _)| !own.contains_key(*field)) {
            let mut body = operation.body(&document, schema, &things);
            body[*field] = serde_json::from_str(value).unwrap();
            let reply = root.send(operation.method.clone(), &operation.target(&things), &JSON, body.to_string()).await;
            let said = String::from_utf8_lossy(&reply.body).into_owned();
            assert!(reply.status == 400 && said.contains(field), "{} with {field}: {} {said}", operation.id, reply.status);
            tried += 1;
        }
    }
    assert!(tried > 900, "{tried}");
}

/// What somebody might hope reaches the database as it stands, percent-encoded.
const SPELLS: [&str; 14] = [
    "%27%20OR%20%271%27%3D%271",
    "%27%3B%20DROP%20TABLE%20principal%3B--",
    "%22%3B%20DROP%20TABLE%20credential%3B--",
    "1%29%20UNION%20SELECT%20secret_hash%20FROM%20credential--",
    "%24%7Bjndi%3Aldap%3A%2F%2Fx%7D",
    "%25",
    "_",
    "%2A",
    "-1",
    "99999999999999999999",
    "..%2F..",
    "%C3%A9",
    "%5B%24ne%5D",
    "secret_hash%3D~a",
];
/// Parameters that other registries take and that mean nothing here.
const UNKNOWN: [&str; 8] = ["q", "sort", "order_by", "filter", "fields", "where", "search", "page_size"];

/// Harbor CVE-2019-19026, CVE-2019-19029, CVE-2024-22261: parameters of lists were put into SQL. Here none of them can make a list
/// fail, nor show what it does not show without.
#[tokio::test(flavor = "multi_thread")]
async fn cve_2019_19026_no_parameter_of_a_list_reaches_the_database_as_it_stands() {
    let (house, one, _) = furnished().await;
    let root = administrator(&house.first_account()).await;
    let (operations, document) = operations(&root).await;
    let things = fill(&one, 0);
    let lists: Vec<&Operation> = operations.iter().filter(|o| o.method == Method::GET).collect();
    let before = all(&root, &lists, &things, &document).await;
    let mut tried = 0;
    for (operation, plain) in lists.iter().zip(&before) {
        let target = operation.target(&things);
        let mark = if target.contains('?') { '&' } else { '?' };
        let own: BTreeSet<&str> = operation.query_words.iter().map(String::as_str).collect();
        let words: BTreeSet<&str> = own.iter().copied().chain(UNKNOWN).collect();
        let long = "a".repeat(4000);
        for spell in SPELLS.iter().copied().chain([long.as_str(), "%00", "%0a"]) {
            for word in &words {
                let asked = format!("{target}{mark}{word}={spell}");
                let reply = root.get(&asked).await;
                let said = String::from_utf8_lossy(&reply.body).into_owned();
                assert!(matches!(reply.status.as_u16(), 200 | 400 | 404), "{asked}: {} {said}", reply.status);
                // What nobody knows changes nothing.
                let same = own.contains(word) || reply.status != 200 || &said == plain || is_the_trail(operation);
                assert!(same, "{asked}: {said}");
                assert!(reply.status != 200 || !said.contains("secret_hash\":"), "{asked}: {said}");
                tried += 1;
            }
        }
    }
    assert_eq!(all(&root, &lists, &things, &document).await, before, "and everything is still there");
    assert!(tried > 5000, "{tried}");
}

/// What grows by being asked cannot be compared.
fn is_the_trail(operation: &Operation) -> bool {
    operation.id.contains("audit")
}

async fn all(client: &Client<'_>, lists: &[&Operation], things: &Filled<'_>, document: &Value) -> Vec<String> {
    let mut said = Vec::new();
    for operation in lists {
        let reply = operation.send(client, things, document).await;
        said.push(if is_the_trail(operation) { String::new() } else { String::from_utf8_lossy(&reply.body).into_owned() });
    }
    said
}

/// What belongs to the thing that stands before it in a path, and to no other.
const CHILDREN: [&str; 6] = ["secret", "federated_credential", "version", "namespace", "repository", "tag"];

/// Harbor CVE-2022-31666 to CVE-2022-31671: what a path names last was looked for without the thing that it names first. Here it is
/// not there beneath another one, though it is in the same account.
#[tokio::test(flavor = "multi_thread")]
async fn cve_2022_31666_a_child_is_looked_for_in_its_parent() {
    let (house, one, mut two) = furnished().await;
    let root = administrator(&house.first_account()).await;
    // The other policy has a version of a number that the first one lacks.
    let versions = "/api/v1/policies/two-policy/versions";
    root.post(versions, &json!({"document": allow(&["cr:ListRepository"])})).await.expect(201);
    two.insert("version", ["3".to_owned(), "3".to_owned()]);
    let (operations, document) = operations(&root).await;
    let (nobody, mut tried) = (nobodys(), BTreeSet::new());
    for operation in &operations {
        let Some(child) = operation.path_words.last().map(|word| operation.thing_or_none(word)) else { continue };
        let Some(child) = child.filter(|child| CHILDREN.contains(child) && operation.path_words.len() > 1) else { continue };
        for spelling in [0, 1] {
            let mut things = fill(&one, spelling);
            things.insert(child, &two[child][spelling]);
            let elsewhere = operation.send(&root, &things, &document).await;
            things.insert(child, &nobody[child][spelling]);
            let absent = operation.send(&root, &things, &document).await;
            let asked = format!("{} with {child} {}", operation.id, two[child][spelling]);
            assert_eq!(without(&elsewhere, &two[child][spelling]), without(&absent, &nobody[child][spelling]), "{asked}");
            assert_eq!(elsewhere.status, 404, "{asked}");
        }
        tried.insert(child);
    }
    assert_eq!(tried.len(), CHILDREN.len(), "{tried:?}");
    let owner = fill(&two, 0);
    for operation in operations.iter().filter(|o| o.method == Method::GET && o.path_words.len() > 1) {
        let reply = operation.send(&root, &owner, &document).await;
        assert!(reply.status.is_success(), "{}: {}", operation.id, reply.status);
    }
}

/// What the table of the built-in policies' rights says: the names of the policies, and whether each allows an action on anything.
const RIGHTS: &str = include_str!("../../../policy/tests/policy/rights.txt");

fn built_ins() -> Vec<&'static str> {
    let lines = RIGHTS.lines().skip_while(|line| !line.starts_with(" 1 ")).take_while(|line| !line.is_empty());
    lines.map(|line| line.trim_start().split([' ', ':']).nth(1).unwrap()).collect()
}

fn allowed(built_in: usize, action: &str) -> bool {
    let rows = RIGHTS.lines().filter(|line| line.split_whitespace().next() == Some(action));
    rows.map(|line| line.split_whitespace().nth(2 + built_in).unwrap()).any(|cell| cell == "x")
}

/// The actions that an operation names in its own description.
fn actions(operation: &Operation) -> Vec<&str> {
    operation.needs.split('`').skip(1).step_by(2).collect()
}

/// Operations without an action, and why: what one signs in with, and who one is.
const WITHOUT_ACTION: [&str; 3] = ["show_openapi", "whoami", "list_signing_keys"];

/// Harbor CVE-2024-22278: a route had been forgotten. Here one that names no action does not exist, but for these.
#[tokio::test(flavor = "multi_thread")]
async fn cve_2024_22278_each_operation_names_its_action() {
    let house = house().await;
    let (operations, _) = operations(&house.anon()).await;
    let table: BTreeSet<&str> = RIGHTS.lines().filter_map(|line| line.split_whitespace().next()).collect();
    for operation in &operations {
        let named = actions(operation);
        assert_eq!(named.is_empty(), WITHOUT_ACTION.contains(&operation.id.as_str()), "{}: {}", operation.id, operation.needs);
        assert!(named.iter().all(|action| table.contains(action)), "{}: {named:?}", operation.id);
    }
}

/// Harbor CVE-2019-19023: somebody with a small role changed another's account by a call that had not looked. Every operation that
/// changes something, by somebody with each built-in policy that does not allow it, on things that are another's.
#[tokio::test(flavor = "multi_thread")]
async fn cve_2019_19023_no_built_in_policy_reaches_what_it_does_not_allow() {
    let (house, one, _) = furnished().await;
    let root = house.root_manager().await;
    let (operations, document) = operations(&root).await;
    let things = fill(&one, 0);
    let mut tried = 0;
    for (number, policy) in built_ins().into_iter().enumerate() {
        let name = format!("with-{number}");
        root.post("/api/v1/users", &json!({"name": name})).await.expect(201);
        root.put(&format!("/api/v1/users/{name}/policies/{policy}"), &json!({})).await.expect(204);
        let key = root.post("/api/v1/access-keys", &json!({"user": name})).await.expect(201);
        let holder = house.manager(&key.text("access_key_id"), &key.text("access_key_secret")).await;
        for operation in operations.iter().filter(|o| o.method != Method::GET) {
            if actions(operation).iter().any(|action| allowed(number, action)) {
                continue;
            }
            let reply = operation.send(&holder, &things, &document).await;
            let said = String::from_utf8_lossy(&reply.body).into_owned();
            assert!(matches!(reply.status.as_u16(), 403 | 404), "{policy} at {}: {} {said}", operation.id, reply.status);
            tried += 1;
        }
    }
    assert!(tried > 500, "{tried}");
}

/// Gitea CVE-2026-20706, CVE-2026-27761: side endpoints did not ask what a token was for. What opens the registry opens no operation
/// of the management API, whoever it is of.
#[tokio::test(flavor = "multi_thread")]
async fn cve_2026_20706_a_token_of_the_registry_opens_nothing_beside_it() {
    let (house, one, _) = furnished().await;
    let root = house.root_manager().await;
    let (operations, document) = operations(&root).await;
    let login = root.post("/api/v1/login-tokens", &json!({})).await.expect(201).text("password");
    let bearer = house.root().token("repository:one-ns/app:pull,push,delete registry:catalog:*").await;
    let credential = root.post("/api/v1/credentials", &json!({"description": "x"})).await.expect(201).text("secret");
    for client in [bearer, house.bearer(&login), house.bearer(&credential), house.login("root", &credential), house.root()] {
        for operation in operations.iter().filter(|o| o.id != "show_openapi") {
            let reply = operation.send(&client, &fill(&one, 0), &document).await;
            assert_eq!(reply.status, 401, "{}: {}", operation.id, String::from_utf8_lossy(&reply.body));
        }
    }
}

fn text(reply: &Reply) -> String {
    String::from_utf8_lossy(&reply.body).into_owned()
}

/// Quay 12365: who might see everything saw the robots' tokens. Here a secret is shown once, when it is made, and by no operation
/// afterwards.
#[tokio::test(flavor = "multi_thread")]
async fn quay_12365_a_secret_is_shown_once() {
    let (house, one, _) = furnished().await;
    let root = administrator(&house.first_account()).await;
    let (operations, document) = operations(&root).await;
    let make = async |path: &str, body: Value, key: &str| root.post(&format!("/api/v1{path}"), &body).await.expect(201).text(key);
    root.patch("/api/v1/instances/one-inst/admin-user", &json!({"enabled": true})).await.expect(200);
    let secrets = [
        make("/credentials", json!({"user": "one-user", "description": "x"}), "secret").await,
        make("/access-keys", json!({"user": "one-user"}), "access_key_secret").await,
        make("/service-accounts", json!({"name": "robot"}), "secret").await,
        make("/service-accounts/one-robot/secrets", json!({"description": "x"}), "secret").await,
        make("/login-tokens", json!({}), "password").await,
        root.put("/api/v1/instances/one-inst/admin-user/passwords/1", &Value::Null).await.expect(200).text("password"),
    ];
    house.access.audit().flush().await.unwrap();
    for operation in operations.iter().filter(|o| o.method == Method::GET) {
        for spelling in [0, 1] {
            let said = text(&operation.send(&root, &fill(&one, spelling), &document).await);
            for secret in &secrets {
                assert!(!said.contains(secret.as_str()), "{} shows {secret}", operation.id);
            }
            for word in ["argon2", "secret_hash", "\"sealed\"", "salt"] {
                assert!(!said.contains(word), "{} shows {word}: {said}", operation.id);
            }
        }
    }
}

/// GHSA-9pg3-25fq-p6cc: a new key stood in the URL of a redirect. Here a secret stands in a body that nobody keeps, and nowhere else.
#[tokio::test(flavor = "multi_thread")]
async fn ghsa_9pg3_no_answer_of_the_management_api_is_kept_or_leads_elsewhere() {
    let (house, one, _) = furnished().await;
    let root = administrator(&house.first_account()).await;
    let (mut operations, document) = operations(&root).await;
    in_order(&mut operations);
    for client in [house.anon(), root] {
        for operation in &operations {
            let reply = operation.send(&client, &fill(&one, 0), &document).await;
            assert_eq!(reply.header("cache-control"), "no-store", "{}: {}", operation.id, reply.status);
            assert!(!reply.status.is_redirection() && !reply.headers.contains_key("location"), "{}", operation.id);
        }
    }
}

/// All of a thing but these fields.
fn leaving_out(fields: &[&str], mut value: Value) -> Value {
    if let Some(all) = value.as_object_mut() {
        all.retain(|name, _| !fields.contains(&name.as_str()));
    }
    value
}

/// Quay 11347: a change of one field wiped the others. Here what a change does not name stays.
#[tokio::test(flavor = "multi_thread")]
async fn quay_11347_a_partial_change_leaves_the_rest() {
    let (house, one, _) = furnished().await;
    let root = administrator(&house.first_account()).await;
    let (operations, document) = operations(&root).await;
    let things = fill(&one, 1);
    let (mut empty, mut described) = (0, 0);
    for operation in operations.iter().filter(|o| o.method == Method::PATCH) {
        let Some(show) = operations.iter().find(|o| o.method == Method::GET && o.path == operation.path) else { continue };
        let seen = async || show.send(&root, &things, &document).await.expect(200).json();
        let (before, target) = (seen().await, operation.target(&things));
        let reply = root.patch(&target, &json!({})).await;
        assert!(matches!(reply.status.as_u16(), 200 | 204 | 400), "{}: {} {}", operation.id, reply.status, text(&reply));
        let before = leaving_out(&["updated_at"], before);
        assert_eq!(leaving_out(&["updated_at"], seen().await), before, "{}", operation.id);
        empty += 1;
        if properties(&document, operation.body.as_ref().unwrap()).contains_key("description") {
            root.patch(&target, &json!({"description": "another"})).await.expect(200);
            let after = seen().await;
            assert_eq!(after["description"], json!("another"), "{}", operation.id);
            let rest = |thing| leaving_out(&["description", "updated_at"], thing);
            assert_eq!(rest(after), rest(before), "{}", operation.id);
            described += 1;
        }
    }
    assert!(empty >= 8 && described >= 4, "{empty} {described}");
}
