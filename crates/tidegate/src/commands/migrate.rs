//! `tidegate migrate`: the schema of the database, brought up to date by hand.

use std::process::ExitCode;

use serde_json::{Value, json};
use store::{Migration, Schema, Store, StoreError};

use super::Failure;
use super::beside::finish;
use crate::config::{Config, Database, MachineArguments};
use crate::data_dir::open_data_dir;
use crate::house::{database, refused};
use crate::printer::{Format, Output};
use crate::system::environment;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Print what would be applied, and change nothing; beside a running server too
    #[arg(long)]
    dry_run: bool,
    /// Print JSON or a table [default: a table on a terminal, JSON elsewhere]
    #[arg(short, long, value_enum, value_name = "FORMAT")]
    output: Option<Format>,
    #[command(flatten)]
    settings: MachineArguments,
}

pub(super) fn run(arguments: &Arguments) -> ExitCode {
    finish(arguments.output, bring_up_to_date(arguments))
}

fn bring_up_to_date(arguments: &Arguments) -> Result<Output, Failure> {
    let config = arguments.settings.load(environment())?;
    if !arguments.dry_run && config.database == Database::Sqlite {
        open_data_dir(&config.data_dir)?;
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let schema = runtime.block_on(migrate(&config, arguments.dry_run)).map_err(|error| refused(&config, &error))?;
    Ok(Output::Told(shape(&schema, arguments.dry_run), report(&schema, arguments.dry_run)))
}

/// The schema as it was before.
async fn migrate(config: &Config, dry_run: bool) -> Result<Schema, StoreError> {
    let database = database(config);
    let before = Store::survey(&database).await?;
    if !dry_run && !before.pending.is_empty() {
        drop(Store::open(&database).await?);
    }
    Ok(before)
}

fn shape(before: &Schema, dry_run: bool) -> Value {
    let steps: Vec<_> = before.pending.iter().map(|one| json!({"number": one.number, "name": one.name})).collect();
    let (applied, pending) = if dry_run { (Vec::new(), steps) } else { (steps, Vec::new()) };
    let schema = if dry_run { before.applied } else { before.known };
    json!({"schema": schema, "known": before.known, "version": before.version, "applied": applied, "pending": pending})
}

fn report(before: &Schema, dry_run: bool) -> String {
    let by = before.version.as_ref().map(|version| format!(", made by Tidegate {version}")).unwrap_or_default();
    let now = format!("The schema of the database is {}{by}", before.applied);
    if before.pending.is_empty() {
        return format!("{now}: up to date.");
    }
    let verb = if dry_run { "would be applied" } else { "applied" };
    let step = |one: &Migration| format!("{:>4}  {:<12}  {verb}", one.number, one.name);
    let steps: Vec<String> = before.pending.iter().map(step).collect();
    let was = if dry_run { now } else { now.replacen(" is ", " was ", 1) };
    format!("{was}; this version knows {}.\n{}", before.known, steps.join("\n"))
}
