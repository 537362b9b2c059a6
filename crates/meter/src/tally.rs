//! How often a memory was asked, and had it.

use crate::Counter;

/// Hits and misses of one memory. Clones count into the same.
#[derive(Clone, Default, Debug)]
pub struct Tally {
    hits: Counter,
    misses: Counter,
}

impl Tally {
    /// Counts what was found, or was not.
    pub fn note<T>(&self, found: Option<T>) -> Option<T> {
        self.count(found.is_some());
        found
    }

    /// Counts a hit or a miss.
    pub fn count(&self, hit: bool) {
        let counter = if hit { &self.hits } else { &self.misses };
        counter.inc();
    }

    /// Hits so far.
    pub fn hits(&self) -> u64 {
        self.hits.get()
    }

    /// Misses so far.
    pub fn misses(&self) -> u64 {
        self.misses.get()
    }
}
