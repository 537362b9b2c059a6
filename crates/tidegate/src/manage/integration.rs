//! `tidegate integration …`

use api::{CreateIntegration, IntegrationKind, IntegrationQuery, UpdateIntegration};
use clap::{Subcommand, ValueEnum};
use client::Tidegate;
use model::Seconds;

use super::{CommandError, input};
use crate::printer::Output;

const COLUMNS: &[&str] = &["name", "kind", "state", "credentials", "last_used_at", "link", "created_at", "created_by"];

/// What kind of thing uses the credentials.
#[derive(Clone, Copy, ValueEnum, Debug)]
pub(crate) enum Kind {
    /// A Kubernetes cluster
    KubernetesCluster,
    /// A pipeline that builds or deploys
    Pipeline,
    /// Anything else
    Other,
}

impl From<Kind> for IntegrationKind {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::KubernetesCluster => Self::KubernetesCluster,
            Kind::Pipeline => Self::Pipeline,
            Kind::Other => Self::Other,
        }
    }
}

#[derive(Subcommand, Debug)]
pub(crate) enum Command {
    /// Create an integration; name it when you make credentials for it
    Create {
        /// Its name
        name: String,
        /// What kind of thing it is
        #[arg(long, value_enum, value_name = "KIND", default_value = "other")]
        kind: Kind,
        /// Where people find it: an https URL, which is shown and never fetched
        #[arg(long, value_name = "URL")]
        link: Option<String>,
    },
    /// List integrations
    List {
        /// Only those that are gone, or none of whose credentials was used for so long
        #[arg(long, value_name = "TIME", value_parser = input::duration, num_args = 0..=1, default_missing_value = "90d")]
        stale: Option<Seconds>,
    },
    /// Show an integration; `tidegate credential list --integration NAME` shows what was made for it
    Show {
        /// Its name or id
        name: String,
    },
    /// Change an integration
    Update {
        /// Its name or id
        name: String,
        /// What kind of thing it is
        #[arg(long, value_enum, value_name = "KIND")]
        kind: Option<Kind>,
        /// Where people find it; empty: nowhere
        #[arg(long, value_name = "URL")]
        link: Option<String>,
        /// Say that it is gone: its credentials are then listed as stale, and no more are made for it
        #[arg(long, conflicts_with = "present")]
        gone: bool,
        /// Say that it is there after all
        #[arg(long)]
        present: bool,
    },
    /// Delete an integration for which no credential is left
    Delete {
        /// Its name or id
        name: String,
    },
}

pub(super) async fn run(command: Command, client: &Tidegate) -> Result<Output, CommandError> {
    let integrations = client.integrations();
    Ok(match command {
        Command::Create { name, kind, link } => {
            Output::one(&integrations.create(&CreateIntegration { name, kind: kind.into(), link }).await?)
        }
        Command::List { stale } => {
            let query = IntegrationQuery { unused_for: stale.map(|long| long.0), ..IntegrationQuery::default() };
            Output::many(&integrations.list(&query).await?, COLUMNS)
        }
        Command::Show { name } => Output::one(&integrations.show(&name).await?),
        Command::Update { name, kind, link, gone, present } => {
            let gone = if gone || present { Some(gone) } else { None };
            Output::one(&integrations.update(&name, &UpdateIntegration { kind: kind.map(Into::into), link, gone }).await?)
        }
        Command::Delete { name } => {
            integrations.delete(&name).await?;
            Output::Done(format!("Deleted {name}."))
        }
    })
}
