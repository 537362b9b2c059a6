//! Many who miss the same thing in memory at once read it once.

use std::hash::{DefaultHasher, Hash, Hasher as _};
use std::time::Duration;

use store::StoreError;
use tokio::sync::{Mutex, MutexGuard};
use tokio::time::timeout;

/// More keys than connections to a database, so that turns hold nobody up who would not wait anyway.
const GROUPS: usize = 64;
/// How long somebody waits for others who read before them. They read for as long only if the database is not well.
const PATIENCE: Duration = Duration::from_secs(2);

/// A turn for each group of keys. Whoever has it looks into memory again before reading.
pub(crate) struct Turns(Vec<Mutex<()>>);

impl Turns {
    pub(crate) fn new() -> Self {
        Self((0..GROUPS).map(|_| Mutex::new(())).collect())
    }

    /// The turn of what has this key. Nothing may be waited for with it but one read.
    pub(crate) async fn take(&self, key: &(impl Hash + ?Sized)) -> Result<MutexGuard<'_, ()>, StoreError> {
        let mut hasher = DefaultHasher::new();
        key.hash(&mut hasher);
        let group = usize::try_from(hasher.finish() % (GROUPS as u64)).unwrap_or_default();
        let late = || StoreError::Unavailable("others have waited too long for the same".into());
        let turn = self.0.get(group).ok_or_else(late)?;
        match turn.try_lock() {
            Ok(free) => Ok(free),
            Err(_) => timeout(PATIENCE, turn.lock()).await.map_err(|_| late()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn one_at_a_time_for_one_key_and_nobody_waits_for_ever() {
        let turns = Turns::new();
        let held = turns.take("a").await.unwrap();
        assert!(matches!(turns.take("a").await, Err(StoreError::Unavailable(_))));
        drop(held);
        drop(turns.take("a").await.unwrap());
    }
}
