//! The program: server and command line.
//!
//! What it is for: configuration, wiring, listeners, background work, commands. What it may not do: hold a rule of the
//! product. To add a command: a variant in `commands/mod.rs` and a file beside it, or
//! in `manage/` when it is a client of the management API; a setting: `config/table.rs`; a door: a
//! field of `doors.rs`. The system's clock, randomness and environment are opened here and nowhere else.

mod audit_heads;
mod audit_metrics;
mod audit_sink;
mod bootstrap;
mod collection_job;
mod collection_metrics;
mod commands;
mod config;
mod control;
mod data_dir;
mod doctor;
mod doors;
mod health;
mod house;
mod jobs;
mod key_jobs;
mod leases;
mod log;
mod manage;
mod master_key;
mod metrics;
mod object_storage;
mod presence;
mod printer;
mod refusal;
mod server;
mod system;

fn main() -> std::process::ExitCode {
    server::install_crypto_provider();
    commands::run()
}
