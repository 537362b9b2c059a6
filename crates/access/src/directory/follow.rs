//! In step with the change feed: what has changed is forgotten, and a node that has not looked for a second decides nothing.

use std::sync::PoisonError;
use std::sync::atomic::Ordering;
use std::time::Duration;

use meter::Stopwatch;
use model::{AccountId, CredentialId, InstanceId, PolicyId, PrincipalId, ProviderId, Timestamp};
use store::change::{self, Change, Entry};
use store::{StoreError, Tx};
use tokio::time::timeout;

use super::Directory;
use crate::Refusal;

/// How long a node may go without a look at the change feed before it must not decide anything.
const FRESH_MS: i64 = 1000;
/// How long after a look a request looks itself before it is decided: two looks of the background are due by then. A node that
/// was stopped for so long has missed them, and answers nobody by what it remembers.
const LATE_MS: i64 = 500;
/// How long a request waits for a late look at the feed, behind others that wait for the same.
const FRESH_PATIENCE: Duration = Duration::from_secs(1);
/// How long one look may take before its connection is given up.
const LOOK_PATIENCE: Duration = Duration::from_secs(2);
/// A look at the feed so long ago that it says nothing.
const NEVER: i64 = 0;
/// Changes read in one go.
const PAGE: i64 = 1000;

impl Directory {
    /// Looks at the change feed and forgets what has changed. A background job calls it each 250 ms; a use case calls it
    /// after its own change, so that the change is in force here before it is answered.
    pub async fn follow(&self, now: Timestamp) -> Result<(), StoreError> {
        let watch = Stopwatch::start();
        let _one_at_a_time = self.following.lock().await;
        self.read_feed(now, watch).await
    }

    async fn read_feed(&self, now: Timestamp, watch: Stopwatch) -> Result<(), StoreError> {
        loop {
            let from = self.applied.load(Ordering::Acquire);
            let look = self.store.read_first(|tx| Box::pin(head_and_since(tx, from)));
            let (head, changes) =
                timeout(LOOK_PATIENCE, look).await.map_err(|_| StoreError::Unavailable("the change feed does not answer".into()))??;
            let next = changes.first().map(|entry| entry.seq);
            if head < from || (head > from && next != Some(from + 1)) {
                // Numbers have no gaps: rows are gone (restored from a backup, or pruned while this node slept).
                self.forget_everything(head);
                continue;
            }
            self.apply(&changes);
            self.note_lag(&changes, now, watch);
            if changes.len() < usize::try_from(PAGE).unwrap_or(usize::MAX) {
                break;
            }
        }
        if now.millis() <= self.looked.load(Ordering::Acquire) - FRESH_MS {
            // The clock stepped back: what it showed before says nothing of how fresh this is.
            self.looked.store(now.millis(), Ordering::Release);
        }
        self.looked.fetch_max(now.millis(), Ordering::AcqRel);
        Ok(())
    }

    /// Follows after a change that is committed. It stands, whether this node can see it now or not: if not, this node decides
    /// nothing until it has looked again.
    pub async fn follow_own(&self, now: Timestamp) {
        if let Err(error) = self.follow(now).await {
            tracing::error!(%error, "a change is stored, but the feed does not answer: this node waits for it");
            self.looked.store(NEVER, Ordering::Release);
        }
    }

    /// Starts anew at `head`: nothing that was known before is believed.
    fn forget_everything(&self, head: i64) {
        tracing::warn!(head, "the change feed has a gap: everything is read again");
        self.meters.gaps.inc();
        let _guard = self.applying.lock().unwrap_or_else(PoisonError::into_inner);
        let listeners = self.listeners.lock().unwrap_or_else(PoisonError::into_inner);
        self.forget(None);
        listeners.iter().for_each(|tell| tell(None));
        self.applied.store(head, Ordering::Release);
    }

    /// How long after each change began it is in force here; clocks of nodes that differ show as more or less of it.
    fn note_lag(&self, changes: &[Entry], now: Timestamp, watch: Stopwatch) {
        for entry in changes {
            let before = u64::try_from(now.millis_since(entry.at)).unwrap_or(0);
            self.meters.applied.took(Duration::from_millis(before) + watch.elapsed());
        }
    }

    fn apply(&self, changes: &[Entry]) {
        let _guard = self.applying.lock().unwrap_or_else(PoisonError::into_inner);
        let listeners = self.listeners.lock().unwrap_or_else(PoisonError::into_inner);
        for Entry { seq, change, .. } in changes {
            self.forget(*change);
            listeners.iter().for_each(|tell| tell(*change));
            self.applied.store(*seq, Ordering::Release);
        }
    }

    fn forget(&self, change: Option<Change>) {
        match change {
            Some(Change::Account(id)) => {
                self.accounts.remove(&AccountId::from_i64(id));
                self.guards.remove(&AccountId::from_i64(id));
                // Its domains say of whose instances host names speak.
                self.instances.clear();
            }
            Some(Change::Principal(id)) => self.principals.remove(&PrincipalId::from_i64(id)),
            Some(Change::Credential(id)) => {
                self.credentials.remove(&CredentialId::from_i64(id));
                self.sessions.remove(&CredentialId::from_i64(id));
            }
            Some(Change::Policy(id)) => self.policies.remove(&PolicyId::from_i64(id)),
            Some(Change::Instance(id)) => {
                self.instances.clear();
                // How they are named follows its name.
                self.owned.remove(&InstanceId::from_i64(id));
            }
            Some(Change::Endpoints(id)) => {
                self.instances.clear();
                self.rules.remove(&InstanceId::from_i64(id));
            }
            Some(Change::Visibility(_)) => self.public.clear(),
            Some(Change::ResourcePolicy(id)) => self.owned.remove(&InstanceId::from_i64(id)),
            Some(Change::Provider(id)) => self.providers.remove(&ProviderId::from_i64(id)),
            Some(Change::IssuerKeys(_) | Change::SigningKeys) => {}
            None => {
                self.principals.clear();
                self.credentials.clear();
                self.sessions.clear();
                self.accounts.clear();
                self.policies.clear();
                self.providers.clear();
                self.instances.clear();
                self.rules.clear();
                self.public.clear();
                self.owned.clear();
                self.guards.clear();
            }
        }
    }

    /// Looks at the change feed when nobody has for half a second, and fails when it does not answer: such a node decides nothing.
    pub async fn fresh(&self, now: Timestamp) -> Result<(), Refusal> {
        if !self.is_late(now) {
            return Ok(());
        }
        timeout(FRESH_PATIENCE, Box::pin(self.catch_up(now))).await.map_err(|_| Refusal::Unavailable)?.map_err(Refusal::from)
    }

    /// One look for all that wait for one.
    async fn catch_up(&self, now: Timestamp) -> Result<(), StoreError> {
        let watch = Stopwatch::start();
        let _one_at_a_time = self.following.lock().await;
        if self.is_late(now) { self.read_feed(now, watch).await } else { Ok(()) }
    }

    fn is_late(&self, now: Timestamp) -> bool {
        self.lag(now) > LATE_MS
    }

    /// Is the last look at the feed older than a second?
    pub fn is_stale(&self, now: Timestamp) -> bool {
        now.millis() - self.looked.load(Ordering::Acquire) > FRESH_MS
    }

    /// The newest change that is applied here.
    pub fn applied(&self) -> i64 {
        self.applied.load(Ordering::Acquire)
    }

    /// Milliseconds since the last look at the feed.
    pub fn lag(&self, now: Timestamp) -> i64 {
        now.millis() - self.looked.load(Ordering::Acquire)
    }
}

async fn head_and_since(tx: &mut Tx<'_>, from: i64) -> Result<(i64, Vec<Entry>), StoreError> {
    Ok((change::head(tx).await?, change::since(tx, from, PAGE).await?))
}
