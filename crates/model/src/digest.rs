//! Content digests: `sha256:…` and `sha512:…` (OCI image specification, "Descriptors", Digests).

use std::fmt;
use std::str::FromStr;

use sha2::{Digest as _, Sha256, Sha512};

/// The algorithms that the OCI image specification registers.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Algorithm {
    /// SHA-256, what nearly everything uses.
    Sha256,
    /// SHA-512.
    Sha512,
}

impl Algorithm {
    /// The name before the colon.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sha256 => "sha256",
            Self::Sha512 => "sha512",
        }
    }
}

/// The digest of some content. Ordered by algorithm, then bytes: the order of its text.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Digest {
    /// `sha256:` and 32 bytes.
    Sha256([u8; 32]),
    /// `sha512:` and 64 bytes.
    Sha512([u8; 64]),
}

/// Why a text is no digest.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum DigestError {
    /// There is no `algorithm:hex`.
    #[error("a digest is written ALGORITHM:HEX")]
    Shape,
    /// The algorithm is neither sha256 nor sha512.
    #[error("unsupported digest algorithm: use sha256 or sha512")]
    Algorithm,
    /// Not as many lower-case hex digits as the algorithm has.
    #[error("a digest ends in 64 (sha256) or 128 (sha512) lower-case hex digits")]
    Hex,
}

impl Digest {
    /// SHA-256 of `content`.
    pub fn sha256(content: &[u8]) -> Self {
        Self::Sha256(Sha256::digest(content).into())
    }

    /// SHA-512 of `content`.
    pub fn sha512(content: &[u8]) -> Self {
        Self::Sha512(Sha512::digest(content).into())
    }

    /// The digest of `content` by `algorithm`.
    pub fn of(algorithm: Algorithm, content: &[u8]) -> Self {
        match algorithm {
            Algorithm::Sha256 => Self::sha256(content),
            Algorithm::Sha512 => Self::sha512(content),
        }
    }

    /// Its algorithm.
    pub const fn algorithm(&self) -> Algorithm {
        match self {
            Self::Sha256(_) => Algorithm::Sha256,
            Self::Sha512(_) => Algorithm::Sha512,
        }
    }

    /// The hash itself.
    pub const fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Sha256(b) => b,
            Self::Sha512(b) => b,
        }
    }

    /// The hash as stored: 32 bytes are SHA-256, 64 are SHA-512.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        match bytes.len() {
            32 => bytes.try_into().ok().map(Self::Sha256),
            64 => bytes.try_into().ok().map(Self::Sha512),
            _ => None,
        }
    }
}

impl FromStr for Digest {
    type Err = DigestError;

    fn from_str(text: &str) -> Result<Self, DigestError> {
        let (algorithm, digits) = text.split_once(':').ok_or(DigestError::Shape)?;
        let size = match algorithm {
            "sha256" => 32,
            "sha512" => 64,
            _ => return Err(DigestError::Algorithm),
        };
        let lower = digits.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
        if digits.len() != 2 * size || !lower {
            return Err(DigestError::Hex);
        }
        let bytes = hex::decode(digits).map_err(|_| DigestError::Hex)?;
        Self::from_bytes(&bytes).ok_or(DigestError::Hex)
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = [0_u8; 128];
        let bytes = self.as_bytes();
        let room = text.get_mut(..2 * bytes.len()).ok_or(fmt::Error)?;
        hex::encode_to_slice(bytes, room).map_err(|_| fmt::Error)?;
        let digits = std::str::from_utf8(room).map_err(|_| fmt::Error)?;
        write!(f, "{}:{digits}", self.algorithm().name())
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints_what_it_reads() {
        for digest in [Digest::sha256(b""), Digest::sha512(b"x")] {
            assert_eq!(digest.to_string().parse(), Ok(digest));
        }
    }

    #[test]
    fn refuses_what_is_no_digest() {
        let hex64 = "0".repeat(64);
        for (text, want) in [
            ("sha256".to_owned(), DigestError::Shape),
            (format!("md5:{hex64}"), DigestError::Algorithm),
            (format!("SHA256:{hex64}"), DigestError::Algorithm),
            (format!("sha256:{}", "A".repeat(64)), DigestError::Hex),
            (format!("sha512:{hex64}"), DigestError::Hex),
            (format!("sha256:{hex64}0"), DigestError::Hex),
            ("sha256:../../../etc/passwd".to_owned(), DigestError::Hex),
        ] {
            assert_eq!(text.parse::<Digest>(), Err(want), "{text}");
        }
    }
}
