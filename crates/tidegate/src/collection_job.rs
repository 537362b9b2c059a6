//! Background work that collects what nothing needs any more, on one node at a time, in steps that leave others their turn.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use model::{Clock as _, Seconds};
use registry::{COLLECTION_JOB, CollectionTally, RegistryError, Step};
use tokio::sync::Notify;
use tokio::time::{Instant, sleep};

use crate::config::CollectionConfig;
use crate::house::House;
use crate::leases::{Job, Leases};
use crate::server::Stop;
use crate::system::SystemClock;

const COLLECT: Job = Job { name: COLLECTION_JOB, life: Seconds::minutes(1) };
/// How often it is looked whether a run is under way or due.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// The same by a command that waits for a run.
const LOOK_AGAIN: Duration = Duration::from_millis(500);
/// After a step it rests for so many times as long as the step took, within bounds: pushes come first.
const REST: u32 = 4;
const LEAST_REST: Duration = Duration::from_millis(5);
const MOST_REST: Duration = Duration::from_secs(1);
/// How often the lease is renewed during a run.
const RENEW_EVERY: Duration = Duration::from_secs(10);

/// When a server collects, and how it is told that somebody has asked for a run. Clones are the same.
#[derive(Clone, Debug)]
pub(crate) struct Collector {
    pub(crate) config: CollectionConfig,
    asked: Arc<Notify>,
}

impl Collector {
    pub(crate) fn new(config: CollectionConfig) -> Self {
        Self { config, asked: Arc::default() }
    }

    /// Lets this server look at once whether a run is under way.
    pub(crate) fn look(&self) {
        self.asked.notify_one();
    }

    /// Starts it. A run that somebody asks for goes on where runs are off, too.
    pub(crate) fn start(&self, house: &House, leases: &Leases, stop: &Stop) {
        let (this, house, leases, stop) = (self.clone(), house.clone(), leases.clone(), stop.clone());
        tokio::spawn(async move {
            let period = LOOK_EVERY.min(Duration::from_secs(u64::try_from(this.config.every.0).unwrap_or(1).max(1)));
            loop {
                tokio::select! {
                    () = collect(&house, &leases, this.runs()) => {}
                    () = stop.asked() => return,
                }
                tokio::select! {
                    () = sleep(period) => {}
                    () = this.asked.notified() => {}
                    () = stop.asked() => return,
                }
            }
        });
    }

    /// How often a run begins by itself; none: never.
    fn runs(&self) -> Option<Seconds> {
        self.config.enabled.then_some(self.config.every)
    }
}

/// Walks the run that is under way, as a command does that waits for its end; where a node has the lease, that one does it. A command has
/// no log: `failed` hears why it does not get on.
pub(crate) async fn help(house: &House, leases: &Leases, failed: impl Fn(&RegistryError) + Sync) -> Infallible {
    loop {
        if let Err(error) = walk(house, leases, None).await {
            failed(&error);
        }
        sleep(LOOK_AGAIN).await;
    }
}

/// A whole run, if one is due. It ends early when another node has the lease, and goes on there.
async fn collect(house: &House, leases: &Leases, runs: Option<Seconds>) {
    match walk(house, leases, runs).await {
        Ok(()) => {}
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
        match house.registry.collect_step(&mut run, SystemClock.now()).await? {
            Step::On => {}
            Step::Ended => {
                tell(run.run().number, run.run().tally);
                return Ok(());
            }
            Step::Overtaken => {
                tracing::info!("another node goes on with the collection");
                return Ok(());
            }
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

fn tell(run: i64, tally: CollectionTally) {
    let CollectionTally { links, blobs, strays, deleted, deleted_bytes: bytes, .. } = tally;
    tracing::info!(run, links, blobs, strays, deleted, bytes, "collected what nothing needs any more");
}
