//! The management API as the root user, in the few calls that the suites need.

use serde_json::{Value, json};

use super::http::{Answer, Ask, basic, bearer};
use super::node::Node;

/// An access key.
#[derive(Clone)]
pub(crate) struct Key {
    pub(crate) id: String,
    pub(crate) secret: String,
}

/// Somebody with a token for the management API of one node.
pub(crate) struct Api<'n> {
    node: &'n Node,
    token: String,
}

impl<'n> Api<'n> {
    /// The root user of the bootstrap file in the node's data folder.
    pub(crate) fn root(node: &'n Node) -> Self {
        Self::root_at(node, node)
    }

    /// The root user of the node that did the first start, at another.
    pub(crate) fn root_at(first: &Node, node: &'n Node) -> Self {
        let bootstrap = bootstrap(first);
        let text = |key: &str| bootstrap[key].as_str().unwrap().to_owned();
        Self::with_key(node, &Key { id: text("access_key_id"), secret: text("access_key_secret") })
    }

    pub(crate) fn with_key(node: &'n Node, key: &Key) -> Self {
        let fields = [("grant_type", "client_credentials"), ("client_id", &key.id), ("client_secret", &key.secret)];
        let answer = node.send(&Ask::new("POST", "/api/v1/oauth2/token").form(&fields));
        assert_eq!(answer.status, 200, "{}", answer.text());
        Self { node, token: answer.json()["access_token"].as_str().unwrap().to_owned() }
    }

    pub(crate) fn token(&self) -> String {
        bearer(&self.token)
    }

    pub(crate) fn send(&self, method: &str, path: &str, body: &Value) -> Answer {
        let ask = Ask::new(method, &format!("/api/v1{path}")).with(&self.token());
        self.node.send(&if body.is_null() { ask } else { ask.header("content-type", "application/json").body(body.to_string()) })
    }

    /// A call that must succeed.
    #[track_caller]
    pub(crate) fn call(&self, method: &str, path: &str, body: &Value) -> Value {
        let answer = self.send(method, path, body);
        assert!((200..300).contains(&answer.status), "{method} {path}: {} {}", answer.status, answer.text());
        answer.json()
    }

    pub(crate) fn create_user(&self, name: &str) {
        self.call("POST", "/users", &json!({ "name": name }));
    }

    /// A policy that allows these actions on everything.
    pub(crate) fn create_policy(&self, name: &str, actions: &[&str]) {
        self.call("POST", "/policies", &json!({ "name": name, "document": document("Allow", actions) }));
    }

    pub(crate) fn attach(&self, user: &str, policy: &str) {
        self.call("PUT", &format!("/users/{user}/policies/{policy}"), &Value::Null);
    }

    /// An access credential's id and its `Authorization: Basic`.
    pub(crate) fn create_credential(&self, user: &str) -> (String, String) {
        let made = self.call("POST", "/credentials", &json!({ "user": user, "description": "a suite" }));
        let text = |key: &str| made[key].as_str().unwrap().to_owned();
        (text("credential_id"), basic(user, &text("secret")))
    }

    pub(crate) fn create_access_key(&self, user: &str) -> Key {
        let made = self.call("POST", "/access-keys", &json!({ "user": user }));
        let text = |key: &str| made[key].as_str().unwrap().to_owned();
        Key { id: text("access_key_id"), secret: text("access_key_secret") }
    }

    /// A login token for oneself, as `Authorization: Basic`.
    pub(crate) fn create_login_token(&self) -> String {
        let made = self.call("POST", "/login-tokens", &json!({}));
        basic(made["username"].as_str().unwrap(), made["password"].as_str().unwrap())
    }

    /// Every audit event with these filters.
    pub(crate) fn audit(&self, query: &str) -> Vec<Value> {
        let mut events = Vec::new();
        let mut path = format!("/api/v1/audit-events?limit=1000&{query}");
        loop {
            let answer = self.node.send(&Ask::get(&path).with(&self.token()));
            assert_eq!(answer.status, 200, "{}", answer.text());
            events.extend(answer.json().as_array().unwrap().iter().cloned());
            match answer.header("link").and_then(|link| link.strip_prefix('<')).and_then(|link| link.split_once('>')) {
                Some((next, _)) => next.clone_into(&mut path),
                None => return events,
            }
        }
    }
}

/// What the first start wrote.
pub(crate) fn bootstrap(node: &Node) -> Value {
    serde_json::from_slice(&std::fs::read(node.settings.data.join("bootstrap.json")).unwrap()).unwrap()
}

/// A policy document with one statement on everything.
pub(crate) fn document(effect: &str, actions: &[&str]) -> String {
    json!({ "Version": "1", "Statement": [{ "Effect": effect, "Action": actions, "Resource": "*" }] }).to_string()
}

/// A bearer token from the token service of `node`, as `Authorization: Bearer`.
pub(crate) fn token(node: &Node, authorization: &str, scope: &str) -> String {
    let answer = node.send(&Ask::get(&format!("/token?service={}&scope={scope}", node.address())).with(authorization));
    assert_eq!(answer.status, 200, "{}", answer.text());
    bearer(answer.json()["token"].as_str().unwrap())
}

/// Pushes an image; the manifest's digest.
pub(crate) fn push(node: &Node, authorization: &str, repository: &str, tag: &str, seed: u64) -> String {
    let (config, layer) = (super::content(seed, 200), super::content(seed + 1, 5000));
    for blob in [&config, &layer] {
        let target = format!("/v2/{repository}/blobs/uploads/?digest={}", super::digest(blob));
        let ask = Ask::new("POST", &target).with(authorization).header("content-type", "application/octet-stream").body(blob.clone());
        let answer = node.send(&ask);
        assert_eq!(answer.status, 201, "{}", answer.text());
    }
    let manifest = super::manifest(&config, &[layer]);
    let ask = Ask::new("PUT", &format!("/v2/{repository}/manifests/{tag}")).with(authorization);
    let answer = node.send(&ask.header("content-type", super::OCI_MANIFEST).body(manifest.clone()));
    assert_eq!(answer.status, 201, "{}", answer.text());
    super::digest(manifest.as_bytes())
}

/// The root user, by Basic.
pub(crate) fn root(node: &Node) -> String {
    basic("root", bootstrap(node)["root_password"].as_str().unwrap())
}
