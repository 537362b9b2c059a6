//! What one node does for all: the work that is done under a lease, and by nobody who does not hold it.
//!
//! A lease is a row in the database: who holds it, and until when by the database's clock. A node that ends properly gives its leases back; one that
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
        if self.given_back.load(Ordering::Acquire) || !self.take(job, &self.node).await {
            return false;
        }
        if self.given_back.load(Ordering::Acquire) {
            // They were given back while this one was taken: it would stand until its life is over.
            self.release().await;
            return false;
        }
        true
    }

    /// Is this node the first to ask within the job's life? Nobody renews such a lease.
    pub(crate) async fn is_first(&self, job: Job) -> bool {
        let holder = format!("{}/{}", self.node, SystemClock.now().millis());
        self.take(job, &holder).await
    }

    async fn take(&self, Job { name, life }: Job, holder: &str) -> bool {
        let taken: Result<bool, StoreError> = self.store.write_soon(|tx| Box::pin(lease::take(tx, name, holder, life))).await;
        taken.unwrap_or_else(|error| {
            tracing::warn!(%error, lease = name, "a lease for background work cannot be taken");
            false
        })
    }

    /// Gives all of them back, so that the next node need not wait for their end. None is taken any more.
    pub(crate) async fn give_back(&self) {
        self.given_back.store(true, Ordering::Release);
        self.release().await;
    }

    async fn release(&self) {
        let node = &*self.node;
        let done: Result<u64, StoreError> = self.store.write(|tx| Box::pin(lease::release_all(tx, node))).await;
        if let Err(error) = done {
            tracing::warn!(%error, "the leases for background work were not given back: they end by themselves");
        }
    }
}

#[cfg(test)]
mod tests {
    use store::params;

    use super::*;

    const JOB: Job = Job { name: "job", life: Seconds::hours(1) };

    async fn end(store: &Store) {
        let ended: Result<u64, StoreError> =
            store.write(|tx| Box::pin(async move { tx.execute("UPDATE lease SET until_ms = 1", params![]).await })).await;
        ended.unwrap();
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_holder_that_comes_back_goes_no_further() {
        let store = Arc::new(Store::memory().await.unwrap());
        let (one, other) = (Leases::new(&store, "one"), Leases::new(&store, "other"));
        assert!(one.holds(JOB).await && !other.holds(JOB).await && one.holds(JOB).await);
        // It is killed, or stopped for longer than the lease lives.
        end(&store).await;
        assert!(other.holds(JOB).await && !one.holds(JOB).await);
        // Nobody has asked meanwhile: it goes on.
        end(&store).await;
        assert!(other.holds(JOB).await);
        // It ends properly: nobody waits, and it takes nothing any more.
        other.give_back().await;
        assert!(one.holds(JOB).await && !other.holds(JOB).await);
        end(&store).await;
        assert!(!other.holds(JOB).await);
    }

    /// Lets a unit of work begin when it is told to.
    #[derive(Debug, Default)]
    struct Gate(tokio::sync::Notify, tokio::sync::Notify);

    impl store::Turns for Gate {
        fn turn(&self) -> std::pin::Pin<Box<dyn Future<Output = ()> + Send + '_>> {
            self.0.notify_one();
            Box::pin(self.1.notified())
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn one_that_is_taken_while_all_are_given_back_is_given_back_too() {
        let store = Arc::new(Store::memory().await.unwrap());
        let (ending, other) = (Leases::new(&store, "ending"), Leases::new(&store, "other"));
        let gate = Arc::new(Gate::default());
        store.take_turns(Arc::<Gate>::clone(&gate));
        let taking = ending.clone();
        let taking = tokio::spawn(async move { taking.holds(JOB).await });
        gate.0.notified().await;
        // The job's unit waits to begin; meanwhile the node gives back what it has.
        ending.given_back.store(true, Ordering::Release);
        gate.1.notify_one();
        gate.0.notified().await;
        gate.1.notify_one();
        assert!(!taking.await.unwrap());
        gate.1.notify_one();
        assert!(other.holds(JOB).await, "nobody waits for its end");
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn the_first_to_ask_is_one_of_all() {
        let store = Arc::new(Store::memory().await.unwrap());
        let (one, other) = (Leases::new(&store, "one"), Leases::new(&store, "other"));
        assert!(one.is_first(JOB).await && !other.is_first(JOB).await);
        end(&store).await;
        assert!(other.is_first(JOB).await && !one.is_first(JOB).await);
    }
}
