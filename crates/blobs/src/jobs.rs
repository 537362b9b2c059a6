//! Blocking work, bounded: disk and hashing run beside the workers that serve requests, never on them.

use std::io;
use std::sync::Arc;

use tokio::sync::Semaphore;
use tokio::task::JoinHandle;

use crate::BlobError;

/// The right to run so many blocking jobs at once. A job never waits for a client or for another job.
#[derive(Clone, Debug)]
pub(crate) struct Jobs(Arc<Semaphore>);

/// A job that was started.
pub(crate) type Started<T> = JoinHandle<Result<T, BlobError>>;

impl Jobs {
    pub(crate) fn new(at_once: usize) -> Self {
        Self(Arc::new(Semaphore::new(at_once.max(1))))
    }

    /// Starts `work` when its turn comes. It runs to its end even if nobody waits for it any more.
    pub(crate) async fn start<T, F>(&self, work: F) -> Result<Started<T>, BlobError>
    where
        T: Send + 'static,
        F: FnOnce() -> Result<T, BlobError> + Send + 'static,
    {
        let turn = Arc::clone(&self.0).acquire_owned().await.map_err(stopped)?;
        Ok(tokio::task::spawn_blocking(move || {
            let done = work();
            drop(turn);
            done
        }))
    }

    /// Starts `work` and waits for it.
    pub(crate) async fn run<T, F>(&self, work: F) -> Result<T, BlobError>
    where
        T: Send + 'static,
        F: FnOnce() -> Result<T, BlobError> + Send + 'static,
    {
        join(self.start(work).await?).await
    }
}

/// The end of a job.
pub(crate) async fn join<T>(job: Started<T>) -> Result<T, BlobError> {
    job.await.map_err(stopped)?
}

fn stopped(why: impl std::error::Error + Send + Sync + 'static) -> BlobError {
    BlobError::Unavailable(io::Error::other(why))
}
