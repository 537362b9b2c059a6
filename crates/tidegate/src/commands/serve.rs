//! `tidegate serve`: settings, log, runtime, then the server until it is told to stop.

use std::num::NonZero;
use std::thread::available_parallelism;

use super::Failure;
use crate::config::{Loaded, SettingArguments};
use crate::system::environment;
use crate::{log, server};

/// Threads for what blocks (files, SQLite scans, password hashes).
const MAX_BLOCKING_THREADS: usize = 64;

pub(super) fn run(settings: &SettingArguments) -> Result<(), Failure> {
    let Loaded { config, unknown_environment, .. } = settings.load(environment())?;
    let writer = log::start(&config.log)?;
    for name in unknown_environment {
        tracing::warn!(name, "an environment variable is no setting; it is ignored");
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(available_parallelism().map_or(2, NonZero::get))
        .max_blocking_threads(MAX_BLOCKING_THREADS)
        .enable_all()
        .build()?;
    let served = runtime.block_on(server::run(config, &writer));
    runtime.shutdown_background();
    writer.close();
    Ok(served?)
}
