//! Clients of Alibaba Cloud's APIs: they sign as the vendor's own do.

use std::sync::atomic::{AtomicU64, Ordering};

use door_alibaba::Product;
use http::Method;
use model::Timestamp;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use secrets::Plain;
use signing::alibaba::{Request, roa, v1, v3};
use signing::{Headers, Params};

use crate::{Client, House, Reply};

/// RFC 3986: what stays as it is.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// An access key, or the key of a session with its token.
#[derive(Clone, Debug)]
pub struct AccessKey {
    /// The public half.
    pub id: String,
    /// The secret.
    pub secret: String,
    /// What goes with a session's key.
    pub token: Option<String>,
}

/// Who signs how.
#[derive(Debug)]
pub struct Alibaba<'h> {
    house: &'h House,
    client: Client<'h>,
    key: Option<AccessKey>,
    /// By V1 instead of V3.
    v1: bool,
    format: Option<&'static str>,
    method: Method,
    nonces: AtomicU64,
}

/// A signed request that has not been sent: what a test may still change.
#[derive(Clone, Debug)]
pub struct Signed {
    /// The method.
    pub method: Method,
    /// Path and query.
    pub target: String,
    /// The headers.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: String,
}

impl House {
    /// A new access key of a user.
    pub async fn access_key(&self, user: &str) -> AccessKey {
        let made = self.root_manager().await.post("/api/v1/access-keys", &serde_json::json!({ "user": user })).await.expect(201);
        AccessKey { id: made.text("access_key_id"), secret: made.text("access_key_secret"), token: None }
    }

    /// The root user's access key.
    pub fn root_key(&self) -> AccessKey {
        self.first_account().root_key()
    }

    /// Whoever has this key, at Alibaba Cloud's APIs.
    pub fn alibaba(&self, key: &AccessKey) -> Alibaba<'_> {
        Alibaba { key: Some(key.clone()), ..self.alibaba_anon() }
    }

    /// Nobody in particular, there.
    pub fn alibaba_anon(&self) -> Alibaba<'_> {
        // Each client counts for itself, from a number of its own.
        let first = self.next_client() * 1_000_000;
        let nonces = AtomicU64::new(first);
        Alibaba { house: self, client: self.anon(), key: None, v1: false, format: None, method: Method::POST, nonces }
    }
}

impl crate::Account<'_> {
    /// Its root user's access key.
    pub fn root_key(&self) -> AccessKey {
        let (id, secret) = (self.bootstrap.access_key_id.clone(), self.bootstrap.access_key_secret.reveal().to_owned());
        AccessKey { id, secret, token: None }
    }
}

impl Alibaba<'_> {
    /// The same with signatures of V1.
    #[must_use]
    pub fn v1(self) -> Self {
        Self { v1: true, ..self }
    }

    /// The same asking for XML.
    #[must_use]
    pub fn xml(self) -> Self {
        Self { format: Some("XML"), ..self }
    }

    /// The same by `GET`.
    #[must_use]
    pub fn by_get(self) -> Self {
        Self { method: Method::GET, ..self }
    }

    /// The same from another address.
    #[must_use]
    pub fn from(self, address: &str) -> Self {
        Self { client: self.client.from(address), ..self }
    }

    /// The same at another host.
    #[must_use]
    pub fn at(self, host: &str) -> Self {
        Self { client: self.client.at(host), ..self }
    }

    /// Calls an action.
    pub async fn call(&self, product: Product, action: &str, parameters: &[(&str, &str)]) -> Reply {
        self.send(&self.signed(product, action, parameters)).await
    }

    /// A request for an action, signed now.
    pub fn signed(&self, product: Product, action: &str, parameters: &[(&str, &str)]) -> Signed {
        self.signed_at(self.house.now(), product, action, parameters)
    }

    /// A request for an action, signed at another time.
    pub fn signed_at(&self, at: Timestamp, product: Product, action: &str, parameters: &[(&str, &str)]) -> Signed {
        let nonce = format!("nonce-{}", self.nonces.fetch_add(1, Ordering::Relaxed));
        let mut all: Vec<(&str, &str)> = parameters.to_vec();
        all.extend(self.format.map(|format| ("Format", format)));
        let at = Timestamp::from_seconds(at.seconds()).to_string();
        match &self.key {
            Some(key) if !self.v1 => self.by_v3(key, product, action, &all, (&nonce, &at)),
            key => self.by_v1(key.as_ref(), product, action, &all, (&nonce, &at)),
        }
    }

    fn by_v1(
        &self,
        key: Option<&AccessKey>,
        product: Product,
        action: &str,
        parameters: &[(&str, &str)],
        (nonce, at): (&str, &str),
    ) -> Signed {
        let mut all: Vec<(&str, &str)> = parameters.to_vec();
        all.extend([("Action", action), ("Version", product.version()), ("Timestamp", at), ("SignatureNonce", nonce)]);
        if let Some(key) = key {
            all.extend([("AccessKeyId", &*key.id), ("SignatureMethod", "HMAC-SHA1"), ("SignatureVersion", "1.0")]);
            all.extend(key.token.as_deref().map(|token| ("SecurityToken", token)));
        }
        let mut query = encoded(&all);
        if let Some(key) = key {
            let secret = Plain::new(key.secret.clone()).unwrap();
            let signature = v1::sign(&secret, self.method.as_str(), &Params::read(&query, "").unwrap());
            query = format!("{query}&{}", encoded(&[("Signature", &signature)]));
        }
        Signed { method: self.method.clone(), target: format!("/?{query}"), headers: Vec::new(), body: String::new() }
    }

    fn by_v3(&self, key: &AccessKey, product: Product, action: &str, parameters: &[(&str, &str)], (nonce, at): (&str, &str)) -> Signed {
        let query = encoded(parameters);
        let mut headers: Vec<(String, String)> = [
            ("host", self.client.host()),
            ("x-acs-action", action),
            ("x-acs-version", product.version()),
            ("x-acs-date", at),
            ("x-acs-signature-nonce", nonce),
            ("x-acs-content-sha256", &v3::content_sha256(b"")),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into();
        headers.extend(key.token.iter().map(|token| ("x-acs-security-token".to_owned(), token.clone())));
        let secret = Plain::new(key.secret.clone()).unwrap();
        let authorization = {
            let borrowed = Headers::new(headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes())));
            v3::sign(&secret, &key.id, &Request::read(self.method.as_str(), "/", &query, borrowed, b"").unwrap()).unwrap()
        };
        headers.push(("authorization".to_owned(), authorization));
        Signed { method: self.method.clone(), target: format!("/?{query}"), headers, body: String::new() }
    }

    /// `GET /tokens` in the style of Personal Edition (ROA), as the vendor's older SDK signs it.
    pub fn tokens_signed(&self) -> Signed {
        let key = self.key.as_ref().unwrap();
        let date = http_date(self.house.now());
        let mut headers: Vec<(String, String)> = [
            ("accept", "application/json"),
            ("date", date.as_str()),
            ("x-acs-signature-method", "HMAC-SHA1"),
            ("x-acs-signature-version", "1.0"),
            ("x-acs-version", "2016-06-07"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into();
        let query = "RegionId=local";
        let secret = Plain::new(key.secret.clone()).unwrap();
        let authorization = {
            let borrowed = Headers::new(headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes())));
            roa::sign(&secret, &key.id, &Request::read("GET", "/tokens", query, borrowed, b"").unwrap()).unwrap()
        };
        headers.push(("authorization".to_owned(), authorization));
        Signed { method: Method::GET, target: format!("/tokens?{query}"), headers, body: String::new() }
    }

    /// Sends a request as it stands.
    pub async fn send(&self, signed: &Signed) -> Reply {
        let headers: Vec<_> = signed.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        self.client.send(signed.method.clone(), &signed.target, &headers, signed.body.clone()).await
    }
}

/// As the `Date` header has it; within a day of when every house begins.
fn http_date(at: Timestamp) -> String {
    let seconds = at.seconds() - crate::NOW.seconds() + 3 * 3600 + 4 * 60 + 5;
    format!("Fri, 02 Jan 2026 {:02}:{:02}:{:02} GMT", seconds / 3600, seconds / 60 % 60, seconds % 60)
}

/// Pairs as a query string.
fn encoded(pairs: &[(&str, &str)]) -> String {
    let one = |(name, value): &(&str, &str)| format!("{}={}", utf8_percent_encode(name, ENCODED), utf8_percent_encode(value, ENCODED));
    pairs.iter().map(one).collect::<Vec<_>>().join("&")
}
