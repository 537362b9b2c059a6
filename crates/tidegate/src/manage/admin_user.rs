//! `tidegate admin-user …`

use clap::Subcommand;
use client::Tidegate;

use super::CommandError;
use super::input::InstanceArgument;
use crate::printer::Output;

#[derive(Subcommand, Debug)]
pub(crate) enum Command {
    /// Let the admin user log in
    Enable {
        #[command(flatten)]
        of: InstanceArgument,
    },
    /// Let it log in no longer, by either password and by every token made from one
    Disable {
        #[command(flatten)]
        of: InstanceArgument,
    },
    /// Show it and its passwords, without their secrets
    Show {
        #[command(flatten)]
        of: InstanceArgument,
    },
    /// Put a new password in the place of one of the two; the other one works on
    Renew {
        /// Which one
        #[arg(long = "password", value_name = "1|2", value_parser = clap::value_parser!(i64).range(1..=2))]
        number: i64,
        #[command(flatten)]
        of: InstanceArgument,
    },
}

pub(super) async fn run(command: Command, client: &Tidegate) -> Result<Output, CommandError> {
    Ok(match command {
        Command::Enable { of } => Output::one(&client.admin_users(&of.instance).set_enabled(true).await?),
        Command::Disable { of } => Output::one(&client.admin_users(&of.instance).set_enabled(false).await?),
        Command::Show { of } => Output::one(&client.admin_users(&of.instance).show().await?),
        Command::Renew { number, of } => Output::secret(&client.admin_users(&of.instance).renew(number).await?),
    })
}
