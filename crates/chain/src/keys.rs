//! Public keys of checkpoints: P-256 points, by name.

use std::collections::BTreeMap;

use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};

/// In front of a P-256 point in a SubjectPublicKeyInfo (RFC 5480 section 2).
const SPKI: [u8; 26] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01,
    0x07, 0x03, 0x42, 0x00,
];
const BEGIN: &str = "-----BEGIN PUBLIC KEY-----";
const END: &str = "-----END PUBLIC KEY-----";
const POINT: usize = 65;

/// The keys whose signatures are believed.
#[derive(Clone, Default, Debug)]
pub struct Keys(BTreeMap<String, Vec<u8>>);

/// A text that holds no keys of this kind.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("not public keys on the curve P-256 in PEM, as `tidegate audit keys` prints them")]
pub struct KeysError;

impl Keys {
    /// The keys in a PEM text; at least one.
    pub fn parse(pem: &str) -> Result<Self, KeysError> {
        let blocks = pem.split(BEGIN).skip(1);
        let points = blocks.map(|block| point(block.split_once(END).ok_or(KeysError)?.0));
        let keys = points.map(|p| p.map(|p| (kid(&p), p))).collect::<Result<BTreeMap<_, _>, _>>()?;
        if keys.is_empty() { Err(KeysError) } else { Ok(Self(keys)) }
    }

    /// One more key: an uncompressed point.
    pub fn insert(&mut self, point: &[u8]) {
        self.0.insert(kid(point), point.to_vec());
    }

    /// Whether key `kid` has signed `message`.
    pub(crate) fn verify(&self, kid: &str, message: &[u8], signature: &[u8]) -> bool {
        let Some(point) = self.0.get(kid) else { return false };
        UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).verify(message, signature).is_ok()
    }

    /// Whether a key of this name is known.
    pub(crate) fn knows(&self, kid: &str) -> bool {
        self.0.contains_key(kid)
    }
}

fn point(base64: &str) -> Result<Vec<u8>, KeysError> {
    let text: String = base64.chars().filter(|c| !c.is_ascii_whitespace()).collect();
    let spki = STANDARD.decode(text).map_err(|_| KeysError)?;
    let point = spki.strip_prefix(&SPKI[..]).filter(|point| point.len() == POINT);
    point.map(<[u8]>::to_vec).ok_or(KeysError)
}

fn spki(point: &[u8]) -> Vec<u8> {
    [&SPKI[..], point].concat()
}

/// The name of a key: the first 16 hex digits of the SHA-256 of its SubjectPublicKeyInfo.
pub fn kid(point: &[u8]) -> String {
    hex::encode(Sha256::digest(spki(point))).chars().take(16).collect()
}

/// A key as PEM (RFC 7468).
pub fn pem(point: &[u8]) -> String {
    let text = STANDARD.encode(spki(point));
    let lines: Vec<&str> = text.as_bytes().chunks(64).filter_map(|line| std::str::from_utf8(line).ok()).collect();
    format!("{BEGIN}\n{}\n{END}\n", lines.join("\n"))
}
