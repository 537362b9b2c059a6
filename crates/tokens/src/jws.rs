//! JSON Web Signature, compact form (RFC 7515 section 3.1), ES256 alone (RFC 7518 section 3.4).
//!
//! A header of ours has `alg`, `kid` and `typ` and nothing else. Whatever else a header brings (`jwk`, `x5c`, `jku`, `crit`)
//! makes the token invalid: a key is found by `kid` in our own ring, never in the token (CVE-2025-24976).

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, EcdsaKeyPair, UnparsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

use crate::TokenError;

/// Longer texts are no tokens of ours.
pub(crate) const MAX: usize = 16 * 1024;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Header {
    pub(crate) alg: String,
    pub(crate) kid: String,
    pub(crate) typ: String,
}

/// A token taken apart; nothing of it is believed before [`Parts::verify`].
pub(crate) struct Parts<'t> {
    pub(crate) header: Header,
    signed: &'t str,
    payload: Vec<u8>,
    signature: Vec<u8>,
}

/// Signs `payload`.
pub(crate) fn sign(key: &EcdsaKeyPair, kid: &str, typ: &str, payload: &impl Serialize) -> Result<String, TokenError> {
    let header = Header { alg: "ES256".into(), kid: kid.into(), typ: typ.into() };
    let mut text = String::with_capacity(1024);
    encode(&mut text, &header)?;
    text.push('.');
    encode(&mut text, payload)?;
    let signature = key.sign(&SystemRandom::new(), text.as_bytes()).map_err(|_| TokenError::Key)?;
    text.push('.');
    URL_SAFE_NO_PAD.encode_string(signature.as_ref(), &mut text);
    Ok(text)
}

fn encode(text: &mut String, value: &impl Serialize) -> Result<(), TokenError> {
    let json = serde_json::to_vec(value).map_err(|_| TokenError::Key)?;
    URL_SAFE_NO_PAD.encode_string(json, text);
    Ok(())
}

/// Takes a token apart.
pub(crate) fn parse(text: &str) -> Result<Parts<'_>, TokenError> {
    if text.len() > MAX {
        return Err(TokenError::Invalid);
    }
    let (signed, signature) = text.rsplit_once('.').ok_or(TokenError::Invalid)?;
    let (header, payload) = signed.split_once('.').ok_or(TokenError::Invalid)?;
    let header: Header = serde_json::from_slice(&decode(header)?).map_err(|_| TokenError::Invalid)?;
    if header.alg != "ES256" {
        return Err(TokenError::Invalid);
    }
    Ok(Parts { header, signed, payload: decode(payload)?, signature: decode(signature)? })
}

fn decode(part: &str) -> Result<Vec<u8>, TokenError> {
    URL_SAFE_NO_PAD.decode(part).map_err(|_| TokenError::Invalid)
}

impl Parts<'_> {
    /// What it says, whoever signed it.
    pub(crate) fn claimed(&self) -> &[u8] {
        &self.payload
    }

    /// The payload, if `public` (an uncompressed P-256 point) signed it.
    pub(crate) fn verify(&self, public: &[u8]) -> Result<&[u8], TokenError> {
        UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, public)
            .verify(self.signed.as_bytes(), &self.signature)
            .map(|()| &*self.payload)
            .map_err(|_| TokenError::Invalid)
    }
}
