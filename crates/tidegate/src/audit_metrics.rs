//! What the metrics tell of the audit trail: what waits to be sealed and delivered, how the sink refuses, and whether the database
//! still has what this node has sealed.

use std::time::Duration;

use kit::{MetricKind, Metrics};
use model::{Clock as _, Timestamp};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use trail::{Backlog, HttpSink, RefusalKind, Sink as _};

use crate::house::House;
use crate::jobs::every;
use crate::server::Stop;
use crate::system::SystemClock;

/// How often what waits is counted.
const COUNT_EVERY: Duration = Duration::from_secs(10);

/// How a sink refuses.
#[derive(Clone, PartialEq, Eq, Hash, Debug, EncodeLabelSet)]
struct KindLabel {
    kind: &'static str,
}

/// Numbers, never names.
#[derive(Clone, Default, Debug)]
pub(crate) struct AuditMetrics {
    unsealed: Gauge,
    unsealed_age: Gauge,
    undelivered: Gauge,
    undelivered_age: Gauge,
    refused: Family<KindLabel, Gauge>,
    differing: Gauge,
}

impl AuditMetrics {
    /// Declares them.
    pub(crate) fn register(metrics: &mut Metrics) -> Self {
        let this = Self::default();
        let gauges = [
            ("audit_unsealed_records", "Audit records that wait to be sealed, up to 100000, counted each 10 seconds", &this.unsealed),
            (
                "audit_unsealed_age_seconds",
                "Since when the oldest of them waits: more than a few seconds says that no node seals",
                &this.unsealed_age,
            ),
            ("audit_sink_behind_records", "Sealed audit records that the sink has not taken", &this.undelivered),
            ("audit_sink_behind_age_seconds", "Since when the oldest of them is sealed", &this.undelivered_age),
        ];
        for (name, help, gauge) in gauges {
            metrics.register(MetricKind::Gauge, name, help, gauge.clone());
        }
        let help = "1 for how the sink has refused the last batch of this node, if it has; 0 for every other way";
        metrics.register(MetricKind::Gauge, "audit_sink_refused", help, this.refused.clone());
        let help = "Accounts of whose audit trail the database had something else at the start than this node has sealed";
        metrics.register(MetricKind::Gauge, "audit_heads_differing", help, this.differing.clone());
        this
    }

    fn show_refusal(&self, last: Option<RefusalKind>) {
        for kind in RefusalKind::ALL {
            self.refused.get_or_create(&KindLabel { kind: kind.as_str() }).set(i64::from(last == Some(kind)));
        }
    }
}

fn show(backlog: Backlog, now: Timestamp, records: &Gauge, age: &Gauge) {
    records.set(backlog.records);
    age.set(backlog.oldest.map_or(0, |oldest| now.millis_since(oldest).max(0) / 1000));
}

/// Counts from now on, and holds the database against what was kept outside of it, once.
pub(crate) fn start(house: &House, sink: Option<&HttpSink>, stop: &Stop, metrics: &AuditMetrics) {
    tokio::spawn(check_heads(house.clone(), metrics.clone()));
    let (sink, metrics) = (sink.map(|sink| sink.name().to_owned()), metrics.clone());
    every(COUNT_EVERY, stop, house.clone(), move |house| count(house, sink.clone(), metrics.clone()));
}

async fn count(house: House, sink: Option<String>, metrics: AuditMetrics) {
    let now = SystemClock.now();
    match house.trail.unsealed().await {
        Ok(waiting) => show(waiting, now, &metrics.unsealed, &metrics.unsealed_age),
        Err(error) => tracing::warn!(%error, "it cannot be counted which audit records wait to be sealed"),
    }
    let Some(sink) = sink else { return };
    metrics.show_refusal(house.trail.last_refusal());
    match house.trail.undelivered(&sink).await {
        Ok(waiting) => show(waiting, now, &metrics.undelivered, &metrics.undelivered_age),
        Err(error) => tracing::warn!(%error, "it cannot be counted which audit records wait to be delivered"),
    }
}

/// The server serves all the same: what was done to the trail is no reason to lock everybody out.
async fn check_heads(house: House, metrics: AuditMetrics) {
    let differing = match house.trail.check_heads().await {
        Ok(differing) => differing,
        Err(error) => return tracing::warn!(%error, "the audit trail cannot be held against the heads that were kept"),
    };
    metrics.differing.set(i64::try_from(differing.len()).unwrap_or(i64::MAX));
    for one in differing {
        tracing::error!(
            account_id = one.account_id,
            harm = one.harm,
            "the database does not have the audit trail that this node has sealed: it was changed or set back; `tidegate audit verify` says where"
        );
    }
}
