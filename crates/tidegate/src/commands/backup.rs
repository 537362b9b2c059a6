//! `tidegate backup …`: the database and its blobs into a folder, while the server runs.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use care::{Backup, Checked, Signature, Target};
use clap::{Args, Subcommand};
use kit::Randomness as _;
use serde_json::json;
use store::Store;

use super::Failure;
use super::beside::{Teller, block_on, finish};
use crate::config::MachineArguments;
use crate::house::{blobs_to_read, database, refused};
use crate::master_key::present_master_keys;
use crate::printer::{Format, Harm, Output};
use crate::system::{SystemClock, SystemRandom, environment};

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(super) struct Arguments {
    #[command(subcommand)]
    verb: Option<Verb>,
    /// Folder of backups; it is made where there is none. What it has already is not copied again
    #[arg(long, value_name = "DIR", required = true)]
    to: Option<PathBuf>,
    /// Put the master key into the backup: whoever has it then has every secret
    #[arg(long)]
    with_master_key: bool,
    /// Print JSON or a table [default: a table on a terminal, JSON elsewhere]
    #[arg(short, long, value_enum, value_name = "FORMAT")]
    output: Option<Format>,
    #[command(flatten)]
    machine: MachineArguments,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// List the backups in a folder
    List {
        /// Folder of backups
        dir: PathBuf,
        /// Print JSON or a table [default: a table on a terminal, JSON elsewhere]
        #[arg(short, long, value_enum, value_name = "FORMAT")]
        output: Option<Format>,
    },
    /// Read a backup whole, and say what is wrong with it
    Verify {
        /// Folder of backups
        dir: PathBuf,
        /// Which one [default: the youngest]
        #[arg(long, value_name = "NAME")]
        backup: Option<String>,
        /// Print JSON or a table [default: a table on a terminal, JSON elsewhere]
        #[arg(short, long, value_enum, value_name = "FORMAT")]
        output: Option<Format>,
        #[command(flatten)]
        machine: MachineArguments,
    },
    /// Delete old backups, and the blobs that no other one needs
    Prune {
        /// Folder of backups
        dir: PathBuf,
        /// How many of the youngest stay
        #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
        keep: u32,
        /// Print JSON or a table [default: a table on a terminal, JSON elsewhere]
        #[arg(short, long, value_enum, value_name = "FORMAT")]
        output: Option<Format>,
    },
}

pub(super) fn run(arguments: &Arguments) -> ExitCode {
    match &arguments.verb {
        None => finish(arguments.output, make(arguments)),
        Some(Verb::List { dir, output }) => finish(*output, list(dir)),
        Some(Verb::Verify { dir, backup, output, machine }) => finish(*output, verify(dir, backup.as_deref(), machine)),
        Some(Verb::Prune { dir, keep, output }) => finish(*output, prune(dir, *keep)),
    }
}

fn make(arguments: &Arguments) -> Result<Output, Failure> {
    let config = arguments.machine.load(environment())?;
    let target = arguments.to.as_deref().ok_or("--to DIR is missing")?;
    let keys = present_master_keys(&config, &mut SystemRandom::open())?;
    let keys = keys.ok_or_else(|| format!("there is no master key in {}: is this the server's data folder?", config.data_dir.display()))?;
    let (mut random, teller) = ([0; 8], Teller::default());
    SystemRandom::open().fill(&mut random);
    let made = block_on(async {
        let backup = Backup {
            store: Arc::new(Store::peek(&database(&config)).await.map_err(|error| refused(&config, &error))?),
            blobs: blobs_to_read(&config)?,
            clock: Arc::new(SystemClock),
            target,
            keys: &keys,
            with_master_key: arguments.with_master_key,
            made_by: concat!("tidegate ", env!("CARGO_PKG_VERSION")),
            random: u64::from_be_bytes(random),
        };
        Ok(backup.make(&|progress| teller.tell(progress)).await?)
    })?;
    let harm = (!made.missing_blobs.is_empty()).then(|| {
        let count = made.missing_blobs.len();
        let text = format!("the backup is made, but {count} blobs are not in it: the store does not have them whole (`missing_blobs`). Images that use them must be pushed again");
        Harm { code: "missing_blobs", text }
    });
    Ok(Output::Verdict(serde_json::to_value(&made)?, harm))
}

fn list(dir: &std::path::Path) -> Result<Output, Failure> {
    let found = care::snapshots(&Target::open(dir)?)?;
    Ok(Output::many(&found, &["name", "taken_at", "database", "schema", "rows", "blobs", "blob_bytes", "missing_blobs", "with_master_key"]))
}

fn verify(dir: &std::path::Path, name: Option<&str>, machine: &MachineArguments) -> Result<Output, Failure> {
    let config = machine.load(environment())?;
    let keys = present_master_keys(&config, &mut SystemRandom::open())?;
    let teller = Teller::default();
    let checked = care::check_snapshot(&Target::open(dir)?, name, keys.as_ref(), &|progress| teller.tell(progress))?;
    let harm = (!checked.is_whole()).then(|| Harm { code: "damaged", text: problems(&checked) });
    Ok(Output::Verdict(shown(&checked), harm))
}

fn problems(checked: &Checked) -> String {
    let lines: Vec<_> = checked.problems.iter().map(|one| format!("{}: {}", one.piece, one.problem)).collect();
    format!("the backup {} is damaged, in {} places:\n  {}", checked.name, checked.problem_count, lines.join("\n  "))
}

pub(super) fn shown(checked: &Checked) -> serde_json::Value {
    let (signature, key) = match &checked.signature {
        Signature::Good(key) => ("good", Some(key.to_string())),
        Signature::Unknown(key) => ("unknown key", Some(key.clone())),
        Signature::Bad => ("bad", None),
    };
    json!({
        "name": checked.name,
        "whole": checked.is_whole(),
        "signature": signature,
        "signed_by": key,
        "rows": checked.rows,
        "blobs": checked.blobs,
        "blob_bytes": checked.blob_bytes,
        "missing_blobs": checked.known_missing,
        "problems": checked.problems,
    })
}

fn prune(dir: &std::path::Path, keep: u32) -> Result<Output, Failure> {
    let target = Target::open(dir).and_then(|_| Target::create(dir))?;
    Ok(Output::one(&care::prune(&target, usize::try_from(keep).unwrap_or(usize::MAX))?))
}
