//! `tidegate credential …` and `tidegate login-token create`

use api::{CreateCredential, CreateLoginToken, CredentialQuery, Rotate, UpdateEnabled};
use clap::Subcommand;
use client::{ClientError, Tidegate};
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

/// Of whom they are matters where they are many people's.
const SEARCH_COLUMNS: &[&str] = &[
    "credential_id",
    "user",
    "kind",
    "description",
    "integration",
    "enabled",
    "created_at",
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
        /// The integration that it is made for
        #[arg(long, value_name = "NAME")]
        integration: Option<String>,
    },
    /// List the credentials of every kind that somebody holds; with a filter and nobody named, of all whose credentials you may list
    List {
        /// Of this user [default: oneself, or everybody with a filter]
        #[arg(long, value_name = "NAME", conflicts_with_all = ["service_account", "role"])]
        user: Option<String>,
        /// Of this service account
        #[arg(long, value_name = "NAME", conflicts_with = "role")]
        service_account: Option<String>,
        /// Of this role: its sessions
        #[arg(long, value_name = "NAME")]
        role: Option<String>,
        /// Only those that end within so long and were not rotated yet
        #[arg(long, value_name = "TIME", value_parser = input::duration, num_args = 0..=1, default_missing_value = "30d")]
        expiring: Option<Seconds>,
        /// Only those that were neither used nor made for so long
        #[arg(long, value_name = "TIME", value_parser = input::duration, num_args = 0..=1, default_missing_value = "90d")]
        stale: Option<Seconds>,
        /// Only those that were made for this integration
        #[arg(long, value_name = "NAME")]
        integration: Option<String>,
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
        /// Even if its integration has used it within the last day
        #[arg(long)]
        force: bool,
    },
    /// Give an access credential a successor, shown once; the old one lives on for a while
    Rotate {
        /// As `credential list` shows it
        id: String,
        /// How long the old one lives on, 0s to 30d [default: 24h]
        #[arg(long, value_name = "TIME", value_parser = input::duration)]
        overlap: Option<Seconds>,
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
        Command::Create { user, instance, description, expires_in, integration } => {
            Output::secret(&credentials.create(&CreateCredential { user, instance, description, expires_in, integration }).await?)
        }
        Command::List { user, service_account, role, expiring, stale, integration } => {
            let seconds = |span: Option<Seconds>| span.map(|span| span.0);
            let (expiring_within, unused_for) = (seconds(expiring), seconds(stale));
            let named = user.is_some() || service_account.is_some() || role.is_some();
            let columns = if !named && (expiring.or(stale).is_some() || integration.is_some()) { SEARCH_COLUMNS } else { COLUMNS };
            let query =
                CredentialQuery { user, service_account, role, expiring_within, unused_for, integration, ..CredentialQuery::default() };
            Output::many(&credentials.list(&query).await?, columns)
        }
        Command::Show { id } => Output::one(&credentials.show(&id).await?),
        Command::Enable { id } => Output::one(&credentials.update(&id, &UpdateEnabled { enabled: true }).await?),
        Command::Disable { id } => Output::one(&credentials.update(&id, &UpdateEnabled { enabled: false }).await?),
        Command::Delete { id, force } => {
            insist(force, &id, async |force| credentials.delete(&id, force).await).await?;
            Output::Done(format!("Deleted {id}."))
        }
        Command::Rotate { id, overlap } => Output::secret(&credentials.rotate(&id, &Rotate { overlap }).await?),
    })
}

/// What something runs with is deleted when a person at the terminal says so once more, or by force.
pub(super) async fn insist(force: bool, id: &str, delete: impl AsyncFn(bool) -> Result<(), ClientError>) -> Result<(), CommandError> {
    match delete(force).await {
        Err(ClientError::Refused { code, message, .. })
            if code == "recently_used" && input::confirm(&format!("{message}\nDelete {id}?")) =>
        {
            Ok(delete(true).await?)
        }
        done => Ok(done?),
    }
}

pub(super) async fn run_login_token(command: LoginTokenCommand, client: &Tidegate) -> Result<Output, CommandError> {
    let LoginTokenCommand::Create { instance, expires_in } = command;
    let token = client.credentials().create_login_token(&CreateLoginToken { instance, expires_in }).await?;
    Ok(Output::secret(&token))
}
