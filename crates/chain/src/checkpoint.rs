//! Checkpoints: signed statements that a chain has come to a record. Compact JWS (RFC 7515), ES256.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use model::Timestamp;
use serde::{Deserialize, Serialize};

use crate::Keys;

/// What every checkpoint says it is, so that no other signature is taken for one.
const TYP: &str = "tidegate-audit";
/// Longer texts are no checkpoints.
const MAX: usize = 4096;

/// What a checkpoint is for: one for one thing is not taken for another.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Debug)]
#[serde(rename_all = "lowercase")]
pub enum Purpose {
    /// It ends what was sealed together.
    Batch,
    /// The chain ends here.
    Head,
    /// The chain begins behind this record: what was before is gone on purpose.
    Begin,
    /// At this time the chain was set back to this record on purpose, by a restore.
    Restore,
}

/// That an account's chain has come to this record.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
#[serde(deny_unknown_fields)]
pub struct Checkpoint {
    /// What it is for.
    pub purpose: Purpose,
    /// Whose chain.
    pub account_id: String,
    /// The record's place.
    pub sequence: i64,
    /// The record's hash, in hex.
    pub hash: String,
    /// When it was signed.
    pub at: Timestamp,
    /// The key that signs from here on, as the old one says: an uncompressed P-256 point in unpadded base64url. Only with a
    /// [`Purpose::Batch`]; none: the same one goes on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_key: Option<String>,
}

/// Why a text is no checkpoint.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum CheckpointError {
    /// Not of the right shape.
    #[error("this is no checkpoint")]
    Malformed,
    /// Signed by a key that is not among the known ones.
    #[error("signed by a key that is not known: {0}")]
    UnknownKey(String),
    /// The key has not signed this.
    #[error("its signature does not hold")]
    Signature,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    alg: String,
    kid: String,
    typ: String,
}

impl Checkpoint {
    /// What the key `kid` signs: JWS's signing input.
    pub fn signing_input(&self, kid: &str) -> String {
        let header = Header { alg: "ES256".into(), kid: kid.into(), typ: TYP.into() };
        format!("{}.{}", encode(&header), encode(self))
    }

    /// The whole checkpoint: what was signed, and the signature (64 bytes, RFC 7518 section 3.4).
    pub fn join(signing_input: &str, signature: &[u8]) -> String {
        format!("{signing_input}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    /// A key as [`Checkpoint::next_key`] spells it.
    pub fn spell_key(point: &[u8]) -> String {
        URL_SAFE_NO_PAD.encode(point)
    }

    /// The point that [`Checkpoint::next_key`] spells.
    pub(crate) fn next_point(&self) -> Option<Vec<u8>> {
        URL_SAFE_NO_PAD.decode(self.next_key.as_deref()?).ok()
    }

    /// The name of the key that a text says it is signed by; nothing is verified.
    pub fn signer(text: &str) -> Option<String> {
        let (header, _) = text.trim().split_once('.').filter(|_| text.len() <= MAX)?;
        decode::<Header>(header).ok().map(|header| header.kid)
    }

    /// Reads a checkpoint that one of `keys` has signed.
    pub fn read(text: &str, keys: &Keys) -> Result<Self, CheckpointError> {
        let text = text.trim();
        let (signed, signature) = text.rsplit_once('.').filter(|_| text.len() <= MAX).ok_or(CheckpointError::Malformed)?;
        let (header, payload) = signed.split_once('.').ok_or(CheckpointError::Malformed)?;
        let header: Header = decode(header)?;
        if header.alg != "ES256" || header.typ != TYP {
            return Err(CheckpointError::Malformed);
        }
        if !keys.knows(&header.kid) {
            return Err(CheckpointError::UnknownKey(header.kid.chars().filter(char::is_ascii_hexdigit).take(64).collect()));
        }
        let signature = URL_SAFE_NO_PAD.decode(signature).map_err(|_| CheckpointError::Malformed)?;
        if !keys.verify(&header.kid, signed.as_bytes(), &signature) {
            return Err(CheckpointError::Signature);
        }
        decode(payload)
    }
}

fn encode(value: &impl Serialize) -> String {
    URL_SAFE_NO_PAD.encode(serde_json::to_vec(value).unwrap_or_default())
}

fn decode<T: for<'de> Deserialize<'de>>(part: &str) -> Result<T, CheckpointError> {
    let json = URL_SAFE_NO_PAD.decode(part).map_err(|_| CheckpointError::Malformed)?;
    serde_json::from_slice(&json).map_err(|_| CheckpointError::Malformed)
}
