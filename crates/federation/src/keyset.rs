//! An issuer's public keys: a JSON Web Key Set (RFC 7517 section 5).

use serde::Deserialize;

use crate::algorithm::{Algorithm, PublicKey};
use crate::jwt::decode;

/// Why a text is no set of keys that can be used.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum KeySetError {
    /// Too long.
    #[error("longer than {} bytes", KeySet::MAX_BYTES)]
    TooLong,
    /// Not a set of keys.
    #[error("not a JSON Web Key Set: {{\"keys\": [{{\"kty\": …}}, …]}}, at most {} keys", KeySet::MAX_KEYS)]
    Malformed,
    /// A private key, which belongs to nobody but the issuer.
    #[error("there is a private or a symmetric key in it: take the public ones, and renew this one")]
    Private,
    /// None of the keys verifies RS256, ES256 or EdDSA.
    #[error("no key in it verifies RS256 (2048 to 8192 bits), ES256 (P-256) or EdDSA (Ed25519)")]
    NoneUsable,
}

/// An issuer's keys: those that can verify, and nothing else of the set.
#[derive(Clone, PartialEq, Eq)]
pub struct KeySet(Vec<Key>);

#[derive(Clone, PartialEq, Eq)]
struct Key {
    kid: Option<String>,
    public: PublicKey,
}

#[derive(Deserialize)]
struct Set {
    keys: Vec<Jwk>,
}

#[derive(Deserialize)]
struct Jwk {
    kty: String,
    #[serde(default)]
    kid: Option<String>,
    #[serde(default, rename = "use")]
    usage: Option<String>,
    #[serde(default)]
    key_ops: Option<Vec<String>>,
    #[serde(default)]
    alg: Option<String>,
    #[serde(default)]
    crv: Option<String>,
    #[serde(default)]
    n: Option<String>,
    #[serde(default)]
    e: Option<String>,
    #[serde(default)]
    x: Option<String>,
    #[serde(default)]
    y: Option<String>,
    /// The private half.
    #[serde(default)]
    d: Option<serde::de::IgnoredAny>,
    /// A symmetric key.
    #[serde(default)]
    k: Option<serde::de::IgnoredAny>,
}

impl KeySet {
    /// The longest set.
    pub const MAX_BYTES: usize = 256 * 1024;
    /// The most keys.
    pub const MAX_KEYS: usize = 100;
    /// Tried for a token that names no key.
    const MAX_TRIED: usize = 8;

    /// Reads a set. Keys that cannot verify (for encryption, of other kinds, too short) are left out; at least one must remain.
    pub fn parse(text: &[u8]) -> Result<Self, KeySetError> {
        if text.len() > Self::MAX_BYTES {
            return Err(KeySetError::TooLong);
        }
        let set: Set = serde_json::from_slice(text).map_err(|_| KeySetError::Malformed)?;
        if set.keys.len() > Self::MAX_KEYS {
            return Err(KeySetError::Malformed);
        }
        if set.keys.iter().any(|key| key.d.is_some() || key.k.is_some()) {
            return Err(KeySetError::Private);
        }
        let keys: Vec<Key> = set.keys.into_iter().filter_map(Jwk::key).collect();
        if keys.is_empty() { Err(KeySetError::NoneUsable) } else { Ok(Self(keys)) }
    }

    /// Is there a key of this name?
    pub fn has(&self, kid: &str) -> bool {
        self.0.iter().any(|key| key.kid.as_deref() == Some(kid))
    }

    /// How many keys can verify.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Never: a set without usable keys is not read.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The keys that may have signed: of that name, or any few if the token names none; of that algorithm in any case.
    pub(crate) fn candidates(&self, kid: Option<&str>, algorithm: Algorithm) -> impl Iterator<Item = &PublicKey> {
        let named = move |key: &&Key| kid.is_none() || key.kid.as_deref() == kid;
        let fits = self.0.iter().filter(named).map(|key| &key.public).filter(move |key| key.algorithm() == algorithm);
        fits.take(Self::MAX_TRIED)
    }
}

impl Jwk {
    fn key(self) -> Option<Key> {
        let for_signatures = self.usage.as_deref().is_none_or(|usage| usage == "sig");
        let verifies = self.key_ops.as_ref().is_none_or(|ops| ops.iter().any(|op| op == "verify"));
        let public = self.public().filter(|_| for_signatures && verifies)?;
        let agrees = self.alg.as_deref().is_none_or(|alg| Algorithm::parse(alg) == Some(public.algorithm()));
        agrees.then_some(Key { kid: self.kid, public })
    }

    fn public(&self) -> Option<PublicKey> {
        let part = |text: &Option<String>| text.as_deref().and_then(|text| decode(text).ok());
        match (self.kty.as_str(), self.crv.as_deref()) {
            ("RSA", _) => {
                let (n, e) = (part(&self.n)?, part(&self.e)?);
                let n: Vec<u8> = n.into_iter().skip_while(|byte| *byte == 0).collect();
                ((256..=1024).contains(&n.len()) && (1..=4).contains(&e.len())).then_some(PublicKey::Rsa { n, e })
            }
            ("EC", Some("P-256")) => {
                let point = [vec![4], part(&self.x)?, part(&self.y)?].concat();
                point.try_into().ok().map(PublicKey::P256)
            }
            ("OKP", Some("Ed25519")) => part(&self.x)?.try_into().ok().map(PublicKey::Ed25519),
            _ => None,
        }
    }
}

impl std::fmt::Debug for KeySet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.0.iter().map(|key| (&key.kid, key.public.algorithm()))).finish()
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use serde_json::{Value, json};

    use super::*;

    fn b64(bytes: usize) -> String {
        URL_SAFE_NO_PAD.encode(vec![0xff; bytes])
    }

    fn rsa(bytes: usize) -> Value {
        json!({"kty": "RSA", "kid": "r", "n": b64(bytes), "e": "AQAB"})
    }

    fn read(keys: &[Value]) -> Result<usize, KeySetError> {
        KeySet::parse(json!({ "keys": keys }).to_string().as_bytes()).map(|set| set.len())
    }

    fn with(key: Value, more: &Value) -> Value {
        let mut key = key;
        key.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        key
    }

    #[test]
    fn keys_of_the_three_kinds_are_taken() {
        let ec = json!({"kty": "EC", "crv": "P-256", "x": b64(32), "y": b64(32), "use": "sig", "alg": "ES256"});
        let okp = json!({"kty": "OKP", "crv": "Ed25519", "x": b64(32), "key_ops": ["verify"]});
        assert_eq!(read(&[rsa(256), ec, okp]), Ok(3));
    }

    #[test]
    fn keys_that_cannot_verify_are_left_out() {
        for (what, key) in [
            ("for encryption", with(rsa(256), &json!({"use": "enc"}))),
            ("other operations", with(rsa(256), &json!({"key_ops": ["encrypt"]}))),
            ("another algorithm", with(rsa(256), &json!({"alg": "RS512"}))),
            ("an algorithm of another kind of key", with(rsa(256), &json!({"alg": "ES256"}))),
            ("as a shared secret", with(rsa(256), &json!({"alg": "HS256"}))),
            ("too short", rsa(255)),
            ("too long", rsa(1025)),
            ("another curve", json!({"kty": "EC", "crv": "P-384", "x": b64(48), "y": b64(48)})),
            ("a point that is none", json!({"kty": "EC", "crv": "P-256", "x": b64(31), "y": b64(32)})),
            ("not base64url", json!({"kty": "OKP", "crv": "Ed25519", "x": "=="})),
            ("unheard of", json!({"kty": "ML-DSA", "pub": "x"})),
        ] {
            assert_eq!(read(std::slice::from_ref(&key)), Err(KeySetError::NoneUsable), "{what}");
            assert_eq!(read(&[key, rsa(256)]), Ok(1), "{what}: the others stay");
        }
    }

    #[test]
    fn private_and_symmetric_keys_are_refused_altogether() {
        for bad in [with(rsa(256), &json!({"d": "x"})), json!({"kty": "oct", "k": "c2VjcmV0"})] {
            assert_eq!(read(&[bad, rsa(256)]), Err(KeySetError::Private));
        }
    }

    #[test]
    fn sets_are_bounded() {
        assert_eq!(read(&vec![rsa(256); 100]), Ok(100));
        assert_eq!(read(&vec![rsa(256); 101]), Err(KeySetError::Malformed));
        assert_eq!(KeySet::parse(&vec![b' '; KeySet::MAX_BYTES + 1]), Err(KeySetError::TooLong));
        for bad in ["", "[]", "{}", r#"{"keys": {}}"#, r#"{"keys": [{}]}"#, "not json"] {
            assert_eq!(KeySet::parse(bad.as_bytes()), Err(KeySetError::Malformed), "{bad}");
        }
    }
}
