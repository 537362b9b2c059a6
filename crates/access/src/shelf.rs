//! A bounded memory that counts how often it had what was asked for.

use std::hash::Hash;

use meter::Tally;
use quick_cache::Equivalent;
use quick_cache::sync::Cache;

pub(crate) struct Shelf<K, V> {
    kept: Cache<K, V>,
    tally: Tally,
}

impl<K: Hash + Eq, V: Clone> Shelf<K, V> {
    /// Room for so many.
    pub(crate) fn new(room: usize) -> Self {
        Self { kept: Cache::new(room), tally: Tally::default() }
    }

    pub(crate) fn get<Q: Hash + Equivalent<K> + ?Sized>(&self, key: &Q) -> Option<V> {
        self.tally.note(self.kept.get(key))
    }

    /// Is it there? Asked by who is about to read something else, and not counted.
    pub(crate) fn has<Q: Hash + Equivalent<K> + ?Sized>(&self, key: &Q) -> bool {
        self.kept.contains_key(key)
    }

    pub(crate) fn insert(&self, key: K, value: V) {
        self.kept.insert(key, value);
    }

    pub(crate) fn remove<Q: Hash + Equivalent<K> + ?Sized>(&self, key: &Q) {
        self.kept.remove(key);
    }

    pub(crate) fn clear(&self) {
        self.kept.clear();
    }

    pub(crate) const fn tally(&self) -> &Tally {
        &self.tally
    }
}
