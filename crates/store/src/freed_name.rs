//! Names whose owner is gone while documents that belong to something still named them.

use model::{AccountId, Timestamp};

use crate::{StoreError, Tx, params};

/// Notes that a name has become free. `kind` is as documents spell it: `user`, `oidc-provider`.
pub async fn note(tx: &mut Tx<'_>, account: AccountId, kind: &str, name: &str, now: Timestamp) -> Result<(), StoreError> {
    let sql = "INSERT INTO freed_name (account_id, kind, name, freed_ms) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING";
    tx.execute(sql, params![account.as_i64(), kind, name, now.millis()]).await?;
    Ok(())
}

/// Is it one?
pub async fn is_freed(tx: &mut Tx<'_>, account: AccountId, kind: &str, name: &str) -> Result<bool, StoreError> {
    let sql = "SELECT freed_ms FROM freed_name WHERE account_id = $1 AND kind = $2 AND name = $3";
    Ok(tx.row(sql, params![account.as_i64(), kind, name]).await?.is_some())
}

/// Forgets it: somebody new has the name.
pub async fn forget(tx: &mut Tx<'_>, account: AccountId, kind: &str, name: &str) -> Result<(), StoreError> {
    let sql = "DELETE FROM freed_name WHERE account_id = $1 AND kind = $2 AND name = $3";
    tx.execute(sql, params![account.as_i64(), kind, name]).await?;
    Ok(())
}
