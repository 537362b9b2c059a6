//! What is taken away is gone within a second on every node: two servers on one PostgreSQL, with the change feed alone between
//! them, and one server on SQLite.
#![expect(clippy::unwrap_used, reason = "the helpers of a test may fail it")]

mod ends;
mod house;
mod outage;
#[expect(dead_code, reason = "each suite needs a part of it")]
#[path = "../wire/mod.rs"]
mod wire;
