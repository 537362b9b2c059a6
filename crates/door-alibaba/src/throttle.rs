//! How many requests an access key may make, on this node: a bucket of tokens that fills by itself.

use std::sync::{Arc, Mutex, PoisonError};

use model::{CredentialId, Timestamp};
use quick_cache::sync::Cache;

/// Keys whose buckets are remembered; another one's is full.
const REMEMBERED: usize = 16_384;
/// One request, in thousandths: a bucket that fills with N requests a second fills with N thousandths a millisecond.
const ONE: i64 = 1000;

/// The buckets. Each holds what a second brings.
pub(crate) struct Throttle {
    a_second: i64,
    buckets: Cache<CredentialId, Arc<Mutex<Bucket>>>,
}

struct Bucket {
    thousandths: i64,
    filled: Timestamp,
}

impl std::fmt::Debug for Throttle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Throttle").field("a_second", &self.a_second).finish_non_exhaustive()
    }
}

impl Throttle {
    pub(crate) fn new(a_second: u32) -> Self {
        Self { a_second: i64::from(a_second.max(1)), buckets: Cache::new(REMEMBERED) }
    }

    /// Takes one request from the key's bucket; or says in how many milliseconds there is one.
    pub(crate) fn take(&self, key: CredentialId, now: Timestamp) -> Result<(), i64> {
        let most = self.a_second * ONE;
        let bucket = self.buckets.get_or_insert_with(&key, || {
            Ok::<_, std::convert::Infallible>(Arc::new(Mutex::new(Bucket { thousandths: most, filled: now })))
        });
        let Ok(bucket) = bucket;
        let mut bucket = bucket.lock().unwrap_or_else(PoisonError::into_inner);
        let passed = now.millis_since(bucket.filled).clamp(0, ONE);
        bucket.thousandths = most.min(bucket.thousandths + passed * self.a_second);
        bucket.filled = now;
        if bucket.thousandths >= ONE {
            bucket.thousandths -= ONE;
            return Ok(());
        }
        Err((ONE - bucket.thousandths).div_euclid(self.a_second) + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_makes_so_many_requests_a_second_and_others_are_not_in_its_way() {
        let (throttle, key, other) = (Throttle::new(3), CredentialId::from_i64(1), CredentialId::from_i64(2));
        let at = |ms: i64| Timestamp::from_millis(1_000_000 + ms);
        for _ in 0..3 {
            assert_eq!(throttle.take(key, at(0)), Ok(()));
        }
        assert_eq!(throttle.take(key, at(0)), Err(334));
        assert_eq!(throttle.take(other, at(0)), Ok(()));
        assert!(throttle.take(key, at(333)).is_err());
        assert_eq!(throttle.take(key, at(334)), Ok(()));
        assert!(throttle.take(key, at(334)).is_err());
        // Rest does not add up beyond a second's worth.
        assert_eq!((0..5).filter(|_| throttle.take(key, at(3_600_000)).is_ok()).count(), 3);
    }
}
