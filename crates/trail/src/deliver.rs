//! Delivery to a sink: in the chain's order, never lost, now and then repeated.
//!
//! How far a sink has come is a row an account, moved on only when the sink has taken a batch. Who crashes between the two sends
//! the batch again: a receiver knows records by account and sequence.

use std::future::Future;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::Duration;

use api::AuditRecord;
use model::{AccountId, Timestamp};
use store::audit::chain::Position;
use store::audit::mark;

use crate::seal::trusted_head;
use crate::{Trail, TrailError, remember};

/// The lease of delivery.
const JOB: &str = "audit-delivery";
/// Records in one batch.
const BATCH: i64 = 500;
/// A batch ends when its records are about so long together (a single one may be longer).
const BATCH_BYTES: usize = 512 * 1024;
/// Accounts looked at in a round.
const ACCOUNTS: i64 = 100;
/// The first pause after a batch was refused; it doubles.
const PAUSE_MS: i64 = 1000;
/// The longest pause.
const LONGEST_PAUSE_MS: i64 = 300_000;
/// No longer than this goes by before a round ends and the lease is looked at again.
const ROUND_MS: i64 = 4000;
/// A sink answers in this time, or has refused. Shorter than the lease.
pub(crate) const ANSWER_WITHIN: Duration = Duration::from_secs(5);

/// Where records are delivered to.
pub trait Sink: Send + Sync {
    /// Its name, under which it is remembered how far it has come.
    fn name(&self) -> &str;
    /// Gives it a batch of one account. Only when it has taken all of it, for good, this answers `Ok`.
    fn take(&self, account: &str, records: &[AuditRecord]) -> impl Future<Output = Result<(), Refused>> + Send;
}

/// A sink has not taken a batch.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Refused {
    /// Why; for the log. Never a secret.
    pub why: String,
    /// How long it asks to be left alone.
    pub retry_after: Option<Duration>,
    /// What kind of refusal, for the metrics.
    pub kind: RefusalKind,
}

/// How a sink refuses.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum RefusalKind {
    /// It cannot be reached, or does not answer properly or in time.
    Unreachable,
    /// It answers with a redirect, or with anything else that is no answer to this.
    Redirect,
    /// It does not take what we send: who we are, what we say.
    Rejected,
    /// A smaller batch may pass.
    TooLarge,
    /// It has failed itself.
    Failed,
}

impl RefusalKind {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Unreachable, Self::Redirect, Self::Rejected, Self::TooLarge, Self::Failed];

    /// Its word in the metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unreachable => "unreachable",
            Self::Redirect => "redirect",
            Self::Rejected => "rejected",
            Self::TooLarge => "too_large",
            Self::Failed => "failed",
        }
    }
}

/// What a round has done.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Delivered {
    /// Records that the sink has taken.
    pub records: u64,
    /// Whether there are more, or there was a refusal.
    pub behind: bool,
}

/// When to try again, and how large batches may be, after refusals.
#[derive(Default)]
pub(crate) struct Patience(Mutex<Waiting>);

#[derive(Clone, Copy, Default)]
struct Waiting {
    refusals: u32,
    until: Option<Timestamp>,
    halvings: u32,
    /// How the last batch was refused; none: it was taken.
    last: Option<RefusalKind>,
}

impl Patience {
    fn get(&self) -> Waiting {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set(&self, waiting: Waiting) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = waiting;
    }

    fn refused(&self, refused: &Refused, now: Timestamp) -> i64 {
        let before = self.get();
        let asked = refused.retry_after.map_or(0, |d| i64::try_from(d.as_millis()).unwrap_or(LONGEST_PAUSE_MS));
        let pause = (PAUSE_MS << before.refusals.min(10)).max(asked).min(LONGEST_PAUSE_MS);
        let halvings = if refused.kind == RefusalKind::TooLarge { (before.halvings + 1).min(9) } else { before.halvings };
        let until = Some(Timestamp::from_millis(now.millis() + pause));
        self.set(Waiting { refusals: before.refusals.saturating_add(1), until, halvings, last: Some(refused.kind) });
        pause
    }

    pub(crate) fn last(&self) -> Option<RefusalKind> {
        self.get().last
    }

    fn taken(&self) {
        let halvings = self.get().halvings.saturating_sub(1);
        self.set(Waiting { halvings, ..Waiting::default() });
    }
}

impl Trail {
    /// Delivers what the sink has not taken yet, for a few seconds at most; `clock` tells how the time goes. After a refusal
    /// nothing is sent for a while, longer each time.
    pub async fn deliver(&self, sink: &impl Sink, clock: &dyn model::Clock) -> Result<Delivered, TrailError> {
        let begin = clock.now();
        let mut delivered = Delivered::default();
        if self.patience.get().until.is_some_and(|until| until > begin) {
            return Ok(Delivered { behind: true, ..delivered });
        }
        loop {
            let behind = self.store.read(|tx| Box::pin(mark::behind(tx, sink.name(), i64::MIN, ACCOUNTS))).await?;
            delivered.behind = !behind.is_empty();
            if behind.is_empty() || clock.now().millis_since(begin) > ROUND_MS || !self.holds(clock.now()).await? {
                return Ok(delivered);
            }
            for (account, from) in behind {
                match self.deliver_batch(sink, account, from, clock).await? {
                    Some(records) => delivered.records += records,
                    None => return Ok(delivered),
                }
                if clock.now().millis_since(begin) > ROUND_MS {
                    return Ok(delivered);
                }
            }
        }
    }

    /// Whether this node delivers.
    async fn holds(&self, now: Timestamp) -> Result<bool, TrailError> {
        if !self.leases.is_due(JOB, now) {
            return Ok(true);
        }
        let node = &*self.node;
        let ours = self.store.write(|tx| Box::pin(remember::take(tx, JOB, node))).await?;
        self.leases.note(JOB, now, ours);
        Ok(ours)
    }

    /// None: the sink has refused.
    async fn deliver_batch(
        &self,
        sink: &impl Sink,
        account: AccountId,
        from: Position,
        clock: &dyn model::Clock,
    ) -> Result<Option<u64>, TrailError> {
        let all = (Timestamp::from_millis(i64::MIN), Timestamp::from_millis(i64::MAX));
        let most = (BATCH >> self.patience.get().halvings).max(1);
        let read = self.read_chain(account, from, all, most).await?;
        let batch = bounded(read);
        let Some((to, _)) = batch.last() else {
            return self.nothing_to_read(sink, account).await;
        };
        let to = *to;
        let records: Vec<AuditRecord> = batch.into_iter().map(|(_, record)| record).collect();
        if let Err(refused) = sink.take(&account.to_string(), &records).await {
            let pause_ms = self.patience.refused(&refused, clock.now());
            tracing::warn!(sink = sink.name(), pause_ms, why = refused.why, "audit records wait: the sink does not take them");
            return Ok(None);
        }
        self.patience.taken();
        let name = sink.name();
        self.store.write(|tx| Box::pin(mark::advance(tx, name, account, to))).await?;
        Ok(Some(records.len() as u64))
    }

    /// The head is further on than any row that is there (somebody has deleted rows): the sink cannot get what is gone.
    async fn nothing_to_read(&self, sink: &impl Sink, account: AccountId) -> Result<Option<u64>, TrailError> {
        let account_id = account.to_string();
        tracing::error!(account_id, "records of the audit trail are gone before they were delivered: `tidegate audit verify` says which");
        let signed = self.store.read(|tx| Box::pin(mark::get(tx, account, mark::Kind::Head))).await?;
        let ring = self.keys.renew().await?;
        let Some(head) = signed.and_then(|text| trusted_head(&ring, &text, account)) else { return Ok(None) };
        let (name, to) = (sink.name(), Position::at(head.sealed, head.seq));
        self.store.write(|tx| Box::pin(mark::advance(tx, name, account, to))).await?;
        Ok(Some(0))
    }
}

/// As many as make a batch, one at least.
fn bounded(mut read: Vec<(Position, AuditRecord)>) -> Vec<(Position, AuditRecord)> {
    let mut bytes = 0;
    let fits = read.iter().take_while(|(_, record)| {
        let begun = bytes > 0;
        bytes += size(record);
        !begun || bytes <= BATCH_BYTES
    });
    let fits = fits.count();
    read.truncate(fits);
    read
}

/// About how long a record is, written out.
fn size(record: &AuditRecord) -> usize {
    let event = &record.event;
    let detail = event.detail.as_ref().map_or(0, String::len) + event.user_agent.as_ref().map_or(0, String::len);
    let checkpoint = record.checkpoint.as_ref().map_or(0, String::len);
    700 + event.resource.len() + event.principal.len() + detail + checkpoint
}
