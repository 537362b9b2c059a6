//! What the metrics tell of the collection as a whole: what every node finds in the database, whichever one collects.

use std::sync::atomic::AtomicU64;
use std::time::Duration;

use kit::{MetricKind, Metrics};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use registry::{CollectionStatus, Phase};

use crate::house::House;
use crate::jobs::every;
use crate::server::Stop;

/// How often it is looked.
const LOOK_EVERY: Duration = Duration::from_secs(10);

/// A part of a run.
#[derive(Clone, PartialEq, Eq, Hash, Debug, EncodeLabelSet)]
struct PhaseLabel {
    phase: &'static str,
}

/// Numbers, never names.
#[derive(Clone, Default, Debug)]
pub(crate) struct CollectionMetrics {
    running: Gauge,
    phase: Family<PhaseLabel, Gauge>,
    steps: Gauge,
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
        let help =
            "1 for the phase that the run under way is in (they follow each other: links, blobs, strays, deletion); 0 for the others";
        metrics.register(MetricKind::Gauge, "collection_phase", help, this.phase.clone());
        let help =
            "Steps that the run under way has written down, the youngest run's when none is: while one runs it grows, or nothing moves";
        metrics.register(MetricKind::Gauge, "collection_run_steps", help, this.steps.clone());
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
        let now = status.running.as_ref().map(|run| run.place.phase);
        for phase in std::iter::successors(Some(Phase::Links), |phase| phase.next()) {
            let label = PhaseLabel { phase: phase.as_str() };
            self.phase.get_or_create(&label).set(i64::from(now == Some(phase)));
        }
        self.steps.set(status.running.as_ref().or(status.last.as_ref()).map_or(0, |run| run.step));
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
