//! `tidegate resource-policy …`

use std::path::PathBuf;

use api::SetResourcePolicy;
use clap::{Args, Subcommand};
use client::{Place, Tidegate};

use super::CommandError;
use super::input::{self, InstanceArgument};
use crate::printer::Output;

#[derive(Subcommand, Debug)]
pub(crate) enum Command {
    /// Show who else may use a namespace or a repository
    Show(Of),
    /// Say who else may use a namespace or a repository
    Set {
        #[command(flatten)]
        of: Of,
        /// The document, whose statements name principals; - is standard input
        #[arg(long, value_name = "FILE")]
        document: PathBuf,
    },
    /// Delete a namespace's or repository's own policy
    Delete(Of),
}

/// A namespace or a repository of an instance.
#[derive(Args, Debug)]
pub(crate) struct Of {
    #[command(flatten)]
    place: PlaceArgument,
    #[command(flatten)]
    of: InstanceArgument,
}

/// One of them.
#[derive(Args, Debug)]
#[group(required = true, multiple = false)]
pub(crate) struct PlaceArgument {
    /// This namespace and what is in it
    #[arg(long, value_name = "NAME")]
    namespace: Option<String>,
    /// This repository
    #[arg(long, value_name = "NAMESPACE/REPOSITORY")]
    repository: Option<String>,
}

impl Of {
    fn place(&self) -> Place<'_> {
        match (&self.place.namespace, &self.place.repository) {
            (Some(namespace), _) => Place::Namespace(namespace),
            (None, repository) => Place::Repository(repository.as_deref().unwrap_or_default()),
        }
    }
}

pub(super) async fn run(command: Command, client: &Tidegate) -> Result<Output, CommandError> {
    Ok(match command {
        Command::Show(of) => Output::one(&client.resource_policies(&of.of.instance).show(of.place()).await?),
        Command::Set { of, document } => {
            let new = SetResourcePolicy { document: input::document(&document)? };
            Output::one(&client.resource_policies(&of.of.instance).set(of.place(), &new).await?)
        }
        Command::Delete(of) => {
            client.resource_policies(&of.of.instance).delete(of.place()).await?;
            Output::Done("Deleted its policy.".to_owned())
        }
    })
}
