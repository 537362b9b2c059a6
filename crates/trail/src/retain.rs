//! Retention: whole days from the oldest end, behind a signed beginning.

use access::{Audit, Record, audit::write};
use chain::{Checkpoint, Purpose};
use model::{AccountId, Op, Seconds, Timestamp};
use store::audit::chain::{Position, Sealed, day, delete_oldest, last_before};
use store::audit::mark::{self, Kind};
use store::{StoreError, Tx};

use crate::{Trail, TrailError, remember};

/// The lease of retention.
const JOB: &str = "audit-retention";
/// Rows that go in one transaction.
const CHUNK: i64 = 500;
/// Accounts read at a time.
const ACCOUNTS: i64 = 100;

impl Trail {
    /// Takes away the days that are older than `keep`, in every account; how many records. Where `sink` names a sink, what it
    /// has not taken stays. What begins then is signed before anything goes, and that it went is written down.
    pub async fn retain(&self, op: &Op, keep: Seconds, sink: Option<&str>, audit: &Audit) -> Result<u64, TrailError> {
        let node = &*self.node;
        if !self.store.write(|tx| Box::pin(remember::take(tx, JOB, node, op.now))).await? {
            return Ok(0);
        }
        let (mut gone, mut after) = (0, i64::MIN);
        loop {
            let accounts = self.store.read(|tx| Box::pin(mark::heads(tx, after, ACCOUNTS))).await?;
            let Some((last, _)) = accounts.last() else { return Ok(gone) };
            after = last.as_i64();
            for (account, _) in accounts {
                gone += self.retain_in(op, account, keep, sink, audit).await?;
            }
        }
    }

    async fn retain_in(&self, op: &Op, account: AccountId, keep: Seconds, sink: Option<&str>, audit: &Audit) -> Result<u64, TrailError> {
        let oldest = day(Timestamp::from_millis(op.now.millis().saturating_sub(keep.0.saturating_mul(1000))));
        let moved = self.store.write(|tx| Box::pin(self.move_beginning(tx, op, account, oldest, sink, audit))).await?;
        let Some(end) = moved else { return Ok(0) };
        let mut gone = 0;
        loop {
            let deleted = self.store.write_apart(|tx| Box::pin(delete_oldest(tx, account, end, CHUNK))).await?;
            gone += deleted;
            if deleted == 0 {
                return Ok(gone);
            }
        }
    }

    /// Signs the new beginning; the place up to which everything may go. None: nothing is that old. (What an interrupted round
    /// left is still there, before the beginning: it goes with the next.)
    async fn move_beginning(
        &self,
        tx: &mut Tx<'_>,
        op: &Op,
        account: AccountId,
        oldest: i64,
        sink: Option<&str>,
        audit: &Audit,
    ) -> Result<Option<Position>, TrailError> {
        let Some(last) = last_to_go(tx, account, oldest, sink).await? else { return Ok(None) };
        let stood = mark::get(tx, account, Kind::Begin).await?.and_then(|text| self.beginning(&text));
        if stood.is_some_and(|stood| stood >= last.at) {
            return Ok(stood);
        }
        let begin = Checkpoint {
            purpose: Purpose::Begin,
            account_id: account.to_string(),
            sequence: last.at.seq,
            hash: hex::encode(&last.hash),
            at: last.sealed,
        };
        mark::set(tx, account, Kind::Begin, begin.sequence, &self.keys.sign(&begin)?).await?;
        let detail = format!("records up to {} (sealed {}) are deleted", begin.sequence, begin.at);
        write(tx, audit, &Record::job(op, account, "retention").with_detail(detail)).await?;
        Ok(Some(last.at))
    }
}

/// The last record of the days before `oldest` that the sink has taken.
async fn last_to_go(tx: &mut Tx<'_>, account: AccountId, oldest: i64, sink: Option<&str>) -> Result<Option<Sealed>, StoreError> {
    let taken = match sink {
        Some(sink) => Some(mark::cursor(tx, sink, account).await?),
        None => None,
    };
    // Whole days: of the day that the sink is in, nothing goes.
    let oldest = taken.map_or(oldest, |taken| oldest.min(taken.day));
    last_before(tx, account, oldest).await
}
