//! What keeps secrets: the keys that seal them, and the pepper of their keyed hashes, which is itself kept sealed.

use std::sync::Arc;

use model::Timestamp;
use secrets::{Dice, KeyId, MasterKeys, OpenError, Pepper, Row, Sealed, SealingKeys};
use store::sealed::{self, Place};
use store::signing_key::{self, SigningKey};
use store::{Store, StoreError, Tx};

const PEPPER: Row<'_> = Row { noun: Place::ServerKeys.noun(), id: "pepper" };

/// The keys behind everything that is sealed or hashed under a key.
pub struct Keeper {
    pub(crate) sealing: Arc<SealingKeys>,
    pub(crate) pepper: Pepper,
}

impl std::fmt::Debug for Keeper {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Keeper(…)")
    }
}

/// Why the master keys that were given do not do for this database.
#[derive(Debug, thiserror::Error)]
pub enum KeeperError {
    /// What is sealed was sealed under another one.
    #[error("the database was sealed under master key {0}, which is none of those that were given")]
    OtherKey(KeyId),
    /// What is sealed does not open, or nothing can be sealed.
    #[error("what is sealed in the database has been changed")]
    Broken,
    /// The database does not answer.
    #[error("the database does not answer")]
    Store(#[from] StoreError),
}

impl From<OpenError> for KeeperError {
    fn from(error: OpenError) -> Self {
        match error {
            OpenError::OtherKey(id) => Self::OtherKey(id),
            OpenError::Malformed | OpenError::Tampered => Self::Broken,
        }
    }
}

impl Keeper {
    /// Takes the master keys into use; on an empty database makes the pepper. Nothing is written under a key that does not
    /// open what is there.
    pub async fn open(store: &Store, keys: &MasterKeys, dice: &Dice, now: Timestamp) -> Result<Self, KeeperError> {
        let sealing = keys.sealing();
        let (kept, signing_keys) = store.read(|tx| Box::pin(what_is_kept(tx))).await?;
        let kept = match kept {
            Some(kept) => kept,
            None => keep(store, &sealing, &first_pepper(keys, &sealing, signing_keys, dice)?, dice, now).await?,
        };
        let plain = sealing.open(&Sealed::from_bytes(kept), PEPPER)?;
        let pepper = Pepper::parse(&plain).ok_or(KeeperError::Broken)?;
        Ok(Self { sealing: Arc::new(sealing), pepper })
    }

    /// What seals, for others that do.
    pub fn sealing(&self) -> Arc<SealingKeys> {
        Arc::clone(&self.sealing)
    }
}

async fn what_is_kept(tx: &mut Tx<'_>) -> Result<(Option<Vec<u8>>, Vec<SigningKey>), StoreError> {
    Ok((sealed::server_key(tx, PEPPER.id).await?, signing_key::all(tx).await?))
}

/// A new one; in a database from before peppers were kept, the one that its master key gave.
fn first_pepper(keys: &MasterKeys, sealing: &SealingKeys, there: Vec<SigningKey>, dice: &Dice) -> Result<Pepper, KeeperError> {
    let Some(signing_key) = there.into_iter().next() else { return Ok(dice.with(|random| Pepper::generate(random))) };
    let sealed = Sealed::from_bytes(signing_key.sealed);
    sealing.open(&sealed, Row { noun: Place::SigningKeys.noun(), id: &signing_key.kid })?;
    let key = sealed.key_id().and_then(|id| keys.find(id)).ok_or(KeeperError::Broken)?;
    Ok(key.pepper())
}

/// Keeps it, unless another node was first; what is kept now.
async fn keep(store: &Store, sealing: &SealingKeys, pepper: &Pepper, dice: &Dice, now: Timestamp) -> Result<Vec<u8>, KeeperError> {
    let sealed = dice.with(|random| sealing.seal(&pepper.to_plain(), PEPPER, random)).map_err(|_| KeeperError::Broken)?;
    let sealed = &sealed;
    let kept: Result<Option<Vec<u8>>, StoreError> = store
        .write(|tx| {
            Box::pin(async move {
                sealed::insert_server_key(tx, PEPPER.id, sealed.as_bytes(), now).await?;
                sealed::server_key(tx, PEPPER.id).await
            })
        })
        .await;
    kept?.ok_or(KeeperError::Broken)
}
