//! Background work that collects what nothing needs any more, on one node at a time, in steps that leave others their turn.

use std::time::Duration;

use model::{Clock as _, Seconds};
use registry::RegistryError;
use tokio::time::{Instant, sleep};

use crate::config::CollectionConfig;
use crate::house::House;
use crate::jobs::every;
use crate::leases::{Job, Leases};
use crate::server::Stop;
use crate::system::SystemClock;

const COLLECT: Job = Job { name: "collection", life: Seconds::minutes(1) };
/// How often it is looked whether a run is under way or due.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// After a step it rests for so many times as long as the step took, within bounds: pushes come first.
const REST: u32 = 4;
const LEAST_REST: Duration = Duration::from_millis(5);
const MOST_REST: Duration = Duration::from_secs(1);
/// How often the lease is renewed during a run.
const RENEW_EVERY: Duration = Duration::from_secs(10);

/// Starts it. A run that somebody asks for goes on where runs are off, too.
pub(crate) fn start(house: &House, leases: &Leases, config: CollectionConfig, stop: &Stop) {
    let leases = leases.clone();
    let runs = config.enabled.then_some(config.every);
    let period = LOOK_EVERY.min(Duration::from_secs(u64::try_from(config.every.0).unwrap_or(1).max(1)));
    every(period, stop, house.clone(), move |house| collect(house, leases.clone(), runs));
}

/// A whole run, if one is due. It ends early when another node has the lease, and goes on there.
async fn collect(house: House, leases: Leases, runs: Option<Seconds>) {
    match walk(&house, &leases, runs).await {
        Ok(()) => {}
        Err(RegistryError::Conflict) => tracing::info!("another node goes on with the collection"),
        Err(error) => tracing::warn!(%error, "the collection goes on when the database and the storage answer"),
    }
}

async fn walk(house: &House, leases: &Leases, runs: Option<Seconds>) -> Result<(), RegistryError> {
    if !house.registry.collection_waits(runs, SystemClock.now()).await? || !leases.holds(COLLECT).await {
        return Ok(());
    }
    let Some(mut run) = house.registry.collection_due(runs, SystemClock.now()).await? else { return Ok(()) };
    let mut renewed = Instant::now();
    loop {
        let begun = Instant::now();
        if house.registry.collect_step(&mut run, SystemClock.now()).await? {
            let tally = run.run().tally;
            let (links, blobs, strays, deleted, bytes) = (tally.links, tally.blobs, tally.strays, tally.deleted, tally.deleted_bytes);
            tracing::info!(links, blobs, strays, deleted, bytes, "collected what nothing needs any more");
            return Ok(());
        }
        sleep((begun.elapsed() * REST).clamp(LEAST_REST, MOST_REST)).await;
        if renewed.elapsed() >= RENEW_EVERY {
            if !leases.holds(COLLECT).await {
                return Ok(());
            }
            renewed = Instant::now();
        }
    }
}
