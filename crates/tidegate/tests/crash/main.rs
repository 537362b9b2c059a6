//! What was acknowledged survives `kill -9`; what was not is whole or not there.
#![expect(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, reason = "the helpers of a test may fail it")]
#![expect(clippy::print_stdout, reason = "how much was tried is worth a line")]

mod audit;
mod database;
mod durable;
mod folder;
mod full;
mod kills;
#[expect(dead_code, reason = "each suite needs a part of it")]
#[path = "../support/mod.rs"]
mod support;
