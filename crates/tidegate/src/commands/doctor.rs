//! `tidegate doctor`: is everything that the server stands on as it must be? Reads alone.

use std::fmt::Write as _;
use std::process::ExitCode;

use clap::Args;

use super::Failure;
use super::beside::{Teller, block_on, finish};
use crate::config::MachineArguments;
use crate::doctor::{Check, Depth, Status, examine};
use crate::printer::{Format, Output, harmless};
use crate::system::environment;

#[derive(Debug, Args)]
#[command(
    after_help = "Exit code 0: no problem was found; there may be warnings. 1: there is a problem, or the configuration cannot be read.\n\
                  Run it as the user that runs the server, with the server's configuration."
)]
pub(super) struct Arguments {
    /// Look at all blobs and all of the storage, and let SQLite check its whole file
    #[arg(long, conflicts_with = "sample")]
    full: bool,
    /// How many blobs are looked at, drawn at random
    #[arg(long, value_name = "N", default_value_t = 200, value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    sample: u64,
    /// Print JSON or a table [default: a table on a terminal, JSON elsewhere]
    #[arg(short, long, value_enum, value_name = "FORMAT")]
    output: Option<Format>,
    #[command(flatten)]
    machine: MachineArguments,
}

pub(super) fn run(arguments: &Arguments) -> ExitCode {
    finish(arguments.output, look(arguments))
}

fn look(arguments: &Arguments) -> Result<Output, Failure> {
    let loaded = arguments.machine.load_all(environment())?;
    let teller = Teller::default();
    let depth = Depth { sample: arguments.sample, full: arguments.full };
    let checks = block_on(async { Ok(examine(&loaded, depth, &|progress| teller.tell(progress)).await) })?;
    let failed = checks.iter().any(|check| check.status == Status::Problem);
    Ok(Output::found(&checks, told(&checks), !failed))
}

fn told(checks: &[Check]) -> String {
    let width = checks.iter().map(|check| check.name.len()).max().unwrap_or(0);
    let mut text = String::new();
    for check in checks {
        let status = match check.status {
            Status::Ok => "ok",
            Status::Warning => "WARNING",
            Status::Problem => "PROBLEM",
        };
        // Writing to a `String` cannot fail.
        let _ = writeln!(text, "{status:<8} {:<width$}  {}", check.name, harmless(&check.found));
        if let Some(advice) = &check.advice {
            let _ = writeln!(text, "{:>indent$}{}", "", harmless(advice), indent = width + 11);
        }
    }
    let count = |status| checks.iter().filter(|check| check.status == status).count();
    let _ = write!(text, "{} problems, {} warnings.", count(Status::Problem), count(Status::Warning));
    text
}
