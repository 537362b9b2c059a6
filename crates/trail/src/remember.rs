//! What a node remembers: the leases that it holds, and the heads that it has sealed.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use chain::Checkpoint;
use model::{AccountId, Seconds, Timestamp};
use store::{StoreError, Tx};

/// A lease is held so long without a renewal.
const LIFE: Seconds = Seconds(10);
/// It is renewed when less than this is left of it.
const RENEW_MS: i64 = 5_000;
/// Heads of so many accounts are remembered.
const ACCOUNTS: usize = 10_000;

/// Until when this node holds which lease, by its own clock from before it asked: never longer than the database says. (A clock that
/// is set back makes it hold on for as long; then it meets the other in the database, and one of them goes no further.)
#[derive(Default)]
pub(crate) struct Leases(Mutex<HashMap<&'static str, Timestamp>>);

impl Leases {
    /// Whether the lease has to be taken or renewed before work goes on.
    pub(crate) fn is_due(&self, name: &'static str, now: Timestamp) -> bool {
        let held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        held.get(name).is_none_or(|until| until.millis_since(now) < RENEW_MS)
    }

    /// The leases that this node holds, which it gives up.
    pub(crate) fn give_up(&self) -> Vec<&'static str> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).drain().map(|(name, _)| name).collect()
    }

    /// It was taken or renewed at `now`, or it is another's.
    pub(crate) fn note(&self, name: &'static str, now: Timestamp, ours: bool) {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if ours {
            held.insert(name, now.plus(LIFE))
        } else {
            held.remove(name)
        };
    }
}

/// Takes or renews a lease, in a transaction. False: another holds it.
pub(crate) async fn take(tx: &mut Tx<'_>, name: &'static str, node: &str) -> Result<bool, StoreError> {
    store::lease::take(tx, name, node, LIFE).await
}

/// Where a chain has come to, as the sealer goes on from it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Link {
    pub(crate) seq: i64,
    pub(crate) hash: String,
    pub(crate) sealed: Timestamp,
    /// The key that has signed the head here; none: nobody has signed yet.
    pub(crate) kid: Option<String>,
}

impl Link {
    /// Where a head says; `signed` is its text.
    pub(crate) fn of(head: &Checkpoint, signed: &str) -> Self {
        Self { seq: head.sequence, hash: head.hash.clone(), sealed: head.at, kid: Checkpoint::signer(signed) }
    }
}

/// The heads that this node has sealed, and their signatures.
#[derive(Default)]
pub(crate) struct Heads(Mutex<HashMap<String, (Link, String)>>);

impl Heads {
    pub(crate) fn get(&self, account: AccountId) -> Option<Link> {
        let heads = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        heads.get(&account.to_string()).map(|(link, _)| link.clone())
    }

    /// Notes a head, if it is further on than what is known.
    pub(crate) fn note(&self, head: &Checkpoint, signed: &str) {
        let mut heads = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let further = heads.get(&head.account_id).is_none_or(|(known, _)| known.seq < head.sequence);
        if further && (heads.len() < ACCOUNTS || heads.contains_key(&head.account_id)) {
            heads.insert(head.account_id.clone(), (Link::of(head, signed), signed.to_owned()));
        }
    }

    /// What was known of this account does not count any more.
    pub(crate) fn forget(&self, account: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(account);
    }

    /// All of them, by account.
    pub(crate) fn all(&self) -> Vec<(String, Link)> {
        let heads = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        heads.iter().map(|(account, (link, _))| (account.clone(), link.clone())).collect()
    }

    pub(crate) fn signed(&self) -> Vec<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).values().map(|(_, signed)| signed.clone()).collect()
    }
}
