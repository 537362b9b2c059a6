//! `tidegate master-key …`: on the machine itself, for whoever holds the key.

use clap::Subcommand;
use identity::SealedUnder;
use secrets::MasterKey;
use serde_json::json;
use store::Store;
use store::sealed::Place;

use super::{Failure, print};
use crate::config::{MasterKeySource, SettingArguments};
use crate::house::{database, refused};
use crate::master_key::{master_keys, rotate};
use crate::printer::{Format, note};
use crate::system::{SystemRandom, environment};

#[derive(Debug, Subcommand)]
pub(super) enum Verb {
    /// Print a new master key: 64 hexadecimal digits
    Generate,
    /// Make a new master key in the data folder; the one before stays beside it as `master.key.old`
    Rotate(SettingArguments),
    /// Show under which master keys the secrets in the database are sealed, beside a running server too
    Status(StatusArguments),
}

#[derive(Debug, clap::Args)]
pub(super) struct StatusArguments {
    /// Print JSON or a table [default: table]
    #[arg(short, long, value_enum, value_name = "FORMAT")]
    output: Option<Format>,
    #[command(flatten)]
    settings: SettingArguments,
}

pub(super) fn run(verb: &Verb) -> Result<(), Failure> {
    match verb {
        Verb::Generate => print(&format!("{}\n", MasterKey::generate(&mut SystemRandom::open()).to_text().reveal())),
        Verb::Rotate(settings) => rotate_in_data_dir(settings),
        Verb::Status(arguments) => status(arguments),
    }
}

fn rotate_in_data_dir(settings: &SettingArguments) -> Result<(), Failure> {
    let MasterKeySource::DataDir(path) = settings.load(environment())?.config.master_key else {
        return Err("the master key does not lie in the data folder: make a new one (`tidegate master-key generate`), name it as \
                    `master_key…` and the one before as `old_master_key…`, then let the server read both (SIGHUP or a restart)"
            .into());
    };
    let (old, new) = rotate(&path, &mut SystemRandom::open())?;
    note(&format!(
        "Master key {} takes the place of {}. Let the server read it: send it SIGHUP, or start it again. When `tidegate master-key \
         status` shows nothing under {}, delete {}.old and put a copy of {} in a safe place.",
        new.id(),
        old.id(),
        old.id(),
        path.display(),
        path.display()
    ));
    Ok(())
}

fn status(arguments: &StatusArguments) -> Result<(), Failure> {
    let config = arguments.settings.load(environment())?.config;
    if let MasterKeySource::DataDir(path) = &config.master_key
        && !path.exists()
    {
        return Err(format!("{} is not there", path.display()).into());
    }
    let keys = master_keys(&config, &mut SystemRandom::open())?.sealing();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let store = runtime.block_on(Store::peek(&database(&config))).map_err(|error| refused(&config, &error))?;
    let found = runtime.block_on(identity::sealed_secrets(&store))?;
    let is = |one: &SealedUnder| keys.role(one.key).unwrap_or("unknown");
    if arguments.output == Some(Format::Json) {
        let rows: Vec<_> = found
            .iter()
            .map(|one| json!({"what": name(one.place), "master_key": one.key.to_string(), "is": is(one), "secrets": one.count}))
            .collect();
        return print(&format!("{}\n", serde_json::to_string_pretty(&rows)?));
    }
    let rows: Vec<_> =
        found.iter().map(|one| format!("{:<12}  {}  {:<7}  {:>8}\n", name(one.place), one.key, is(one), one.count)).collect();
    print(&format!("{:<12}  {:<8}  {:<7}  {:>8}\n{}", "WHAT", "KEY", "IS", "SECRETS", rows.concat()))
}

const fn name(place: Place) -> &'static str {
    match place {
        Place::AccessKeys => "access keys",
        Place::SigningKeys => "signing keys",
        Place::AuditKeys => "audit keys",
        Place::ServerKeys => "server keys",
    }
}
