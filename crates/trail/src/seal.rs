//! Sealing: what waits gets its place, its hash and its signature.
//!
//! What waits is found by being in `audit_pending`, in whatever order it was committed; never by its time. A record that another
//! node commits late, with an earlier time, is sealed in the next round, behind younger ones. A batch is one transaction: it
//! goes on from the signed head, writes the sealed rows, takes the waiting ones away and moves the head, or does nothing.

use api::AuditRecord;
use chain::{Checkpoint, Purpose, ZEROS};
use model::{AccountId, Timestamp};
use store::audit::chain::{Position, Sealed};
use store::audit::mark::{self, Kind};
use store::audit::{self, Event};
use store::{StoreError, Tx};

use crate::remember::{self, Link};
use crate::{Trail, TrailError, read};

/// The lease of the sealer.
const JOB: &str = "audit-seal";
/// Records sealed in one transaction.
const BATCH: usize = 256;
/// Records read at a time.
const READ: i64 = 2048;
/// Reads in a round: the next round comes within a second.
const ROUNDS: usize = 16;

/// A batch as it was committed.
struct Done {
    head: Checkpoint,
    signed: String,
    /// What was wrong with the end of the chain before it.
    harm: Option<&'static str>,
}

impl Trail {
    /// Seals what waits; how many records. Does nothing when nothing waits, or when another node holds the lease.
    pub async fn seal(&self, now: Timestamp) -> Result<u64, TrailError> {
        let mut sealed = 0;
        for _ in 0..ROUNDS {
            let waiting = self.store.scan(|tx| Box::pin(audit::pending(tx, READ))).await?;
            let all = waiting.len() < usize::try_from(READ).unwrap_or_default();
            for batch in batches(&waiting) {
                match self.seal_batch(batch, now).await {
                    Ok(true) => sealed += batch.len() as u64,
                    Ok(false) | Err(TrailError::Overtaken) => return Ok(sealed),
                    Err(error) => return Err(error),
                }
            }
            if all {
                break;
            }
        }
        Ok(sealed)
    }

    /// False: another node holds the lease.
    async fn seal_batch(&self, batch: &[Event], now: Timestamp) -> Result<bool, TrailError> {
        let due = self.leases.is_due(JOB, now);
        let done = self.store.write_apart(|tx| Box::pin(self.try_seal(tx, batch, now, due))).await?;
        if due {
            self.leases.note(JOB, now, done.is_some());
        }
        let Some(done) = done else { return Ok(false) };
        self.seen.note(&done.head, &done.signed);
        if let Some(harm) = done.harm {
            let account = &done.head.account_id;
            tracing::error!(account, harm, "the audit trail was changed by somebody else: `tidegate audit verify` says where");
        }
        Ok(true)
    }

    async fn try_seal(&self, tx: &mut Tx<'_>, batch: &[Event], now: Timestamp, due: bool) -> Result<Option<Done>, TrailError> {
        if due && !remember::take(tx, JOB, &self.node, now).await? {
            return Ok(None);
        }
        let Some(account) = batch.first().map(|event| event.account) else { return Ok(None) };
        let (link, harm) = self.end_of_chain(tx, account).await?;
        let sealed_at = Timestamp::from_millis(now.millis().max(link.sealed.millis() + 1));
        let (mut rows, head) = linked(batch, link, sealed_at);
        let head = Checkpoint { account_id: account.to_string(), ..head };
        if let Some(last) = rows.last_mut() {
            last.checkpoint = Some(self.keys.sign(&Checkpoint { purpose: Purpose::Batch, ..head.clone() })?);
        }
        let signed = self.keys.sign(&head)?;
        for row in &rows {
            if !audit::delete_pending(tx, &row.event).await? {
                return Err(TrailError::Overtaken);
            }
            audit::chain::insert(tx, row).await?;
        }
        mark::set(tx, account, Kind::Head, head.sequence, &signed).await?;
        Ok(Some(Done { head, signed, harm }))
    }

    /// What the next record follows. Where the database tells less than was signed, the chain goes on so that the harm shows:
    /// it is never made good.
    async fn end_of_chain(&self, tx: &mut Tx<'_>, account: AccountId) -> Result<(Link, Option<&'static str>), StoreError> {
        let stored = mark::get(tx, account, Kind::Head).await?;
        let last = audit::chain::last_before(tx, account, i64::MAX).await?;
        let (stored, forged) = match stored.map(|text| self.trusted_head(&text, account)) {
            Some(Some(link)) => (Some(link), false),
            Some(None) => (None, true),
            None => (None, false),
        };
        Ok(go_on(stored, forged, self.seen.get(account), last.map(|row| (row.at.seq, row.sealed))))
    }

    pub(crate) fn trusted_head(&self, text: &str, account: AccountId) -> Option<Link> {
        let head = Checkpoint::read(text, self.keys.public()).ok()?;
        let ours = head.purpose == Purpose::Head && head.account_id == account.to_string();
        ours.then(|| Link::of(&head))
    }
}

/// From where a chain goes on, and what is wrong with its end: `stored` is the signed head, `remembered` the head that this node
/// has sealed, `last` the last row that is there.
fn go_on(stored: Option<Link>, forged: bool, remembered: Option<Link>, last: Option<(i64, Timestamp)>) -> (Link, Option<&'static str>) {
    let start = Link { seq: 0, hash: ZEROS.to_owned(), sealed: Timestamp::from_millis(0) };
    let (mut link, mut harm) = match (stored, remembered) {
        (Some(stored), Some(known)) if known.seq > stored.seq => (known, Some("its head was set back")),
        (Some(stored), Some(known)) if known.seq == stored.seq && known.hash != stored.hash => (known, Some("its head is another one")),
        (Some(stored), _) => (stored, None),
        (None, Some(known)) => (known, Some("its head is gone")),
        // Not from the start again: that the first number is missing shows it.
        (None, None) if forged => (Link { seq: 1, ..start }, Some("its head is not signed by us")),
        (None, None) => (start, None),
    };
    if let Some((seq, sealed)) = last
        && seq > link.seq
    {
        // One number is left out, so that what is there is not taken for what was sealed.
        link.seq = seq.saturating_add(1);
        link.sealed = link.sealed.max(sealed);
        harm = harm.or(Some("it has records behind its head"));
    }
    (link, harm)
}

/// The batch behind `link`, and the head that it leads to (the account is still to be named).
fn linked(batch: &[Event], mut link: Link, sealed: Timestamp) -> (Vec<Sealed>, Checkpoint) {
    let mut rows = Vec::with_capacity(batch.len());
    for event in batch {
        let seq = link.seq.saturating_add(1);
        let mut record = AuditRecord {
            account_id: event.account.to_string(),
            sealed_at: sealed,
            previous_hash: link.hash,
            hash: String::new(),
            checkpoint: None,
            event: read::shape(event, Some(seq)),
        };
        record.hash = chain::hash(&record);
        rows.push(Sealed {
            event: event.clone(),
            at: Position::at(sealed, seq),
            sealed,
            previous: hex::decode(&record.previous_hash).unwrap_or_default(),
            hash: hex::decode(&record.hash).unwrap_or_default(),
            checkpoint: None,
        });
        link = Link { seq, hash: record.hash, sealed };
    }
    let head = Checkpoint { purpose: Purpose::Head, account_id: String::new(), sequence: link.seq, hash: link.hash, at: sealed };
    (rows, head)
}

/// Runs of one account's events, each at most a batch.
fn batches(waiting: &[Event]) -> impl Iterator<Item = &[Event]> {
    waiting.chunk_by(|a, b| a.account == b.account).flat_map(|account| account.chunks(BATCH))
}
