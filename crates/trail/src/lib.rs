//! The audit trail: sealing what was written down, reading it, taking the oldest away, delivering it.
//!
//! What it is for: requests write their records unsealed, in their own transactions (`access::audit`); the sealer gives each its
//! place in its account's chain, its hash and, a batch at a time, a signature (`chain` says how), so that whoever can write the
//! database cannot change what was done unseen. Jobs are called by the program each second: [`Trail::seal`],
//! [`Trail::deliver`], now and then [`Trail::retain`], and [`Trail::check_heads`] at start; each does nothing, and writes nothing, when there is nothing to do, and
//! runs on one node by lease. What it may not do: write down what happened, be in a request's way, read a clock.
//! To add a sink: a type that is a [`Sink`].
#![deny(missing_docs)]

mod deliver;
mod error;
mod http_sink;
mod key;
mod list;
mod read;
mod remember;
mod restored;
mod retain;
mod seal;
mod watch;

use std::sync::Arc;

use model::Timestamp;
use secrets::{Dice, SealingKeys};
use store::Store;

pub use deliver::{Delivered, RefusalKind, Refused, Sink};
pub use error::TrailError;
pub use http_sink::{HttpSink, SinkError, SinkSettings};
pub use list::{Filter, Listed, Who};
pub use retain::Keeping;
pub use store::audit::chain::Position;
pub use watch::{Backlog, Differs};

/// The audit trail of all accounts.
pub struct Trail {
    store: Arc<Store>,
    keys: key::KeyRing,
    /// This node, in leases.
    node: String,
    leases: remember::Leases,
    seen: remember::Heads,
    patience: deliver::Patience,
    keeping: Keeping,
}

impl std::fmt::Debug for Trail {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Trail").finish_non_exhaustive()
    }
}

impl Trail {
    /// Opens the trail, with a first key on an empty database. `node` names this one among its equals.
    pub async fn open(
        store: Arc<Store>,
        sealing: Arc<SealingKeys>,
        dice: Arc<Dice>,
        node: &str,
        now: Timestamp,
    ) -> Result<Self, TrailError> {
        let keys = key::KeyRing::open(Arc::clone(&store), sealing, dice, now).await?;
        let (leases, seen) = (remember::Leases::default(), remember::Heads::default());
        let (patience, keeping) = (deliver::Patience::default(), Keeping::default());
        Ok(Self { store, keys, node: node.to_owned(), leases, seen, patience, keeping })
    }

    /// The same, with what the server says of how long trails are kept.
    #[must_use]
    pub fn keeping(self, keeping: Keeping) -> Self {
        Self { keeping, ..self }
    }

    /// Seals what waits and gives up the leases, so that the next node need not wait for their end.
    pub async fn close(&self, now: Timestamp) -> Result<(), TrailError> {
        self.seal(now).await?;
        let held = &self.leases.give_up();
        let node = &*self.node;
        self.store
            .write(|tx| {
                Box::pin(async move {
                    for name in held {
                        store::lease::release(tx, name, node).await?;
                    }
                    Ok::<_, TrailError>(())
                })
            })
            .await
    }

    /// The heads that this node has sealed, signed: kept outside the database, they tell when it is set back.
    pub fn heads(&self) -> Vec<String> {
        self.seen.signed()
    }

    /// The heads that this node, or the one before it, has sealed: a database that is behind them has been set back, and
    /// the trail says so from then on.
    pub fn remember(&self, heads: &[String]) {
        let ring = self.keys.held();
        for text in heads {
            match chain::Checkpoint::read(text, ring.public()) {
                Ok(head) if head.purpose == chain::Purpose::Head => self.seen.note(&head, text),
                _ => tracing::warn!("a head of the audit trail that was kept is not one of ours; it is ignored"),
            }
        }
    }
}
