//! What one node does for all: the work that is done under a lease, and by nobody who does not hold it.
//!
//! A lease is a row in the database: who holds it, and until when. A node that ends properly gives its leases back; one that
//! dies loses them when their life is over. Before each step of a job the node asks for its lease anew ([`Leases::holds`]), so that
//! one which was stopped for a while goes no further where another has taken over. Between asking and doing it can be stopped
//! all the same: so a step is a transaction, or may be done twice.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use model::{Clock as _, Seconds};
use store::{Store, StoreError, lease};

use crate::system::SystemClock;

/// Work for all nodes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Job {
    /// The lease's name.
    pub(crate) name: &'static str,
    /// How long the lease lives when it is not renewed: longer than a step takes.
    pub(crate) life: Seconds,
}

/// The leases of one node. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Leases {
    store: Arc<Store>,
    node: Arc<str>,
    given_back: Arc<AtomicBool>,
}

impl Leases {
    /// `node` names this one among its equals.
    pub(crate) fn new(store: &Arc<Store>, node: &str) -> Self {
        Self { store: Arc::clone(store), node: node.into(), given_back: Arc::default() }
    }

    /// May this node do the next step of the job? Takes the lease, or renews it. False: another node does it, or nobody can
    /// tell. Asked before each step.
    pub(crate) async fn holds(&self, job: Job) -> bool {
        !self.given_back.load(Ordering::Acquire) && self.take(job, &self.node).await
    }

    /// Is this node the first to ask within the job's life? Nobody renews such a lease.
    pub(crate) async fn is_first(&self, job: Job) -> bool {
        let holder = format!("{}/{}", self.node, SystemClock.now().millis());
        self.take(job, &holder).await
    }

    async fn take(&self, Job { name, life }: Job, holder: &str) -> bool {
        let now = SystemClock.now();
        let taken: Result<bool, StoreError> = self.store.write_soon(|tx| Box::pin(lease::take(tx, name, holder, now, life))).await;
        taken.unwrap_or_else(|error| {
            tracing::warn!(%error, lease = name, "a lease for background work cannot be taken");
            false
        })
    }

    /// Gives all of them back, so that the next node need not wait for their end. None is taken any more.
    pub(crate) async fn give_back(&self) {
        self.given_back.store(true, Ordering::Release);
        let node = &*self.node;
        let done: Result<u64, StoreError> = self.store.write(|tx| Box::pin(lease::release_all(tx, node))).await;
        if let Err(error) = done {
            tracing::warn!(%error, "the leases for background work were not given back: they end by themselves");
        }
    }
}
