//! The command line. A command is a variant here and a file beside.

mod backup;
mod beside;
mod completion;
mod config;
mod doctor;
mod fsck;
mod generate;
mod health;
mod master_key;
mod migrate;
mod reference;
mod restore;
mod serve;

use std::process::ExitCode;

use clap::{CommandFactory as _, Parser, Subcommand};

use crate::config::{MachineArguments, SettingArguments};
use crate::system::environment;
use crate::{manage, printer};

/// Why a command did not do what it should: shown after `error: `.
type Failure = Box<dyn std::error::Error>;

#[derive(Debug, Parser)]
#[command(name = "tidegate", version, about = "A container registry whose centre is its keys", arg_required_else_help = true)]
struct CommandLine {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the registry
    Serve(SettingArguments),
    #[command(flatten)]
    Client(Box<manage::ClientCommand>),
    /// Ask the server that runs here whether it is ready; exit code 0: it is
    Health(MachineArguments),
    /// Settings of the server
    #[command(subcommand)]
    Config(config::Verb),
    /// The master key, which seals stored secrets
    #[command(subcommand)]
    MasterKey(master_key::Verb),
    /// Bring the schema of the database up to date
    Migrate(migrate::Arguments),
    /// Back up the database and its blobs, beside a running server
    Backup(Box<backup::Arguments>),
    /// Restore a backup into an empty database and an empty store of blobs
    Restore(Box<restore::Arguments>),
    /// Look at the configuration and everything that the server stands on, and say what to do. Changes nothing
    Doctor(Box<doctor::Arguments>),
    /// Check every row against every blob and back, and mend what can be mended
    Fsck(Box<fsck::Arguments>),
    /// Print the completion script of a shell
    Completion {
        /// Which shell
        shell: clap_complete::Shell,
    },
    /// Print the version
    Version,
    /// Print a generated document
    #[command(subcommand, hide = true)]
    Generate(generate::Document),
}

/// Runs what the command line asks for: 0 done, 1 refused or failed, 2 wrong usage.
pub(crate) fn run() -> ExitCode {
    let done = match CommandLine::parse().command {
        Command::Serve(settings) => serve::run(&settings),
        Command::Client(command) => return manage::run(*command, environment()),
        Command::Health(settings) => health::run(&settings),
        Command::Config(verb) => config::run(&verb),
        Command::MasterKey(verb) => master_key::run(&verb),
        Command::Migrate(arguments) => return migrate::run(&arguments),
        Command::Backup(arguments) => return backup::run(&arguments),
        Command::Restore(arguments) => return restore::run(&arguments),
        Command::Doctor(arguments) => return doctor::run(&arguments),
        Command::Fsck(arguments) => return fsck::run(&arguments),
        Command::Completion { shell } => completion::run(shell, &mut CommandLine::command()),
        Command::Version => print(concat!("tidegate ", env!("CARGO_PKG_VERSION"), "\n")),
        Command::Generate(document) => generate::run(document, CommandLine::command()),
    };
    done.map_or_else(|failure| report(&*failure), |()| ExitCode::SUCCESS)
}

fn report(failure: &dyn std::error::Error) -> ExitCode {
    printer::note(&format!("error: {failure}"));
    ExitCode::FAILURE
}

/// Data on standard output.
fn print(text: &str) -> Result<(), Failure> {
    Ok(printer::print(text)?)
}
