//! A histogram of atomic buckets.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use prometheus_client::encoding::{EncodeMetric, MetricEncoder, NoLabelSet};
use prometheus_client::metrics::{MetricType, TypedMetric};

/// Where a histogram's buckets end, and in what it is shown.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Scale {
    /// The upper ends, inclusive, as observed.
    ends: &'static [u64],
    /// How much of what is observed is one of what is shown.
    unit: u32,
}

const MICROSECOND: u64 = 1_000;
const MILLISECOND: u64 = 1_000 * MICROSECOND;
const SECOND: u64 = 1_000 * MILLISECOND;

impl Scale {
    /// Nanoseconds shown as seconds, from a cached manifest to a large layer.
    pub const SECONDS: Self = Self {
        ends: &[
            250 * MICROSECOND,
            MILLISECOND,
            2_500 * MICROSECOND,
            5 * MILLISECOND,
            10 * MILLISECOND,
            25 * MILLISECOND,
            100 * MILLISECOND,
            250 * MILLISECOND,
            SECOND,
            5 * SECOND,
            30 * SECOND,
            120 * SECOND,
        ],
        unit: 1_000_000_000,
    };

    /// Nanoseconds shown as seconds, for what takes a statement or a system call.
    pub const SHORT_SECONDS: Self = Self {
        ends: &[
            25 * MICROSECOND,
            100 * MICROSECOND,
            250 * MICROSECOND,
            MILLISECOND,
            2_500 * MICROSECOND,
            10 * MILLISECOND,
            50 * MILLISECOND,
            250 * MILLISECOND,
            SECOND,
            5 * SECOND,
            30 * SECOND,
        ],
        unit: 1_000_000_000,
    };

    /// How many there were at once.
    pub const MEMBERS: Self = Self { ends: &[1, 2, 4, 8, 16, 32, 64, 128, 256], unit: 1 };

    fn shown(self, observed: u64) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "a sum of nanoseconds is shown to 53 bits")]
        let observed = observed as f64;
        observed / f64::from(self.unit)
    }
}

#[derive(Debug)]
struct Inner {
    scale: Scale,
    /// One more than there are ends: the last holds what is beyond all of them.
    buckets: Box<[AtomicU64]>,
    sum: AtomicU64,
}

/// Observations in buckets. Clones count into the same.
#[derive(Clone, Debug)]
pub struct Histogram(Arc<Inner>);

impl Histogram {
    /// An empty one.
    pub fn new(scale: Scale) -> Self {
        let buckets = (0..=scale.ends.len()).map(|_| AtomicU64::new(0)).collect();
        Self(Arc::new(Inner { scale, buckets, sum: AtomicU64::new(0) }))
    }

    /// Counts one observation.
    pub fn observe(&self, value: u64) {
        let ends = self.0.scale.ends;
        let place = ends.iter().position(|end| value <= *end).unwrap_or(ends.len());
        if let Some(bucket) = self.0.buckets.get(place) {
            bucket.fetch_add(1, Ordering::Relaxed);
        }
        self.0.sum.fetch_add(value, Ordering::Relaxed);
    }

    /// Counts a time, in nanoseconds.
    pub fn took(&self, time: Duration) {
        self.observe(u64::try_from(time.as_nanos()).unwrap_or(u64::MAX));
    }

    /// How many observations there were.
    pub fn count(&self) -> u64 {
        self.0.buckets.iter().map(|bucket| bucket.load(Ordering::Relaxed)).sum()
    }
}

impl EncodeMetric for Histogram {
    fn encode(&self, mut encoder: MetricEncoder<'_>) -> std::fmt::Result {
        let scale = self.0.scale;
        let ends = scale.ends.iter().map(|end| scale.shown(*end)).chain([f64::INFINITY]);
        let buckets: Vec<(f64, u64)> = ends.zip(self.0.buckets.iter().map(|bucket| bucket.load(Ordering::Relaxed))).collect();
        let count = buckets.iter().map(|(_, count)| count).sum();
        encoder.encode_histogram::<NoLabelSet>(scale.shown(self.0.sum.load(Ordering::Relaxed)), count, &buckets, None)
    }

    fn metric_type(&self) -> MetricType {
        Self::TYPE
    }
}

impl TypedMetric for Histogram {
    const TYPE: MetricType = MetricType::Histogram;
}
