//! Every operation of the management API, tried by another account's root user on the first account's things.

use std::collections::BTreeMap;

use http::Method;
use serde_json::{Map, Value, json};
use testkit::{Account, Client, HOST, House, Reply, house};

use crate::things::{Things, allow, furnish, nobodys};

/// One operation, as the OpenAPI document says it.
#[derive(Clone)]
pub(crate) struct Operation {
    pub(crate) id: String,
    pub(crate) method: Method,
    pub(crate) path: String,
    /// What it says it needs.
    pub(crate) needs: String,
    /// The words of its path and query that name things.
    pub(crate) path_words: Vec<String>,
    pub(crate) query_words: Vec<String>,
    pub(crate) body: Option<Value>,
}

/// Operations that are tried elsewhere, and why.
const ELSEWHERE: [(&str, &str); 2] = [
    ("create_token", "how one signs in: `accounts.rs`, and `logins.rs` beside this folder"),
    ("assume_role_with_oidc", "its token shows who asks: `federation.rs` beside this folder"),
];

/// Fields that are filled besides those that must be there, so that the rest of the body comes to be read.
const FIELDS: [(&str, &str, &str); 16] = [
    ("set_retention", "rules", r#"[{"keep_newest":3}]"#),
    ("set_namespace_quota", "max_repositories", "1"),
    ("set_audit_retention", "days", "100"),
    ("create_oidc_provider", "issuer", r#""https://probe.example""#),
    ("create_endpoint", "network", r#""lab""#),
    ("create_endpoint_entry", "cidr", r#""192.0.2.0/24""#),
    ("create_federated_credential", "issuer", r#""https://issuer.example""#),
    ("create_federated_credential", "subject", r#""repo:acme/app""#),
    ("set_namespace_policy", "document", OWNED),
    ("set_repository_policy", "document", OWNED),
    ("simulate_policies", "requests", r#"[{"action":"cr:PullRepository","resource":"demo/app"}]"#),
    ("create_service_account", "repositories", r#"["demo/*"]"#),
    ("create_service_account", "policies", r#"["AcrPull"]"#),
    ("set_password", "kind", r#""permanent""#),
    ("explain_policy", "resource", r#""demo/app""#),
    ("look_up_secrets", "secrets", r#"["tgc_probe"]"#),
];

/// A document that belongs to a namespace or a repository, as a JSON string.
const OWNED: &str =
    r#""{\"Version\":\"1\",\"Statement\":[{\"Effect\":\"Allow\",\"Action\":\"cr:PullRepository\",\"Principal\":{\"RAM\":\"*\"}}]}""#;

/// Parameters that are given besides those that name things.
const PARAMETERS: [(&str, &str); 1] = [("list_permitted_principals", "action=cr:PullRepository&resource=demo/app")];

/// Fields that are spelled like the name of a thing and are none.
const NO_NAMES: [(&str, &str); 1] = [("assume_role", "policy")];

/// Parameters of which a request gives one.
const ONE_OF: [(&str, [&str; 3]); 1] = [("list_credentials", ["user", "service_account", "role"])];

/// Words of paths that name no thing of an account: what stands there in every request.
const CONSTANT: [(&str, &str); 3] = [("number", "1"), ("endpoint", "office"), ("cidr", "192.0.2.0/24")];

fn constant(word: &str) -> Option<&'static str> {
    CONSTANT.iter().find(|(known, _)| *known == word).map(|(_, value)| *value)
}

pub(crate) async fn operations(anybody: &Client<'_>) -> (Vec<Operation>, Value) {
    let document = anybody.get("/api/v1/openapi.json").await.expect(200).json();
    let mut all = Vec::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, said) in methods.as_object().unwrap() {
            let Some(id) = said["operationId"].as_str() else { continue };
            let words = |place: &str| {
                let parameters = said["parameters"].as_array().into_iter().flatten();
                parameters.filter(|p| p["in"] == place).map(|p| p["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
            };
            all.push(Operation {
                id: id.to_owned(),
                method: method.to_uppercase().parse().unwrap(),
                path: path.clone(),
                needs: said["description"].as_str().unwrap_or_default().to_owned(),
                path_words: words("path"),
                query_words: words("query"),
                body: said["requestBody"]["content"]["application/json"]["schema"].as_object().cloned().map(Value::Object),
            });
        }
    }
    all.retain(|operation| ELSEWHERE.iter().all(|(id, _)| *id != operation.id));
    let all = all.into_iter().flat_map(Operation::by_one_word_each).collect();
    (all, document)
}

/// What stands for every word that names a thing, in one request.
pub(crate) type Filled<'t> = BTreeMap<&'static str, &'t str>;

pub(crate) fn fill(things: &Things, spelling: usize) -> Filled<'_> {
    things.iter().map(|(word, spellings)| (*word, spellings[spelling].as_str())).collect()
}

impl Operation {
    /// Once for each parameter of which a request gives one.
    fn by_one_word_each(self) -> Vec<Self> {
        let Some((_, words)) = ONE_OF.iter().find(|(id, _)| *id == self.id) else { return vec![self] };
        let but_for = |kept: &str, word: &str| word == kept || !words.contains(&word);
        let of = |kept: &str| Self {
            query_words: self.query_words.iter().filter(|word| but_for(kept, word)).cloned().collect(),
            ..self.clone()
        };
        words.iter().map(|kept| of(kept)).collect()
    }

    /// The word in [`Things`] for a word of this operation: a service account's credential is its secret.
    fn thing(&self, word: &str) -> &'static str {
        let found = self.thing_or_none(word);
        found.unwrap_or_else(|| panic!("{}: give things.rs a `{word}`, one of the account's and one that nobody has", self.id))
    }

    pub(crate) fn thing_or_none(&self, word: &str) -> Option<&'static str> {
        let of_robot = word == "credential" && self.path.contains("{service_account}");
        let known = nobodys();
        known.keys().find(|known| **known == if of_robot { "secret" } else { word }).copied()
    }

    /// The things that a request can name.
    fn named(&self, document: &Value) -> Vec<&'static str> {
        let known = nobodys();
        let mut words: Vec<&'static str> =
            self.path_words.iter().filter(|word| constant(word).is_none()).map(|word| self.thing(word)).collect();
        words.extend(self.query_words.iter().filter_map(|word| known.keys().find(|k| *k == word)).copied());
        let fields = self.body.as_ref().map(|schema| properties(document, schema)).unwrap_or_default();
        let fields = fields.keys().filter(|field| self.is_name(field));
        words.extend(fields.filter_map(|field| known.keys().find(|k| *k == field)).copied());
        words.sort_unstable();
        words.dedup();
        words
    }

    fn is_name(&self, field: &str) -> bool {
        field != "version" && !NO_NAMES.contains(&(self.id.as_str(), field))
    }

    /// A body that is right, with every field that names a thing and every field that must be there.
    pub(crate) fn body(&self, document: &Value, schema: &Value, things: &Filled<'_>) -> Value {
        let schema = resolved(document, schema);
        let required: Vec<&str> = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        let mut body = Map::new();
        for (field, shape) in schema["properties"].as_object().into_iter().flatten() {
            match things.get(field.as_str()).filter(|_| self.is_name(field)) {
                Some(thing) => body.insert(field.clone(), json!(thing)),
                None if required.contains(&field.as_str()) => body.insert(field.clone(), value(document, field, shape)),
                None => None,
            };
        }
        for (_, field, value) in FIELDS.iter().filter(|(id, ..)| *id == self.id) {
            body.insert((*field).to_owned(), serde_json::from_str(value).unwrap());
        }
        if self.id == "create_repository" {
            body.insert("name".to_owned(), format!("{}/probe", things["namespace"]).into());
        }
        Value::Object(body)
    }

    /// Path and query with these things in them.
    pub(crate) fn target(&self, things: &Filled<'_>) -> String {
        let mut target = self.path.clone();
        for word in &self.path_words {
            let stands = constant(word).unwrap_or_else(|| things[self.thing(word)]);
            target = target.replace(&format!("{{{word}}}"), stands);
        }
        let named = self.query_words.iter().filter_map(|word| Some(format!("{word}={}", things.get(word.as_str())?)));
        let more = PARAMETERS.iter().filter(|(id, _)| *id == self.id).map(|(_, more)| (*more).to_owned());
        let query: Vec<_> = named.chain(more).collect();
        if query.is_empty() { target } else { format!("{target}?{}", query.join("&")) }
    }

    pub(crate) async fn send(&self, client: &Client<'_>, things: &Filled<'_>, document: &Value) -> Reply {
        let target = self.target(things);
        match &self.body {
            Some(schema) => {
                let body = self.body(document, schema, things);
                client.send(self.method.clone(), &target, &[("content-type", "application/json")], body.to_string()).await
            }
            None => client.send(self.method.clone(), &target, &[], "").await,
        }
    }
}

fn resolved<'d>(document: &'d Value, schema: &'d Value) -> &'d Value {
    match schema["$ref"].as_str() {
        Some(reference) => document.pointer(reference.trim_start_matches('#')).unwrap(),
        None => schema,
    }
}

pub(crate) fn properties<'d>(document: &'d Value, schema: &'d Value) -> Map<String, Value> {
    resolved(document, schema)["properties"].as_object().cloned().unwrap_or_default()
}

fn value(document: &Value, field: &str, shape: &Value) -> Value {
    let shape = resolved(document, shape);
    if let Some(first) = shape["enum"].as_array().and_then(|all| all.first()) {
        return first.clone();
    }
    match (field, shape["type"].as_str().unwrap_or_default()) {
        ("document" | "policy_document", _) => json!(allow(&["cr:PullRepository"])),
        ("trust_policy", _) => json!({"Version": "1", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole",
            "Principal": {"RAM": ["*"]}}]})
        .to_string()
        .into(),
        ("action", _) => json!("cr:PullRepository"),
        ("password", _) => json!("correct-horse-9"),
        (_, "boolean") => json!(true),
        (_, "integer") => json!(1),
        (_, "array") => json!([]),
        (_, "object") => json!({}),
        _ => json!("probe-thing"),
    }
}

/// What was put into a request is taken out of its answer: the rest must be the same.
pub(crate) fn without(reply: &Reply, value: &str) -> String {
    format!("{} {}", reply.status.as_u16(), String::from_utf8_lossy(&reply.body).replace(value, "…"))
}

/// Asks with one thing of the other account among one's own, and with one that nobody has: the same bytes, and never done.
async fn compare(client: &Client<'_>, operation: &Operation, own: &Things, theirs: &Things, document: &Value) -> usize {
    let (nobody, mut tried) = (nobodys(), 0);
    for spelling in [0, 1] {
        for word in operation.named(document) {
            if word == "version" || (theirs[word] == nobody[word]) {
                continue;
            }
            let mut things = fill(own, spelling);
            things.insert(word, &theirs[word][spelling]);
            let hers = operation.send(client, &things, document).await;
            things.insert(word, &nobody[word][spelling]);
            let absent = operation.send(client, &things, document).await;
            let asked = format!("{} with {word} {}", operation.id, theirs[word][spelling]);
            assert_eq!(without(&hers, &theirs[word][spelling]), without(&absent, &nobody[word][spelling]), "{asked}");
            assert!(operation.method == Method::GET || !hers.status.is_success(), "{asked}: {}", hers.status);
            assert!(!hers.status.is_server_error(), "{asked}: {}", hers.status);
            tried += 1;
        }
    }
    tried
}

/// What deletes comes last, the deepest first.
pub(crate) fn in_order(operations: &mut [Operation]) {
    use std::cmp::Reverse;
    let deletes = |o: &Operation| o.method == Method::DELETE;
    operations.sort_by_key(|o| (deletes(o), deletes(o) && o.id != "delete_tag", Reverse(o.path_words.len()), Reverse(o.path.len())));
}

/// Somebody with AdministratorAccess in an account, at the management API.
pub(crate) async fn administrator<'h>(account: &Account<'h>) -> Client<'h> {
    let root = account.root_manager().await;
    root.post("/api/v1/users", &json!({"name": "admin"})).await.expect(201);
    root.post("/api/v1/policies", &json!({"name": "everything", "document": allow(&["*"])})).await.expect(201);
    root.put("/api/v1/users/admin/policies/everything", &json!({})).await.expect(204);
    let key = root.post("/api/v1/access-keys", &json!({"user": "admin"})).await.expect(201);
    account.manager(&key.text("access_key_id"), &key.text("access_key_secret")).await
}

async fn furnished() -> (House, Things, Things) {
    let house = house().await.with_account("other").await;
    let first = furnish(&house.first_account(), "first").await;
    let other = furnish(&house.account("other"), "other").await;
    (house, first, other)
}

#[tokio::test(flavor = "multi_thread")]
async fn another_accounts_things_answer_like_what_does_not_exist() {
    let (house, first, other) = furnished().await;
    let stranger = house.account("other").root_manager().await;
    let (operations, document) = operations(&stranger).await;
    let (administrator, mut tried) = (administrator(&house.account("other")).await, 0);
    let callers = [(&stranger, "other.example"), (&stranger, HOST), (&administrator, HOST), (&administrator, "first.registry.example")];
    for (stranger, at) in callers {
        let stranger = stranger.clone().at(at);
        for operation in &operations {
            tried += compare(&stranger, operation, &other, &first, &document).await;
        }
    }
    assert!(tried > 300, "{tried}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_account_has_no_rights_over_another() {
    let (house, first, other) = furnished().await;
    let root = administrator(&house.first_account()).await;
    let (operations, document) = operations(&root).await;
    for operation in &operations {
        compare(&root, operation, &first, &other, &document).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_and_everything_else_tell_nothing_of_another_account() {
    let (house, first, other) = furnished().await;
    let id = house.first_account().id();
    let marks: Vec<&String> = first.values().flatten().chain([&id]).filter(|mark| mark.len() > 3).collect();
    let stranger = house.account("other").root_manager().await;
    let (mut operations, document) = operations(&stranger).await;
    in_order(&mut operations);
    for operation in &operations {
        for (at, spelling) in [(HOST, 0), ("other.example", 1)] {
            let reply = operation.send(&stranger.clone().at(at), &fill(&other, spelling), &document).await;
            let said = String::from_utf8_lossy(&reply.body);
            for mark in &marks {
                let theirs = !(mark.contains(':') && mark.len() > 64);
                assert!(!theirs || !said.contains(mark.as_str()), "{} tells of {mark}: {said}", operation.id);
            }
        }
    }
}

/// The probes above are right: their owner gets through with each of them.
#[tokio::test(flavor = "multi_thread")]
async fn the_owner_gets_through_with_the_same_requests() {
    let (house, first, _) = furnished().await;
    let root = administrator(&house.first_account()).await;
    let (mut operations, document) = operations(&root).await;
    in_order(&mut operations);
    let mut wrong = Vec::new();
    for operation in &operations {
        let reply = operation.send(&root, &fill(&first, 0), &document).await;
        if !matches!(reply.status.as_u16(), 200..300 | 403 | 409) {
            wrong.push(format!("{} {} {}", operation.id, reply.status, String::from_utf8_lossy(&reply.body)));
        }
    }
    assert!(wrong.is_empty(), "the requests are wrong, so the comparison proves nothing:\n{}", wrong.join("\n"));
}
