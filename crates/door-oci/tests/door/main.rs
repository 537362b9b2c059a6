//! The door over a whole registry in memory, in the words of the specification.
#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod discovery;
mod house;
mod pull;
mod push;
mod rights;
