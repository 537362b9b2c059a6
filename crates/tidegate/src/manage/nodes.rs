//! `tidegate nodes`

use clap::Args;
use client::Tidegate;

use super::{ClientArguments, CommandError, Session};
use crate::config::MachineArguments;
use crate::control::{ControlError, Reach};
use crate::printer::Output;

const COLUMNS: &[&str] =
    &["node_id", "host", "listen", "version", "alive", "seen_at", "feed_lag_millis", "clock_ahead_millis", "failing", "leases"];

#[derive(Args, Debug)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(super) client: ClientArguments,
    /// Ask the server on this machine, or its database, with its configuration instead of an access key
    #[arg(long)]
    pub(super) local: bool,
    #[command(flatten)]
    pub(super) machine: MachineArguments,
}

pub(super) async fn run(client: &Tidegate) -> Result<Output, CommandError> {
    Ok(Output::many(&client.nodes().await?, COLUMNS))
}

/// Without a login, on the server's machine.
pub(super) async fn run_local(machine: &MachineArguments, session: &Session) -> Result<Output, CommandError> {
    let environment = session.environment.iter().map(|(name, value)| (name.clone(), value.clone()));
    let config = machine.load(environment).map_err(ControlError::from)?;
    let reach = Reach::find_to_read(&config).await?;
    let listed = reach.nodes().await;
    reach.close().await;
    Ok(Output::many(&listed?, COLUMNS))
}
