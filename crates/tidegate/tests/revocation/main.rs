//! What is taken away is gone within a second on every node: two servers on one PostgreSQL, with the change feed alone between
//! them, and one server on SQLite.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "the helpers of a test may fail it")]
#![expect(clippy::print_stdout, reason = "the latencies are the output")]

mod accounts;
mod admin_user;
mod ends;
mod house;
mod master_key;
mod network;
mod outage;
mod random;
#[expect(dead_code, reason = "each suite needs a part of it")]
#[path = "../support/mod.rs"]
mod support;
mod uniform;
mod workloads;
