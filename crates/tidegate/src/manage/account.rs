//! `tidegate account …`

use clap::Subcommand;
use client::Tidegate;

use super::{CommandError, operator};
use crate::printer::Output;

#[derive(Subcommand, Debug)]
pub(crate) enum Command {
    /// Show the account that you belong to
    Show,
    /// Give the account that you belong to an alias, as good as its id in NAME@ACCOUNT
    Update {
        /// 3 to 50 lower-case letters, digits and dashes
        #[arg(long, value_name = "ALIAS", required_unless_present = "no_alias")]
        alias: Option<String>,
        /// Take the alias away
        #[arg(long, conflicts_with = "alias")]
        no_alias: bool,
    },
    #[command(flatten)]
    Operator(operator::Command),
}

/// For a client of the management API. What only the operator may do has gone another way before.
pub(super) async fn run(command: Command, client: &Tidegate) -> Result<Output, CommandError> {
    match command {
        Command::Show => Ok(Output::one(&client.account().await?)),
        Command::Update { alias, no_alias: _ } => Ok(Output::one(&client.set_account_alias(alias).await?)),
        Command::Operator(_) => Err(CommandError::Usage("this runs on the server's machine".to_owned())),
    }
}
