//! What the commands share that look after a database and its blobs, beside a server or without one.

use std::process::ExitCode;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use care::{CareError, Progress};

use super::Failure;
use crate::config::ConfigError;
use crate::printer::{Format, Output, Printer, note};
use crate::refusal::Refusal;

/// How often a person is told how far it is.
const TELL_EVERY: Duration = Duration::from_secs(2);

/// Runs something on a runtime with several threads, as `care` wants it.
pub(super) fn block_on<T>(work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    tokio::runtime::Builder::new_multi_thread().worker_threads(4).enable_all().build()?.block_on(work)
}

/// Prints the answer, or why there is none; the exit code.
pub(super) fn finish(format: Option<Format>, result: Result<Output, Failure>) -> ExitCode {
    match result {
        Ok(output) => Printer::new(format).finish(Ok(output)),
        Err(failure) => Printer::new(format).complain(code(&*failure), &failure.to_string()),
    }
}

fn code(failure: &(dyn std::error::Error + 'static)) -> &'static str {
    match failure.downcast_ref::<CareError>() {
        Some(CareError::Store(_)) => "database",
        Some(CareError::Blobs { .. } | CareError::Listing(_)) => "blobs",
        Some(CareError::File { .. }) => "invalid_file",
        Some(CareError::Damaged { .. }) => "damaged",
        Some(CareError::Refused(_)) => "refused",
        None if matches!(failure.downcast_ref(), Some(Refusal::Database(_) | Refusal::Schema(_))) => "database",
        None if failure.is::<Refusal>() || failure.is::<ConfigError>() => "configuration",
        None => "failed",
    }
}

/// Says how far a job is, now and then.
#[derive(Debug, Default)]
pub(super) struct Teller(Mutex<Option<Instant>>);

impl Teller {
    #[expect(clippy::disallowed_methods, reason = "how often a person is told is measured here")]
    pub(super) fn tell(&self, progress: Progress<'_>) {
        if let Progress::Remark(text) = progress {
            return note(text);
        }
        let mut last = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        // Nobody who waits for seconds alone is told anything.
        let since = last.get_or_insert_with(Instant::now);
        if since.elapsed() < TELL_EVERY {
            return;
        }
        *since = Instant::now();
        match progress {
            Progress::Rows { table, done } => note(&format!("{table}: {done} rows")),
            Progress::Blobs { what, done, of, bytes } => {
                let of = of.map(|of| format!(" of {of}")).unwrap_or_default();
                note(&format!("blobs {what}: {done}{of}, {} MiB", bytes >> 20));
            }
            Progress::Remark(_) => {}
        }
    }
}
