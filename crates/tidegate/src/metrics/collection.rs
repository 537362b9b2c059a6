//! Garbage collection: what this node has done of it.

use kit::{MetricKind, Metrics};

use super::Sources;

pub(super) fn register(metrics: &mut Metrics, sources: &Sources) {
    let of = &sources.collection;
    let steps = "How long steps of the collection take on this node, by phase; it rests for four times as long after each";
    metrics.register(MetricKind::Histogram, "collection_step_seconds", steps, of.steps.clone());
    let taken = "What the collection has taken away on this node: links, blobs and strays (condemned), and content (deleted)";
    metrics.register(MetricKind::Counter, "collection_taken", taken, of.taken.clone());
    let freed = "Bytes of content that the collection has deleted on this node";
    metrics.register(MetricKind::Counter, "collection_freed_bytes", freed, of.freed.clone());
    let errors = "Steps of the collection that failed on this node, and content that the storage did not delete: both are tried again";
    metrics.register(MetricKind::Counter, "collection_errors", errors, of.failed.clone());
}
