//! A restore sets chains back on purpose, and signs that it did: what nodes have sealed before, and kept, does not count any more.
//!
//! Who can write the database and has not the master key cannot sign it. A mark that is put back with an old state of the database
//! says only that of what was sealed before that restore; what nodes have sealed since counts against it as ever.

use chain::{Checkpoint, Purpose};
use model::{AccountId, Timestamp};
use store::account::account_by_id;
use store::audit::mark::{self, Kind};
use store::{StoreError, Tx};

use crate::key::Ring;
use crate::remember::Link;
use crate::seal::{trusted, trusted_head};
use crate::{Trail, TrailError};

/// Accounts of a page.
const PAGE: i64 = 500;

impl Trail {
    /// Signs for every chain that it was set back to where it ends now, at `now`. For whoever has just restored the database.
    pub async fn restored(&self, now: Timestamp) -> Result<(), TrailError> {
        self.store.write(|tx| Box::pin(self.mark_all(tx, now))).await
    }

    async fn mark_all(&self, tx: &mut Tx<'_>, now: Timestamp) -> Result<(), TrailError> {
        let (ring, mut after) = (self.keys.renewed(tx).await?, i64::MIN);
        loop {
            let page = mark::heads(tx, after, PAGE).await?;
            let Some((last, _)) = page.last() else { return Ok(()) };
            after = last.as_i64();
            for (account, _) in page {
                mark_one(tx, &ring, account, now).await?;
            }
        }
    }
}

/// A head that is not one of ours is no place to go on from.
async fn mark_one(tx: &mut Tx<'_>, ring: &Ring, account: AccountId, at: Timestamp) -> Result<(), TrailError> {
    let head = mark::get(tx, account, Kind::Head).await?;
    let Some(head) = head.and_then(|text| trusted_head(ring, &text, account)) else { return Ok(()) };
    let (account_id, sequence) = (account.to_string(), head.seq);
    let signed =
        ring.youngest()?.sign(&Checkpoint { purpose: Purpose::Restore, account_id, sequence, hash: head.hash, at, next_key: None })?;
    Ok(mark::set(tx, account, Kind::Restore, sequence, &signed).await?)
}

/// Was the database restored after `known` was sealed, so that it does not count? `stored` is the head that the database has.
pub(crate) async fn since(
    tx: &mut Tx<'_>,
    ring: &Ring,
    account: AccountId,
    (known, stored): (&Link, Option<&Link>),
) -> Result<bool, StoreError> {
    let Some(stored) = stored else { return gone_since(tx, ring, account, known).await };
    let mark = mark::get(tx, account, Kind::Restore).await?;
    let mark = mark.and_then(|text| trusted(ring, &text, account, Purpose::Restore));
    // The chain goes on from that record, or the mark is of another one.
    let goes_on = |mark: &Checkpoint| stored.seq > mark.sequence || (stored.seq == mark.sequence && stored.hash == mark.hash);
    Ok(mark.is_some_and(|mark| known.sealed < mark.at && goes_on(&mark)))
}

/// An account that was made after the backup is not there any more, nor any mark of it: one of another account says when that was.
async fn gone_since(tx: &mut Tx<'_>, ring: &Ring, account: AccountId, known: &Link) -> Result<bool, StoreError> {
    if account_by_id(tx, account).await?.is_some() {
        return Ok(false);
    }
    let mark = mark::any(tx, Kind::Restore).await?.and_then(|(of, text)| trusted(ring, &text, of, Purpose::Restore));
    Ok(mark.is_some_and(|mark| known.sealed < mark.at))
}
