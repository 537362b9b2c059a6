//! Leases: a job runs on one node at a time, and passes on when its holder dies.

use model::{Seconds, Timestamp};

use crate::{StoreError, Tx, params};

/// Takes or renews the lease `name` for `holder`. False: another holds it.
pub async fn take(tx: &mut Tx<'_>, name: &str, holder: &str, now: Timestamp, life: Seconds) -> Result<bool, StoreError> {
    let sql = "INSERT INTO lease (name, holder, until_ms) VALUES ($1, $2, $3) \
               ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, until_ms = excluded.until_ms \
               WHERE lease.holder = excluded.holder OR lease.until_ms < $4";
    let taken = tx.execute(sql, params![name, holder, now.plus(life).millis(), now.millis()]).await?;
    Ok(taken == 1)
}

/// Gives the lease back, if `holder` has it.
pub async fn release(tx: &mut Tx<'_>, name: &str, holder: &str) -> Result<(), StoreError> {
    tx.execute("DELETE FROM lease WHERE name = $1 AND holder = $2", params![name, holder]).await?;
    Ok(())
}

/// Gives back every lease that `holder` has.
pub async fn release_all(tx: &mut Tx<'_>, holder: &str) -> Result<u64, StoreError> {
    tx.execute("DELETE FROM lease WHERE holder = $1", params![holder]).await
}

/// Who holds which lease at `now`: holder and name, by name.
pub async fn held(tx: &mut Tx<'_>, now: Timestamp) -> Result<Vec<(String, String)>, StoreError> {
    let rows = tx.rows("SELECT holder, name FROM lease WHERE until_ms >= $1 ORDER BY name", params![now.millis()]).await?;
    rows.iter().map(|row| Ok((row.get(0)?, row.get(1)?))).collect()
}
