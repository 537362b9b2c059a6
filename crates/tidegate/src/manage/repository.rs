//! `tidegate repository …`

use api::{CreateRepository, UpdateRepository};
use clap::Subcommand;
use client::Tidegate;

use super::CommandError;
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
    },
    /// Delete a repository with everything in it
    Delete {
        /// NAMESPACE/REPOSITORY
        name: String,
        #[command(flatten)]
        of: InstanceArgument,
    },
}

pub(super) async fn run(command: Command, client: &Tidegate) -> Result<Output, CommandError> {
    Ok(match command {
        Command::Create { name, of, public, summary, description } => {
            Output::one(&client.repositories(&of.instance).create(&CreateRepository { name, public, summary, description }).await?)
        }
        Command::List { of, namespace } => {
            let found = list(client, &of.instance, namespace).await?;
            Output::many(&found, &["name", "public", "summary", "description", "updated_at"])
        }
        Command::Show { name, of } => Output::one(&client.repositories(&of.instance).show(&name).await?),
        Command::Update { name, of, public, summary, description } => {
            Output::one(&client.repositories(&of.instance).update(&name, &UpdateRepository { public, summary, description }).await?)
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
