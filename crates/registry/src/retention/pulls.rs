//! When manifests were pulled: gathered in memory, written to the hour.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use model::{Digest, RepositoryId, Timestamp};
use quick_cache::sync::Cache;
use store::StoreError;

use crate::Registry;

/// A manifest's last pull is written no oftener than so.
const STEP_MS: i64 = 3_600_000;
/// Manifests whose last pull is remembered, and the most that wait to be written.
const REMEMBERED: usize = 16_384;
/// Pulls written in one transaction.
const CHUNK: usize = 256;

type Key = (RepositoryId, Digest);

/// Pulls that wait to be written, and those that have been.
pub(crate) struct Pulls {
    written: Cache<Key, Timestamp>,
    waiting: Mutex<HashMap<Key, Timestamp>>,
}

impl Pulls {
    pub(crate) fn new() -> Self {
        Self { written: Cache::new(REMEMBERED), waiting: Mutex::default() }
    }

    /// A manifest was pulled. Most pulls end at the first line.
    pub(crate) fn note(&self, repository: RepositoryId, digest: Digest, now: Timestamp) {
        let key = (repository, digest);
        if self.written.get(&key).is_some_and(|at| now.millis_since(at) < STEP_MS) {
            return;
        }
        self.written.insert(key, now);
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.len() < REMEMBERED {
            waiting.insert(key, now);
        }
    }
}

impl Registry {
    /// Writes out when manifests were pulled, each at most once an hour. What could not be written is written at the next pull after.
    pub async fn flush_pulls(&self) -> Result<(), StoreError> {
        let waiting = std::mem::take(&mut *self.pulls.waiting.lock().unwrap_or_else(PoisonError::into_inner));
        let pulls: Vec<_> = waiting.into_iter().map(|((repository, digest), at)| (repository, digest, at)).collect();
        for chunk in pulls.chunks(CHUNK) {
            let written = self.store.write_soon(|tx| Box::pin(store::retention::pulled(tx, chunk, STEP_MS))).await;
            if let Err(error) = written {
                for (repository, digest, _) in &pulls {
                    self.pulls.written.remove(&(*repository, *digest));
                }
                return Err(error);
            }
        }
        Ok(())
    }
}
