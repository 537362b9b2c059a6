//! What whoever runs the server wants to know of the trail: what waits to be sealed and delivered, and whether the database still
//! has what this node, or the one before it, has sealed.

use model::{AccountId, Timestamp};
use store::audit::chain::{self, Position};
use store::audit::mark::{self, Kind};
use store::audit::{self};
use store::{StoreError, Tx};

use crate::deliver::RefusalKind;
use crate::key::Ring;
use crate::remember::Link;
use crate::seal::trusted_head;
use crate::{Trail, TrailError, read, restored};

/// Records that wait are counted up to here.
const COUNTED: i64 = 100_000;
/// Accounts whose oldest record is asked for.
const ACCOUNTS: i64 = 100;

/// What waits.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Backlog {
    /// Records, up to 100,000.
    pub records: i64,
    /// Since when the oldest of them waits.
    pub oldest: Option<Timestamp>,
}

/// A chain of which the database has something else than was sealed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Differs {
    /// Whose chain.
    pub account_id: String,
    /// What is wrong.
    pub harm: &'static str,
}

impl Trail {
    /// What waits to be sealed. A second's worth is as it should be.
    pub async fn unsealed(&self) -> Result<Backlog, TrailError> {
        let (records, oldest) = self.store.scan(|tx| Box::pin(audit::backlog(tx, COUNTED))).await?;
        Ok(Backlog { records, oldest })
    }

    /// What is sealed and a sink has not taken; the oldest of it by the time of sealing, among a hundred accounts.
    pub async fn undelivered(&self, sink: &str) -> Result<Backlog, TrailError> {
        Ok(self.store.scan(|tx| Box::pin(undelivered(tx, sink))).await?)
    }

    /// How the sink has refused the last batch that this node has sent; none: it has taken it.
    pub fn last_refusal(&self) -> Option<RefusalKind> {
        self.patience.last()
    }

    /// Holds the database against the heads that this node, or the one before it, has sealed ([`Trail::remember`]).
    pub async fn check_heads(&self) -> Result<Vec<Differs>, TrailError> {
        let ring = &self.keys.renew().await?;
        let mut differing = Vec::new();
        for (account_id, link) in self.seen.all() {
            let Ok(account) = account_id.parse::<AccountId>() else { continue };
            let link = &link;
            let harm = self.store.read(|tx| Box::pin(differs(tx, ring, account, link))).await?;
            differing.extend(harm.map(|harm| Differs { account_id, harm }));
        }
        Ok(differing)
    }
}

async fn undelivered(tx: &mut Tx<'_>, sink: &str) -> Result<Backlog, StoreError> {
    let (records, mut oldest) = (mark::lag(tx, sink).await?, None);
    let all = (Timestamp::from_millis(i64::MIN), Timestamp::from_millis(i64::MAX));
    for (account, from) in mark::behind(tx, sink, i64::MIN, ACCOUNTS).await? {
        let first = chain::read(tx, account, from, all, 1).await?;
        oldest = first.first().map(|record| record.sealed).into_iter().chain(oldest).min();
    }
    Ok(Backlog { records, oldest })
}

/// What the database has in the place of `known`, if it is not that and was not restored since.
async fn differs(tx: &mut Tx<'_>, ring: &Ring, account: AccountId, known: &Link) -> Result<Option<&'static str>, StoreError> {
    let head = match mark::get(tx, account, Kind::Head).await? {
        None => None,
        Some(text) => match trusted_head(ring, &text, account) {
            None => return Ok(Some("its head is not signed by us")),
            head => head,
        },
    };
    let harm = harm(tx, ring, account, (known, head.as_ref())).await?;
    Ok(if harm.is_some() && restored::since(tx, ring, account, (known, head.as_ref())).await? { None } else { harm })
}

async fn harm(
    tx: &mut Tx<'_>,
    ring: &Ring,
    account: AccountId,
    (known, head): (&Link, Option<&Link>),
) -> Result<Option<&'static str>, StoreError> {
    let Some(head) = head else { return Ok(Some("its head is gone")) };
    if head.seq < known.seq {
        return Ok(Some("its head was set back"));
    }
    let at = Position::at(known.sealed, known.seq);
    let begin = mark::get(tx, account, Kind::Begin).await?.and_then(|text| read::beginning(ring, &text));
    if begin.is_some_and(|begin| begin >= at) {
        // Retention has taken it away.
        return Ok(None);
    }
    Ok(match chain::hash_at(tx, account, at).await? {
        None => Some("a record that was sealed is gone"),
        Some(hash) if hex::encode(&hash) != known.hash => Some("another record stands where one was sealed"),
        Some(_) => None,
    })
}
