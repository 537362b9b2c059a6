//! Input that tries to break the server: tokens, bytes, requests, and secrets that must not come out again.
//!
//! What one door alone decides is tested beside that door; `docs/security.md` says which test holds which promise.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "the helpers of a test may fail it")]
#![expect(clippy::print_stdout, reason = "what was measured is the output")]

mod bytes;
mod canary;
mod carriers;
mod http2;
mod load;
mod management;
mod network;
mod requests;
#[expect(dead_code, reason = "each suite needs a part of it")]
#[path = "../support/mod.rs"]
mod support;
mod tls;
mod tokens;
