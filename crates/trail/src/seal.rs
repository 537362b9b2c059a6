//! Sealing: what waits gets its place, its hash and its signature.
//!
//! What waits is found by being in `audit_pending`, in whatever order it was committed; never by its time. A record that another
//! node commits late, with an earlier time, is sealed in the next round, behind younger ones. A batch is one transaction: it
//! goes on from the signed head, takes the waiting rows away, writes the sealed ones and moves the head, or does nothing.
//!
//! Where there is a younger key than the one that has signed the head, the batch ends with a record that says so; the old key
//! signs the batch and, in that signature, names the new one, which signs the head and everything after it.

use api::AuditRecord;
use chain::{Checkpoint, Purpose, ZEROS};
use model::{AccountId, RequestId, Timestamp};
use store::audit::chain::{Position, Sealed};
use store::audit::mark::{self, Kind};
use store::audit::{self, Event, Waiting};
use store::{StoreError, Tx};

use crate::key::{Ring, Signer};
use crate::remember::{self, Link};
use crate::{Trail, TrailError, read, restored};

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
    /// What this node had sealed does not count: the database was restored since.
    restored: bool,
}

/// Where a chain goes on, and what is wrong there.
struct End {
    link: Link,
    harm: Option<&'static str>,
    restored: bool,
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
    async fn seal_batch(&self, batch: &[Waiting], now: Timestamp) -> Result<bool, TrailError> {
        let due = self.leases.is_due(JOB, now);
        let done = self.store.write_apart(|tx| Box::pin(self.try_seal(tx, batch, now, due))).await?;
        if due {
            self.leases.note(JOB, now, done.is_some());
        }
        let Some(done) = done else { return Ok(false) };
        if done.restored {
            let account = &done.head.account_id;
            tracing::warn!(account, "the database was restored from a backup: what was sealed after it was made does not count any more");
            self.seen.forget(account);
        }
        self.seen.note(&done.head, &done.signed);
        if let Some(harm) = done.harm {
            let account = &done.head.account_id;
            tracing::error!(account, harm, "the audit trail was changed by somebody else: `tidegate audit verify` says where");
        }
        Ok(true)
    }

    async fn try_seal(&self, tx: &mut Tx<'_>, batch: &[Waiting], now: Timestamp, due: bool) -> Result<Option<Done>, TrailError> {
        if due && !remember::take(tx, JOB, &self.node).await? {
            return Ok(None);
        }
        let (Some(first), Some(last)) = (batch.first(), batch.last()) else { return Ok(None) };
        let (account, ring) = (first.account, self.keys.renewed(tx).await?);
        let mut events = audit::take_pending(tx, account, first.at, last.at).await?;
        if events.is_empty() {
            return Err(TrailError::Overtaken);
        }
        let End { link, harm, restored } = self.end_of_chain(tx, &ring, account).await?;
        let sealed_at = Timestamp::from_millis(now.millis().max(link.sealed.millis() + 1));
        let (by, next) = signers(&ring, link.kid.as_deref())?;
        events.extend(next.map(|next| self.key_event(account, sealed_at, by, next)));
        let (mut rows, head) = linked(&events, link, sealed_at);
        let head = Checkpoint { account_id: account.to_string(), ..head };
        if let Some(last) = rows.last_mut() {
            let next_key = next.map(|next| Checkpoint::spell_key(next.point()));
            last.checkpoint = Some(by.sign(&Checkpoint { purpose: Purpose::Batch, next_key, ..head.clone() })?);
        }
        let signed = next.unwrap_or(by).sign(&head)?;
        audit::chain::insert_all(tx, &rows).await?;
        mark::set(tx, account, Kind::Head, head.sequence, &signed).await?;
        Ok(Some(Done { head, signed, harm, restored }))
    }

    /// The last record that `old` signs.
    fn key_event(&self, account: AccountId, at: Timestamp, old: &Signer, new: &Signer) -> Event {
        Event {
            id: i64::try_from(self.keys.bits() >> 1).unwrap_or_default(),
            account,
            time: at,
            action: "audit-key".into(),
            outcome: "success".into(),
            principal: None,
            principal_name: "system".into(),
            credential: None,
            credential_kind: None,
            resource: format!("account/{account}").into(),
            detail: Some(format!("key {} signs from here on; up to here key {}", new.kid, old.kid).into()),
            source_ip: "::".into(),
            user_agent: None,
            request_id: RequestId::from_random(0).to_string().into(),
            count: 1,
        }
    }

    /// What the next record follows. Where the database tells less than was signed, the chain goes on so that the harm shows:
    /// it is never made good.
    async fn end_of_chain(&self, tx: &mut Tx<'_>, ring: &Ring, account: AccountId) -> Result<End, StoreError> {
        let stored = mark::get(tx, account, Kind::Head).await?;
        let last = audit::chain::last_before(tx, account, i64::MAX).await?;
        let (stored, forged) = match stored.map(|text| trusted_head(ring, &text, account)) {
            Some(Some(link)) => (Some(link), false),
            Some(None) => (None, true),
            None => (None, false),
        };
        let last = last.map(|row| (row.at.seq, row.sealed));
        let known = self.seen.get(account);
        let (link, harm) = go_on(stored.clone(), forged, known.clone(), last);
        let (Some(_), Some(known)) = (harm, &known) else { return Ok(End { link, harm, restored: false }) };
        if !restored::since(tx, ring, account, (known, stored.as_ref())).await? {
            return Ok(End { link, harm, restored: false });
        }
        let (link, harm) = go_on(stored, forged, None, last);
        Ok(End { link, harm, restored: true })
    }
}

/// A head of this account that one of our keys has signed.
pub(crate) fn trusted_head(ring: &Ring, text: &str, account: AccountId) -> Option<Link> {
    trusted(ring, text, account, Purpose::Head).map(|head| Link::of(&head, text))
}

/// What one of our keys has signed of this account's chain, for this purpose.
pub(crate) fn trusted(ring: &Ring, text: &str, account: AccountId, purpose: Purpose) -> Option<Checkpoint> {
    let read = Checkpoint::read(text, ring.public()).ok()?;
    (read.purpose == purpose && read.account_id == account.to_string()).then_some(read)
}

/// Who signs a batch behind a head that key `kid` has signed; and who from then on, if that is another.
fn signers<'r>(ring: &'r Ring, kid: Option<&str>) -> Result<(&'r Signer, Option<&'r Signer>), TrailError> {
    let youngest = ring.youngest()?;
    Ok(match kid.and_then(|kid| ring.signer(kid)) {
        Some(signer) if signer.kid != youngest.kid => (signer, Some(youngest)),
        _ => (youngest, None),
    })
}

/// From where a chain goes on, and what is wrong with its end: `stored` is the signed head, `remembered` the head that this node
/// has sealed, `last` the last row that is there.
fn go_on(stored: Option<Link>, forged: bool, remembered: Option<Link>, last: Option<(i64, Timestamp)>) -> (Link, Option<&'static str>) {
    let start = Link { seq: 0, hash: ZEROS.to_owned(), sealed: Timestamp::from_millis(0), kid: None };
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
        link = Link { seq, hash: record.hash, sealed, kid: None };
    }
    let head =
        Checkpoint { purpose: Purpose::Head, account_id: String::new(), sequence: link.seq, hash: link.hash, at: sealed, next_key: None };
    (rows, head)
}

/// Runs of one account's events, each at most a batch.
fn batches(waiting: &[Waiting]) -> impl Iterator<Item = &[Waiting]> {
    waiting.chunk_by(|a, b| a.account == b.account).flat_map(|account| account.chunks(BATCH))
}
