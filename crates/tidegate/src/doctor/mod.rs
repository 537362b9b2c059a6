//! What the server stands on, looked at one by one: is it as it must be, and if not, what is to be done?
//!
//! Everything here reads alone, and works beside a running server and without one. To add a check: a function that returns
//! [`Check`]s, in the file of what it looks at, called from [`examine`]; a line in `docs/operations.md`.

mod certificate;
mod content;
mod database;
mod machine;
mod nodes;

use std::time::Duration;

use serde::Serialize;
use tokio::time::timeout;

use crate::config::{Config, Loaded};
use crate::control::readiness;

/// How much is looked at.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Depth {
    /// So many blobs, drawn at random.
    pub(crate) sample: u64,
    /// All blobs, all of the storage, and the database's own check.
    pub(crate) full: bool,
}

/// How something is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Status {
    /// As it must be.
    Ok,
    /// It works, and should not stay so.
    Warning,
    /// It does not work, or will not for long, or is not safe.
    Problem,
}

/// One thing that was looked at.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Check {
    /// What was looked at.
    #[serde(rename = "check")]
    pub(crate) name: &'static str,
    pub(crate) status: Status,
    /// How it is.
    pub(crate) found: String,
    /// What to do.
    pub(crate) advice: Option<String>,
}

impl Check {
    fn ok(name: &'static str, found: impl Into<String>) -> Self {
        Self { name, status: Status::Ok, found: found.into(), advice: None }
    }

    fn warning(name: &'static str, found: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { name, status: Status::Warning, found: found.into(), advice: Some(advice.into()) }
    }

    fn problem(name: &'static str, found: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { name, status: Status::Problem, found: found.into(), advice: Some(advice.into()) }
    }
}

/// How long the server that runs here may take to answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// Looks at everything. `tell` is told of what takes long.
pub(crate) async fn examine(loaded: &Loaded, depth: Depth, tell: care::Report<'_>) -> Vec<Check> {
    let config = &loaded.config;
    let mut checks = machine::configuration(loaded);
    checks.extend(machine::data_folder(config));
    checks.extend(machine::disks(config));
    let (keys, key_checks) = machine::master_key(config);
    checks.extend(key_checks);
    checks.push(server(config).await);
    let (store, database_checks) = database::examine(config, depth.full).await;
    checks.extend(database_checks);
    let mut hosts = Vec::new();
    if let Some(store) = &store {
        checks.extend(database::secrets(store, keys.as_ref()).await);
        checks.extend(nodes::examine(config, store).await);
        hosts = database::hosts(store).await;
    }
    checks.extend(certificate::examine(config, &hosts));
    checks.extend(content::examine(config, store.as_ref(), depth, tell).await);
    checks
}

/// Does a server run here, and is it ready?
async fn server(config: &Config) -> Check {
    const NAME: &str = "server";
    match timeout(PATIENCE, readiness(config)).await {
        Ok(Ok(failing)) if failing.is_empty() => Check::ok(NAME, "one runs here, and is ready"),
        Ok(Ok(failing)) => Check::problem(
            NAME,
            format!("the one that runs here is not ready: {}", failing.join(", ")),
            "see what is said of those, and its log",
        ),
        Ok(Err(_)) => Check::ok(NAME, format!("none runs on {}", config.data_dir.display())),
        Err(_) => Check::problem(
            NAME,
            format!("the one that runs here did not answer within {} seconds", PATIENCE.as_secs()),
            "look at its log and at what else the machine does; a process that hangs is restarted",
        ),
    }
}
