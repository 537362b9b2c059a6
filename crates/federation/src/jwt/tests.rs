//! Tokens that are not believed.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair as RsaKeyPair, KeySize};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::*;

/// An issuer with a key of each kind.
struct Signer {
    rsa: RsaKeyPair,
    ec: EcdsaKeyPair,
    ed: Ed25519KeyPair,
}

fn b64(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

impl Signer {
    fn new() -> Self {
        Self {
            rsa: RsaKeyPair::generate(KeySize::Rsa2048).unwrap(),
            ec: EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap(),
            ed: Ed25519KeyPair::generate().unwrap(),
        }
    }

    fn jwks(&self) -> Value {
        let rsa = modulus(&self.rsa);
        let point = self.ec.public_key().as_ref();
        json!({"keys": [
            {"kty": "RSA", "kid": "r1", "alg": "RS256", "use": "sig",
             "n": b64(rsa), "e": "AQAB"},
            {"kty": "EC", "kid": "e1", "crv": "P-256", "x": b64(&point[1..33]), "y": b64(&point[33..])},
            {"kty": "OKP", "kid": "d1", "crv": "Ed25519", "x": b64(self.ed.public_key())},
        ]})
    }

    fn keys(&self) -> KeySet {
        KeySet::parse(self.jwks().to_string().as_bytes()).unwrap()
    }

    fn sign(&self, header: &Value, payload: &str) -> String {
        let signed = format!("{}.{}", b64(header.to_string()), b64(payload));
        let random = SystemRandom::new();
        let signature = match header["alg"].as_str().unwrap_or_default() {
            "RS256" => {
                let mut signature = vec![0; self.rsa.public_modulus_len()];
                self.rsa.sign(&RSA_PKCS1_SHA256, &random, signed.as_bytes(), &mut signature).unwrap();
                signature
            }
            "ES256" => self.ec.sign(&random, signed.as_bytes()).unwrap().as_ref().to_vec(),
            "EdDSA" => self.ed.sign(signed.as_bytes()).as_ref().to_vec(),
            _ => Vec::new(),
        };
        format!("{signed}.{}", b64(signature))
    }
}

/// Of a key of 2048 bits: where it stands in its DER (RFC 8017 appendix A.1.1).
fn modulus(key: &RsaKeyPair) -> Vec<u8> {
    key.public_key().as_ref()[9..265].to_vec()
}

fn payload() -> String {
    json!({"iss": "https://i", "sub": "s", "aud": "a", "exp": 1_800_000_300}).to_string()
}

fn verify(text: &str, keys: &KeySet) -> Result<Claims, TokenError> {
    Jwt::parse(text)?.verify(keys)
}

#[test]
fn the_three_algorithms_are_believed() {
    let signer = Signer::new();
    for (alg, kid) in [("RS256", "r1"), ("ES256", "e1"), ("EdDSA", "d1")] {
        for header in
            [json!({"alg": alg, "kid": kid, "typ": "JWT"}), json!({"alg": alg, "kid": kid, "x5t": "ignored"}), json!({"alg": alg})]
        {
            let token = signer.sign(&header, &payload());
            let claims = verify(&token, &signer.keys()).unwrap();
            assert_eq!((claims.issuer(), claims.subject()), ("https://i", "s"), "{header}");
        }
    }
}

#[test]
fn none_and_shared_secrets_are_no_algorithms() {
    let signer = Signer::new();
    for alg in ["none", "None", "NONE", "", "HS256", "HS384", "HS512", "RS384", "RS512", "PS256", "ES384", "ES256K", "rs256", "A128KW"] {
        let token = signer.sign(&json!({"alg": alg, "kid": "r1"}), &payload());
        assert_eq!(verify(&token, &signer.keys()).unwrap_err(), TokenError::Algorithm, "{alg}");
    }
    for header in [json!({"kid": "r1"}), json!({"alg": null}), json!({"alg": ["RS256"]}), json!([])] {
        assert_eq!(verify(&signer.sign(&header, &payload()), &signer.keys()).unwrap_err(), TokenError::Malformed, "{header}");
    }
}

/// The public key as the secret of an HMAC, in every form it is published in.
#[test]
fn an_rsa_public_key_is_no_shared_secret() {
    let signer = Signer::new();
    let keys = signer.keys();
    let text = format!("{}.{}", b64(json!({"alg": "HS256", "kid": "r1"}).to_string()), b64(payload()));
    for secret in [modulus(&signer.rsa), signer.rsa.public_key().as_ref().to_vec(), signer.jwks().to_string().into_bytes()] {
        let token = format!("{text}.{}", b64(hmac(&secret, text.as_bytes())));
        assert_eq!(verify(&token, &keys).unwrap_err(), TokenError::Algorithm);
        // Renamed: a key of one kind verifies nothing of another.
        for alg in ["RS256", "ES256", "EdDSA"] {
            let text = format!("{}.{}", b64(json!({"alg": alg, "kid": "r1"}).to_string()), b64(payload()));
            let token = format!("{text}.{}", b64(hmac(&secret, text.as_bytes())));
            assert!(matches!(verify(&token, &keys), Err(TokenError::Signature | TokenError::UnknownKey)), "{alg}");
        }
    }
}

fn hmac(secret: &[u8], message: &[u8]) -> Vec<u8> {
    let mut key = [0_u8; 64];
    let short = if secret.len() > 64 { Sha256::digest(secret).to_vec() } else { secret.to_vec() };
    key[..short.len()].copy_from_slice(&short);
    let pad = |with: u8| key.map(|byte| byte ^ with);
    let inner = Sha256::new().chain_update(pad(0x36)).chain_update(message).finalize();
    Sha256::new().chain_update(pad(0x5c)).chain_update(inner).finalize().to_vec()
}

#[test]
fn a_key_in_the_token_is_no_key() {
    let (signer, stranger) = (Signer::new(), Signer::new());
    let own = &stranger.jwks()["keys"][0];
    for header in [
        json!({"alg": "RS256", "jwk": own}),
        json!({"alg": "RS256", "kid": "r1", "jwk": own}),
        json!({"alg": "RS256", "kid": "r1", "jku": "https://evil.example/keys"}),
        json!({"alg": "RS256", "kid": "r1", "x5u": "https://evil.example/cert", "x5c": ["MIIB"]}),
    ] {
        assert_eq!(verify(&stranger.sign(&header, &payload()), &signer.keys()).unwrap_err(), TokenError::Signature, "{header}");
        assert!(verify(&signer.sign(&header, &payload()), &signer.keys()).is_ok(), "ignored, not believed: {header}");
    }
}

#[test]
fn keys_are_found_by_name_and_fit_their_algorithm() {
    let signer = Signer::new();
    let keys = signer.keys();
    for (alg, kid) in [("RS256", "r2"), ("RS256", "e1"), ("ES256", "r1"), ("EdDSA", "e1"), ("RS256", "")] {
        let token = signer.sign(&json!({"alg": alg, "kid": kid}), &payload());
        assert_eq!(verify(&token, &keys).unwrap_err(), TokenError::UnknownKey, "{alg} {kid}");
    }
    assert!(keys.has("r1") && !keys.has("r2"));
}

#[test]
fn what_must_be_understood_and_is_not_is_refused() {
    let signer = Signer::new();
    for header in
        [json!({"alg": "RS256", "crit": ["b64"], "b64": false}), json!({"alg": "RS256", "crit": []}), json!({"alg": "RS256", "b64": true})]
    {
        assert_eq!(verify(&signer.sign(&header, &payload()), &signer.keys()).unwrap_err(), TokenError::Algorithm, "{header}");
    }
}

#[test]
fn changed_and_cut_tokens_are_refused() {
    let signer = Signer::new();
    let keys = signer.keys();
    let token = signer.sign(&json!({"alg": "RS256", "kid": "r1"}), &payload());
    let parts: Vec<&str> = token.split('.').collect();
    let other = b64(payload().replace("\"s\"", "\"root\""));
    for bad in [
        format!("{}.{other}.{}", parts[0], parts[2]),
        format!("{}.{}.", parts[0], parts[1]),
        format!("{}.{}.{}", parts[0], parts[1], b64("x")),
    ] {
        assert_eq!(verify(&bad, &keys).unwrap_err(), TokenError::Signature, "{bad}");
    }
    let long = "a".repeat(Jwt::MAX + 1);
    for bad in ["", ".", "..", "a.b.c", &parts[..2].join("."), &format!("{token}="), &format!("{token}.x"), &format!(" {token}"), &long] {
        assert_eq!(verify(bad, &keys).unwrap_err(), TokenError::Malformed, "{bad}");
    }
}

#[test]
fn headers_and_tokens_are_bounded() {
    let signer = Signer::new();
    let wide = |n: usize| json!({"iss": "https://i", "sub": "s", "aud": "a", "exp": 1_800_000_300, "groups": "g".repeat(n)}).to_string();
    let header = json!({"alg": "ES256", "kid": "e1"});
    assert!(verify(&signer.sign(&header, &wide(14_000)), &signer.keys()).is_ok());
    assert_eq!(verify(&signer.sign(&header, &wide(15_000)), &signer.keys()).unwrap_err(), TokenError::Malformed);
    for header in [json!({"alg": "ES256", "kid": "k".repeat(513)}), json!({"alg": "ES256", "x": "x".repeat(4096)})] {
        assert_eq!(verify(&signer.sign(&header, &payload()), &signer.keys()).unwrap_err(), TokenError::Malformed);
    }
}

#[test]
fn a_claim_that_stands_there_twice_is_refused() {
    let signer = Signer::new();
    for twice in [
        r#"{"iss":"https://i","iss":"https://j","sub":"s","aud":"a","exp":1800000300}"#,
        r#"{"iss":"https://i","sub":"s","sub":"t","aud":"a","exp":1800000300}"#,
        r#"{"iss":"https://i","sub":"s","aud":"a","aud":"b","exp":1800000300}"#,
        r#"{"iss":"https://i","sub":"s","aud":"a","exp":1,"exp":1800000300}"#,
    ] {
        assert_eq!(verify(&signer.sign(&json!({"alg": "ES256"}), twice), &signer.keys()).unwrap_err(), TokenError::Malformed, "{twice}");
    }
    let header = r#"{"alg":"none","alg":"ES256","kid":"e1"}"#;
    assert_eq!(Jwt::parse(&format!("{}.{}.eA", b64(header), b64(payload()))).unwrap_err(), TokenError::Malformed);
}
