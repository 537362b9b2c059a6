//! What may be said of a signature that is wrong.

use crate::craft;

/// The signature is not the one that this secret makes.
///
/// It carries what the server signed, for the answer: real gateways echo it, and the vendors' clients compare it with their own to tell a wrong
/// secret from a wrong canonical form. It holds no key. Values that are secrets themselves are written as [`Mismatch::WITHHELD`];
/// not as a hash, because a password that somebody chose can be guessed from a hash of it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the signature is not the one that the secret makes")]
pub struct Mismatch(String);

impl Mismatch {
    /// Stands for a value that is never echoed.
    pub const WITHHELD: &str = "WITHHELD";

    /// Longer canonical forms are echoed as `sha256:` and their hash.
    pub const MAX_ECHO: usize = 16 * 1024;

    pub(crate) fn echoing(canonical: String) -> Self {
        if canonical.len() <= Self::MAX_ECHO { Self(canonical) } else { Self(format!("sha256:{}", craft::sha256(canonical.as_bytes()))) }
    }

    /// What the server signed, for the answer to whoever sent the request; not for a log.
    pub fn signed_by_server(&self) -> &str {
        &self.0
    }
}
