//! How often somebody may: a bucket of tokens a key, which fills by itself.
//!
//! What it is for: limits of requests by caller, by address, by access key. On one node, in memory, bounded: whoever is not
//! remembered has a full bucket, so that a million strangers take no more room than there is, and cost those who come often
//! nothing. What it may not do: know whose limit it is, read a clock, answer. To limit something else: a [`Throttle`] over its key.
//!
//! Why not the crate `governor`: its keys stay until somebody sweeps them, and it has a clock of its own
//! (`docs/decisions/request-limits.md`).
#![deny(missing_docs)]

use std::fmt;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};

use model::Timestamp;
use quick_cache::sync::Cache;

/// One request, in thousandths: a bucket that fills with N requests a second fills with N thousandths a millisecond.
const ONE: i64 = 1000;

/// The buckets.
pub struct Throttle<K> {
    a_second: i64,
    most: i64,
    buckets: Cache<K, Arc<Mutex<Bucket>>>,
}

struct Bucket {
    thousandths: i64,
    filled: Timestamp,
}

impl<K> fmt::Debug for Throttle<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Throttle").field("a_second", &self.a_second).finish_non_exhaustive()
    }
}

impl<K: Hash + Eq + Clone> Throttle<K> {
    /// So many a second for each key, and at once what so many seconds bring. So many keys are remembered.
    pub fn new(a_second: u32, seconds: u32, room: usize) -> Self {
        let a_second = i64::from(a_second.max(1));
        Self { a_second, most: a_second * i64::from(seconds.max(1)) * ONE, buckets: Cache::new(room) }
    }

    /// Takes one request from the key's bucket; or says in how many milliseconds there is one.
    pub fn take(&self, key: &K, now: Timestamp) -> Result<(), i64> {
        let full = || Ok::<_, std::convert::Infallible>(Arc::new(Mutex::new(Bucket { thousandths: self.most, filled: now })));
        let Ok(bucket) = self.buckets.get_or_insert_with(key, full);
        let mut bucket = bucket.lock().unwrap_or_else(PoisonError::into_inner);
        let passed = now.millis_since(bucket.filled).clamp(0, self.most);
        bucket.thousandths = self.most.min(bucket.thousandths.saturating_add(passed.saturating_mul(self.a_second)));
        bucket.filled = now;
        if bucket.thousandths >= ONE {
            bucket.thousandths -= ONE;
            return Ok(());
        }
        Err((ONE - bucket.thousandths).div_euclid(self.a_second) + 1)
    }

    /// How many keys are remembered.
    pub fn remembered(&self) -> usize {
        self.buckets.len()
    }
}

/// Milliseconds as `Retry-After` says them: whole seconds, never none.
pub fn retry_after(millis: i64) -> i64 {
    millis.max(1).div_euclid(1000) + i64::from(millis.rem_euclid(1000) > 0 || millis < 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: i64) -> Timestamp {
        Timestamp::from_millis(1_000_000 + ms)
    }

    #[test]
    fn a_key_makes_so_many_requests_a_second_and_others_are_not_in_its_way() {
        let throttle = Throttle::new(3, 1, 16);
        for _ in 0..3 {
            assert_eq!(throttle.take(&1, at(0)), Ok(()));
        }
        assert_eq!(throttle.take(&1, at(0)), Err(334));
        assert_eq!(throttle.take(&2, at(0)), Ok(()));
        assert!(throttle.take(&1, at(333)).is_err());
        assert_eq!(throttle.take(&1, at(334)), Ok(()));
        assert!(throttle.take(&1, at(334)).is_err());
        assert_eq!((0..5).filter(|_| throttle.take(&1, at(3_600_000)).is_ok()).count(), 3, "rest adds up to a bucket and no more");
    }

    #[test]
    fn a_bucket_may_hold_several_seconds() {
        let throttle = Throttle::new(2, 10, 16);
        assert_eq!((0..50).filter(|_| throttle.take(&1, at(0)).is_ok()).count(), 20);
        assert_eq!((0..50).filter(|_| throttle.take(&1, at(1000)).is_ok()).count(), 2);
        assert_eq!((0..50).filter(|_| throttle.take(&1, at(60_000)).is_ok()).count(), 20);
    }

    #[test]
    fn a_clock_that_steps_back_gives_nothing_and_takes_nothing() {
        let throttle = Throttle::new(2, 1, 16);
        assert_eq!(throttle.take(&1, at(0)), Ok(()));
        assert_eq!(throttle.take(&1, at(-500_000)), Ok(()));
        assert!(throttle.take(&1, at(-500_000)).is_err());
        assert_eq!(throttle.take(&1, at(-499_000)), Ok(()));
    }

    #[test]
    fn a_million_strangers_take_no_more_room_than_there_is() {
        let throttle = Throttle::new(1, 1, 1000);
        for stranger in 0..1_000_000_u32 {
            assert_eq!(throttle.take(&stranger, at(0)), Ok(()));
        }
        assert!(throttle.remembered() <= 1000, "{}", throttle.remembered());
    }

    #[test]
    fn waiting_is_said_in_whole_seconds_and_never_none() {
        let said = [-5, 0, 1, 999, 1000, 1001, 2000].map(retry_after);
        assert_eq!(said, [1, 1, 1, 1, 1, 2, 2]);
    }
}
