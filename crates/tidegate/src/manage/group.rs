//! `tidegate group …`

use api::{CreateGroup, UpdateGroup};
use clap::Subcommand;
use client::Tidegate;
use serde_json::json;

use super::CommandError;
use crate::printer::Output;

#[derive(Subcommand, Debug)]
pub(crate) enum Command {
    /// Create a group
    Create {
        /// 1 to 64 letters, digits and . - _
        name: String,
        /// What it is for
        #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
        description: String,
    },
    /// List groups, or those that a user is in
    List {
        /// Of this user
        #[arg(long, value_name = "NAME")]
        user: Option<String>,
    },
    /// Show a group
    Show {
        /// Name or id
        name: String,
    },
    /// Rename a group, or say what it is for
    Update {
        /// Name or id
        name: String,
        /// The new name, 1 to 64 letters, digits and . - _
        #[arg(long, value_name = "NAME", required_unless_present = "description")]
        rename: Option<String>,
        /// What it is for
        #[arg(long, value_name = "TEXT")]
        description: Option<String>,
    },
    /// Delete a group; its users stay
    Delete {
        /// Name or id
        name: String,
    },
    /// List a group's users
    Users {
        /// Name or id
        name: String,
    },
    /// Take a user into a group
    Add {
        /// The group
        name: String,
        /// The user
        #[arg(long, value_name = "NAME")]
        user: String,
    },
    /// Take a user out of a group
    Remove {
        /// The group
        name: String,
        /// The user
        #[arg(long, value_name = "NAME")]
        user: String,
    },
}

const COLUMNS: &[&str] = &["name", "group_id", "description", "created_at"];

pub(super) async fn run(command: Command, client: &Tidegate) -> Result<Output, CommandError> {
    let groups = client.groups();
    Ok(match command {
        Command::Create { name, description } => Output::one(&groups.create(&CreateGroup { name, description }).await?),
        Command::List { user: None } => Output::many(&groups.list().await?, COLUMNS),
        Command::List { user: Some(user) } => Output::many(&groups.list_of_user(&user).await?, COLUMNS),
        Command::Show { name } => Output::one(&groups.show(&name).await?),
        Command::Update { name, rename, description } => {
            Output::one(&groups.update(&name, &UpdateGroup { name: rename, description }).await?)
        }
        Command::Delete { name } => {
            groups.delete(&name).await?;
            Output::Done(format!("Deleted {name}."))
        }
        Command::Users { name } => Output::many(&groups.users(&name).await?, &["name", "user_id", "enabled", "created_at"]),
        Command::Add { name, user } => {
            groups.add(&name, &user).await?;
            Output::one(&json!({"group": name, "user": user}))
        }
        Command::Remove { name, user } => {
            groups.remove(&name, &user).await?;
            Output::one(&json!({"group": name, "user": user}))
        }
    })
}
