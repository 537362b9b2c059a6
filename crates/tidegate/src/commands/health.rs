//! `tidegate health`: what `/readyz` says, asked at the control socket, for who watches a process and has no HTTP client: a
//! container's health check. It needs no address, no certificate and no login.

use std::time::Duration;

use tokio::time::timeout;

use super::{Failure, print};
use crate::config::MachineArguments;
use crate::control::readiness;
use crate::system::environment;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(5);

pub(super) fn run(settings: &MachineArguments) -> Result<(), Failure> {
    let config = settings.load(environment())?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let asked = runtime.block_on(async { timeout(PATIENCE, readiness(&config)).await });
    let failing = asked.map_err(|_| "the server does not answer in time")??;
    if failing.is_empty() { print("ready\n") } else { Err(format!("not ready: {}", failing.join(", ")).into()) }
}
