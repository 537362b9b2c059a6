//! Background work that looks after keys: warns of those that end soon, and seals anew what an old master key sealed.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use identity::{Ending, RESEAL_JOB, Resealing};
use kit::{MetricKind, Metrics};
use model::{Clock as _, Seconds};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;

use crate::house::House;
use crate::jobs::every;
use crate::leases::{Job, Leases};
use crate::server::Stop;
use crate::system::SystemClock;

/// How often it is counted what ends soon.
const COUNT_EVERY: Duration = Duration::from_hours(1);
/// One line a day, by whichever node is first; a little less than a day, so that it does not wander.
const WARN: Job = Job { name: "warn-of-ends", life: Seconds::hours(23) };
/// How often it is looked whether something lies under an old master key, and how long a node keeps the work for itself.
const RESEAL_EVERY: Duration = Duration::from_secs(10);
const RESEAL: Job = Job { name: RESEAL_JOB, life: Seconds::minutes(1) };

/// Which credentials the gauge counts.
#[derive(Clone, PartialEq, Eq, Hash, Debug, EncodeLabelSet)]
struct WithinLabel {
    within: &'static str,
}

/// What is told of keys in the metrics: numbers, never names.
#[derive(Clone, Debug)]
pub(crate) struct KeyMetrics {
    expiring: Family<WithinLabel, Gauge>,
    failing: Gauge,
}

impl KeyMetrics {
    /// Declares them.
    pub(crate) fn register(metrics: &mut Metrics) -> Self {
        let this = Self { expiring: Family::default(), failing: Gauge::default() };
        let help = "Enabled credentials that end within 1, 7 and 30 days and were not rotated yet, counted each hour";
        metrics.register(MetricKind::Gauge, "credentials_expiring", help, this.expiring.clone());
        let help = "Sealed secrets that do not open and could not be sealed anew, on the node that does it";
        metrics.register(MetricKind::Gauge, "sealed_secrets_failing", help, this.failing.clone());
        this
    }

    fn show(&self, ending: Ending) {
        for (within, count) in [("1d", ending.day), ("7d", ending.week), ("30d", ending.month)] {
            self.expiring.get_or_create(&WithinLabel { within }).set(count);
        }
    }
}

/// Starts all of it.
pub(crate) fn start(house: &House, leases: &Leases, stop: &Stop, metrics: &KeyMetrics) {
    let (held, shown) = (leases.clone(), metrics.clone());
    every(COUNT_EVERY, stop, house.clone(), move |house| count_ends(house, held.clone(), shown.clone()));
    let (held, shown, told) = (leases.clone(), metrics.clone(), Arc::new(AtomicBool::new(false)));
    every(RESEAL_EVERY, stop, house.clone(), move |house| reseal(house, held.clone(), shown.clone(), Arc::clone(&told)));
}

async fn count_ends(house: House, leases: Leases, metrics: KeyMetrics) {
    let now = SystemClock.now();
    let ending = match house.identity.credentials_ending(now).await {
        Ok(ending) => ending,
        Err(error) => return tracing::warn!(%error, "it cannot be counted which credentials end soon"),
    };
    metrics.show(ending);
    if ending.week > 0 && leases.is_first(WARN).await {
        tracing::warn!(
            within_1d = ending.day,
            within_7d = ending.week,
            within_30d = ending.month,
            "credentials end soon: `tidegate credential list --expiring 7d` shows them, `tidegate credential rotate` renews one"
        );
    }
}

/// One pass over everything that an old master key sealed; cut short anywhere, the next one goes on.
async fn reseal(house: House, leases: Leases, metrics: KeyMetrics, told: Arc<AtomicBool>) {
    let Some(old) = house.identity.old_master_key() else { return told.store(false, Ordering::Relaxed) };
    let mut pass = Resealing::default();
    loop {
        if !leases.holds(RESEAL).await {
            return;
        }
        match house.identity.reseal_some(&mut pass).await {
            Ok(true) => {}
            Ok(false) => break,
            Err(error) => return tracing::warn!(%error, "sealing anew goes on when the database answers"),
        }
    }
    metrics.failing.set(i64::try_from(pass.failed).unwrap_or(i64::MAX));
    let first = !told.swap(true, Ordering::Relaxed);
    if pass.renewed > 0 || first {
        let (renewed, failed) = (pass.renewed, pass.failed);
        tracing::info!(%old, renewed, failed, "what the old master key had sealed is sealed anew; `tidegate master-key status` shows it");
    }
}
