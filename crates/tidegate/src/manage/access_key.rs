//! `tidegate access-key …`

use api::{CreateAccessKey, OwnerQuery, Rotate, UpdateEnabled};
use clap::Subcommand;
use client::Tidegate;
use model::Seconds;
use serde_json::json;

use super::{CommandError, input};
use crate::printer::Output;

const COLUMNS: &[&str] = &["access_key_id", "enabled", "created_at", "created_by", "expires_at", "last_used_at", "last_used_from"];

#[derive(Subcommand, Debug)]
pub(crate) enum Command {
    /// Create an access key; its secret is shown once
    Create {
        /// For this user [default: oneself]
        #[arg(long, value_name = "NAME")]
        user: Option<String>,
    },
    /// List a user's access keys
    List {
        /// Of this user [default: oneself]
        #[arg(long, value_name = "NAME")]
        user: Option<String>,
    },
    /// Let a disabled access key work again
    Enable {
        /// The access key's id
        id: String,
    },
    /// Stop an access key, running tokens included
    Disable {
        /// The access key's id
        id: String,
    },
    /// Delete an access key
    Delete {
        /// The access key's id
        id: String,
    },
    /// Give an access key a successor, shown once; the old one lives on for a while
    Rotate {
        /// The access key's id
        id: String,
        /// How long the old one lives on, 0s to 30d [default: 24h]
        #[arg(long, value_name = "TIME", value_parser = input::duration)]
        overlap: Option<Seconds>,
    },
}

pub(super) async fn run(command: Command, client: &Tidegate) -> Result<Output, CommandError> {
    let keys = client.access_keys();
    Ok(match command {
        Command::Create { user } => Output::secret(&keys.create(&CreateAccessKey { user }).await?),
        Command::List { user } => Output::many(&keys.list(&OwnerQuery { user }).await?, COLUMNS),
        Command::Enable { id } => Output::one(&keys.update(&id, &UpdateEnabled { enabled: true }).await?),
        Command::Disable { id } => Output::one(&keys.update(&id, &UpdateEnabled { enabled: false }).await?),
        Command::Rotate { id, overlap } => Output::secret(&keys.rotate(&id, &Rotate { overlap }).await?),
        Command::Delete { id } => {
            keys.delete(&id).await?;
            Output::one(&json!({"access_key_id": id, "enabled": false}))
        }
    })
}
