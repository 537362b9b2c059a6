//! The readers of tokens, for `fuzz/fuzz_targets/tokens.rs` alone.

use model::Timestamp;

use crate::claims::Payload;
use crate::{Claims, Kind, jws};

/// Is it shaped like a signed token of ours?
pub fn is_shaped_like_a_token(text: &str) -> bool {
    jws::parse(text).is_ok()
}

/// What a signed payload says.
pub fn read_claims(payload: &[u8], now: Timestamp) -> Option<Claims> {
    serde_json::from_slice::<Payload>(payload).ok()?.claims(now).ok()
}

/// A payload that says it.
pub fn write_claims(claims: &Claims) -> Vec<u8> {
    serde_json::to_vec(&Payload::new(Kind::Bearer, "tidegate", claims, 0)).unwrap_or_default()
}
