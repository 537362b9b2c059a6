//! Guards: policies that bound everybody in an account but its root user.

use model::{AccountId, PolicyId, Timestamp};

use crate::policy::{Attachment, attachment};
use crate::{StoreError, Tx, params};

/// Attaches. False: it is attached already.
pub async fn attach(tx: &mut Tx<'_>, to: AccountId, name: &str, policy: Option<PolicyId>, now: Timestamp) -> Result<bool, StoreError> {
    let sql = "INSERT INTO guard (account_id, policy_name, policy_id, attached_ms) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING";
    Ok(tx.execute(sql, params![to.as_i64(), name, policy.map(PolicyId::as_i64), now.millis()]).await? == 1)
}

/// Detaches. False: it is not attached.
pub async fn detach(tx: &mut Tx<'_>, from: AccountId, name: &str) -> Result<bool, StoreError> {
    let sql = "DELETE FROM guard WHERE account_id = $1 AND policy_name = $2";
    Ok(tx.execute(sql, params![from.as_i64(), name]).await? == 1)
}

/// What is attached to an account, by name.
pub async fn of_account(tx: &mut Tx<'_>, account: AccountId) -> Result<Vec<Attachment>, StoreError> {
    let sql = "SELECT policy_name, policy_id, attached_ms FROM guard WHERE account_id = $1 ORDER BY policy_name";
    let rows = tx.rows(sql, params![account.as_i64()]).await?;
    rows.iter().map(attachment).collect()
}
