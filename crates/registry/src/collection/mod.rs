//! Online collection: what nothing needs any more goes, beside pushes and pulls, in short steps.
//!
//! A run takes idle links away, condemns blobs that nobody links and content that no row names, and deletes by key what has been
//! condemned for long enough. Each step is one short transaction that asks again what its page has shown; where a run stands is in
//! its row, so that any node goes on with it. The order of things and why it is safe: `docs/decisions/collection.md`.

mod meters;
mod preview;
mod status;
mod step;

use access::{Operator, Permit};
use model::{Digest, Seconds, Timestamp, act};
use store::StoreError;
use store::blob::Linked;
use store::collection_run::{self, Run};

pub use meters::{CollectionMeters, Failed, Taken, Walked};
pub use preview::Preview;
pub use status::{CollectionStatus, Doer};
pub use step::{Collecting, Step};

use crate::{Registry, RegistryError};

/// The lease under which one node walks.
pub const COLLECTION_JOB: &str = "collection";

/// How long things stay that nothing needs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Collection {
    /// A link that no manifest holds stays for so long after it was last touched; content that has no row, after it was written.
    pub grace: Seconds,
    /// Content that is condemned stays for so long: pulls that have begun, and presigned URLs, end in that time.
    pub delete_after: Seconds,
}

impl Default for Collection {
    fn default() -> Self {
        Self { grace: Seconds::days(1), delete_after: Seconds::hours(1) }
    }
}

impl Collection {
    /// Has more than half of a link's grace gone?
    pub(crate) const fn may_go_soon(self, linked: &Linked, now: Timestamp) -> bool {
        linked.touched.millis() <= now.plus(Seconds(-self.grace.0 / 2)).millis()
    }

    const fn before(self, now: Timestamp) -> Timestamp {
        now.plus(Seconds(-self.grace.0))
    }

    const fn condemned_until(self, now: Timestamp) -> Timestamp {
        now.plus(Seconds(-self.delete_after.0))
    }
}

/// A run that somebody has asked for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Begun {
    /// The run.
    pub run: Run,
    /// Was it under way already? Then it may have passed what went since it began.
    pub joined: bool,
}

impl Registry {
    /// Begins a run, unless one is under way; whichever node has the lease goes on with it.
    pub async fn begin_collection(&self, by: Operator) -> Result<Begun, RegistryError> {
        let now = by.op().now;
        let begun: Result<Begun, StoreError> = self
            .store
            .write(|tx| {
                Box::pin(async move {
                    let before = collection_run::newest(tx, 1).await?.pop();
                    let run = collection_run::begin(tx, true, now).await?;
                    Ok(Begun { joined: before.is_some_and(|before| before.number == run.number), run })
                })
            })
            .await;
        Ok(begun?)
    }

    /// Is a run under way, or is it time for one?
    pub async fn collection_waits(&self, every: Option<Seconds>, now: Timestamp) -> Result<bool, RegistryError> {
        let last = self.store.read(|tx| Box::pin(collection_run::newest(tx, 1))).await?.pop();
        Ok(match last {
            Some(last) => last.ended.is_none() || every.is_some_and(|every| last.started.plus(every) <= now),
            None => every.is_some(),
        })
    }

    /// The run that is under way; else, where runs are `every` so often, a new one when it is time. For the background job.
    pub async fn collection_due(&self, every: Option<Seconds>, now: Timestamp) -> Result<Option<Collecting>, RegistryError> {
        let last = self.store.read(|tx| Box::pin(collection_run::newest(tx, 1))).await?.pop();
        let run = match (last, every) {
            (Some(last), _) if last.ended.is_none() => last,
            (Some(last), Some(every)) if last.started.plus(every) > now => return Ok(None),
            (_, Some(_)) => self.store.write(|tx| Box::pin(collection_run::begin(tx, false, now))).await?,
            (_, None) => return Ok(None),
        };
        Ok(Some(Collecting::new(run, now)))
    }

    /// Touches a link that no manifest holds, whose grace ends soon. An error if it is gone.
    pub(crate) async fn keep_for_now(
        &self,
        permit: &Permit<act::PullRepository>,
        digest: &Digest,
        linked: &Linked,
    ) -> Result<(), RegistryError> {
        let (repository, now) = (linked.repository, permit.op().now);
        let idle = self.store.read(|tx| Box::pin(store::collection::is_idle(tx, repository, digest))).await?;
        // A manifest that holds it touches it when it goes.
        if idle && !self.store.write_soon(|tx| Box::pin(store::collection::touch_idle(tx, repository, digest, now))).await? {
            self.find_blob(permit.on(), digest).await?;
        }
        Ok(())
    }
}
