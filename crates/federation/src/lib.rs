//! Tokens of others: JSON Web Tokens that an issuer outside signed, and what of them is believed.
//!
//! What it is for: taking a token apart ([`Jwt`]), the keys of an issuer ([`Issuers`]: by discovery with cache, rotation and
//! back-off, or pinned), checking signature and time ([`Jwt::verify`], [`Claims::hold_at`]), what a federated credential asks of
//! a token ([`Conditions`]), which conditions are too weak to be meant ([`danger()`]), and presets for the issuers that everybody
//! uses ([`preset()`]). What it may not do: know accounts or principals, decide rights, ask an issuer that the caller does not
//! already trust.
//!
//! Only RS256, ES256 and EdDSA are read; a key is found by `kid` among the issuer's own, never in the token. To add an
//! algorithm: a row in `algorithm.rs`. To add a preset: a row in `preset.rs` and a token as the issuer makes it in its tests.
#![deny(missing_docs)]

mod algorithm;
mod claims;
mod conditions;
mod danger;
mod issuer;
mod issuers;
mod jwt;
mod keyset;
mod preset;

pub use claims::{Claims, TimeProblem};
pub use conditions::{Conditions, ConditionsError, Mismatch};
pub use danger::danger;
pub use issuer::{IssuerError, IssuerUrl};
pub use issuers::{Issuer, Issuers, KeysError, Source};
pub use jwt::{Jwt, TokenError};
pub use keyset::{KeySet, KeySetError};
pub use preset::{Filled, PRESETS, Preset, PresetError, preset};

/// A value as a message may show it: without control characters, at most 200 characters.
pub fn shown(text: &str) -> String {
    let mut shown: String = text.chars().filter(|c| !c.is_control()).take(200).collect();
    if text.chars().nth(200).is_some() {
        shown.push('…');
    }
    shown
}
