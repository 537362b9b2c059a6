//! Holds: while one stands, nothing is deleted from the storage of blobs, so that a backup finds what its snapshot names.

use model::{Seconds, Timestamp};

use crate::{StoreError, Tx, params};

/// Sets or renews the hold `name`, which ends by itself after `life`. Call it before the snapshot that it guards.
pub async fn set(tx: &mut Tx<'_>, name: &str, now: Timestamp, life: Seconds) -> Result<(), StoreError> {
    let sql = "INSERT INTO hold (name, until_ms) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET until_ms = excluded.until_ms";
    tx.execute(sql, params![name, now.plus(life).millis()]).await?;
    Ok(())
}

/// Ends the hold, and clears those that have ended by themselves.
pub async fn release(tx: &mut Tx<'_>, name: &str, now: Timestamp) -> Result<(), StoreError> {
    tx.execute("DELETE FROM hold WHERE name = $1 OR until_ms <= $2", params![name, now.millis()]).await?;
    Ok(())
}

/// Does any hold stand? Ask in the very transaction that decides to delete, or after it.
pub async fn stands(tx: &mut Tx<'_>, now: Timestamp) -> Result<bool, StoreError> {
    Ok(tx.row("SELECT name FROM hold WHERE until_ms > $1 LIMIT 1", params![now.millis()]).await?.is_some())
}
