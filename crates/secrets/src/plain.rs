//! A secret as its owner knows it.

use zeroize::{Zeroize, Zeroizing};

/// A plain secret of at most [`Plain::MAX_BYTES`] bytes, wiped from memory when dropped.
///
/// It has no `Display`, `Serialize`, `Clone` or `PartialEq`: whoever needs the text says [`Plain::reveal`], which is
/// easy to find in review.
pub struct Plain(Zeroizing<String>);

crate::redacted_debug!(Plain);

/// What was presented as a secret is longer than any secret is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a secret has at most {} bytes", Plain::MAX_BYTES)]
pub struct SecretTooLong;

impl Plain {
    /// The most bytes that a secret has. Tokens are presented as secrets too, so it is roomier than a password.
    pub const MAX_BYTES: usize = 16 * 1024;

    /// Takes the text over; one that is too long is wiped as well.
    pub fn new(mut text: String) -> Result<Self, SecretTooLong> {
        if text.len() > Self::MAX_BYTES {
            text.zeroize();
            return Err(SecretTooLong);
        }
        Ok(Self::from_short(text))
    }

    /// For texts whose length this crate chose.
    pub(crate) fn from_short(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    /// The secret itself. Don't copy it into anything that outlives the answer it is shown in.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}
