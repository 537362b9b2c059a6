//! A metric for each value of a closed list of labels: an array, found by index.

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use prometheus_client::encoding::{EncodeMetric, MetricEncoder};
use prometheus_client::metrics::{MetricType, TypedMetric};

use crate::{Counter, Histogram, Labels};

/// What a table can hold.
pub trait Cell: EncodeMetric + TypedMetric + Send + Sync + 'static {
    /// Is it shown? A counter is from the start, so that its first increase is seen; a histogram once it has an observation.
    fn is_shown(&self) -> bool;
}

impl Cell for Counter {
    fn is_shown(&self) -> bool {
        true
    }
}

impl Cell for Histogram {
    fn is_shown(&self) -> bool {
        self.count() > 0
    }
}

/// One metric a label. Clones count into the same.
pub struct Table<L, M> {
    cells: Arc<[M]>,
    labels: PhantomData<fn(L)>,
}

impl<L, M> Clone for Table<L, M> {
    fn clone(&self) -> Self {
        Self { cells: Arc::clone(&self.cells), labels: PhantomData }
    }
}

impl<L, M> fmt::Debug for Table<L, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Table").field("cells", &self.cells.len()).finish()
    }
}

impl<L: Labels, M: Cell> Table<L, M> {
    /// A cell for each label.
    pub fn of(cell: impl Fn() -> M) -> Self {
        Self { cells: (0..L::COUNT).map(|_| cell()).collect(), labels: PhantomData }
    }

    fn cell(&self, labels: L) -> Option<&M> {
        self.cells.get(labels.index())
    }
}

impl<L: Labels> Default for Table<L, Counter> {
    fn default() -> Self {
        Self::of(Counter::default)
    }
}

impl<L: Labels> Table<L, Counter> {
    /// Counts one.
    pub fn count(&self, labels: L) {
        self.add(labels, 1);
    }

    /// Counts so many.
    pub fn add(&self, labels: L, many: u64) {
        if let Some(cell) = self.cell(labels) {
            cell.inc_by(many);
        }
    }

    /// How many there were.
    pub fn get(&self, labels: L) -> u64 {
        self.cell(labels).map_or(0, Counter::get)
    }
}

impl<L: Labels> Table<L, Histogram> {
    /// Counts a time.
    pub fn took(&self, labels: L, time: std::time::Duration) {
        if let Some(cell) = self.cell(labels) {
            cell.took(time);
        }
    }

    /// How many times there were.
    pub fn count(&self, labels: L) -> u64 {
        self.cell(labels).map_or(0, Histogram::count)
    }
}

impl<L: Labels, M: Cell> EncodeMetric for Table<L, M> {
    fn encode(&self, mut encoder: MetricEncoder<'_>) -> std::fmt::Result {
        for (index, cell) in self.cells.iter().enumerate().filter(|(_, cell)| cell.is_shown()) {
            cell.encode(encoder.encode_family(&L::shown(index))?)?;
        }
        Ok(())
    }

    fn metric_type(&self) -> MetricType {
        M::TYPE
    }
}
