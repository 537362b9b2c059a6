//! Instances and the host names that choose them.

use std::sync::Arc;

use model::{AccountId, InstanceId, InstanceName, OnInstance, Region, Timestamp};

use crate::{Row, StoreError, Tx, params};

/// An instance.
#[derive(Clone, Debug)]
pub struct Instance {
    /// Whose, which, where: what its resources are named by.
    pub on: Arc<OnInstance>,
    /// It was made with its account. Hosts that no instance claims mean the first account's.
    pub is_default: bool,
    /// May a push make its namespace?
    pub auto_create_namespace: bool,
    /// Does `/token` hand out refresh tokens?
    pub identity_tokens: bool,
    /// Made when.
    pub created: Timestamp,
    /// Its settings were changed last when.
    pub updated: Timestamp,
}

macro_rules! select_instance {
    ($rest:literal) => {
        concat!("SELECT id, account_id, name, region, is_default, auto_create_namespace, identity_tokens, created_ms, updated_ms FROM instance ", $rest)
    };
}

fn instance(row: &Row) -> Result<Instance, StoreError> {
    let on = OnInstance {
        id: InstanceId::from_i64(row.get(0)?),
        account: AccountId::from_i64(row.get(1)?),
        name: InstanceName::parse(&row.get::<String>(2)?).map_err(|_| StoreError::corrupt("instance.name"))?,
        region: Region::parse(&row.get::<String>(3)?).map_err(|_| StoreError::corrupt("instance.region"))?,
    };
    Ok(Instance {
        on: Arc::new(on),
        is_default: row.get(4)?,
        auto_create_namespace: row.get(5)?,
        identity_tokens: row.get(6)?,
        created: Timestamp::from_millis(row.get(7)?),
        updated: Timestamp::from_millis(row.get(8)?),
    })
}

/// Writes a new instance. `Conflict` when the account has one of that name.
pub async fn insert(tx: &mut Tx<'_>, i: &Instance) -> Result<(), StoreError> {
    let sql = "INSERT INTO instance (id, account_id, name, region, is_default, auto_create_namespace, identity_tokens, created_ms, updated_ms) \
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
    let values = params![
        i.on.id.as_i64(),
        i.on.account.as_i64(),
        i.on.name.as_str(),
        i.on.region.as_str(),
        i.is_default,
        i.auto_create_namespace,
        i.identity_tokens,
        i.created.millis(),
        i.updated.millis()
    ];
    tx.execute(sql, values).await?;
    Ok(())
}

/// Changes an instance's settings.
pub async fn update(tx: &mut Tx<'_>, i: &Instance) -> Result<(), StoreError> {
    let sql = "UPDATE instance SET auto_create_namespace = $1, identity_tokens = $2, updated_ms = $3 WHERE id = $4";
    tx.execute(sql, params![i.auto_create_namespace, i.identity_tokens, i.updated.millis(), i.on.id.as_i64()]).await?;
    Ok(())
}

/// Deletes an instance with its hosts and endpoints. False: there is none. What is in it must be gone.
pub async fn delete(tx: &mut Tx<'_>, id: InstanceId) -> Result<bool, StoreError> {
    crate::network::forget(tx, id).await?;
    crate::usage::forget(tx, id).await?;
    tx.execute("DELETE FROM instance_host WHERE instance_id = $1", params![id.as_i64()]).await?;
    Ok(tx.execute("DELETE FROM instance WHERE id = $1", params![id.as_i64()]).await? == 1)
}

/// The instance with this id.
pub async fn by_id(tx: &mut Tx<'_>, id: InstanceId) -> Result<Option<Instance>, StoreError> {
    tx.row(select_instance!("WHERE id = $1"), params![id.as_i64()]).await?.as_ref().map(instance).transpose()
}

/// The account's instance with this name.
pub async fn by_name(tx: &mut Tx<'_>, account: AccountId, name: &str) -> Result<Option<Instance>, StoreError> {
    let sql = select_instance!("WHERE account_id = $1 AND name = $2");
    tx.row(sql, params![account.as_i64(), name]).await?.as_ref().map(instance).transpose()
}

/// The instances of all accounts with this name.
pub async fn named(tx: &mut Tx<'_>, name: &str) -> Result<Vec<Instance>, StoreError> {
    tx.rows(select_instance!("WHERE name = $1 ORDER BY id"), params![name]).await?.iter().map(instance).collect()
}

/// The instance that a host name chooses; the first account's default one when no instance claims
/// the host.
pub async fn by_host(tx: &mut Tx<'_>, host: &str) -> Result<Option<Instance>, StoreError> {
    let claimed = select_instance!("WHERE id = (SELECT instance_id FROM instance_host WHERE host = $1)");
    if let Some(row) = tx.row(claimed, params![host]).await? {
        return instance(&row).map(Some);
    }
    let first = select_instance!("WHERE is_default = 1 AND account_id = (SELECT id FROM account ORDER BY created_ms, id LIMIT 1)");
    tx.row(first, params![]).await?.as_ref().map(instance).transpose()
}

/// The account's default instance: the one that was made with it.
pub async fn default_of(tx: &mut Tx<'_>, account: AccountId) -> Result<Option<Instance>, StoreError> {
    let sql = select_instance!("WHERE account_id = $1 AND is_default = 1");
    tx.row(sql, params![account.as_i64()]).await?.as_ref().map(instance).transpose()
}

/// The account's instances by name.
pub async fn list(tx: &mut Tx<'_>, account: AccountId) -> Result<Vec<Instance>, StoreError> {
    let sql = select_instance!("WHERE account_id = $1 ORDER BY name");
    tx.rows(sql, params![account.as_i64()]).await?.iter().map(instance).collect()
}

/// An instance's host names.
pub async fn hosts(tx: &mut Tx<'_>, id: InstanceId) -> Result<Vec<String>, StoreError> {
    let sql = "SELECT host FROM instance_host WHERE instance_id = $1 ORDER BY host";
    tx.rows(sql, params![id.as_i64()]).await?.iter().map(|row| row.get(0)).collect()
}

/// Gives an instance these host names. `Conflict` when another has one of them.
pub async fn set_hosts(tx: &mut Tx<'_>, id: InstanceId, hosts: &[String]) -> Result<(), StoreError> {
    tx.execute("DELETE FROM instance_host WHERE instance_id = $1", params![id.as_i64()]).await?;
    for host in hosts {
        let sql = "INSERT INTO instance_host (host, instance_id) VALUES ($1, $2)";
        tx.execute(sql, params![&**host, id.as_i64()]).await?;
    }
    Ok(())
}

/// Whose host name this is.
pub async fn host_owner(tx: &mut Tx<'_>, host: &str) -> Result<Option<InstanceId>, StoreError> {
    let row = tx.row("SELECT instance_id FROM instance_host WHERE host = $1", params![host]).await?;
    row.map(|row| row.get(0).map(InstanceId::from_i64)).transpose()
}

/// Does another account have an instance at this domain, or below it?
pub async fn others_at(tx: &mut Tx<'_>, account: AccountId, domain: &str) -> Result<bool, StoreError> {
    let sql = "SELECT host FROM instance_host WHERE (host = $1 OR host LIKE $2) \
               AND instance_id NOT IN (SELECT id FROM instance WHERE account_id = $3) LIMIT 1";
    Ok(tx.row(sql, params![domain, format!("%.{domain}"), account.as_i64()]).await?.is_some())
}

/// Has an instance no namespaces?
pub async fn is_empty(tx: &mut Tx<'_>, id: InstanceId) -> Result<bool, StoreError> {
    let row = tx.row("SELECT id FROM namespace WHERE instance_id = $1 LIMIT 1", params![id.as_i64()]).await?;
    Ok(row.is_none())
}
