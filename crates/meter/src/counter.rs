//! A counter with a place for each thread, so that threads do not take a cache line from each other at every request.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use prometheus_client::encoding::{EncodeMetric, MetricEncoder, NoLabelSet};
use prometheus_client::metrics::{MetricType, TypedMetric};

/// Places of one counter. Threads beyond so many share them.
const PLACES: usize = 8;

/// A cache line of its own.
#[derive(Default)]
#[repr(align(64))]
struct Place(AtomicU64);

/// Only grows. Clones count into the same.
#[derive(Clone, Default)]
pub struct Counter(Arc<[Place; PLACES]>);

impl fmt::Debug for Counter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Counter").field(&self.get()).finish()
    }
}

/// This thread's place: threads take turns in the order in which they first count.
fn own_place() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    thread_local! {
        static OWN: usize = NEXT.fetch_add(1, Ordering::Relaxed) % PLACES;
    }
    // A thread that is ending has none any more.
    OWN.try_with(|own| *own).unwrap_or_default()
}

impl Counter {
    /// Counts one.
    pub fn inc(&self) {
        self.inc_by(1);
    }

    /// Counts so many.
    pub fn inc_by(&self, many: u64) {
        if let Some(Place(place)) = self.0.get(own_place()) {
            place.fetch_add(many, Ordering::Relaxed);
        }
    }

    /// How many there were.
    pub fn get(&self) -> u64 {
        self.0.iter().map(|Place(place)| place.load(Ordering::Relaxed)).sum()
    }
}

impl EncodeMetric for Counter {
    fn encode(&self, mut encoder: MetricEncoder<'_>) -> fmt::Result {
        encoder.encode_counter::<NoLabelSet, _, u64>(&self.get(), None)
    }

    fn metric_type(&self) -> MetricType {
        Self::TYPE
    }
}

impl TypedMetric for Counter {
    const TYPE: MetricType = MetricType::Counter;
}
