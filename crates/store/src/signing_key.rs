//! Token signing keys: the private half sealed, the public half as it is.

use model::Timestamp;

use crate::{Row, StoreError, Tx, params};

/// A signing key.
#[derive(Clone)]
pub struct SigningKey {
    /// Its name in token headers.
    pub kid: String,
    /// The private key, sealed.
    pub sealed: Vec<u8>,
    /// The public key: an uncompressed P-256 point.
    pub public: Vec<u8>,
    /// Made when.
    pub created: Timestamp,
    /// Signs from here on; verifiers have known it before.
    pub signs_from: Timestamp,
    /// Its signatures hold no longer from here on; none: until a younger one takes over.
    pub retires: Option<Timestamp>,
}

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SigningKey").field("kid", &self.kid).finish_non_exhaustive()
    }
}

fn key(row: &Row) -> Result<SigningKey, StoreError> {
    Ok(SigningKey {
        kid: row.get(0)?,
        sealed: row.get(1)?,
        public: row.get(2)?,
        created: Timestamp::from_millis(row.get(3)?),
        signs_from: Timestamp::from_millis(row.get(4)?),
        retires: row.get::<Option<i64>>(5)?.map(Timestamp::from_millis),
    })
}

/// All keys, oldest first.
pub async fn all(tx: &mut Tx<'_>) -> Result<Vec<SigningKey>, StoreError> {
    let sql = "SELECT kid, sealed, public, created_ms, signs_from_ms, retires_ms FROM signing_key ORDER BY signs_from_ms, kid";
    tx.rows(sql, params![]).await?.iter().map(key).collect()
}

/// Writes a new key.
pub async fn insert(tx: &mut Tx<'_>, k: &SigningKey) -> Result<(), StoreError> {
    let sql = "INSERT INTO signing_key (kid, sealed, public, created_ms, signs_from_ms, retires_ms) VALUES ($1, $2, $3, $4, $5, $6)";
    let values =
        params![&*k.kid, k.sealed.clone(), k.public.clone(), k.created.millis(), k.signs_from.millis(), k.retires.map(Timestamp::millis)];
    tx.execute(sql, values).await?;
    Ok(())
}

/// Lets the keys that sign before `signs_from` retire at `at`, unless they do so earlier.
pub async fn retire_older(tx: &mut Tx<'_>, signs_from: Timestamp, at: Timestamp) -> Result<(), StoreError> {
    let sql = "UPDATE signing_key SET retires_ms = $1 WHERE signs_from_ms < $2 AND retires_ms IS NULL";
    tx.execute(sql, params![at.millis(), signs_from.millis()]).await?;
    Ok(())
}

/// Deletes keys that have retired.
pub async fn delete_retired(tx: &mut Tx<'_>, now: Timestamp) -> Result<u64, StoreError> {
    tx.execute("DELETE FROM signing_key WHERE retires_ms < $1", params![now.millis()]).await
}

/// Deletes all keys: no token that was ever signed holds any longer. A server makes a new one when it starts.
pub async fn delete_all(tx: &mut Tx<'_>) -> Result<u64, StoreError> {
    tx.execute("DELETE FROM signing_key", params![]).await
}
