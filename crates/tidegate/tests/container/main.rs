//! The container image: what is in it, and what it does where it runs.
#![expect(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "the helpers of a test may fail it")]

mod image;
mod podman;
mod running;
#[expect(dead_code, reason = "each suite needs a part of it")]
#[path = "../support/mod.rs"]
mod support;
