//! Trust in the tokens of an issuer, which ends on one node while a workload uses them at the other.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};
use std::time::{SystemTime, UNIX_EPOCH};

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use serde_json::{Value, json};

use crate::ends::{PROMISE, Probe, in_time, report, round};
use crate::house::Pair;
use crate::support::api::{Api, document, push, root, token};
use crate::support::http::{Ask, basic, bearer};
use crate::support::node::Node;

const AUDIENCE: &str = "the-registry";
const TRUST: &str = "/service-accounts/ci/federated-credentials";
const ROUNDS: usize = 2;

/// An issuer that publishes one key.
struct Issuer {
    url: String,
    key: EcdsaKeyPair,
    kid: usize,
    published: Arc<Mutex<String>>,
}

fn new_key() -> EcdsaKeyPair {
    EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap()
}

impl Issuer {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let mut issuer = Self { url: url.clone(), key: new_key(), kid: 0, published: Arc::default() };
        issuer.rotate();
        let published = Arc::clone(&issuer.published);
        std::thread::spawn(move || {
            for socket in listener.incoming() {
                let (mut socket, mut head) = (socket.unwrap(), vec![0; 4096]);
                let length = socket.read(&mut head).unwrap_or(0);
                let body = if head[..length].starts_with(b"GET /keys ") {
                    published.lock().unwrap().clone()
                } else {
                    json!({ "issuer": url, "jwks_uri": format!("{url}/keys") }).to_string()
                };
                // Whoever has read enough hangs up.
                let _ = socket.write_all(format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len()).as_bytes());
            }
        });
        issuer
    }

    /// Another key in the place of the one before, which is withdrawn.
    fn rotate(&mut self) {
        (self.key, self.kid) = (new_key(), self.kid + 1);
        let point = self.key.public_key().as_ref();
        let (x, y) = (BASE64.encode(&point[1..33]), BASE64.encode(&point[33..]));
        let keys = json!({ "keys": [{ "kty": "EC", "crv": "P-256", "kid": self.kid.to_string(), "x": x, "y": y }] });
        *self.published.lock().unwrap() = keys.to_string();
    }

    fn token(&self, subject: &str) -> String {
        let now = now();
        let header = json!({ "alg": "ES256", "kid": self.kid.to_string() });
        let claims = json!({ "iss": self.url, "sub": subject, "aud": AUDIENCE, "iat": now, "exp": now + 600 });
        let text = format!("{}.{}", BASE64.encode(header.to_string()), BASE64.encode(claims.to_string()));
        let signature = self.key.sign(&SystemRandom::new(), text.as_bytes()).unwrap();
        format!("{text}.{}", BASE64.encode(signature))
    }
}

#[expect(clippy::disallowed_methods, reason = "a token says until when it holds")]
fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

/// Everything that a workload makes of its token.
fn probes(there: &Node, workload: &str) -> Vec<Probe> {
    let pull = |what, authorization: &str| Probe { what, ask: Ask::get("/v2/demo/app/manifests/v1").with(authorization) };
    let basic = basic("any", workload);
    let fields = [("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"), ("assertion", workload)];
    let exchanged = there.send(&Ask::new("POST", "/api/v1/oauth2/token").form(&fields)).expect(200).json();
    let managing = bearer(exchanged["access_token"].as_str().unwrap());
    let login = there.send(&Ask::new("POST", "/api/v1/login-tokens").with(&managing).header("content-type", "application/json").body("{}"));
    let login = login.expect(201).json();
    let login = crate::support::http::basic(login["username"].as_str().unwrap(), login["password"].as_str().unwrap());
    vec![
        pull("Basic, the workload's token", &basic),
        pull("bearer", &token(there, &basic, "repository:demo/app:pull")),
        pull("Basic, login token", &login),
        pull("bearer of a login token", &token(there, &login, "repository:demo/app:pull")),
        Probe { what: "management token", ask: Ask::get("/api/v1/whoami").with(&managing) },
    ]
}

fn furnish(pair: &Pair, api: &Api<'_>, issuer: &Issuer) {
    push(&pair.first, &root(&pair.first), "demo/app", "v1", 1);
    api.call("POST", "/service-accounts", &json!({ "name": "ci" }));
    api.call(
        "POST",
        "/policies",
        &json!({ "name": "works", "document": document("Allow", &["cr:PullRepository", "cr:GetAuthorizationToken"]) }),
    );
    api.call("PUT", "/service-accounts/ci/policies/works", &Value::Null);
    api.call("POST", "/oidc-providers", &json!({ "name": "corp", "issuer": issuer.url, "allow_internal": true }));
}

fn trust(api: &Api<'_>, issuer: &Issuer, name: &str) {
    let new = json!({ "name": name, "issuer": issuer.url, "audience": AUDIENCE, "subject": name });
    api.call("POST", TRUST, &new);
}

#[test]
#[ignore = "cargo xtask test --only revocation"]
fn a_federated_credential_that_ends_on_one_node_ends_on_the_other_within_a_second_with_its_tokens() {
    let (pair, issuer) = (Pair::start("workloads"), Issuer::start());
    let api = Api::root(&pair.first);
    furnish(&pair, &api, &issuer);
    let mut all = Vec::new();
    for number in 0..ROUNDS {
        for end in ["disable", "delete", "account", "provider"] {
            let name = format!("job-{end}-{number}");
            let one = format!("{TRUST}/{name}");
            trust(&api, &issuer, &name);
            all.extend(round(&pair.second, &probes(&pair.second, &issuer.token(&name)), || match end {
                "disable" => drop(api.call("PATCH", &one, &json!({ "enabled": false }))),
                "delete" => drop(api.call("DELETE", &one, &Value::Null)),
                "account" => drop(api.call("PATCH", "/service-accounts/ci", &json!({ "enabled": false }))),
                _ => drop(api.call("PATCH", "/oidc-providers/corp", &json!({ "enabled": false }))),
            }));
            if matches!(end, "account" | "provider") {
                api.call("PATCH", "/oidc-providers/corp", &json!({ "enabled": true }));
                api.call("PATCH", "/service-accounts/ci", &json!({ "enabled": true }));
                std::thread::sleep(PROMISE);
            }
        }
    }
    println!("federated credentials: from the acknowledgement to the last answer that honoured what had ended");
    report("workloads", all.iter().map(|(_, took)| *took).collect());
    in_time(&all, PROMISE);
}

#[test]
#[ignore = "cargo xtask test --only revocation"]
fn a_withdrawn_key_verifies_nothing_on_the_other_node_within_a_second_of_a_check() {
    let (pair, mut issuer) = (Pair::start("withdrawn"), Issuer::start());
    let api = Api::root(&pair.first);
    furnish(&pair, &api, &issuer);
    trust(&api, &issuer, "job");
    let mut all = Vec::new();
    for _ in 0..ROUNDS {
        let stolen = basic("any", &issuer.token("job"));
        let probe = Probe { what: "Basic, a withdrawn key", ask: Ask::get("/v2/demo/app/manifests/v1").with(&stolen) };
        assert_eq!(pair.second.send(&probe.ask).status, 200);
        issuer.rotate();
        all.extend(round(&pair.second, &[probe], || {
            assert_eq!(api.call("POST", "/oidc-providers/corp/checks", &Value::Null)["keys"], 1);
        }));
        let new = basic("any", &issuer.token("job"));
        assert_eq!(pair.second.send(&Ask::get("/v2/demo/app/manifests/v1").with(&new)).status, 200);
    }
    report("withdrawn keys", all.iter().map(|(_, took)| *took).collect());
    in_time(&all, PROMISE);
}
