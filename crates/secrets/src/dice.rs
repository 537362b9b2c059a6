//! One source of randomness, shared by threads.

use std::sync::{Mutex, PoisonError};

use crate::Random;

/// The process's source of randomness: the system's in the program, a seeded one in tests.
pub struct Dice(Mutex<Box<dyn Random + Send>>);

crate::redacted_debug!(Dice);

impl Dice {
    /// Shares `source`.
    pub fn new(source: Box<dyn Random + Send>) -> Self {
        Self(Mutex::new(source))
    }

    /// Lends the source to `work`.
    pub fn with<T>(&self, work: impl FnOnce(&mut dyn Random) -> T) -> T {
        let mut source = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        work(&mut **source)
    }

    /// 64 random bits.
    pub fn bits(&self) -> u64 {
        self.with(|source| source.next_u64())
    }

    /// 128 random bits.
    pub fn bits128(&self) -> u128 {
        (u128::from(self.bits()) << 64) | u128::from(self.bits())
    }
}
