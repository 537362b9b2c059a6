//! Keys looked after from outside: the master key changed under a running server, and secrets found in files.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "the helpers of a test may fail it")]

mod elsewhere;
mod master_key;
mod scan;
#[expect(dead_code, reason = "each suite needs a part of it")]
#[path = "../support/mod.rs"]
mod support;
