//! Signatures of the clouds' API requests: canonical forms, `sign` and `verify`.
//!
//! # What it is for
//! The doors check what clients signed, the client signs what it sends; both by the same canonical form. One module a cloud,
//! one module in it a scheme.
//!
//! | Cloud | Schemes |
//! |---|---|
//! | [`alibaba`] | V1 (RPC, HMAC-SHA1), V3 (ACS3-HMAC-SHA256), ROA V1 (HMAC-SHA1) |
//!
//! # What it may not do
//! Look up a key, remember a nonce, read a clock: whoever calls passes the secret and `now`. It knows no HTTP library: a request
//! is a method, a path, a query, headers and a body.
//!
//! # How to add to it
//! A scheme is a module with `sign`, and a branch of its cloud's `Claim`. Its published vectors and a captured request of every client
//! go into `tests/`; the fuzz target `signatures` runs through it.
#![deny(missing_docs)]

pub mod alibaba;
mod craft;
mod headers;
mod mismatch;
mod params;

pub use headers::{HeaderProblem, Headers};
pub use mismatch::Mismatch;
pub use params::{Param, Params, ParamsProblem, Place};
