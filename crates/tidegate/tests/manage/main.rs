//! The management API and its command line, over a running server.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "the helpers of a test may fail it")]

mod accounts;
mod audit;
mod commands;
mod declarative;
mod house;
mod http;
mod migrate;
mod network;
mod protection;
mod rights;
mod role_serve;
