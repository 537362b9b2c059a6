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
/// The longest that somebody is told to wait, in milliseconds, however many were told to before.
const LONGEST: i64 = 10_000;

/// The buckets.
pub struct Throttle<K> {
    a_second: i64,
    most: i64,
    buckets: Cache<K, Arc<Mutex<Bucket>>>,
}

struct Bucket {
    thousandths: i64,
    filled: Timestamp,
    /// When the last of those comes back who were told to wait.
    expected: Timestamp,
}

impl Bucket {
    /// In how many milliseconds to come back: when there is a request, and those are served who were told so before.
    fn wait(&mut self, a_second: i64, now: Timestamp) -> i64 {
        let soonest = (ONE - self.thousandths).div_euclid(a_second) + 1;
        let behind = self.expected.millis_since(now).saturating_add((ONE / a_second).max(1));
        let wait = behind.max(soonest).min(LONGEST.max(soonest));
        self.expected = Timestamp::from_millis(now.millis().saturating_add(wait));
        wait
    }
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

    /// Takes one request from the key's bucket; or says in how many milliseconds there is one. Whoever is refused beside others is
    /// told a later moment than they: clients that send several requests at once would else come back together, and give up.
    pub fn take(&self, key: &K, now: Timestamp) -> Result<(), i64> {
        self.draw(key, now, 0)
    }

    /// The same on credit, of another bucket at most: for what cannot be sent again. The key's next requests wait until it is paid.
    pub fn take_on_credit(&self, key: &K, now: Timestamp) -> Result<(), i64> {
        self.draw(key, now, -self.most)
    }

    fn draw(&self, key: &K, now: Timestamp, least: i64) -> Result<(), i64> {
        let full =
            || Ok::<_, std::convert::Infallible>(Arc::new(Mutex::new(Bucket { thousandths: self.most, filled: now, expected: now })));
        let Ok(bucket) = self.buckets.get_or_insert_with(key, full);
        let mut bucket = bucket.lock().unwrap_or_else(PoisonError::into_inner);
        let passed = now.millis_since(bucket.filled).max(0);
        bucket.thousandths = self.most.min(bucket.thousandths.saturating_add(passed.saturating_mul(self.a_second)));
        bucket.filled = now;
        if bucket.thousandths >= least.saturating_add(ONE) {
            bucket.thousandths -= ONE;
            return Ok(());
        }
        Err(bucket.wait(self.a_second, now))
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
    fn those_who_wait_beside_each_other_are_told_one_after_another() {
        let throttle = Throttle::new(2, 10, 16);
        assert_eq!((0..20).filter(|_| throttle.take(&1, at(0)).is_ok()).count(), 20);
        let told: Vec<_> = (0..4).map(|_| throttle.take(&1, at(0)).unwrap_err()).collect();
        assert_eq!(told, [501, 1001, 1501, 2001]);
        for wait in told {
            assert_eq!(throttle.take(&1, at(wait)), Ok(()), "whoever comes when they were told to is served");
        }
        assert_eq!(throttle.take(&1, at(2001)), Err(500), "those who have been are forgotten");
        for _ in 0..100 {
            assert!(throttle.take(&1, at(2002)).unwrap_err() <= LONGEST);
        }
        assert_eq!(throttle.take(&1, at(-3_600_000)), Err(LONGEST), "a clock that stepped back");
        assert!(Throttle::new(5000, 1, 1).take(&1, at(0)).is_ok());
    }

    #[test]
    fn credit_is_one_bucket_and_is_paid_before_anything_else() {
        let throttle = Throttle::new(2, 5, 16);
        assert_eq!((0..50).filter(|_| throttle.take(&1, at(0)).is_ok()).count(), 10);
        assert_eq!((0..50).filter(|_| throttle.take_on_credit(&1, at(0)).is_ok()).count(), 10, "and no more");
        assert!(throttle.take(&1, at(4999)).is_err());
        assert!(throttle.take(&1, at(5501)).is_ok(), "five seconds for ten, and half a one for its own");
    }

    #[test]
    fn after_a_long_rest_no_credit_is_left_to_pay() {
        let throttle = Throttle::new(1, 1, 16);
        assert!(throttle.take(&1, at(0)).is_ok() && throttle.take_on_credit(&1, at(0)).is_ok());
        assert!(throttle.take_on_credit(&1, at(0)).is_err());
        assert_eq!(throttle.take(&1, at(3_600_000)), Ok(()));
        let throttle = Throttle::new(1, 10, 16);
        for _ in 0..20 {
            assert_eq!(throttle.take_on_credit(&1, at(0)), Ok(()));
        }
        assert_eq!((0..50).filter(|_| throttle.take(&1, at(i64::MAX / 2)).is_ok()).count(), 10, "a full bucket, and no more");
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
