//! This node among its equals: it says now and then that it is there and how it is, and counts who else is.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use kit::{MetricKind, Metrics};
use model::{Clock as _, Seconds, Timestamp};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use store::node::{self, Beat};
use store::{StoreError, Tx, change};

use crate::health::Health;
use crate::house::House;
use crate::jobs::every;
use crate::server::Stop;
use crate::system::SystemClock;

/// How often a node says that it is there; and where it is the only one that can be, since there each commit is a write on its disk.
const BEAT_EVERY: Duration = Duration::from_secs(5);
const BEAT_ALONE_EVERY: Duration = Duration::from_mins(1);
/// So many beats long the last look at the database and the blobs is good enough: object storage counts requests.
const LOOK_EVERY: u32 = 6;
/// A clock that differs by more from the database's is warned of.
const SKEW_MS: i64 = 2000;
/// Who has not been heard of for so long is forgotten.
const SILENCE: Seconds = Seconds::days(1);

/// Which nodes the gauge counts.
#[derive(Clone, PartialEq, Eq, Hash, Debug, EncodeLabelSet)]
struct StateLabel {
    state: &'static str,
}

/// What the metrics tell of the nodes: numbers, never names.
#[derive(Clone, Debug)]
pub(crate) struct NodeMetrics {
    nodes: Family<StateLabel, Gauge>,
    clock_ahead: Gauge<f64, AtomicU64>,
}

impl NodeMetrics {
    /// Declares them.
    pub(crate) fn register(metrics: &mut Metrics) -> Self {
        let this = Self { nodes: Family::default(), clock_ahead: Gauge::default() };
        let help = "Nodes of the database: `alive` are heard of, `silent` ended without saying so within the last day";
        metrics.register(MetricKind::Gauge, "nodes", help, this.nodes.clone());
        let help = "How far this node's clock is ahead of the database's";
        metrics.register(MetricKind::Gauge, "node_clock_ahead_seconds", help, this.clock_ahead.clone());
        this
    }

    fn count(&self, alive: usize, silent: usize) {
        for (state, count) in [("alive", alive), ("silent", silent)] {
            self.nodes.get_or_create(&StateLabel { state }).set(i64::try_from(count).unwrap_or(i64::MAX));
        }
    }
}

/// What a node says of itself that does not change.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    /// Its name among its equals.
    pub(crate) node: String,
    /// Where it listens.
    pub(crate) listen: Vec<String>,
    pub(crate) started: Timestamp,
}

/// A node that has begun to say that it is there.
pub(crate) struct Present {
    node: String,
    ended: Arc<AtomicBool>,
}

/// A node that says that it is there.
struct Presence {
    place: Place,
    ended: Arc<AtomicBool>,
    host: String,
    period: Seconds,
    health: Arc<Health>,
    failing: std::sync::Mutex<(u32, String)>,
    metrics: NodeMetrics,
    told: AtomicBool,
}

/// Says it from now on.
pub(crate) fn start(house: &House, place: Place, health: &Arc<Health>, stop: &Stop, metrics: &NodeMetrics) -> Present {
    let present = Present { node: place.node.clone(), ended: Arc::default() };
    let every_beat = if house.store.commits().is_some() { BEAT_ALONE_EVERY } else { BEAT_EVERY };
    let presence = Arc::new(Presence {
        place,
        ended: Arc::clone(&present.ended),
        host: rustix::system::uname().nodename().to_string_lossy().into_owned(),
        period: Seconds(i64::try_from(every_beat.as_secs()).unwrap_or(5)),
        health: Arc::clone(health),
        failing: std::sync::Mutex::default(),
        metrics: metrics.clone(),
        told: AtomicBool::default(),
    });
    every(every_beat, stop, house.clone(), move |house| beat(house, Arc::clone(&presence)));
    present
}

impl Present {
    /// It has ended, and the others need not wonder.
    pub(crate) async fn end(&self, house: &House) {
        self.ended.store(true, Ordering::Release);
        forget(house, &self.node).await;
    }
}

async fn forget(house: &House, node: &str) {
    let done: Result<(), StoreError> = house.store.write_soon(|tx| Box::pin(node::forget(tx, node))).await;
    if let Err(error) = done {
        tracing::debug!(%error, "the others were not told that this node ends");
    }
}

async fn beat(house: House, presence: Arc<Presence>) {
    if presence.ended.load(Ordering::Acquire) {
        return;
    }
    if let Err(error) = presence.beat(&house).await {
        tracing::warn!(%error, "this node cannot say that it is there: the database does not take it");
    }
    if presence.ended.load(Ordering::Acquire) {
        // It has ended meanwhile, and would be missed for a day.
        forget(&house, &presence.place.node).await;
    }
}

impl Presence {
    async fn beat(&self, house: &House) -> Result<(), StoreError> {
        let failing = self.failing().await;
        let asked = SystemClock.now();
        let clock: Timestamp = house.store.read(|tx| Box::pin(node::clock(tx))).await?;
        let answered = SystemClock.now();
        let said = self.said(house, clock, (asked, answered), failing);
        let (beat, period) = (&said, self.period);
        let nodes = house.store.write_apart(|tx| Box::pin(note(tx, house, beat, period))).await?;
        let alive = nodes.iter().filter(|node| identity::is_alive(node, clock)).count();
        self.metrics.count(alive, nodes.len() - alive);
        self.metrics.clock_ahead.set(seconds(said.clock_ahead_ms));
        self.warn_of_clock(&said);
        Ok(())
    }

    fn said(&self, house: &House, clock: Timestamp, (asked, answered): (Timestamp, Timestamp), failing: String) -> Beat {
        let took = answered.millis_since(asked).max(0);
        Beat {
            id: self.place.node.clone(),
            host: self.host.clone(),
            listen: self.place.listen.join(" "),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            started: self.place.started,
            clock_ahead_ms: asked.millis() + took / 2 - clock.millis(),
            feed_lag_ms: house.access.directory().lag(answered),
            feed_behind: 0,
            database_ms: took,
            failing,
        }
    }

    /// What cannot be reached, as it was at the last look.
    async fn failing(&self) -> String {
        let (beats, known) = self.failing.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone();
        if !beats.is_multiple_of(LOOK_EVERY) && known.is_empty() {
            self.failing.lock().unwrap_or_else(std::sync::PoisonError::into_inner).0 = beats.wrapping_add(1);
            return known;
        }
        let found = self.health.failing().await.join(" ");
        *self.failing.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = (1, found.clone());
        found
    }

    /// Once when it begins to differ, and once when it no longer does.
    fn warn_of_clock(&self, said: &Beat) {
        let (ahead, sure) = (said.clock_ahead_ms, said.database_ms / 2);
        let differs = ahead.abs() > SKEW_MS + sure;
        match (differs, self.told.swap(differs, Ordering::Relaxed)) {
            (true, false) => tracing::warn!(
                ahead_ms = ahead,
                "this machine's clock differs from the database's: ends of tokens and times in the audit trail are wrong by as much; \
                 let NTP set it"
            ),
            (false, true) => tracing::info!("this machine's clock agrees with the database's again"),
            _ => {}
        }
    }
}

async fn note(tx: &mut Tx<'_>, house: &House, beat: &Beat, period: Seconds) -> Result<Vec<node::Node>, StoreError> {
    let behind = change::head(tx).await? - house.access.directory().applied();
    let beat = Beat { feed_behind: behind.max(0), ..beat.clone() };
    node::beat(tx, &beat, period).await?;
    node::prune(tx, SILENCE).await?;
    node::all(tx).await
}

#[expect(clippy::cast_precision_loss, reason = "milliseconds of a lag are far below 2^52")]
fn seconds(millis: i64) -> f64 {
    millis as f64 / 1000.0
}
