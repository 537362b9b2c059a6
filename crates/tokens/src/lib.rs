//! Signed tokens: the key ring, bearer, login, refresh and management tokens.
//!
//! What it is for: a token says who, not what. It is signed (ES256), describes itself (`kid`, a `typ` and an `aud` a kind),
//! and names ids, never names; a bearer also carries its scopes as an upper bound. What it may not do: decide rights, look
//! at a header, believe anything in a token but its signature. To add a kind: a variant of [`Kind`] with a `typ` of its own,
//! an `issue_…` here, and a line in `identity` that turns it into a caller.
#![deny(missing_docs)]

mod claims;
mod error;
#[cfg(fuzzing)]
pub mod fuzzing;
mod issue;
mod jws;
mod meters;
mod ring;

pub use claims::{Claims, Kind};
pub use error::TokenError;
pub use issue::{Bearer, ISSUER, LoginToken, Sighted, Tokens, Usable, sighted};
pub use meters::{Issued, Meters};
pub use ring::{PublicKey, RING_JOB};
