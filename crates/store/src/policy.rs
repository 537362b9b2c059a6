//! Policies as text, their versions, and what is attached to whom. What the text means is `policy`'s business.

use model::{AccountId, PolicyId, PrincipalId, Timestamp};

use crate::{Row, StoreError, Tx, params};

/// A policy.
#[derive(Clone, Debug)]
pub struct Policy {
    /// Its id.
    pub id: PolicyId,
    /// Its account.
    pub account: AccountId,
    /// Its name in the account.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// The version in force.
    pub default_version: i64,
    /// The newest version number ever given.
    pub last_version: i64,
    /// Made when.
    pub created: Timestamp,
    /// Changed when.
    pub updated: Timestamp,
}

/// One version of a policy.
#[derive(Clone, Debug)]
pub struct Version {
    /// Its number, from 1.
    pub version: i64,
    /// The document as written.
    pub document: String,
    /// Made when.
    pub created: Timestamp,
}

/// A policy attached to a principal: built-in when there is no id.
#[derive(Clone, Debug)]
pub struct Attachment {
    /// The policy's name.
    pub name: String,
    /// Its id; none: built in.
    pub policy: Option<PolicyId>,
    /// Since when.
    pub attached: Timestamp,
}

macro_rules! select_policy {
    ($rest:literal) => {
        concat!("SELECT id, account_id, name, description, default_version, last_version, created_ms, updated_ms FROM policy ", $rest)
    };
}

fn policy(row: &Row) -> Result<Policy, StoreError> {
    Ok(Policy {
        id: PolicyId::from_i64(row.get(0)?),
        account: AccountId::from_i64(row.get(1)?),
        name: row.get(2)?,
        description: row.get(3)?,
        default_version: row.get(4)?,
        last_version: row.get(5)?,
        created: Timestamp::from_millis(row.get(6)?),
        updated: Timestamp::from_millis(row.get(7)?),
    })
}

fn version(row: &Row) -> Result<Version, StoreError> {
    Ok(Version { version: row.get(0)?, document: row.get(1)?, created: Timestamp::from_millis(row.get(2)?) })
}

/// Writes a new policy with its first version. `Conflict` when the name is taken.
pub async fn insert(tx: &mut Tx<'_>, p: &Policy, document: &str) -> Result<(), StoreError> {
    let sql = "INSERT INTO policy (id, account_id, name, description, default_version, last_version, created_ms, updated_ms) \
               VALUES ($1, $2, $3, $4, 1, 1, $5, $5)";
    tx.execute(sql, params![p.id.as_i64(), p.account.as_i64(), &*p.name, &*p.description, p.created.millis()]).await?;
    insert_version(tx, p.id, 1, document, p.created).await
}

/// Writes a version.
pub async fn insert_version(tx: &mut Tx<'_>, id: PolicyId, version: i64, document: &str, now: Timestamp) -> Result<(), StoreError> {
    let sql = "INSERT INTO policy_version (policy_id, version, document, created_ms) VALUES ($1, $2, $3, $4)";
    tx.execute(sql, params![id.as_i64(), version, document, now.millis()]).await?;
    Ok(())
}

/// Sets the newest version number and the one in force.
pub async fn set_versions(tx: &mut Tx<'_>, id: PolicyId, last: i64, default: i64, now: Timestamp) -> Result<(), StoreError> {
    let sql = "UPDATE policy SET last_version = $1, default_version = $2, updated_ms = $3 WHERE id = $4";
    tx.execute(sql, params![last, default, now.millis(), id.as_i64()]).await?;
    Ok(())
}

/// The policy with this id.
pub async fn by_id(tx: &mut Tx<'_>, id: PolicyId) -> Result<Option<Policy>, StoreError> {
    tx.row(select_policy!("WHERE id = $1"), params![id.as_i64()]).await?.as_ref().map(policy).transpose()
}

/// The account's policy with this name.
pub async fn by_name(tx: &mut Tx<'_>, account: AccountId, name: &str) -> Result<Option<Policy>, StoreError> {
    tx.row(select_policy!("WHERE account_id = $1 AND name = $2"), params![account.as_i64(), name]).await?.as_ref().map(policy).transpose()
}

/// The account's policies by name, after `after`, at most `limit`.
pub async fn list(tx: &mut Tx<'_>, account: AccountId, after: &str, limit: i64) -> Result<Vec<Policy>, StoreError> {
    let sql = select_policy!("WHERE account_id = $1 AND name > $2 ORDER BY name LIMIT $3");
    tx.rows(sql, params![account.as_i64(), after, limit]).await?.iter().map(policy).collect()
}

/// How many policies the account has.
pub async fn count(tx: &mut Tx<'_>, account: AccountId) -> Result<i64, StoreError> {
    tx.one("SELECT count(*) FROM policy WHERE account_id = $1", params![account.as_i64()]).await?.get(0)
}

/// A policy's versions, oldest first.
pub async fn versions(tx: &mut Tx<'_>, id: PolicyId) -> Result<Vec<Version>, StoreError> {
    let sql = "SELECT version, document, created_ms FROM policy_version WHERE policy_id = $1 ORDER BY version";
    tx.rows(sql, params![id.as_i64()]).await?.iter().map(version).collect()
}

/// Deletes one version. False: there is none.
pub async fn delete_version(tx: &mut Tx<'_>, id: PolicyId, version: i64) -> Result<bool, StoreError> {
    let sql = "DELETE FROM policy_version WHERE policy_id = $1 AND version = $2";
    Ok(tx.execute(sql, params![id.as_i64(), version]).await? == 1)
}

/// Deletes a policy and its versions. False: there is none. Detach it first.
pub async fn delete(tx: &mut Tx<'_>, id: PolicyId) -> Result<bool, StoreError> {
    tx.execute("DELETE FROM policy_version WHERE policy_id = $1", params![id.as_i64()]).await?;
    Ok(tx.execute("DELETE FROM policy WHERE id = $1", params![id.as_i64()]).await? == 1)
}

/// The document in force.
pub async fn document(tx: &mut Tx<'_>, id: PolicyId) -> Result<Option<(Policy, String)>, StoreError> {
    let Some(policy) = by_id(tx, id).await? else { return Ok(None) };
    let sql = "SELECT document FROM policy_version WHERE policy_id = $1 AND version = $2";
    let row = tx.row(sql, params![id.as_i64(), policy.default_version]).await?;
    let text = row.ok_or_else(|| StoreError::corrupt("policy.default_version"))?.get(0)?;
    Ok(Some((policy, text)))
}

/// Attaches. False: it is attached already.
pub async fn attach(tx: &mut Tx<'_>, to: PrincipalId, name: &str, policy: Option<PolicyId>, now: Timestamp) -> Result<bool, StoreError> {
    let sql = "INSERT INTO attachment (principal_id, policy_name, policy_id, attached_ms) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING";
    Ok(tx.execute(sql, params![to.as_i64(), name, policy.map(PolicyId::as_i64), now.millis()]).await? == 1)
}

/// Detaches. False: it is not attached.
pub async fn detach(tx: &mut Tx<'_>, from: PrincipalId, name: &str) -> Result<bool, StoreError> {
    let sql = "DELETE FROM attachment WHERE principal_id = $1 AND policy_name = $2";
    Ok(tx.execute(sql, params![from.as_i64(), name]).await? == 1)
}

/// What is attached to a principal, by name.
pub async fn attachments(tx: &mut Tx<'_>, principal: PrincipalId) -> Result<Vec<Attachment>, StoreError> {
    let sql = "SELECT policy_name, policy_id, attached_ms FROM attachment WHERE principal_id = $1 ORDER BY policy_name";
    let rows = tx.rows(sql, params![principal.as_i64()]).await?;
    rows.iter().map(attachment).collect()
}

/// Name, id and since when.
pub(crate) fn attachment(row: &Row) -> Result<Attachment, StoreError> {
    Ok(Attachment {
        name: row.get(0)?,
        policy: row.get::<Option<i64>>(1)?.map(PolicyId::from_i64),
        attached: Timestamp::from_millis(row.get(2)?),
    })
}

/// Says anew what a policy is for.
pub async fn describe(tx: &mut Tx<'_>, id: PolicyId, description: &str, now: Timestamp) -> Result<bool, StoreError> {
    let sql = "UPDATE policy SET description = $1, updated_ms = $2 WHERE id = $3";
    Ok(tx.execute(sql, params![description, now.millis(), id.as_i64()]).await? == 1)
}

/// The account's attachments by policy name: how many principals each is attached to, built-in ones included.
pub async fn attachment_counts(tx: &mut Tx<'_>, account: AccountId) -> Result<Vec<(String, i64)>, StoreError> {
    let sql = "SELECT policy_name, count(*) FROM attachment JOIN principal ON principal.id = principal_id WHERE account_id = $1 \
               GROUP BY policy_name";
    tx.rows(sql, params![account.as_i64()]).await?.iter().map(|row| Ok((row.get(0)?, row.get(1)?))).collect()
}

/// How many principals of the account a policy of this name is attached to.
pub async fn holders_count(tx: &mut Tx<'_>, account: AccountId, name: &str) -> Result<i64, StoreError> {
    let sql = "SELECT count(*) FROM attachment JOIN principal ON principal.id = principal_id WHERE account_id = $1 AND policy_name = $2";
    tx.one(sql, params![account.as_i64(), name]).await?.get(0)
}

/// How many principals a policy is attached to, the account that it guards included.
pub async fn attached_to(tx: &mut Tx<'_>, id: PolicyId) -> Result<i64, StoreError> {
    let sql = "SELECT (SELECT count(*) FROM attachment WHERE policy_id = $1) + (SELECT count(*) FROM guard WHERE policy_id = $1)";
    tx.one(sql, params![id.as_i64()]).await?.get(0)
}
