//! `tidegate service-account …`

use api::{CreateClientSecret, CreateServiceAccount, Rotate, UpdateEnabled, UpdateServiceAccount};
use clap::{Args, Subcommand};
use client::Tidegate;
use model::Seconds;

use super::{CommandError, input};
use crate::printer::Output;

#[derive(Subcommand, Debug)]
pub(crate) enum Command {
    /// Create a service account with its first secret, which is shown once
    Create(New),
    /// List service accounts
    List,
    /// Show a service account
    Show {
        /// Name or client id
        name: String,
    },
    /// Describe a service account, or say when it ends
    Update {
        /// Name or client id
        name: String,
        /// What it is for
        #[arg(long, value_name = "TEXT")]
        description: Option<String>,
        /// When the whole account ends by itself, from now: 90d; 0s: never
        #[arg(long, value_name = "TIME", value_parser = input::duration)]
        expires_in: Option<Seconds>,
    },
    /// Let a disabled service account in again
    Enable {
        /// Name or client id
        name: String,
    },
    /// Keep a service account out, running tokens included
    Disable {
        /// Name or client id
        name: String,
    },
    /// Delete a service account with all its secrets
    Delete {
        /// Name or client id
        name: String,
    },
    /// Its secrets: up to five side by side
    #[command(subcommand)]
    Secret(SecretCommand),
}

/// A service account that is asked for.
#[derive(Args, Debug)]
pub(crate) struct New {
    /// 1 to 64 letters, digits and . - _
    name: String,
    /// What it is for
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    description: String,
    /// A policy that it holds from the start: AcrPull; may be repeated
    #[arg(long, value_name = "POLICY")]
    role: Vec<String>,
    /// The repositories that its roles are narrowed to: NAMESPACE/*; may be repeated. Without a role: AcrPull
    #[arg(long, value_name = "NS/*")]
    repository: Vec<String>,
    /// The instance of these repositories, by name or id [default: the one that the server's host name chooses]
    #[arg(long, value_name = "INSTANCE", requires = "repository")]
    instance: Option<String>,
    /// When the whole account ends by itself: 90d [default: never]
    #[arg(long, value_name = "TIME", value_parser = input::duration)]
    expires_in: Option<Seconds>,
}

#[derive(Subcommand, Debug)]
pub(crate) enum SecretCommand {
    /// Create a further secret, which is shown once
    Create {
        /// The service account
        name: String,
        /// What it is for
        #[arg(long, value_name = "TEXT")]
        description: String,
        /// When it ends by itself: 90d, 12h, 15m [default: never]
        #[arg(long, value_name = "TIME", value_parser = input::duration)]
        expires_in: Option<Seconds>,
        /// The integration that it is made for
        #[arg(long, value_name = "NAME")]
        integration: Option<String>,
    },
    /// List its secrets
    List {
        /// The service account
        name: String,
    },
    /// Let a disabled secret work again
    Enable {
        /// The service account
        name: String,
        /// As `secret list` shows it
        id: String,
    },
    /// Stop a secret everywhere, running tokens included
    Disable {
        /// The service account
        name: String,
        /// As `secret list` shows it
        id: String,
    },
    /// Delete a secret
    Delete {
        /// The service account
        name: String,
        /// As `secret list` shows it
        id: String,
        /// Even if its integration has used it within the last day
        #[arg(long)]
        force: bool,
    },
    /// Give a secret a successor, shown once; the old one lives on for a while
    Rotate {
        /// The service account
        name: String,
        /// As `secret list` shows it
        id: String,
        /// How long the old one lives on, 0s to 30d [default: 24h]
        #[arg(long, value_name = "TIME", value_parser = input::duration)]
        overlap: Option<Seconds>,
    },
}

pub(super) async fn run(command: Command, client: &Tidegate) -> Result<Output, CommandError> {
    let accounts = client.service_accounts();
    let enable = async |name: String, enabled: bool| {
        accounts.update(&name, &UpdateServiceAccount { enabled: Some(enabled), ..UpdateServiceAccount::default() }).await
    };
    Ok(match command {
        Command::Create(new) => Output::secret(&accounts.create(&new.into()).await?),
        Command::List => {
            Output::many(&accounts.list().await?, &["name", "client_id", "user_id", "enabled", "description", "expires_at", "created_at"])
        }
        Command::Show { name } => Output::one(&accounts.show(&name).await?),
        Command::Update { name, description, expires_in } => {
            Output::one(&accounts.update(&name, &UpdateServiceAccount { description, enabled: None, expires_in }).await?)
        }
        Command::Enable { name } => Output::one(&enable(name, true).await?),
        Command::Disable { name } => Output::one(&enable(name, false).await?),
        Command::Delete { name } => {
            accounts.delete(&name).await?;
            Output::Done(format!("Deleted {name}."))
        }
        Command::Secret(command) => secret(command, client).await?,
    })
}

async fn secret(command: SecretCommand, client: &Tidegate) -> Result<Output, CommandError> {
    let accounts = client.service_accounts();
    Ok(match command {
        SecretCommand::Create { name, description, expires_in, integration } => {
            Output::secret(&accounts.create_secret(&name, &CreateClientSecret { description, expires_in, integration }).await?)
        }
        SecretCommand::List { name } => Output::many(&accounts.secrets(&name).await?, super::credential::COLUMNS),
        SecretCommand::Enable { name, id } => Output::one(&accounts.update_secret(&name, &id, &UpdateEnabled { enabled: true }).await?),
        SecretCommand::Disable { name, id } => Output::one(&accounts.update_secret(&name, &id, &UpdateEnabled { enabled: false }).await?),
        SecretCommand::Rotate { name, id, overlap } => Output::secret(&accounts.rotate_secret(&name, &id, &Rotate { overlap }).await?),
        SecretCommand::Delete { name, id, force } => {
            super::credential::insist(force, &id, async |force| accounts.delete_secret(&name, &id, force).await).await?;
            Output::Done(format!("Deleted {id}."))
        }
    })
}

impl From<New> for CreateServiceAccount {
    fn from(new: New) -> Self {
        Self {
            name: new.name,
            description: new.description,
            expires_in: new.expires_in,
            policies: new.role,
            repositories: new.repository,
            instance: new.instance,
        }
    }
}
