//! Garbage collection of the real program: clients push, mount, delete, push again and pull for two minutes while it runs without a
//! pause and without any grace; then a checker of the suite's own reads the database and the storage. And who does a run that
//! is asked for at a node which does not.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "the helpers of a test may fail it")]
#![expect(clippy::print_stdout, reason = "what was done is the output")]
#![expect(clippy::disallowed_methods, reason = "a test measures time")]

mod check;
mod checker;
mod client;
mod elsewhere;
mod house;
mod stress;
#[expect(dead_code, reason = "each suite needs a part of it")]
#[path = "../support/mod.rs"]
mod support;
