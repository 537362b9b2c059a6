//! Tokens that nobody signed, that somebody else signed, and that are used where they do not belong.

use aws_lc_rs::hmac;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use serde_json::{Value, json};

use crate::support::api::{Api, bootstrap, push, root, token};
use crate::support::http::{Ask, basic, bearer};
use crate::support::node::{Node, Settings};

const PULL: &str = "/v2/demo/app/manifests/v1";

/// A token in its three parts.
struct Parts {
    header: Value,
    payload: Value,
    signature: String,
}

impl Parts {
    fn of(token: &str) -> Self {
        let mut parts = token.split('.');
        let mut json = || serde_json::from_slice(&BASE64.decode(parts.next().unwrap()).unwrap()).unwrap();
        let (header, payload) = (json(), json());
        Self { header, payload, signature: parts.next().unwrap().to_owned() }
    }

    fn with(mut self, field: &str, value: Value) -> Self {
        self.header[field] = value;
        self
    }

    fn signed_part(&self) -> String {
        format!("{}.{}", BASE64.encode(self.header.to_string()), BASE64.encode(self.payload.to_string()))
    }

    fn text(&self) -> String {
        format!("{}.{}", self.signed_part(), self.signature)
    }

    fn signed_by(&self, key: &EcdsaKeyPair) -> String {
        let text = self.signed_part();
        let signature = key.sign(&SystemRandom::new(), text.as_bytes()).unwrap();
        format!("{text}.{}", BASE64.encode(signature))
    }

    fn signed_with_hmac(&self, key: &[u8]) -> String {
        let text = self.signed_part();
        let signature = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), text.as_bytes());
        format!("{text}.{}", BASE64.encode(signature))
    }
}

struct House {
    node: Node,
    bearer: String,
    _folder: tempfile::TempDir,
}

fn house() -> House {
    let folder = tempfile::tempdir().unwrap();
    let node = Node::start(Settings::in_folder(folder.path(), "data"));
    push(&node, &root(&node), "demo/app", "v1", 1);
    let bearer = token(&node, &root(&node), "repository:demo/app:pull").strip_prefix("Bearer ").unwrap().to_owned();
    House { node, bearer, _folder: folder }
}

#[track_caller]
fn refused(house: &House, what: &str, token: &str) {
    let answer = house.node.send(&Ask::get(PULL).with(&bearer(token)));
    assert_eq!((answer.status, answer.code().as_str()), (401, "UNAUTHORIZED"), "{what}: {}", answer.text());
    assert_eq!(answer.all("www-authenticate").len(), 1, "{what}");
}

#[test]
fn cve_2025_24976_only_a_key_of_our_own_ring_signs() {
    let house = house();
    let real = || Parts::of(&house.bearer);
    assert_eq!(house.node.send(&Ask::get(PULL).with(&bearer(&real().text().clone()))).status, 401, "other bytes of the same claims");
    let foreign = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
    let point = foreign.public_key().as_ref();
    let jwk = json!({"kty": "EC", "crv": "P-256", "x": BASE64.encode(&point[1..33]), "y": BASE64.encode(&point[33..65])});
    refused(&house, "a foreign key under our kid", &real().signed_by(&foreign));
    refused(&house, "an embedded jwk", &real().with("jwk", jwk).signed_by(&foreign));
    refused(&house, "a jku", &real().with("jku", "http://127.0.0.1:1/keys".into()).signed_by(&foreign));
    refused(&house, "an x5c", &real().with("x5c", json!(["AAAA"])).signed_by(&foreign));
    for kid in ["", "unknown", "../../etc/passwd", "' OR 1=1 --", "\u{0}"] {
        refused(&house, kid, &real().with("kid", kid.into()).signed_by(&foreign));
    }
    refused(&house, "crit", &real().with("crit", json!(["exp"])).text());
}

#[test]
fn cve_2025_24976_no_other_algorithm_is_taken() {
    let house = house();
    let keys = house.node.send(&Ask::get("/.well-known/jwks.json")).json();
    let key = &keys["keys"][0];
    let coordinate = |name: &str| BASE64.decode(key[name].as_str().unwrap()).unwrap();
    let point = [vec![4], coordinate("x"), coordinate("y")].concat();
    for alg in ["none", "None", "NONE", "", "HS256", "ES384", "RS256", "es256"] {
        let parts = Parts::of(&house.bearer).with("alg", alg.into());
        refused(&house, alg, &parts.text());
        refused(&house, alg, &format!("{}.", parts.signed_part()));
        // The public key, which everybody has, as the secret of a symmetric signature.
        for secret in [point.clone(), key.to_string().into_bytes(), keys.to_string().into_bytes()] {
            refused(&house, alg, &parts.signed_with_hmac(&secret));
        }
    }
}

#[test]
fn a_changed_token_is_no_token() {
    let house = house();
    let text = &house.bearer;
    assert_eq!(house.node.send(&Ask::get(PULL).with(&bearer(text))).status, 200);
    for position in (0..text.len()).step_by(7) {
        let mut bytes = text.clone().into_bytes();
        bytes[position] = if bytes[position] == b'A' { b'B' } else { b'A' };
        refused(&house, "one character", &String::from_utf8(bytes).unwrap());
    }
    let parts = Parts::of(text);
    let zeros = BASE64.encode([0; 64]);
    for (what, token) in [
        ("no signature", format!("{}.", parts.signed_part())),
        ("two parts", parts.signed_part()),
        ("four parts", format!("{text}.{}", parts.signature)),
        ("zeros (CVE-2022-21449)", format!("{}.{zeros}", parts.signed_part())),
        ("padding", format!("{text}=")),
        ("as long as a header may be", "a".repeat(16_000)),
        ("dots", ".".repeat(4_000)),
    ] {
        refused(&house, what, &token);
    }
}

#[test]
fn a_token_of_one_kind_opens_nothing_of_another() {
    let house = house();
    let api = Api::root(&house.node);
    let made = api.call("POST", "/login-tokens", &json!({}));
    let login = made["password"].as_str().unwrap();
    let manage = api.token().strip_prefix("Bearer ").unwrap().to_owned();
    refused(&house, "a login token as bearer", login);
    refused(&house, "a management token at the registry", &manage);
    for (what, wrong) in [("a bearer", &house.bearer), ("a login token", &login.to_owned())] {
        assert_eq!(house.node.send(&Ask::get("/api/v1/whoami").with(&bearer(wrong))).status, 401, "{what} at the management API");
    }
    for (what, wrong) in [("a bearer", &house.bearer), ("a management token", &manage)] {
        for name in ["root", "cr_temp_user", "<token>", "00000000-0000-0000-0000-000000000000"] {
            assert_eq!(house.node.send(&Ask::get(PULL).with(&basic(name, wrong))).status, 401, "{what} as {name}'s password");
        }
    }
    assert_eq!(house.node.send(&Ask::get("/token").with(&bearer(&house.bearer))).status, 401, "a bearer buys no bearer");
}

#[test]
fn a_bearer_is_for_the_host_it_was_asked_for() {
    let house = house();
    let ask = Ask::get(PULL).with(&bearer(&house.bearer));
    assert_eq!(house.node.send(&ask.clone().header("host", "other.example")).status, 401);
    assert_eq!(house.node.send(&ask.header("host", "LOCALHOST:1")).status, 401);
    let answer = house.node.send(&Ask::get("/token?service=other.example").with(&root(&house.node)));
    assert_eq!(answer.status, 400, "nobody's audience but ours: {}", answer.text());
}

/// Harbor #22900: a token outlived that its holder's user was deleted and made again.
#[test]
fn harbor_22900_a_token_is_bound_to_who_it_was_made_for_not_to_a_name() {
    let house = house();
    let api = Api::root(&house.node);
    let make = || {
        api.create_user("alice");
        api.attach("alice", "pullers");
        api.create_credential("alice").1
    };
    api.create_policy("pullers", &["cr:PullRepository"]);
    let authorization = make();
    let old = token(&house.node, &authorization, "repository:demo/app:pull");
    assert_eq!(house.node.send(&Ask::get(PULL).with(&old)).status, 200);
    api.call("DELETE", "/users/alice", &Value::Null);
    let new = make();
    assert_eq!(house.node.send(&Ask::get(PULL).with(&new)).status, 200);
    for ended in [&old, &authorization] {
        assert_eq!(house.node.send(&Ask::get(PULL).with(ended)).status, 401);
    }
}

/// CVE-2026-4404: nothing has a built-in default secret; GHSA-8523: the first secrets are nobody else's to read.
#[test]
fn cve_2026_4404_no_default_secret_opens_anything() {
    use std::os::unix::fs::PermissionsExt as _;
    let house = house();
    for name in ["root", "admin", "tidegate", "local"] {
        for password in ["", "root", "admin", "Harbor12345", "password", "tidegate", "changeme"] {
            let ask =
                Ask::get("/v2/").with(&basic(name, password)).header("x-forwarded-for", &format!("10.{}.{}.1", name.len(), password.len()));
            assert_eq!(house.node.send(&ask).status, 401, "{name}:{password}");
        }
    }
    let path = house.node.settings.data.join("bootstrap.json");
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    let secrets = bootstrap(&house.node);
    for key in ["root_password", "access_key_secret"] {
        assert!(!house.node.log().contains(secrets[key].as_str().unwrap()), "{key} was logged");
    }
}

/// Dragonfly CVE-2023-27584: the key that signs tokens was the same everywhere. Here two servers share none, whatever they are called.
#[test]
fn cve_2023_27584_no_two_servers_share_a_key() {
    let (one, other) = (house(), house());
    let keys = |house: &House| house.node.send(&Ask::get("/.well-known/jwks.json")).expect(200).json()["keys"].clone();
    let (here, there) = (keys(&one), keys(&other));
    let coordinates = |keys: &Value| keys.as_array().unwrap().iter().map(|key| key["x"].to_string()).collect::<Vec<_>>();
    assert!(coordinates(&here).iter().all(|x| !coordinates(&there).contains(x)), "{here} {there}");
    let pull = |node: &Node, bearer: &str| node.send(&Ask::get(PULL).with(bearer).header("host", "registry.example")).status;
    let at = |node: &Node| {
        let ask =
            Ask::get("/token?service=registry.example&scope=repository:demo/app:pull").with(&root(node)).header("host", "registry.example");
        bearer(node.send(&ask).expect(200).json()["token"].as_str().unwrap())
    };
    let token = at(&one.node);
    assert_eq!((pull(&one.node, &token), pull(&other.node, &token)), (200, 401));
    let (mine, theirs) = (bootstrap(&one.node), bootstrap(&other.node));
    for key in ["root_password", "access_key_id", "access_key_secret", "account_id"] {
        assert_ne!(mine[key], theirs[key], "{key}");
    }
    let master = |house: &House| std::fs::read_to_string(house.node.settings.data.join("master.key")).unwrap();
    assert_ne!(master(&one), master(&other));
}
