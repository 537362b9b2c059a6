//! `tidegate image …`: what keeps a tag or a manifest as it is, and what refers to it.

use std::str::FromStr;

use api::UpdateLocks;
use clap::{Subcommand, ValueEnum};
use client::Tidegate;

use super::CommandError;
use super::input::InstanceArgument;
use crate::printer::Output;

/// An image: `NAMESPACE/REPOSITORY:TAG` or `NAMESPACE/REPOSITORY@DIGEST`.
#[derive(Clone, Debug)]
pub(crate) struct ImageArgument {
    repository: String,
    reference: String,
}

impl FromStr for ImageArgument {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parts = text.split_once('@').or_else(|| text.rsplit_once(':'));
        match parts {
            Some((repository, reference)) if !repository.is_empty() && !reference.is_empty() && !reference.contains('/') => {
                Ok(Self { repository: repository.to_owned(), reference: reference.to_owned() })
            }
            _ => Err("write it as NAMESPACE/REPOSITORY:TAG or NAMESPACE/REPOSITORY@DIGEST"),
        }
    }
}

/// What something is locked against.
#[derive(Clone, Copy, ValueEnum, Debug)]
pub(crate) enum LockArgument {
    /// Pulling
    Read,
    /// Pushing and pointing tags elsewhere, deleting included
    Write,
    /// Being in the registry's own lists
    List,
    /// Deleting
    Delete,
}

/// As the API has them.
pub(super) fn locks(words: &[LockArgument]) -> Vec<api::Lock> {
    let lock = |word: &LockArgument| match word {
        LockArgument::Read => api::Lock::Read,
        LockArgument::Write => api::Lock::Write,
        LockArgument::List => api::Lock::List,
        LockArgument::Delete => api::Lock::Delete,
    };
    words.iter().map(lock).collect()
}

#[derive(Subcommand, Debug)]
pub(crate) enum Command {
    /// Show what a tag or a manifest is locked against, and why it cannot be deleted
    Show {
        /// NAMESPACE/REPOSITORY:TAG or NAMESPACE/REPOSITORY@DIGEST
        name: ImageArgument,
        #[command(flatten)]
        of: InstanceArgument,
    },
    /// Lock a tag or a manifest
    Lock {
        /// NAMESPACE/REPOSITORY:TAG or NAMESPACE/REPOSITORY@DIGEST
        name: ImageArgument,
        /// Against what
        #[arg(value_enum, required = true, value_name = "LOCK")]
        locks: Vec<LockArgument>,
        #[command(flatten)]
        of: InstanceArgument,
    },
    /// Unlock a tag or a manifest
    Unlock {
        /// NAMESPACE/REPOSITORY:TAG or NAMESPACE/REPOSITORY@DIGEST
        name: ImageArgument,
        /// Which locks to take away
        #[arg(value_enum, required = true, value_name = "LOCK")]
        locks: Vec<LockArgument>,
        #[command(flatten)]
        of: InstanceArgument,
    },
    /// List what refers to an image, or to a blob of its repository: tags, manifests that are made of it, signatures and other referrers
    References {
        /// NAMESPACE/REPOSITORY:TAG or NAMESPACE/REPOSITORY@DIGEST
        name: ImageArgument,
        #[command(flatten)]
        of: InstanceArgument,
    },
    /// List the repositories that have a blob or a manifest, of those that you may pull from
    Where {
        /// sha256:…
        digest: String,
        #[command(flatten)]
        of: InstanceArgument,
    },
}

pub(super) async fn run(command: Command, client: &Tidegate) -> Result<Output, CommandError> {
    Ok(match command {
        Command::Show { name, of } => Output::one(&client.images(&of.instance).protection(&name.repository, &name.reference).await?),
        Command::Lock { name, locks: words, of } => {
            let change = UpdateLocks { lock: locks(&words), unlock: Vec::new() };
            Output::one(&client.images(&of.instance).lock(&name.repository, &name.reference, &change).await?)
        }
        Command::Unlock { name, locks: words, of } => {
            let change = UpdateLocks { lock: Vec::new(), unlock: locks(&words) };
            Output::one(&client.images(&of.instance).lock(&name.repository, &name.reference, &change).await?)
        }
        Command::References { name, of } => {
            let found = client.images(&of.instance).references(&name.repository, &name.reference).await?;
            Output::many(&found, &["relation", "tag", "digest", "artifact_type"])
        }
        Command::Where { digest, of } => Output::many(&client.images(&of.instance).holders(&digest).await?, &["name", "kind"]),
    })
}
