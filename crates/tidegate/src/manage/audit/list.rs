//! `tidegate audit list`

use api::AuditQuery;
use clap::Args;
use client::Tidegate;
use model::Timestamp;

use super::PAGE;
use crate::manage::{CommandError, input};
use crate::printer::Output;

const COLUMNS: &[&str] = &["time", "action", "outcome", "principal", "resource", "source_ip", "user_agent", "count"];

#[derive(Args, Debug)]
pub(crate) struct Arguments {
    /// By this principal, there or gone: the name at that time, or the numeric id
    #[arg(long, value_name = "NAME")]
    user: Option<String>,
    /// Of this action, or of those that begin so: cr:PullRepository, login, cr:*
    #[arg(long, value_name = "ACTION")]
    action: Option<String>,
    /// That ended so
    #[arg(long, value_name = "OUTCOME", value_parser = ["success", "denied", "failed"])]
    outcome: Option<String>,
    /// With this credential
    #[arg(long, value_name = "ID")]
    credential: Option<String>,
    /// Done to this resource, or to those that begin so: repository/local/demo/app, repository/local/*
    #[arg(long, value_name = "RESOURCE")]
    resource: Option<String>,
    /// From this address or network: 192.0.2.1, 2001:db8::/32
    #[arg(long, value_name = "ADDRESS")]
    address: Option<String>,
    /// Not before this time: 2026-01-31T12:00:00Z
    #[arg(long, value_name = "TIME", value_parser = input::time)]
    since: Option<Timestamp>,
    /// Before this time
    #[arg(long, value_name = "TIME", value_parser = input::time)]
    until: Option<Timestamp>,
    /// At most so many
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..))]
    limit: u32,
}

pub(super) async fn run(arguments: Arguments, client: &Tidegate) -> Result<Output, CommandError> {
    let Arguments { user, action, outcome, credential, resource, address, since, until, limit } = arguments;
    let most = usize::try_from(limit).unwrap_or(usize::MAX);
    let page = Some(u32::try_from(most.min(PAGE)).unwrap_or(limit));
    let query = AuditQuery { user, action, outcome, credential, resource, address, since, until, limit: page, after: None };
    Ok(Output::many(&client.audit().list(&query, most).await?, COLUMNS))
}
