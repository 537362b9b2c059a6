//! `tidegate audit list`

use api::AuditQuery;
use clap::Subcommand;
use client::Tidegate;
use model::Timestamp;

use super::{CommandError, input};
use crate::printer::Output;

const COLUMNS: &[&str] = &["time", "action", "outcome", "principal", "resource", "source_ip", "user_agent", "count"];
/// The most that the server answers at once.
const PAGE: usize = 1000;

#[derive(Subcommand, Debug)]
pub(crate) enum Command {
    /// List what happened, newest first
    List {
        /// By this user, there or gone: the name at that time, or the numeric id
        #[arg(long, value_name = "NAME")]
        user: Option<String>,
        /// Of this action: cr:PullRepository, login
        #[arg(long, value_name = "ACTION")]
        action: Option<String>,
        /// That ended so
        #[arg(long, value_name = "OUTCOME", value_parser = ["success", "denied", "failed"])]
        outcome: Option<String>,
        /// With this credential
        #[arg(long, value_name = "ID")]
        credential: Option<String>,
        /// Not before this time: 2026-01-31T12:00:00Z
        #[arg(long, value_name = "TIME", value_parser = input::time)]
        since: Option<Timestamp>,
        /// At most so many
        #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..))]
        limit: u32,
    },
}

pub(super) async fn run(command: Command, client: &Tidegate) -> Result<Output, CommandError> {
    let Command::List { user, action, outcome, credential, since, limit } = command;
    let most = usize::try_from(limit).unwrap_or(usize::MAX);
    let page = u32::try_from(most.min(PAGE)).unwrap_or(limit);
    let query = AuditQuery { user, action, outcome, credential, since, limit: Some(page), after: None };
    Ok(Output::many(&client.audit().list(&query, most).await?, COLUMNS))
}
