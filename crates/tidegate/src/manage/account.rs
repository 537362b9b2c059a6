//! `tidegate account …`

use clap::Subcommand;
use client::Tidegate;

use super::CommandError;
use crate::printer::Output;

#[derive(Subcommand, Debug)]
pub(crate) enum Command {
    /// Show the account that you belong to
    Show,
}

pub(super) async fn run(command: Command, client: &Tidegate) -> Result<Output, CommandError> {
    match command {
        Command::Show => Ok(Output::one(&client.account().await?)),
    }
}
