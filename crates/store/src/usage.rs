//! How many namespaces and repositories an instance has: counted as they come and go, so that a quota costs one row.

use model::InstanceId;

use crate::{StoreError, Tx, params};

/// What an instance has.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Usage {
    /// Namespaces.
    pub namespaces: i64,
    /// Repositories.
    pub repositories: i64,
    /// Private endpoints.
    pub private_endpoints: i64,
}

/// What an instance has now.
pub async fn of_instance(tx: &mut Tx<'_>, id: InstanceId) -> Result<Usage, StoreError> {
    let counted = tx.row("SELECT namespaces, repositories FROM instance_usage WHERE instance_id = $1", params![id.as_i64()]).await?;
    let (namespaces, repositories) = match counted {
        Some(row) => (row.get(0)?, row.get(1)?),
        None => (0, 0),
    };
    let networks = tx.one("SELECT COUNT(*) FROM endpoint_network WHERE instance_id = $1", params![id.as_i64()]).await?;
    Ok(Usage { namespaces, repositories, private_endpoints: networks.get(0)? })
}

/// Counts one more namespace. False: it has `max` already.
pub async fn add_namespace(tx: &mut Tx<'_>, id: InstanceId, max: i64) -> Result<bool, StoreError> {
    let sql = "INSERT INTO instance_usage (instance_id, namespaces, repositories) VALUES ($1, 1, 0) \
               ON CONFLICT (instance_id) DO UPDATE SET namespaces = instance_usage.namespaces + 1 WHERE instance_usage.namespaces < $2";
    Ok(tx.execute(sql, params![id.as_i64(), max]).await? == 1)
}

/// Counts one more repository. False: it has `max` already.
pub async fn add_repository(tx: &mut Tx<'_>, id: InstanceId, max: i64) -> Result<bool, StoreError> {
    let sql = "INSERT INTO instance_usage (instance_id, namespaces, repositories) VALUES ($1, 0, 1) \
               ON CONFLICT (instance_id) DO UPDATE SET repositories = instance_usage.repositories + 1 WHERE instance_usage.repositories < $2";
    Ok(tx.execute(sql, params![id.as_i64(), max]).await? == 1)
}

/// Counts one namespace less.
pub async fn remove_namespace(tx: &mut Tx<'_>, id: InstanceId) -> Result<(), StoreError> {
    let sql = "UPDATE instance_usage SET namespaces = namespaces - 1 WHERE instance_id = $1 AND namespaces > 0";
    tx.execute(sql, params![id.as_i64()]).await?;
    Ok(())
}

/// Counts one repository less.
pub async fn remove_repository(tx: &mut Tx<'_>, id: InstanceId) -> Result<(), StoreError> {
    let sql = "UPDATE instance_usage SET repositories = repositories - 1 WHERE instance_id = $1 AND repositories > 0";
    tx.execute(sql, params![id.as_i64()]).await?;
    Ok(())
}

/// Forgets an instance's counts: it goes.
pub(crate) async fn forget(tx: &mut Tx<'_>, id: InstanceId) -> Result<(), StoreError> {
    tx.execute("DELETE FROM instance_usage WHERE instance_id = $1", params![id.as_i64()]).await?;
    Ok(())
}
