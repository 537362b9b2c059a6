//! Background work: following the change feed, flushing the audit batch, sealing and delivering the audit trail, rotating the
//! signing key, clearing up.

use std::error::Error as _;
use std::future::Future;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;
use std::time::Duration;

use model::{Clock as _, Op, RequestId, Seconds, Timestamp};
use registry::Tended;
use store::StoreError;
use tokio::sync::Notify;
use trail::HttpSink;

use crate::house::House;
use crate::leases::{Job, Leases};
use crate::server::Stop;
use crate::system::SystemClock;

/// How often a node looks at the change feed; a change is in force everywhere within a second.
const FOLLOW_EVERY: Duration = Duration::from_millis(250);
/// How often the audit batch is written: what a crash can lose.
const FLUSH_EVERY: Duration = Duration::from_secs(1);
/// How often the sink is looked after, and the trail's heads are kept outside the database.
const DELIVER_EVERY: Duration = Duration::from_secs(1);
const KEEP_HEADS_EVERY: Duration = Duration::from_secs(10);
/// How often the hourly work is looked at, and how long the node that does it keeps it for itself.
const TEND_EVERY: Duration = Duration::from_mins(10);
const TEND: Job = Job { name: tokens::RING_JOB, life: Seconds::minutes(5) };
const RETENTION: Job = Job { name: "retention", life: Seconds::minutes(30) };
/// Ended sessions that are cleared in one go.
const SESSIONS: i64 = 10_000;
/// Changes are kept for as long as any node may need them.
const KEEP_CHANGES: Seconds = Seconds::days(2);

/// What is done with the audit trail besides sealing it.
#[derive(Clone)]
pub(crate) struct TrailWork {
    pub(crate) sink: Option<Arc<HttpSink>>,
}

/// Starts all of it. What one node does for all, it does under `leases`.
pub(crate) fn start(house: &House, leases: &Leases, trail: &TrailWork, stop: &Stop) {
    every(FOLLOW_EVERY, stop, house.clone(), follow);
    let flushed = Arc::new(Notify::new());
    tokio::spawn(seal(house.clone(), Arc::clone(&flushed), stop.clone()));
    every(FLUSH_EVERY, stop, house.clone(), move |house| flush(house, Arc::clone(&flushed)));
    let (tending, retaining) = (leases.clone(), leases.clone());
    every(TEND_EVERY, stop, house.clone(), move |house| tend(house, tending.clone()));
    every(TEND_EVERY, stop, house.clone(), move |house| keep_images(house, retaining.clone()));
    let work = trail.clone();
    every(TEND_EVERY, stop, house.clone(), move |house| retain(house, work.clone()));
    every(KEEP_HEADS_EVERY, stop, house.clone(), keep_heads);
    if let Some(sink) = trail.sink.clone() {
        every(DELIVER_EVERY, stop, house.clone(), move |house| deliver(house, Arc::clone(&sink)));
    }
}

pub(crate) fn every<F>(period: Duration, stop: &Stop, house: House, work: impl Fn(House) -> F + Send + 'static)
where
    F: Future<Output = ()> + Send,
{
    let stop = stop.clone();
    tokio::spawn(async move {
        let mut ticks = tokio::time::interval(period);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = ticks.tick() => work(house.clone()).await,
                () = stop.asked() => return,
            }
        }
    });
}

async fn follow(house: House) {
    if let Err(error) = house.access.directory().follow(SystemClock.now()).await {
        tracing::warn!(%error, "the change feed cannot be read; authenticated requests will be refused until it can");
    }
}

async fn flush(house: House, flushed: Arc<Notify>) {
    if let Err(error) = house.access.audit().flush().await {
        tracing::warn!(%error, "audit records wait: the database does not take them");
    }
    if let Err(error) = house.registry.flush_pulls().await {
        tracing::warn!(%error, "when images were pulled is not written down: the database does not take it");
    }
    flushed.notify_one();
}

/// Deletes what no rule of its namespace keeps, one namespace after another.
async fn keep_images(house: House, leases: Leases) {
    while leases.holds(RETENTION).await {
        match house.registry.retain_next(&job_op(SystemClock.now())).await {
            Ok(Some(tended)) => tell(&tended),
            Ok(None) => return,
            Err(error) => return tracing::warn!(%error, "rules of retention cannot be acted on"),
        }
    }
}

fn tell(tended: &Tended) {
    let (namespace, instance, account) = (&tended.on.name, &tended.on.instance.name, tended.on.instance.account);
    match &tended.done {
        Ok(done) => {
            let (tags, manifests) = (done.tags_removed, done.manifests_removed);
            tracing::info!(%account, %instance, %namespace, tags, manifests, "deleted what no rule keeps");
        }
        Err(error) => {
            let cause = error.source().map(ToString::to_string).unwrap_or_default();
            tracing::warn!(%account, %instance, %namespace, %error, cause, "a namespace's rules of retention are tried again in an hour");
        }
    }
}

/// Right after each flush, so that what reads remember of the database is forgotten once a second and not twice.
async fn seal(house: House, flushed: Arc<Notify>, stop: Stop) {
    loop {
        tokio::select! {
            () = flushed.notified() => if let Err(error) = house.trail.seal(SystemClock.now()).await {
                tracing::warn!(%error, "audit records wait to be sealed");
            },
            () = stop.asked() => return,
        }
    }
}

async fn deliver(house: House, sink: Arc<HttpSink>) {
    if let Err(error) = house.trail.deliver(&*sink, &SystemClock).await {
        tracing::warn!(%error, "audit records wait to be delivered");
    }
}

async fn keep_heads(house: House) {
    // A file that is synced: off the threads that answer requests.
    let kept = tokio::task::spawn_blocking(move || house.heads.keep(&house.trail)).await;
    if let Err(error) = kept {
        tracing::error!(%error, "the heads of the audit trail were not kept");
    }
}

async fn retain(house: House, work: TrailWork) {
    let op = job_op(SystemClock.now());
    let sink = work.sink.as_deref().map(trail::Sink::name);
    match house.trail.retain(&op, sink, house.access.audit()).await {
        Ok(0) => {}
        Ok(count) => tracing::info!(count, "deleted audit records that are older than their accounts keep them"),
        Err(error) => tracing::warn!(%error, "old audit records cannot be deleted"),
    }
}

/// What the server does by itself has no client.
pub(crate) fn job_op(now: Timestamp) -> Op {
    Op {
        request_id: RequestId::from_random(0),
        now,
        source_ip: IpAddr::V6(Ipv6Addr::UNSPECIFIED),
        network: model::Network::Public,
        secure: true,
        user_agent: None,
    }
}

/// What one node does for all, step by step.
async fn tend(house: House, leases: Leases) {
    let now = SystemClock.now();
    if leases.holds(TEND).await {
        rotate_signing_key(&house, now).await;
    }
    if leases.holds(TEND).await {
        clear_abandoned_uploads(&house, now).await;
    }
    if leases.holds(TEND).await {
        prune(&house, now).await;
    }
}

async fn rotate_signing_key(house: &House, now: Timestamp) {
    match house.identity.tokens().rotate_if_due(now).await {
        Ok(true) => tracing::info!("a new token signing key takes over soon"),
        Ok(false) => {}
        Err(error) => tracing::error!(%error, "the token signing key cannot be rotated"),
    }
}

async fn clear_abandoned_uploads(house: &House, now: Timestamp) {
    match house.registry.clear_abandoned_uploads(now).await {
        Ok(0) => {}
        Ok(count) => tracing::info!(count, "cleared uploads that nobody went on with"),
        Err(error) => tracing::warn!(%error, "abandoned uploads cannot be cleared"),
    }
}

async fn prune(house: &House, now: Timestamp) {
    match house.identity.prune_sessions(now, SESSIONS).await {
        Ok(0) => {}
        Ok(count) => tracing::info!(count, "cleared sessions of roles that have ended"),
        Err(error) => tracing::warn!(%error, "ended sessions cannot be cleared"),
    }
    match house.identity.prune_nonces(now).await {
        Ok(0) => {}
        Ok(count) => tracing::debug!(count, "forgot nonces of requests that are too old to be sent again"),
        Err(error) => tracing::warn!(%error, "old nonces cannot be cleared"),
    }
    let before = Timestamp::from_millis(now.millis() - KEEP_CHANGES.0 * 1000);
    if let Err(error) = house.store.write(|tx| Box::pin(store::change::prune(tx, before))).await {
        let error: StoreError = error;
        tracing::warn!(%error, "old changes cannot be cleared");
    }
}
