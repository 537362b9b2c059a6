//! Retention: whole days from the oldest end, behind a signed beginning.

use access::{Audit, Permit, Record, audit::write};
use api::AuditRetention;
use chain::{Checkpoint, Purpose};
use model::{AccountId, Op, Seconds, Timestamp, act};
use store::account;
use store::audit::chain::{Position, Sealed, day, delete_oldest, last_before};
use store::audit::mark::{self, Kind};
use store::{StoreError, Tx};

use crate::{Trail, TrailError, read, remember};

/// The lease of retention.
const JOB: &str = "audit-retention";
/// Rows that go in one transaction.
const CHUNK: i64 = 500;
/// Accounts read at a time.
const ACCOUNTS: i64 = 100;

/// How long trails are kept: what the server says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Keeping {
    /// The trails of accounts that say nothing; none: for ever.
    pub default: Option<Seconds>,
    /// What an account may say at the least: whoever has taken one over takes no younger records away.
    pub least: Seconds,
    /// And at the most.
    pub most: Seconds,
}

impl Default for Keeping {
    fn default() -> Self {
        Self { default: None, least: Self::LEAST, most: Self::MOST }
    }
}

impl Keeping {
    /// What an account may say at the least, unless the server says something else.
    pub const LEAST: Seconds = Seconds::days(90);
    /// What anybody may say at the most.
    pub const MOST: Seconds = Seconds::days(36_500);

    /// How long the trail of an account is kept that says `days`. The server's bounds hold for what was said before they did.
    fn of(self, days: Option<i64>) -> Option<Seconds> {
        days.map_or(self.default, |days| {
            Some(Seconds::days(days.clamp(0, Self::MOST.0 / DAY)).clamp(self.least, self.most.max(self.least)))
        })
    }

    /// The bounds in whole days.
    const fn bounds(self) -> (i64, i64) {
        (whole_days(self.least), self.most.0 / DAY)
    }

    fn shown(self, own: Option<i64>) -> AuditRetention {
        let (least_days, most_days) = self.bounds();
        AuditRetention {
            days: own,
            kept_days: self.of(own).map(whole_days),
            default_days: self.default.map(whole_days),
            least_days,
            most_days,
        }
    }
}

/// Seconds of a day.
const DAY: i64 = 86_400;

/// Days, the last one whole.
const fn whole_days(time: Seconds) -> i64 {
    time.0.saturating_add(DAY - 1) / DAY
}

impl Trail {
    /// How long the account's trail is kept.
    pub async fn retention(&self, permit: Permit<act::GetAuditRetention>) -> Result<AuditRetention, TrailError> {
        let account = permit.on().0;
        let own = self.store.read(|tx| Box::pin(account::audit_retention(tx, account))).await?;
        Ok(self.keeping.shown(own))
    }

    /// Says how many days the account's trail is kept; none: as long as the server's setting says.
    pub async fn set_retention(
        &self,
        permit: Permit<act::SetAuditRetention>,
        days: Option<i64>,
        audit: &Audit,
    ) -> Result<AuditRetention, TrailError> {
        let (least, most) = self.keeping.bounds();
        if days.is_some_and(|days| !(least..=most).contains(&days)) {
            return Err(TrailError::Days { least, most });
        }
        let account = permit.on().0;
        let said = days.map_or_else(|| "the server's".to_owned(), |days| format!("{days} days"));
        let record = &permit.success().with_detail(said);
        self.store
            .write(|tx| {
                Box::pin(async move {
                    account::set_audit_retention(tx, account, days).await?;
                    write(tx, audit, record).await
                })
            })
            .await?;
        Ok(self.keeping.shown(days))
    }

    /// Takes away the days that are older than each account keeps them; how many records. Where `sink` names a sink, what it has
    /// not taken stays. What begins then is signed before anything goes, and that it went is written down.
    pub async fn retain(&self, op: &Op, sink: Option<&str>, audit: &Audit) -> Result<u64, TrailError> {
        if self.keeping.default.is_none() && !self.store.read(|tx| Box::pin(account::any_audit_retention(tx))).await? {
            return Ok(0);
        }
        let (mut gone, mut after) = (0, i64::MIN);
        loop {
            let accounts = self.store.read(|tx| Box::pin(mark::heads(tx, after, ACCOUNTS))).await?;
            let Some((last, _)) = accounts.last() else { return Ok(gone) };
            after = last.as_i64();
            for (account, _) in accounts {
                let (deleted, ours) = self.retain_in(op, account, sink, audit).await?;
                gone += deleted;
                if !ours {
                    return Ok(gone);
                }
            }
        }
    }

    /// How many records went, and whether the job is still this node's: each transaction takes the lease.
    async fn retain_in(&self, op: &Op, account: AccountId, sink: Option<&str>, audit: &Audit) -> Result<(u64, bool), TrailError> {
        let moved = self.store.write(|tx| Box::pin(self.move_beginning(tx, op, account, sink, audit))).await?;
        let end = match moved {
            Moved::To(end) => end,
            Moved::Nowhere => return Ok((0, true)),
            Moved::Elsewhere => return Ok((0, false)),
        };
        let mut gone = 0;
        loop {
            let deleted = self.store.write_apart(|tx| Box::pin(delete_some(tx, &self.node, account, end))).await?;
            let Some(deleted) = deleted else { return Ok((gone, false)) };
            gone += deleted;
            if deleted == 0 {
                return Ok((gone, true));
            }
        }
    }

    /// Signs the new beginning: everything up to there may go. (What an interrupted round left is still there, before the
    /// beginning: it goes with the next.)
    async fn move_beginning(
        &self,
        tx: &mut Tx<'_>,
        op: &Op,
        account: AccountId,
        sink: Option<&str>,
        audit: &Audit,
    ) -> Result<Moved, TrailError> {
        if !remember::take(tx, JOB, &self.node).await? {
            return Ok(Moved::Elsewhere);
        }
        let Some(keep) = self.keeping.of(account::audit_retention(tx, account).await?) else { return Ok(Moved::Nowhere) };
        let oldest = day(Timestamp::from_millis(op.now.millis().saturating_sub(keep.0.saturating_mul(1000))));
        let ring = self.keys.renewed(tx).await?;
        let Some(last) = last_to_go(tx, account, oldest, sink).await? else { return Ok(Moved::Nowhere) };
        let stood = mark::get(tx, account, Kind::Begin).await?.and_then(|text| read::beginning(&ring, &text));
        if let Some(stood) = stood.filter(|stood| *stood >= last.at) {
            return Ok(Moved::To(stood));
        }
        let begin = Checkpoint {
            purpose: Purpose::Begin,
            account_id: account.to_string(),
            sequence: last.at.seq,
            hash: hex::encode(&last.hash),
            at: last.sealed,
            next_key: None,
        };
        mark::set(tx, account, Kind::Begin, begin.sequence, &ring.youngest()?.sign(&begin)?).await?;
        let detail = format!("records up to {} (sealed {}) are deleted", begin.sequence, begin.at);
        write(tx, audit, &Record::job(op, account, "retention").with_detail(detail)).await?;
        Ok(Moved::To(last.at))
    }
}

/// Where the beginning of a trail is.
enum Moved {
    /// Up to here everything may go.
    To(Position),
    /// Nothing is old enough.
    Nowhere,
    /// Another node does this.
    Elsewhere,
}

/// None: another node does this.
async fn delete_some(tx: &mut Tx<'_>, node: &str, account: AccountId, end: Position) -> Result<Option<u64>, StoreError> {
    if !remember::take(tx, JOB, node).await? {
        return Ok(None);
    }
    delete_oldest(tx, account, end, CHUNK).await.map(Some)
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
