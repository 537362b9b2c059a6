//! A restore sets chains back on purpose, and signs that it did: what nodes have sealed before, and kept, does not count any more.
//!
//! Who can write the database and has not the master key cannot sign it. A mark that is put back with an old state of the database
//! says only that of what was sealed before that restore; what nodes have sealed since counts against it as ever.

use chain::{Checkpoint, Purpose, ZEROS};
use model::{AccountId, Timestamp};
use store::account::{account_by_id, accounts};
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
            let page = accounts(tx, after, PAGE).await?;
            let Some(last) = page.last() else { return Ok(()) };
            after = last.id.as_i64();
            for account in page {
                mark_one(tx, &ring, account.id, now).await?;
            }
        }
    }
}

/// A chain of which nothing was sealed yet was set back to before its first record. A head that is not one of ours is no place to go on
/// from.
async fn mark_one(tx: &mut Tx<'_>, ring: &Ring, account: AccountId, at: Timestamp) -> Result<(), TrailError> {
    let head = mark::get(tx, account, Kind::Head).await?.map(|text| trusted_head(ring, &text, account));
    let (sequence, hash) = match head {
        None => (0, ZEROS.to_owned()),
        Some(Some(head)) => (head.seq, head.hash),
        Some(None) => return Ok(()),
    };
    let account_id = account.to_string();
    let signed = ring.youngest()?.sign(&Checkpoint { purpose: Purpose::Restore, account_id, sequence, hash, at, next_key: None })?;
    Ok(mark::set(tx, account, Kind::Restore, sequence, &signed).await?)
}

/// Was the database restored after `known` was sealed, so that it does not count? `stored` is the head that the database has.
pub(crate) async fn since(
    tx: &mut Tx<'_>,
    ring: &Ring,
    account: AccountId,
    (known, stored): (&Link, Option<&Link>),
) -> Result<bool, StoreError> {
    let Some(text) = mark::get(tx, account, Kind::Restore).await? else { return gone_since(tx, ring, account, known).await };
    let mark = trusted(ring, &text, account, Purpose::Restore);
    Ok(mark.is_some_and(|mark| known.sealed < mark.at && goes_on_from(stored, &mark)))
}

/// Does the chain go on from the record that the mark names, so that the mark is of this one?
fn goes_on_from(stored: Option<&Link>, mark: &Checkpoint) -> bool {
    stored.map_or(mark.sequence == 0, |head| head.seq > mark.sequence || (head.seq == mark.sequence && head.hash == mark.hash))
}

/// An account that was made after the backup is not there any more, nor any mark of it: one of another account says when that was.
async fn gone_since(tx: &mut Tx<'_>, ring: &Ring, account: AccountId, known: &Link) -> Result<bool, StoreError> {
    if account_by_id(tx, account).await?.is_some() {
        return Ok(false);
    }
    let mark = mark::any(tx, Kind::Restore).await?.and_then(|(of, text)| trusted(ring, &text, of, Purpose::Restore));
    Ok(mark.is_some_and(|mark| known.sealed < mark.at))
}
