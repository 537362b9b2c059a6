//! `tidegate quota …`

use api::SetNamespaceQuota;
use clap::Subcommand;
use client::Tidegate;

use super::CommandError;
use super::input::{InstanceArgument, size};
use crate::printer::Output;

#[derive(Subcommand, Debug)]
pub(crate) enum Command {
    /// List what the namespaces of an instance hold and may hold
    List {
        #[command(flatten)]
        of: InstanceArgument,
    },
    /// Show what a namespace holds and may hold
    Show {
        /// The namespace
        namespace: String,
        #[command(flatten)]
        of: InstanceArgument,
    },
    /// Say what a namespace may hold, all of it; what is left out has no bound
    Set {
        /// The namespace
        namespace: String,
        #[command(flatten)]
        of: InstanceArgument,
        /// The most bytes: 10GiB, 500MB, 1048576
        #[arg(long, value_name = "SIZE", value_parser = size)]
        bytes: Option<i64>,
        /// The most repositories
        #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(i64).range(0..))]
        repositories: Option<i64>,
    },
    /// Take a namespace's quota away
    Delete {
        /// The namespace
        namespace: String,
        #[command(flatten)]
        of: InstanceArgument,
    },
}

pub(super) async fn run(command: Command, client: &Tidegate) -> Result<Output, CommandError> {
    Ok(match command {
        Command::List { of } => {
            let columns = &["namespace", "bytes", "max_bytes", "repositories", "max_repositories"];
            Output::many(&client.namespaces(&of.instance).quotas().await?, columns)
        }
        Command::Show { namespace, of } => Output::one(&client.namespaces(&of.instance).quota(&namespace).await?),
        Command::Set { namespace, of, bytes, repositories } => {
            if bytes.is_none() && repositories.is_none() {
                return Err(CommandError::Usage("say --bytes, --repositories or both; to take the quota away: quota delete".to_owned()));
            }
            let quota = SetNamespaceQuota { max_bytes: bytes, max_repositories: repositories };
            Output::one(&client.namespaces(&of.instance).set_quota(&namespace, &quota).await?)
        }
        Command::Delete { namespace, of } => {
            Output::one(&client.namespaces(&of.instance).set_quota(&namespace, &SetNamespaceQuota::default()).await?)
        }
    })
}
