//! Where blobs are kept: how long it takes, what it fails with, how much goes in and out.

use kit::{MetricKind, Metrics};

use super::Sources;

pub(super) fn register(metrics: &mut Metrics, sources: &Sources) {
    let of = &sources.blobs;
    let seconds = "How long the blob store takes, by operation, until it is done or a reading has begun";
    metrics.register(MetricKind::Histogram, "storage_operation_seconds", seconds, of.operations.clone());
    let errors = "What operations of the blob store failed with; `missing`, `exists` and `busy` may be answers to a client";
    metrics.register(MetricKind::Counter, "storage_errors", errors, of.faults.clone());
    metrics.register(MetricKind::Counter, "storage_written_bytes", "Bytes of uploads taken in", of.written.clone());
    let read = "Bytes of blobs asked of the blob store; what is in memory, or fetched from object storage by the client, is not among them";
    metrics.register(MetricKind::Counter, "storage_read_bytes", read, of.read.clone());
    let requests = "Requests to object storage, each try of its own, by method and class of status (`none`: no answer)";
    metrics.register(MetricKind::Counter, "object_storage_requests", requests, of.requests.clone());
    let answers = "How long object storage takes until its answer begins, by method";
    metrics.register(MetricKind::Histogram, "object_storage_request_seconds", answers, of.answers.clone());
}
