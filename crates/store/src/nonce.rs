//! Nonces of signed requests: each counts once for a key, on every node, for as long as its request could be sent again.

use model::{CredentialId, Timestamp};

use crate::{StoreError, Tx, params};

/// Uses a nonce (by its hash) of a key until `until`. False: it was used already.
pub async fn use_once(tx: &mut Tx<'_>, key: CredentialId, hash: &[u8], now: Timestamp, until: Timestamp) -> Result<bool, StoreError> {
    let sql = "INSERT INTO nonce (credential_id, hash, until_ms) VALUES ($1, $2, $3) \
               ON CONFLICT (credential_id, hash) DO UPDATE SET until_ms = excluded.until_ms WHERE nonce.until_ms < $4";
    Ok(tx.execute(sql, params![key.as_i64(), hash, until.millis(), now.millis()]).await? == 1)
}

/// Forgets nonces that ended before `now`, at most `limit`; how many they were.
pub async fn prune(tx: &mut Tx<'_>, now: Timestamp, limit: i64) -> Result<u64, StoreError> {
    let sql = "DELETE FROM nonce WHERE (credential_id, hash) IN \
               (SELECT credential_id, hash FROM nonce WHERE until_ms < $1 ORDER BY until_ms LIMIT $2)";
    tx.execute(sql, params![now.millis(), limit]).await
}
