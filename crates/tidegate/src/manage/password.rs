//! `tidegate password set`

use api::{PasswordKind, SetPassword};
use clap::Subcommand;
use client::Tidegate;

use super::{CommandError, input};
use crate::printer::Output;

#[derive(Subcommand, Debug)]
pub(crate) enum Command {
    /// Set a password: the permanent one of an instance, or the one to sign in with
    Set {
        /// Whose [default: one's own]
        #[arg(long, value_name = "NAME")]
        user: Option<String>,
        /// Of this instance, by name or id [default: the one that the server's host name chooses]
        #[arg(long, value_name = "INSTANCE", conflicts_with = "sign_in")]
        instance: Option<String>,
        /// The password for the console and for signing in
        #[arg(long)]
        sign_in: bool,
        /// Read the password from standard input
        #[arg(long)]
        password_stdin: bool,
    },
    /// Show whether somebody has a password to sign in with
    Show {
        /// Whose [default: one's own]
        #[arg(long, value_name = "NAME")]
        user: Option<String>,
    },
    /// Delete a user's password to sign in with
    Delete {
        /// Whose
        #[arg(long, value_name = "NAME")]
        user: String,
    },
}

pub(super) async fn run(command: Command, client: &Tidegate) -> Result<Output, CommandError> {
    match command {
        Command::Set { user, instance, sign_in, password_stdin } => {
            let password = input::new_password(password_stdin)?;
            let name = named(user, client).await?;
            let kind = if sign_in { PasswordKind::SignIn } else { PasswordKind::Permanent };
            client.users().set_password(&name, &SetPassword { kind, instance, password }).await?;
            Ok(Output::Done(format!("The password of {name} is set.")))
        }
        Command::Show { user } => Ok(Output::one(&client.users().sign_in_password(&named(user, client).await?).await?)),
        Command::Delete { user } => {
            client.users().delete_sign_in_password(&user).await?;
            Ok(Output::Done(format!("The sign-in password of {user} is gone.")))
        }
    }
}

async fn named(user: Option<String>, client: &Tidegate) -> Result<String, CommandError> {
    match user {
        Some(name) => Ok(name),
        None => Ok(client.whoami().await?.name),
    }
}
