//! Background work: following the change feed, flushing the audit batch, rotating the signing key, clearing up.

use std::future::Future;
use std::time::Duration;

use model::{Clock as _, Seconds, Timestamp};
use store::StoreError;

use crate::house::House;
use crate::server::Stop;
use crate::system::SystemClock;

/// How often a node looks at the change feed; a change is in force everywhere within a second.
const FOLLOW_EVERY: Duration = Duration::from_millis(250);
/// How often the audit batch is written: what a crash can lose.
const FLUSH_EVERY: Duration = Duration::from_secs(1);
/// How often the hourly work is looked at, and how long the node that does it keeps it for itself.
const TEND_EVERY: Duration = Duration::from_mins(10);
const TEND_LEASE: Seconds = Seconds::minutes(5);
/// Ended sessions that are cleared in one go.
const SESSIONS: i64 = 10_000;
/// Changes are kept for as long as any node may need them.
const KEEP_CHANGES: Seconds = Seconds::days(2);

/// Starts all of it. `node` names this one among its equals.
pub(crate) fn start(house: &House, node: &str, stop: &Stop) {
    every(FOLLOW_EVERY, stop, house.clone(), follow);
    every(FLUSH_EVERY, stop, house.clone(), flush);
    let node = node.to_owned();
    every(TEND_EVERY, stop, house.clone(), move |house| tend(house, node.clone()));
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

async fn flush(house: House) {
    if let Err(error) = house.access.audit().flush().await {
        tracing::warn!(%error, "audit records wait: the database does not take them");
    }
}

/// What one node does for all.
async fn tend(house: House, node: String) {
    let now = SystemClock.now();
    match take_lease(&house, &node, now).await {
        Ok(true) => {}
        Ok(false) => return,
        Err(error) => return tracing::warn!(%error, "the lease for background work cannot be taken"),
    }
    match house.identity.tokens().rotate_if_due(now).await {
        Ok(true) => tracing::info!("a new token signing key takes over soon"),
        Ok(false) => {}
        Err(error) => tracing::error!(%error, "the token signing key cannot be rotated"),
    }
    match house.registry.clear_abandoned_uploads(now).await {
        Ok(0) => {}
        Ok(count) => tracing::info!(count, "cleared uploads that nobody went on with"),
        Err(error) => tracing::warn!(%error, "abandoned uploads cannot be cleared"),
    }
    match house.identity.prune_sessions(now, SESSIONS).await {
        Ok(0) => {}
        Ok(count) => tracing::info!(count, "cleared sessions of roles that have ended"),
        Err(error) => tracing::warn!(%error, "ended sessions cannot be cleared"),
    }
    let before = Timestamp::from_millis(now.millis() - KEEP_CHANGES.0 * 1000);
    if let Err(error) = house.store.write(|tx| Box::pin(store::change::prune(tx, before))).await {
        let error: StoreError = error;
        tracing::warn!(%error, "old changes cannot be cleared");
    }
}

async fn take_lease(house: &House, node: &str, now: Timestamp) -> Result<bool, StoreError> {
    house.store.write(|tx| Box::pin(store::lease::take(tx, tokens::RING_JOB, node, now, TEND_LEASE))).await
}
