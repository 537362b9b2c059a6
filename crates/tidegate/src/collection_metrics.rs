//! What the metrics tell of the collection as a whole: what every node finds in the database, whichever one collects.

use std::sync::atomic::AtomicU64;
use std::time::Duration;

use kit::{MetricKind, Metrics};
use prometheus_client::metrics::gauge::Gauge;
use registry::CollectionStatus;

use crate::house::House;
use crate::jobs::every;
use crate::server::Stop;

/// How often it is looked.
const LOOK_EVERY: Duration = Duration::from_secs(10);

/// Numbers, never names.
#[derive(Clone, Default, Debug)]
pub(crate) struct CollectionMetrics {
    running: Gauge,
    last_end: Gauge<f64, AtomicU64>,
    last_run: Gauge<f64, AtomicU64>,
    waiting: Gauge,
    waiting_bytes: Gauge,
}

impl CollectionMetrics {
    /// Declares them.
    pub(crate) fn register(metrics: &mut Metrics) -> Self {
        let this = Self::default();
        let help = "1 while a run of the collection is under way on any node, looked at each 10 seconds";
        metrics.register(MetricKind::Gauge, "collection_running", help, this.running.clone());
        let help = "When the last run of the collection ended, since 1970; 0: none has";
        metrics.register(MetricKind::Gauge, "collection_last_end_timestamp_seconds", help, this.last_end.clone());
        let help = "How long it took";
        metrics.register(MetricKind::Gauge, "collection_last_run_seconds", help, this.last_run.clone());
        let help = "Pieces of content that are condemned and not deleted yet, up to 100000";
        metrics.register(MetricKind::Gauge, "collection_waiting_objects", help, this.waiting.clone());
        metrics.register(MetricKind::Gauge, "collection_waiting_bytes", "Their bytes", this.waiting_bytes.clone());
        this
    }

    fn show(&self, status: &CollectionStatus) {
        self.running.set(i64::from(status.running.is_some()));
        self.waiting.set(status.waiting.blobs);
        self.waiting_bytes.set(status.waiting.bytes);
        if let Some((last, ended)) = status.last.as_ref().and_then(|run| Some((run, run.ended?))) {
            self.last_end.set(seconds(ended.millis()));
            self.last_run.set(seconds(ended.millis_since(last.started).max(0)));
        }
    }
}

/// Looks from now on.
pub(crate) fn start(house: &House, stop: &Stop, metrics: &CollectionMetrics) {
    let metrics = metrics.clone();
    every(LOOK_EVERY, stop, house.clone(), move |house| look(house, metrics.clone()));
}

async fn look(house: House, metrics: CollectionMetrics) {
    match house.registry.collection_status().await {
        Ok(status) => metrics.show(&status),
        Err(error) => tracing::debug!(%error, "it cannot be told how far the collection is"),
    }
}

#[expect(clippy::cast_precision_loss, reason = "milliseconds since 1970 are shown to 53 bits")]
fn seconds(millis: i64) -> f64 {
    millis as f64 / 1000.0
}
