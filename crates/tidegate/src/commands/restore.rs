//! `tidegate restore`: a backup into an empty database and an empty store of blobs, with the server's configuration.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use care::{Restore, Restored, Target};
use clap::Args;
use model::Clock as _;
use secrets::{Dice, MasterKey, MasterKeys};
use store::Store;
use trail::Trail;

use super::Failure;
use super::backup::shown;
use super::beside::{Teller, block_on, finish};
use crate::bootstrap::write_secrets;
use crate::config::{Config, MachineArguments, MasterKeySource};
use crate::data_dir::open_data_dir;
use crate::house::{blobs, database};
use crate::jobs::job_op;
use crate::master_key::present_master_keys;
use crate::printer::{Format, Output, note};
use crate::system::{SystemClock, SystemRandom, environment};

#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command")]
pub(super) struct Arguments {
    /// Folder of backups
    #[arg(long, value_name = "DIR")]
    from: PathBuf,
    /// Which one [default: the youngest]
    #[arg(long, value_name = "NAME")]
    backup: Option<String>,
    /// Check the backup, every piece of it, and write nothing
    #[arg(long)]
    dry_run: bool,
    /// Go on with a restore that was interrupted: the store of blobs may have content already
    #[arg(long = "continue")]
    go_on: bool,
    /// End every token and every role's session of before: everybody logs in again
    #[arg(long)]
    end_sessions: bool,
    /// Take a backup that is signed by a master key which is not at hand
    #[arg(long)]
    unsigned: bool,
    /// Print JSON or a table [default: a table on a terminal, JSON elsewhere]
    #[arg(short, long, value_enum, value_name = "FORMAT")]
    output: Option<Format>,
    #[command(flatten)]
    machine: MachineArguments,
}

pub(super) fn run(arguments: &Arguments) -> ExitCode {
    finish(arguments.output, restore(arguments))
}

fn restore(arguments: &Arguments) -> Result<Output, Failure> {
    let config = arguments.machine.load(environment())?;
    let (keys, brought) = keys(arguments, &config)?;
    let restore = Restore {
        target: &arguments.from,
        name: arguments.backup.as_deref(),
        keys: &keys,
        unsigned: arguments.unsigned,
        go_on: arguments.go_on,
        end_sessions: arguments.end_sessions,
    };
    let teller = Teller::default();
    if arguments.dry_run {
        return Ok(Output::One(shown(&restore.check(&|progress| teller.tell(progress))?)));
    }
    open_data_dir(&config.data_dir)?;
    if brought {
        keep_key(&config, &keys)?;
    }
    let restored = block_on(async {
        let blobs = blobs(&config).await?;
        let op = job_op(SystemClock.now());
        let restored = restore.run(&database(&config), &blobs, &op, &|progress| teller.tell(progress)).await?;
        if let Err(error) = mark_trail(&config, &keys).await {
            note(&format!(
                "Everything is restored, but what nodes keep of the audit trail still counts ({error}): move audit-heads.json out of the \
                 data folder of every node before it starts."
            ));
        }
        Ok(restored)
    })?;
    set_heads_aside(&config.data_dir)?;
    say(&restored);
    Ok(Output::one(&restored))
}

/// The master keys at hand, or the one in the backup, where the data folder has none yet.
fn keys(arguments: &Arguments, config: &Config) -> Result<(MasterKeys, bool), Failure> {
    if let Some(keys) = present_master_keys(config, &mut SystemRandom::open())? {
        return Ok((keys, false));
    }
    if let Some(text) = care::master_key_in(&arguments.from, arguments.backup.as_deref())? {
        return Ok((MasterKey::parse(&text)?.into(), true));
    }
    let wanted = care::describe(&Target::open(&arguments.from)?, arguments.backup.as_deref())?.master_keys.join(", ");
    let place = config.data_dir.join("master.key");
    Err(format!("the backup's secrets lie under master key {wanted}, which is not in the backup: put it into {} first", place.display())
        .into())
}

fn keep_key(config: &Config, keys: &MasterKeys) -> Result<(), Failure> {
    let MasterKeySource::DataDir(path) = &config.master_key else { return Ok(()) };
    let text = zeroize::Zeroizing::new(format!("{}\n", keys.current.to_text().reveal()));
    write_secrets(path, &text).map_err(|cause| format!("{} cannot be written: {cause}", path.display()))?;
    Ok(())
}

/// Signs that the trail was set back on purpose, so that what other nodes have sealed since the backup does not count.
async fn mark_trail(config: &Config, keys: &MasterKeys) -> Result<(), Failure> {
    let store = Arc::new(Store::open(&database(config)).await?);
    let dice = Arc::new(Dice::new(Box::new(SystemRandom::open())));
    let trail = Trail::open(store, Arc::new(keys.sealing()), dice, "restore", SystemClock.now()).await?;
    Ok(trail.restored(SystemClock.now()).await?)
}

/// What this node has sealed since the backup is not in the database any more: the trail goes on from where the backup stands, and
/// its records say so.
fn set_heads_aside(data_dir: &Path) -> Result<(), Failure> {
    let heads = data_dir.join("audit-heads.json");
    if heads.exists() {
        let aside = data_dir.join("audit-heads.json.before-restore");
        fs::rename(&heads, &aside).map_err(|cause| format!("{} cannot be renamed: {cause}", heads.display()))?;
        note(&format!("{} was kept as {}", heads.display(), aside.display()));
    }
    Ok(())
}

fn say(restored: &Restored) {
    let (taken_at, live) = (restored.taken_at, restored.live_credentials);
    note(&format!(
        "Everything is as of {taken_at}. What was disabled or deleted since then is back: {live} credentials can be presented. Look \
         through them before the server is reached from outside (`tidegate credential list`, `tidegate audit list` of the trail that \
         was delivered elsewhere)."
    ));
    if !restored.sessions_ended {
        note("Tokens and sessions of before hold until they end by themselves; `--end-sessions` ends them all.");
    }
    if restored.missing_blobs > 0 {
        note(&format!(
            "{} blobs were missing when the backup was made: images that use them must be pushed again.",
            restored.missing_blobs
        ));
    }
}
