//! `tidegate user …`

use api::{CreateUser, UpdateUser};
use clap::Subcommand;
use client::Tidegate;

use super::CommandError;
use crate::printer::Output;

#[derive(Subcommand, Debug)]
pub(crate) enum Command {
    /// Create a user
    Create {
        /// 1 to 64 letters, digits and . - _
        name: String,
    },
    /// List users
    List,
    /// Show a user
    Show {
        /// Name or numeric id
        name: String,
    },
    /// Let a disabled user in again
    Enable {
        /// Name or numeric id
        name: String,
    },
    /// Keep a user out, running tokens included
    Disable {
        /// Name or numeric id
        name: String,
    },
    /// Delete a user with all credentials
    Delete {
        /// Name or numeric id
        name: String,
    },
}

pub(super) async fn run(command: Command, client: &Tidegate) -> Result<Output, CommandError> {
    let users = client.users();
    Ok(match command {
        Command::Create { name } => Output::one(&users.create(&CreateUser { name }).await?),
        Command::List => Output::many(&users.list().await?, &["name", "user_id", "enabled", "created_at"]),
        Command::Show { name } => Output::one(&users.show(&name).await?),
        Command::Enable { name } => Output::one(&users.update(&name, &UpdateUser { enabled: true }).await?),
        Command::Disable { name } => Output::one(&users.update(&name, &UpdateUser { enabled: false }).await?),
        Command::Delete { name } => {
            let gone = users.show(&name).await?;
            users.delete(&name).await?;
            Output::one(&gone)
        }
    })
}
