//! `tidegate user …`

use api::{CreateUser, UpdateUser};
use clap::{Args, Subcommand};
use client::Tidegate;

use super::CommandError;
use crate::printer::Output;

#[derive(Subcommand, Debug)]
pub(crate) enum Command {
    /// Create a user
    Create {
        /// 1 to 64 letters, digits and . - _
        name: String,
        #[command(flatten)]
        said: Said,
    },
    /// List users
    List,
    /// Show a user
    Show {
        /// Name or numeric id
        name: String,
    },
    /// Change what is said of a user, or rename one
    Update {
        /// Name or numeric id
        name: String,
        /// The new name, 1 to 64 letters, digits and . - _
        #[arg(long, value_name = "NAME")]
        rename: Option<String>,
        #[command(flatten)]
        said: Said,
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

/// What is said of a user; empty text takes it back.
#[derive(Args, Debug)]
pub(crate) struct Said {
    /// What to call them
    #[arg(long, value_name = "TEXT")]
    display_name: Option<String>,
    /// What is said of them
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,
    /// Where to write to
    #[arg(long, value_name = "ADDRESS")]
    email: Option<String>,
    /// Where to call
    #[arg(long, value_name = "NUMBER")]
    phone: Option<String>,
}

impl Said {
    fn of_new(self, name: String) -> CreateUser {
        let text = Option::unwrap_or_default;
        CreateUser {
            name,
            display_name: text(self.display_name),
            description: text(self.description),
            email: text(self.email),
            phone: text(self.phone),
        }
    }

    fn of_changed(self, name: Option<String>) -> UpdateUser {
        let Self { display_name, description, email, phone } = self;
        UpdateUser { name, enabled: None, display_name, description, email, phone }
    }
}

fn enabled(enabled: bool) -> UpdateUser {
    UpdateUser { enabled: Some(enabled), ..UpdateUser::default() }
}

pub(super) async fn run(command: Command, client: &Tidegate) -> Result<Output, CommandError> {
    let users = client.users();
    Ok(match command {
        Command::Create { name, said } => Output::one(&users.create(&said.of_new(name)).await?),
        Command::Update { name, rename, said } => Output::one(&users.update(&name, &said.of_changed(rename)).await?),
        Command::List => Output::many(&users.list().await?, &["name", "user_id", "enabled", "created_at"]),
        Command::Show { name } => Output::one(&users.show(&name).await?),
        Command::Enable { name } => Output::one(&users.update(&name, &enabled(true)).await?),
        Command::Disable { name } => Output::one(&users.update(&name, &enabled(false)).await?),
        Command::Delete { name } => {
            let gone = users.show(&name).await?;
            users.delete(&name).await?;
            Output::one(&gone)
        }
    })
}
