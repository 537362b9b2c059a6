//! The command line. A command is a variant here and a file beside.

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::manage;

#[derive(Debug, Parser)]
#[command(name = "tidegate", version, about = "A container registry whose centre is its keys", arg_required_else_help = true)]
struct CommandLine {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    #[command(flatten)]
    Client(manage::ClientCommand),
}

/// Runs what the command line asks for: 0 done, 1 refused or failed, 2 wrong usage.
pub(crate) fn run() -> ExitCode {
    match CommandLine::parse().command {
        Command::Client(command) => manage::run(command, environment()),
    }
}

#[expect(clippy::disallowed_methods, reason = "the environment is read once, here, and passed on")]
fn environment() -> impl Iterator<Item = (String, String)> {
    std::env::vars()
}
