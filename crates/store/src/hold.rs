//! Holds: while one stands, nothing is deleted from the storage of blobs, so that a backup finds what its snapshot names.
//!
//! As leases do, they begin and end by the database's clock, which is one for whoever holds and for whoever would delete.

use model::Seconds;

use crate::node::clock;
use crate::{StoreError, Tx, params};

/// Sets the hold `name`, which ends by itself after `life`. A name is one holder's alone. Call it before the snapshot that it guards.
pub async fn set(tx: &mut Tx<'_>, name: &str, life: Seconds) -> Result<(), StoreError> {
    let until = clock(tx).await?.plus(life);
    let sql = "INSERT INTO hold (name, until_ms) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET until_ms = excluded.until_ms";
    tx.execute(sql, params![name, until.millis()]).await?;
    Ok(())
}

/// Lets the hold go on for `life` from now. False: it has ended meanwhile, and what it guarded may be gone.
pub async fn renew(tx: &mut Tx<'_>, name: &str, life: Seconds) -> Result<bool, StoreError> {
    let now = clock(tx).await?;
    let sql = "UPDATE hold SET until_ms = $1 WHERE name = $2 AND until_ms > $3";
    Ok(tx.execute(sql, params![now.plus(life).millis(), name, now.millis()]).await? == 1)
}

/// Ends the hold, and clears those that have ended by themselves.
pub async fn release(tx: &mut Tx<'_>, name: &str) -> Result<(), StoreError> {
    let now = clock(tx).await?;
    tx.execute("DELETE FROM hold WHERE name = $1 OR until_ms <= $2", params![name, now.millis()]).await?;
    Ok(())
}

/// Does any hold stand? Ask in the very transaction that decides to delete, or after it.
pub async fn stands(tx: &mut Tx<'_>) -> Result<bool, StoreError> {
    let now = clock(tx).await?;
    Ok(tx.row("SELECT name FROM hold WHERE until_ms > $1 LIMIT 1", params![now.millis()]).await?.is_some())
}
