//! Three nodes over one PostgreSQL and one S3 server behind a round-robin proxy: what happens to clients when a node dies, how
//! fast a key that is disabled at one node is dead at all of them, who does the work that is done once for all, and what
//! `tidegate nodes` says. (`cargo xtask test --only nodes` runs the client scenarios over such a house besides.)
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "the helpers of a test may fail it")]
#![expect(clippy::print_stdout, reason = "the latencies are the output")]
#![expect(clippy::disallowed_methods, reason = "a test measures time")]

mod balancer;
mod cut_off;
mod house;
mod kills;
#[expect(dead_code, reason = "the clients suite uses the rest")]
#[path = "../clients/layout.rs"]
mod layout;
mod leases;
mod listed;
mod revocation;
#[expect(dead_code, reason = "each suite needs a part of it")]
#[path = "../support/mod.rs"]
mod support;
