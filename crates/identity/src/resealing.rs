//! Sealing anew what an old master key sealed, in small steps, while everything is in use.

use secrets::{KeyId, MasterKeys, OpenError, Row, Sealed, UnrelatedKeys};
use store::sealed::{self, Place};
use store::{Store, StoreError, Tx};

use crate::Identity;

/// The lease under which one node at a time seals anew.
pub const RESEAL_JOB: &str = "reseal";
/// Secrets in one step, which is one transaction.
const STEP: i64 = 100;

/// How far one pass over everything sealed has come. It may be dropped at any point: the next pass finds what is left.
#[derive(Clone, Default, Debug)]
pub struct Resealing {
    place: usize,
    after: String,
    /// Sealed anew.
    pub renewed: u64,
    /// Left as they are, because they do not open.
    pub failed: u64,
}

/// How many secrets of one place lie under one master key.
#[derive(Clone, Copy, Debug)]
pub struct SealedUnder {
    /// Where.
    pub place: Place,
    /// Under which.
    pub key: KeyId,
    /// How many.
    pub count: i64,
}

/// What lies where, under which master key. For whoever holds the database.
pub async fn sealed_secrets(store: &Store) -> Result<Vec<SealedUnder>, StoreError> {
    store.scan(|tx| Box::pin(count_all(tx))).await
}

async fn count_all(tx: &mut Tx<'_>) -> Result<Vec<SealedUnder>, StoreError> {
    let mut all = Vec::new();
    for place in Place::ALL {
        let counts = sealed::count(tx, place).await?;
        all.extend(counts.into_iter().map(|(key, count)| SealedUnder { place, key: KeyId::from_bytes(key), count }));
    }
    Ok(all)
}

struct Renewed {
    id: String,
    old: Vec<u8>,
    new: Sealed,
}

impl Identity {
    /// Takes other master keys from now on, while everything is in use. True: something has changed.
    pub fn replace_master_keys(&self, keys: &MasterKeys) -> Result<bool, UnrelatedKeys> {
        self.keeper.sealing.replace(keys)
    }

    /// Is there an old master key, whose secrets are to be sealed anew?
    pub fn old_master_key(&self) -> Option<KeyId> {
        self.keeper.sealing.old()
    }

    /// One step of a pass; false: the pass is over. For the job that holds [`RESEAL_JOB`].
    pub async fn reseal_some(&self, so_far: &mut Resealing) -> Result<bool, StoreError> {
        let (Some(old), Some(place)) = (self.old_master_key(), Place::ALL.get(so_far.place).copied()) else { return Ok(false) };
        let after = &so_far.after.clone();
        let there: Vec<_> = self.store.scan(|tx| Box::pin(sealed::under(tx, place, after, old.bytes(), STEP))).await?;
        let Some((last, _)) = there.last() else {
            (so_far.place, so_far.after) = (so_far.place + 1, String::new());
            return Ok(true);
        };
        so_far.after.clone_from(last);
        let found = there.len() as u64;
        let renewed: &Vec<Renewed> = &there.into_iter().filter_map(|(id, old)| self.renew(place, id, old)).collect();
        so_far.failed += found - renewed.len() as u64;
        so_far.renewed += self.store.write(|tx| Box::pin(replace_all(tx, place, renewed))).await?;
        Ok(true)
    }

    fn renew(&self, place: Place, id: String, old: Vec<u8>) -> Option<Renewed> {
        let row = Row { noun: place.noun(), id: &id };
        let sealed = Sealed::from_bytes(old);
        let renewed: Result<Sealed, OpenError> = self.dice.with(|random| self.keeper.sealing.renew(&sealed, row, random));
        match renewed {
            Ok(new) => Some(Renewed { old: sealed.as_bytes().to_vec(), id, new }),
            Err(error) => {
                tracing::error!(%error, place = place.noun(), id, "a sealed secret does not open and cannot be sealed anew");
                None
            }
        }
    }
}

/// What has changed meanwhile is as new as it gets.
async fn replace_all(tx: &mut Tx<'_>, place: Place, renewed: &[Renewed]) -> Result<u64, StoreError> {
    let mut count = 0;
    for one in renewed {
        count += u64::from(sealed::replace(tx, place, &one.id, &one.old, one.new.as_bytes()).await?);
    }
    Ok(count)
}
