//! What has been read since the last commit, and so is still what a read would find.

use std::hash::Hash;

use crate::Store;
use meter::Tally;
use quick_cache::sync::Cache;

/// Answers of indexed reads, each with the number of commits before it was read. Nothing is believed that a commit may have
/// changed; where others commit too, nothing is kept at all.
pub struct Recent<K, V> {
    kept: Cache<K, (u64, V)>,
    tally: Tally,
}

impl<K, V> std::fmt::Debug for Recent<K, V> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Recent").finish_non_exhaustive()
    }
}

impl<K: Hash + Eq, V: Clone> Recent<K, V> {
    /// Remembers at most so many.
    pub fn new(room: usize) -> Self {
        Self { kept: Cache::new(room), tally: Tally::default() }
    }

    /// How often it was asked and had the answer.
    pub const fn tally(&self) -> &Tally {
        &self.tally
    }

    /// What `read` finds, or has found since the last commit. That there is nothing is not kept.
    pub async fn get_or_read<E, F>(&self, store: &Store, key: K, read: impl FnOnce() -> F) -> Result<Option<V>, E>
    where
        F: Future<Output = Result<Option<V>, E>>,
    {
        // Asked for before the read: a commit meanwhile makes what was read too old to be kept.
        let Some(commits) = store.commits() else { return Box::pin(read()).await };
        let known = self.kept.get(&key).filter(|(at, _)| *at == commits);
        if let Some((_, value)) = self.tally.note(known) {
            return Ok(Some(value));
        }
        // Boxed: a request that finds its answer here does not carry the room for a read.
        let found = Box::pin(read()).await?;
        if let Some(value) = &found {
            self.kept.insert(key, (commits, value.clone()));
        }
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use crate::StoreError;
    use crate::change::{self, Change};
    use model::Timestamp;

    use super::*;

    async fn commit(store: &Store) {
        store.write(|tx| Box::pin(change::append(tx, Timestamp::from_millis(1), Change::SigningKeys))).await.unwrap();
    }

    async fn get(recent: &Recent<u8, i64>, store: &Store) -> Option<i64> {
        let read = || store.read(|tx| Box::pin(async move { Ok::<_, StoreError>(Some(change::head(tx).await?)) }));
        recent.get_or_read(store, 1, read).await.unwrap()
    }

    #[tokio::test]
    async fn every_commit_is_seen() {
        let (store, recent) = (Store::memory().await.unwrap(), Recent::new(8));
        for head in 1..=3 {
            commit(&store).await;
            assert_eq!((get(&recent, &store).await, get(&recent, &store).await), (Some(head), Some(head)));
        }
    }

    #[tokio::test]
    async fn what_was_read_before_a_commit_is_not_kept() {
        let (store, recent) = (Store::memory().await.unwrap(), Recent::new(8));
        let overtaken = async || {
            commit(&store).await;
            Ok::<_, StoreError>(Some(7))
        };
        assert_eq!(recent.get_or_read(&store, 1, overtaken).await.unwrap(), Some(7));
        assert_eq!(get(&recent, &store).await, Some(1), "read anew");
        let unasked = async || Err(StoreError::corrupt("not asked"));
        assert_eq!(recent.get_or_read(&store, 1, unasked).await.unwrap(), Some(1), "kept until the next commit");
    }
}
