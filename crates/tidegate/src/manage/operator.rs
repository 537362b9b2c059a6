//! `tidegate account create | list | suspend | resume | domains`: for whoever holds the server's configuration, on its machine.

use std::io;
use std::path::{Path, PathBuf};

use clap::Subcommand;
use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::{CommandError, Session};
use crate::bootstrap::{sync_folder, write_secrets};
use crate::config::{Config, MachineArguments};
use crate::control::{AccountChanges, AccountRow, ControlError, NewAccount, Reach};
use crate::printer::Output;

#[derive(Subcommand, Debug)]
pub(crate) enum Command {
    /// Create an account with a root user, an access key and an instance; on the server's machine, with its configuration
    Create {
        /// As good as its id in NAME@ACCOUNT
        #[arg(long, value_name = "ALIAS")]
        alias: Option<String>,
        /// Its instance's name [default: local]
        #[arg(long, value_name = "NAME")]
        instance: Option<String>,
        /// A host name that chooses the instance; the account may claim every name below it too; may be repeated
        #[arg(long = "host", value_name = "HOST")]
        hosts: Vec<String>,
        /// Where the root user's secrets go, mode 0600 [default: account-ID.json in the data folder]
        #[arg(long, value_name = "FILE")]
        output_file: Option<PathBuf>,
        #[command(flatten)]
        machine: MachineArguments,
    },
    /// List the server's accounts; on the server's machine, with its configuration
    List {
        #[command(flatten)]
        machine: MachineArguments,
    },
    /// Suspend an account: nobody of it is anybody, running tokens included; on the server's machine, with its configuration
    Suspend {
        /// Id or alias
        account: String,
        #[command(flatten)]
        machine: MachineArguments,
    },
    /// Let a suspended account go on; on the server's machine, with its configuration
    Resume {
        /// Id or alias
        account: String,
        #[command(flatten)]
        machine: MachineArguments,
    },
    /// Hand an account the host names that it may claim, each with every name below; on the server's machine, with its configuration
    Domains {
        /// Id or alias
        account: String,
        /// A host name; may be repeated, and replaces all there were
        #[arg(long = "host", value_name = "HOST")]
        hosts: Vec<String>,
        #[command(flatten)]
        machine: MachineArguments,
    },
}

impl Command {
    const fn machine(&self) -> &MachineArguments {
        match self {
            Self::Create { machine, .. }
            | Self::List { machine }
            | Self::Suspend { machine, .. }
            | Self::Resume { machine, .. }
            | Self::Domains { machine, .. } => machine,
        }
    }
}

pub(super) async fn run(command: Command, session: &Session) -> Result<Output, CommandError> {
    let environment = session.environment.iter().map(|(name, value)| (name.clone(), value.clone()));
    let config = command.machine().load(environment).map_err(ControlError::from)?;
    let reach = match command {
        Command::List { .. } => Reach::find_to_read(&config).await?,
        _ => Reach::find(&config).await?,
    };
    let done = act(command, &config, &reach).await;
    reach.close().await;
    Ok(done?)
}

async fn act(command: Command, config: &Config, reach: &Reach) -> Result<Output, ControlError> {
    let update = async |account: &str, enabled, domains| {
        let changed = reach.update(account, AccountChanges { enabled, domains }).await?;
        Ok(Output::one(&changed))
    };
    match command {
        Command::Create { alias, instance, hosts, output_file, .. } => {
            create(NewAccount { alias, instance, hosts }, output_file, config, reach).await
        }
        Command::List { .. } => Ok(Output::many(&reach.list().await?, &["account_id", "alias", "enabled", "domains", "created_at"])),
        Command::Suspend { account, .. } => update(&account, Some(false), None).await,
        Command::Resume { account, .. } => update(&account, Some(true), None).await,
        Command::Domains { account, hosts, .. } => update(&account, None, Some(hosts)).await,
    }
}

/// The secrets lie in their file before the database has the account, so that a crash between the two loses nothing.
async fn create(new: NewAccount, output: Option<PathBuf>, config: &Config, reach: &Reach) -> Result<Output, ControlError> {
    let prepared = reach.prepare(new).await?;
    let secrets = Zeroizing::new(prepared.file);
    let path = output.unwrap_or_else(|| config.data_dir.join(format!("account-{}.json", prepared.account_id)));
    let refused = |cause: io::Error| ControlError::File { path: path.clone(), cause };
    let waiting = waiting(&path);
    if path.exists() {
        return Err(refused(io::ErrorKind::AlreadyExists.into()));
    }
    write_secrets(&waiting, &secrets).map_err(refused)?;
    let made = reach.create(&prepared.preparation).await.inspect_err(|_| drop(std::fs::remove_file(&waiting)))?;
    publish(&waiting, &path).map_err(refused)?;
    Ok(Output::One(shown(&made, &secrets, &path)))
}

fn waiting(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".new");
    path.with_file_name(name)
}

/// Never over another file.
fn publish(waiting: &Path, path: &Path) -> io::Result<()> {
    std::fs::hard_link(waiting, path)?;
    std::fs::remove_file(waiting)?;
    sync_folder(path)
}

/// What may be shown: everything but the secrets.
fn shown(made: &AccountRow, secrets: &str, path: &Path) -> Value {
    let written: Value = serde_json::from_str(secrets).unwrap_or_default();
    let told = |key: &str| written.get(key).cloned().unwrap_or_default();
    json!({
        "account_id": made.account.account_id,
        "alias": made.account.alias,
        "enabled": made.account.enabled,
        "domains": made.domains,
        "created_at": made.account.created_at,
        "access_key_id": told("access_key_id"),
        "instance_id": told("instance_id"),
        "instance_name": told("instance_name"),
        "endpoint": told("endpoint"),
        "file": path.display().to_string(),
    })
}
