//! An issuer of tokens: its keys, and a server that publishes them and counts how often it is asked.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair as RsaKeyPair, KeySize};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

/// The audience that federated credentials of the tests want.
pub(crate) const AUDIENCE: &str = "registry.example:5000";

/// A key of each kind.
pub(crate) struct Signer {
    name: &'static str,
    rsa: RsaKeyPair,
    ec: EcdsaKeyPair,
    ed: Ed25519KeyPair,
}

fn b64(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

impl Signer {
    /// Where the keys are pinned, nobody asks there.
    pub(crate) const ISSUER: &'static str = "https://issuer.corp.example";

    pub(crate) fn new() -> Self {
        Self::named("")
    }

    /// With names of its own for its keys.
    pub(crate) fn named(name: &'static str) -> Self {
        Self {
            name,
            rsa: RsaKeyPair::generate(KeySize::Rsa2048).unwrap(),
            ec: EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap(),
            ed: Ed25519KeyPair::generate().unwrap(),
        }
    }

    /// The public halves.
    pub(crate) fn jwks(&self) -> String {
        // Where the modulus of a key of 2048 bits stands in its DER (RFC 8017 appendix A.1.1).
        let modulus = &self.rsa.public_key().as_ref()[9..265];
        let point = self.ec.public_key().as_ref();
        let named = |kind: &str| format!("{}{kind}", self.name);
        json!({"keys": [
            {"kty": "RSA", "kid": named("rsa"), "alg": "RS256", "use": "sig", "n": b64(modulus), "e": "AQAB"},
            {"kty": "EC", "kid": named("ec"), "crv": "P-256", "x": b64(&point[1..33]), "y": b64(&point[33..])},
            {"kty": "OKP", "kid": named("ed"), "crv": "Ed25519", "x": b64(self.ed.public_key())},
        ]})
        .to_string()
    }

    /// A token under the header that goes with the algorithm.
    pub(crate) fn token(&self, alg: &str, claims: &Value) -> String {
        let kid = match alg {
            "ES256" => "ec",
            "EdDSA" => "ed",
            _ => "rsa",
        };
        self.token_with(&json!({"alg": alg, "kid": format!("{}{kid}", self.name), "typ": "JWT"}), claims)
    }

    pub(crate) fn token_with(&self, header: &Value, claims: &Value) -> String {
        let text = format!("{}.{}", b64(header.to_string()), b64(claims.to_string()));
        let random = SystemRandom::new();
        let signature = match header["alg"].as_str().unwrap() {
            "RS256" => {
                let mut signature = vec![0; self.rsa.public_modulus_len()];
                self.rsa.sign(&RSA_PKCS1_SHA256, &random, text.as_bytes(), &mut signature).unwrap();
                signature
            }
            "ES256" => self.ec.sign(&random, text.as_bytes()).unwrap().as_ref().to_vec(),
            "EdDSA" => self.ed.sign(text.as_bytes()).as_ref().to_vec(),
            _ => b"anything".to_vec(),
        };
        format!("{text}.{}", b64(signature))
    }
}

/// An issuer that can be asked.
pub(crate) struct Issuer {
    pub(crate) url: String,
    pub(crate) port: u16,
    keys: Arc<Mutex<String>>,
    asked: Arc<AtomicUsize>,
}

impl Issuer {
    pub(crate) async fn start(signer: &Signer) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let url = format!("http://127.0.0.1:{port}");
        let (keys, asked) = (Arc::new(Mutex::new(signer.jwks())), Arc::new(AtomicUsize::new(0)));
        let issuer = Self { url: url.clone(), port, keys: Arc::clone(&keys), asked: Arc::clone(&asked) };
        tokio::spawn(async move {
            loop {
                let (mut socket, _) = listener.accept().await.unwrap();
                let mut head = vec![0; 4096];
                let n = socket.read(&mut head).await.unwrap_or(0);
                let body = if head[..n].starts_with(b"GET /keys ") {
                    keys.lock().unwrap().clone()
                } else {
                    asked.fetch_add(1, Ordering::SeqCst);
                    json!({"issuer": url, "jwks_uri": format!("{url}/keys")}).to_string()
                };
                let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len());
                // Whoever has read enough hangs up.
                let _ = socket.write_all(answer.as_bytes()).await;
            }
        });
        issuer
    }

    /// Publishes these keys in place of the others.
    pub(crate) fn publish(&self, signer: &Signer) {
        self.answer(&signer.jwks());
    }

    pub(crate) fn answer(&self, body: &str) {
        body.clone_into(&mut self.keys.lock().unwrap());
    }

    /// How often somebody asked for its configuration.
    pub(crate) fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}
