//! What an operator watches a running server by, and what keeps one client from taking it all: metrics and limits.
#![expect(clippy::float_cmp, reason = "counters are whole numbers")]
#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "the helpers of a test may fail it")]

mod exposition;
mod limits;
mod metrics;
#[expect(dead_code, reason = "each suite needs a part of it")]
#[path = "../support/mod.rs"]
mod support;
