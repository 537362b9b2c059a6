//! `tidegate namespace …`

use api::{CreateNamespace, UpdateNamespace};
use clap::{Args, Subcommand};
use client::Tidegate;

use super::CommandError;
use super::input::InstanceArgument;
use crate::printer::Output;

#[derive(Subcommand, Debug)]
pub(crate) enum Command {
    /// Create a namespace
    Create {
        /// Its name; _ is the root namespace
        name: String,
        #[command(flatten)]
        of: InstanceArgument,
        #[command(flatten)]
        settings: Settings,
    },
    /// List namespaces
    List {
        #[command(flatten)]
        of: InstanceArgument,
    },
    /// Show a namespace
    Show {
        /// Its name
        name: String,
        #[command(flatten)]
        of: InstanceArgument,
    },
    /// Change a namespace
    Update {
        /// Its name
        name: String,
        #[command(flatten)]
        of: InstanceArgument,
        #[command(flatten)]
        settings: Settings,
    },
    /// Delete an empty namespace
    Delete {
        /// Its name
        name: String,
        #[command(flatten)]
        of: InstanceArgument,
    },
}

/// How a namespace behaves.
#[derive(Args, Debug)]
pub(crate) struct Settings {
    /// May anybody pull? [default for a new one: false]
    #[arg(long, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true")]
    public: Option<bool>,
    /// May a push make its repository? [default for a new one: true]
    #[arg(long, value_name = "BOOL")]
    auto_create_repository: Option<bool>,
    /// May an index lack children? [default for a new one: false]
    #[arg(long, value_name = "BOOL")]
    sparse_indexes: Option<bool>,
    /// Is a repository public that is made without saying so? [default for a new one: false]
    #[arg(long, value_name = "BOOL")]
    default_public: Option<bool>,
    /// Are all tags of a repository immutable that is made without saying so? [default for a new one: false]
    #[arg(long, value_name = "BOOL")]
    default_immutable_tags: Option<bool>,
}

impl Settings {
    fn new_namespace(self, name: String) -> CreateNamespace {
        CreateNamespace {
            name,
            public: self.public.unwrap_or_default(),
            auto_create_repository: self.auto_create_repository,
            sparse_indexes: self.sparse_indexes.unwrap_or_default(),
            default_public: self.default_public.unwrap_or_default(),
            default_immutable_tags: self.default_immutable_tags.unwrap_or_default(),
        }
    }

    fn change(self) -> UpdateNamespace {
        let Self { public, auto_create_repository, sparse_indexes, default_public, default_immutable_tags } = self;
        UpdateNamespace { public, auto_create_repository, sparse_indexes, default_public, default_immutable_tags }
    }
}

pub(super) async fn run(command: Command, client: &Tidegate) -> Result<Output, CommandError> {
    Ok(match command {
        Command::Create { name, of, settings } => {
            Output::one(&client.namespaces(&of.instance).create(&settings.new_namespace(name)).await?)
        }
        Command::List { of } => {
            let columns = &["name", "public", "auto_create_repository", "sparse_indexes", "created_at"];
            Output::many(&client.namespaces(&of.instance).list().await?, columns)
        }
        Command::Show { name, of } => Output::one(&client.namespaces(&of.instance).show(&name).await?),
        Command::Update { name, of, settings } => Output::one(&client.namespaces(&of.instance).update(&name, &settings.change()).await?),
        Command::Delete { name, of } => {
            client.namespaces(&of.instance).delete(&name).await?;
            Output::Done(format!("Deleted {name}."))
        }
    })
}
