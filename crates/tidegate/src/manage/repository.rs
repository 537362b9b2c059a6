//! `tidegate repository …`

use api::{CreateRepository, UpdateLocks, UpdateRepository};
use clap::{Args, Subcommand};
use client::Tidegate;

use super::CommandError;
use super::image::{LockArgument, locks};
use super::input::InstanceArgument;
use crate::printer::Output;

#[derive(Subcommand, Debug)]
pub(crate) enum Command {
    /// Create a repository
    Create {
        /// NAMESPACE/REPOSITORY
        name: String,
        #[command(flatten)]
        of: InstanceArgument,
        /// May anybody pull? [default: as the namespace says of new ones]
        #[arg(long, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true")]
        public: Option<bool>,
        /// What it holds, in one line
        #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
        summary: String,
        /// What it holds
        #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
        description: String,
        #[command(flatten)]
        immutable: Immutable,
    },
    /// List repositories
    List {
        #[command(flatten)]
        of: InstanceArgument,
        /// Of this namespace alone [default: of every namespace that you may list]
        #[arg(long, value_name = "NAMESPACE")]
        namespace: Option<String>,
    },
    /// Show a repository
    Show {
        /// NAMESPACE/REPOSITORY
        name: String,
        #[command(flatten)]
        of: InstanceArgument,
    },
    /// Change a repository
    Update {
        /// NAMESPACE/REPOSITORY
        name: String,
        #[command(flatten)]
        of: InstanceArgument,
        /// May anybody pull?
        #[arg(long, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true")]
        public: Option<bool>,
        /// What it holds, in one line
        #[arg(long, value_name = "TEXT")]
        summary: Option<String>,
        /// What it holds
        #[arg(long, value_name = "TEXT")]
        description: Option<String>,
        #[command(flatten)]
        immutable: Immutable,
    },
    /// Lock a repository
    Lock {
        /// NAMESPACE/REPOSITORY
        name: String,
        /// Against what
        #[arg(value_enum, required = true, value_name = "LOCK")]
        locks: Vec<LockArgument>,
        #[command(flatten)]
        of: InstanceArgument,
    },
    /// Unlock a repository
    Unlock {
        /// NAMESPACE/REPOSITORY
        name: String,
        /// Which locks to take away
        #[arg(value_enum, required = true, value_name = "LOCK")]
        locks: Vec<LockArgument>,
        #[command(flatten)]
        of: InstanceArgument,
    },
    /// Delete a repository with everything in it
    Delete {
        /// NAMESPACE/REPOSITORY
        name: String,
        #[command(flatten)]
        of: InstanceArgument,
    },
}

/// Which tags of a repository are immutable, besides what the rules of its namespace say.
#[derive(Args, Debug)]
pub(crate) struct Immutable {
    /// Which of its tags are immutable: v*, {v*,release-*}, **; empty: none [default for a new one: as the namespace says]
    #[arg(long, value_name = "PATTERN")]
    immutable_tags: Option<String>,
    /// Save these; empty: none is excepted
    #[arg(long, value_name = "PATTERN")]
    immutable_tags_except: Option<String>,
}

pub(super) async fn run(command: Command, client: &Tidegate) -> Result<Output, CommandError> {
    Ok(match command {
        Command::Create { name, of, public, summary, description, immutable } => {
            let Immutable { immutable_tags, immutable_tags_except } = immutable;
            let new = CreateRepository { name, public, summary, description, immutable_tags, immutable_tags_except };
            Output::one(&client.repositories(&of.instance).create(&new).await?)
        }
        Command::List { of, namespace } => {
            let found = list(client, &of.instance, namespace).await?;
            Output::many(&found, &["name", "public", "summary", "description", "updated_at"])
        }
        Command::Show { name, of } => Output::one(&client.repositories(&of.instance).show(&name).await?),
        Command::Update { name, of, public, summary, description, immutable } => {
            let Immutable { immutable_tags, immutable_tags_except } = immutable;
            let change = UpdateRepository { public, summary, description, immutable_tags, immutable_tags_except };
            Output::one(&client.repositories(&of.instance).update(&name, &change).await?)
        }
        Command::Lock { name, locks: words, of } => {
            let change = UpdateLocks { lock: locks(&words), unlock: Vec::new() };
            Output::one(&client.repositories(&of.instance).lock(&name, &change).await?)
        }
        Command::Unlock { name, locks: words, of } => {
            let change = UpdateLocks { lock: Vec::new(), unlock: locks(&words) };
            Output::one(&client.repositories(&of.instance).lock(&name, &change).await?)
        }
        Command::Delete { name, of } => {
            client.repositories(&of.instance).delete(&name).await?;
            Output::Done(format!("Deleted {name}."))
        }
    })
}

async fn list(client: &Tidegate, instance: &str, namespace: Option<String>) -> Result<Vec<api::Repository>, CommandError> {
    let namespaces = match namespace {
        Some(name) => vec![name],
        None => client.namespaces(instance).list().await?.into_iter().map(|n| n.name).collect(),
    };
    let mut found = Vec::new();
    for name in namespaces {
        found.extend(client.repositories(instance).list(&name).await?);
    }
    Ok(found)
}
