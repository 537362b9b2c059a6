//! Real container clients against the real program: each logs in with every kind of secret, pushes, pulls, and is refused.
//!
//! To add a client: a file with a type that is a [`client::Client`], and a test that sends it round by
//! [`client::goes_round`]. What one client alone can show is a test of its own beside it; what several show together is in
//! `content.rs` (kinds of content) and `rights.rs` (what changes while a client is logged in). `docs/clients.md` prints what a
//! person types.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "the helpers of a test may fail it")]

mod admin_user;
mod catalog;
mod client;
mod containerd;
mod containers;
mod content;
mod docker;
mod layout;
mod limits;
mod modules;
mod people;
mod quota;
mod rights;
mod scraper;
mod sessions;
mod tls;
mod verifiers;

#[expect(dead_code, reason = "other suites use the rest")]
#[path = "../support/mod.rs"]
mod support;
