//! A signed token in compact form (RFC 7515 section 3.1), taken apart and verified.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;

use crate::algorithm::Algorithm;
use crate::claims::Registered;
use crate::{Claims, KeySet};

/// Why a token is not believed. None of the texts says what would have been right.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum TokenError {
    /// Not three parts of base64url with the JSON that belongs in them, or too long.
    #[error("this is not a signed JSON Web Token of at most 20000 characters")]
    Malformed,
    /// Another algorithm, `none` and HS256 included, or a header that must be understood and is not.
    #[error("the token is not signed by RS256, ES256 or EdDSA")]
    Algorithm,
    /// The issuer has no such key.
    #[error("the token names a key that its issuer does not publish")]
    UnknownKey,
    /// No key of the issuer made this signature.
    #[error("the token's signature is not its issuer's")]
    Signature,
}

/// A token taken apart. Nothing of it is believed before [`Jwt::verify`]; its issuer is only good for finding out whether
/// anybody trusts it.
#[derive(Clone)]
pub struct Jwt<'t> {
    algorithm: Algorithm,
    kid: Option<String>,
    signed: &'t str,
    signature: Vec<u8>,
    payload: Vec<u8>,
    issuer: String,
}

/// What counts of a header. `jwk`, `jku`, `x5c`, `x5u` are not even read.
#[derive(Deserialize)]
struct Header {
    alg: String,
    #[serde(default)]
    kid: Option<String>,
    /// Extensions that must be understood (RFC 7515 section 4.1.11): none is.
    #[serde(default)]
    crit: Option<serde::de::IgnoredAny>,
    /// An unencoded payload (RFC 7797) is no token.
    #[serde(default)]
    b64: Option<serde::de::IgnoredAny>,
}

#[derive(Deserialize)]
struct Peek {
    iss: String,
}

impl<'t> Jwt<'t> {
    /// The longest token, in characters (RAM, AssumeRoleWithOIDC).
    pub const MAX: usize = 20_000;
    /// The longest header, in characters, and the longest name of a key.
    const MAX_HEADER: usize = 4096;
    const MAX_KID: usize = 512;

    /// Takes a token apart.
    pub fn parse(text: &'t str) -> Result<Self, TokenError> {
        if text.len() > Self::MAX {
            return Err(TokenError::Malformed);
        }
        let (signed, signature) = text.rsplit_once('.').ok_or(TokenError::Malformed)?;
        let (header, payload) =
            signed.split_once('.').filter(|(header, _)| header.len() <= Self::MAX_HEADER).ok_or(TokenError::Malformed)?;
        let header: Header = serde_json::from_slice(&decode(header)?).map_err(|_| TokenError::Malformed)?;
        let payload = decode(payload)?;
        let Peek { iss: issuer } = serde_json::from_slice(&payload).map_err(|_| TokenError::Malformed)?;
        if header.kid.as_ref().is_some_and(|kid| kid.len() > Self::MAX_KID) {
            return Err(TokenError::Malformed);
        }
        let algorithm = Algorithm::parse(&header.alg).filter(|_| header.crit.is_none() && header.b64.is_none());
        let algorithm = algorithm.ok_or(TokenError::Algorithm)?;
        Ok(Self { algorithm, kid: header.kid, signed, signature: decode(signature)?, payload, issuer })
    }

    /// Who the token says made it: for finding out whether anybody trusts that issuer, and for nothing else.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// The name of the key, for finding it.
    pub fn kid(&self) -> Option<&str> {
        self.kid.as_deref()
    }

    /// What the token says, if one of these keys signed it. Whether it holds now: [`Claims::hold_at`].
    pub fn verify(&self, keys: &KeySet) -> Result<Claims, TokenError> {
        let mut candidates = keys.candidates(self.kid(), self.algorithm).peekable();
        if candidates.peek().is_none() {
            return Err(TokenError::UnknownKey);
        }
        if !candidates.any(|key| key.verifies(self.signed.as_bytes(), &self.signature)) {
            return Err(TokenError::Signature);
        }
        // Twice, because a struct refuses a claim that stands there twice, and a map does not.
        let registered: Registered = serde_json::from_slice(&self.payload).map_err(|_| TokenError::Malformed)?;
        let all = serde_json::from_slice(&self.payload).map_err(|_| TokenError::Malformed)?;
        Claims::new(registered, all).ok_or(TokenError::Malformed)
    }
}

impl std::fmt::Debug for Jwt<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Jwt").field("algorithm", &self.algorithm).finish_non_exhaustive()
    }
}

/// Strict: no padding, no bits left over.
pub(crate) fn decode(part: &str) -> Result<Vec<u8>, TokenError> {
    URL_SAFE_NO_PAD.decode(part).map_err(|_| TokenError::Malformed)
}

#[cfg(test)]
mod tests;
