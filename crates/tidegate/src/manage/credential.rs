//! `tidegate credential …` and `tidegate login-token create`

use api::{CreateCredential, CreateLoginToken, OwnerQuery, UpdateEnabled};
use clap::Subcommand;
use client::Tidegate;
use model::Seconds;

use super::{CommandError, input};
use crate::printer::Output;

pub(super) const COLUMNS: &[&str] = &[
    "credential_id",
    "kind",
    "description",
    "enabled",
    "instance_id",
    "created_at",
    "created_by",
    "expires_at",
    "last_used_at",
    "last_used_from",
];

#[derive(Subcommand, Debug)]
pub(crate) enum Command {
    /// Create an access credential: a generated password for docker login, shown once
    Create {
        /// For this user [default: oneself]
        #[arg(long, value_name = "NAME")]
        user: Option<String>,
        /// For this instance alone, by name or id [default: all]
        #[arg(long, value_name = "INSTANCE")]
        instance: Option<String>,
        /// What it is for
        #[arg(long, value_name = "TEXT")]
        description: String,
        /// When it ends by itself: 90d, 12h, 15m [default: never]
        #[arg(long, value_name = "TIME", value_parser = input::duration)]
        expires_in: Option<Seconds>,
    },
    /// List the credentials of every kind that a user holds
    List {
        /// Of this user [default: oneself]
        #[arg(long, value_name = "NAME")]
        user: Option<String>,
    },
    /// Show a credential
    Show {
        /// As `credential list` shows it
        id: String,
    },
    /// Let a disabled credential work again
    Enable {
        /// As `credential list` shows it
        id: String,
    },
    /// Stop a credential everywhere, running tokens included
    Disable {
        /// As `credential list` shows it
        id: String,
    },
    /// Delete a credential
    Delete {
        /// As `credential list` shows it
        id: String,
    },
}

#[derive(Subcommand, Debug)]
pub(crate) enum LoginTokenCommand {
    /// Make a temporary password for oneself
    Create {
        /// For this instance alone, by name or id [default: all]
        #[arg(long, value_name = "INSTANCE")]
        instance: Option<String>,
        /// When it ends, 15m to 24h [default: 1h]
        #[arg(long, value_name = "TIME", value_parser = input::duration)]
        expires_in: Option<Seconds>,
    },
}

pub(super) async fn run(command: Command, client: &Tidegate) -> Result<Output, CommandError> {
    let credentials = client.credentials();
    Ok(match command {
        Command::Create { user, instance, description, expires_in } => {
            Output::secret(&credentials.create(&CreateCredential { user, instance, description, expires_in }).await?)
        }
        Command::List { user } => Output::many(&credentials.list(&OwnerQuery { user }).await?, COLUMNS),
        Command::Show { id } => Output::one(&credentials.show(&id).await?),
        Command::Enable { id } => Output::one(&credentials.update(&id, &UpdateEnabled { enabled: true }).await?),
        Command::Disable { id } => Output::one(&credentials.update(&id, &UpdateEnabled { enabled: false }).await?),
        Command::Delete { id } => {
            credentials.delete(&id).await?;
            Output::Done(format!("Deleted {id}."))
        }
    })
}

pub(super) async fn run_login_token(command: LoginTokenCommand, client: &Tidegate) -> Result<Output, CommandError> {
    let LoginTokenCommand::Create { instance, expires_in } = command;
    let token = client.credentials().create_login_token(&CreateLoginToken { instance, expires_in }).await?;
    Ok(Output::secret(&token))
}
