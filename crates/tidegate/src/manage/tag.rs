//! `tidegate tag …`

use std::str::FromStr;

use api::{CreateTag, UpdateTag};
use clap::Subcommand;
use client::Tidegate;

use super::CommandError;
use super::input::InstanceArgument;
use crate::printer::Output;

/// A tag with its repository, `NAMESPACE/REPOSITORY:TAG`.
#[derive(Clone, Debug)]
pub(crate) struct TagArgument {
    repository: String,
    tag: String,
}

impl FromStr for TagArgument {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.rsplit_once(':') {
            Some((repository, tag)) if !repository.is_empty() && !tag.is_empty() && !tag.contains('/') => {
                Ok(Self { repository: repository.to_owned(), tag: tag.to_owned() })
            }
            _ => Err("write it as NAMESPACE/REPOSITORY:TAG"),
        }
    }
}

#[derive(Subcommand, Debug)]
pub(crate) enum Command {
    /// Point a new tag at a manifest that is there
    Create {
        /// NAMESPACE/REPOSITORY:TAG
        name: TagArgument,
        #[command(flatten)]
        of: InstanceArgument,
        /// The manifest: sha256:…
        #[arg(long, value_name = "DIGEST", required_unless_present = "from")]
        digest: Option<String>,
        /// At what another tag of the repository points at
        #[arg(long, value_name = "TAG", conflicts_with = "digest")]
        from: Option<String>,
    },
    /// List a repository's tags
    List {
        /// NAMESPACE/REPOSITORY
        repository: String,
        #[command(flatten)]
        of: InstanceArgument,
    },
    /// Show a tag
    Show {
        /// NAMESPACE/REPOSITORY:TAG
        name: TagArgument,
        #[command(flatten)]
        of: InstanceArgument,
    },
    /// Point a tag at another manifest that is there
    Update {
        /// NAMESPACE/REPOSITORY:TAG
        name: TagArgument,
        #[command(flatten)]
        of: InstanceArgument,
        /// The manifest: sha256:…
        #[arg(long, value_name = "DIGEST")]
        digest: String,
    },
    /// Delete a tag; what it points at stays
    Delete {
        /// NAMESPACE/REPOSITORY:TAG
        name: TagArgument,
        #[command(flatten)]
        of: InstanceArgument,
    },
}

pub(super) async fn run(command: Command, client: &Tidegate) -> Result<Output, CommandError> {
    Ok(match command {
        Command::Create { name: TagArgument { repository, tag }, of, digest, from } => {
            Output::one(&client.tags(&of.instance).create(&CreateTag { repository, name: tag, digest, from }).await?)
        }
        Command::List { repository, of } => {
            Output::many(&client.tags(&of.instance).list(&repository).await?, &["name", "digest", "image_size", "updated_at"])
        }
        Command::Show { name, of } => Output::one(&client.tags(&of.instance).show(&name.repository, &name.tag).await?),
        Command::Update { name, of, digest } => {
            Output::one(&client.tags(&of.instance).update(&name.repository, &name.tag, &UpdateTag { digest }).await?)
        }
        Command::Delete { name, of } => {
            client.tags(&of.instance).delete(&name.repository, &name.tag).await?;
            Output::Done(format!("Deleted {}:{}.", name.repository, name.tag))
        }
    })
}
