//! `tidegate instance …`

use api::{CreateInstance, UpdateInstance};
use clap::Subcommand;
use client::Tidegate;

use super::CommandError;
use crate::printer::Output;

#[derive(Subcommand, Debug)]
pub(crate) enum Command {
    /// Create an instance
    Create {
        /// 3 to 50 lower-case letters, digits and dashes
        name: String,
        /// Where it stands [default: local]
        #[arg(long, value_name = "REGION")]
        region: Option<String>,
        /// A host name that chooses it; may be repeated
        #[arg(long = "host", value_name = "HOST")]
        hosts: Vec<String>,
    },
    /// List instances
    List,
    /// Show an instance
    Show {
        /// Name or id
        name: String,
    },
    /// Show how many namespaces, repositories and private endpoints an instance has and may have
    Usage {
        /// Name or id
        name: String,
    },
    /// Change an instance
    Update {
        /// Name or id
        name: String,
        /// A host name that chooses it; may be repeated, and replaces all there were. New ones need cr:CreateInstance too
        #[arg(long = "host", value_name = "HOST")]
        hosts: Option<Vec<String>>,
        /// Take every host name away
        #[arg(long, conflicts_with = "hosts")]
        no_hosts: bool,
        /// May a push make its namespace?
        #[arg(long, value_name = "BOOL")]
        auto_create_namespace: Option<bool>,
        /// Does /token hand out refresh tokens?
        #[arg(long, value_name = "BOOL")]
        identity_tokens: Option<bool>,
    },
    /// Delete an empty instance
    Delete {
        /// Name or id
        name: String,
    },
}

pub(super) async fn run(command: Command, client: &Tidegate) -> Result<Output, CommandError> {
    let instances = client.instances();
    Ok(match command {
        Command::Create { name, region, hosts } => Output::one(&instances.create(&CreateInstance { name, region, hosts }).await?),
        Command::List => Output::many(&instances.list().await?, &["name", "instance_id", "region", "hosts", "is_default", "created_at"]),
        Command::Show { name } => Output::one(&instances.show(&name).await?),
        Command::Usage { name } => Output::one(&instances.usage(&name).await?),
        Command::Update { name, hosts, no_hosts, auto_create_namespace, identity_tokens } => {
            let hosts = if no_hosts { Some(Vec::new()) } else { hosts };
            Output::one(&instances.update(&name, &UpdateInstance { hosts, auto_create_namespace, identity_tokens }).await?)
        }
        Command::Delete { name } => {
            let gone = instances.show(&name).await?;
            instances.delete(&name).await?;
            Output::one(&gone)
        }
    })
}
