//! What is looked at when somebody asks: the length of a queue, the age of something, what another counter holds.

use std::fmt;

use prometheus_client::encoding::{EncodeMetric, MetricEncoder};
use prometheus_client::metrics::MetricType;

/// One value, with labels from closed lists.
#[derive(Clone, PartialEq, Debug)]
pub struct Sample {
    /// Names and values.
    pub labels: Vec<(&'static str, &'static str)>,
    /// The value.
    pub value: f64,
}

impl Sample {
    /// A count without labels.
    #[expect(clippy::cast_precision_loss, reason = "counts are shown to 53 bits")]
    pub const fn number(many: u64) -> Self {
        Self::bare(many as f64)
    }

    /// A count with one label.
    pub fn count(name: &'static str, value: &'static str, many: u64) -> Self {
        Self::number(many).and(name, value)
    }

    /// The same with one label more.
    #[must_use]
    pub fn and(mut self, name: &'static str, value: &'static str) -> Self {
        self.labels.push((name, value));
        self
    }

    /// A value without labels.
    pub const fn bare(value: f64) -> Self {
        Self { labels: Vec::new(), value }
    }
}

/// Reads its values anew each time it is shown.
pub struct Sampled {
    kind: MetricType,
    read: Box<dyn Fn() -> Vec<Sample> + Send + Sync>,
}

impl Sampled {
    /// Goes up and down.
    pub fn gauge(read: impl Fn() -> Vec<Sample> + Send + Sync + 'static) -> Self {
        Self { kind: MetricType::Gauge, read: Box::new(read) }
    }

    /// Only grows.
    pub fn counter(read: impl Fn() -> Vec<Sample> + Send + Sync + 'static) -> Self {
        Self { kind: MetricType::Counter, read: Box::new(read) }
    }

    fn one(&self, mut encoder: MetricEncoder<'_>, value: f64) -> fmt::Result {
        match self.kind {
            MetricType::Counter => encoder.encode_counter::<prometheus_client::encoding::NoLabelSet, _, f64>(&value, None),
            _ => encoder.encode_gauge(&value),
        }
    }
}

impl fmt::Debug for Sampled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sampled").finish_non_exhaustive()
    }
}

impl EncodeMetric for Sampled {
    fn encode(&self, mut encoder: MetricEncoder<'_>) -> fmt::Result {
        for sample in (self.read)() {
            let value = sample.value;
            if sample.labels.is_empty() {
                // A metric without labels has one value.
                return self.one(encoder, value);
            }
            self.one(encoder.encode_family(&sample.labels)?, value)?;
        }
        Ok(())
    }

    fn metric_type(&self) -> MetricType {
        self.kind
    }
}
