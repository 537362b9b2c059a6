//! The audit trail over SQLite and PostgreSQL: sealed, tampered with, thinned out, delivered.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod deliver;
mod house;
mod http;
mod list;
mod nodes;
mod restored;
mod retain;
mod rotate;
mod speed;
mod tamper;
mod uses;
mod watch;
