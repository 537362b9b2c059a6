//! OIDC providers: the issuers that an account trusts.

use model::{AccountId, ProviderId, Timestamp};

use crate::{Row, StoreError, Tx, params};

/// An issuer that an account trusts, and how its keys are found.
#[derive(Clone, Debug)]
pub struct Provider {
    /// Its id.
    pub id: ProviderId,
    /// Whose.
    pub account: AccountId,
    /// Its name in the account.
    pub name: String,
    /// The issuer, byte for byte as in tokens.
    pub issuer: String,
    /// The audiences that roles accept; a JSON list.
    pub client_ids: String,
    /// Pinned keys, as they were given; none: by discovery.
    pub jwks: Option<String>,
    /// The issuer's own certificate authority, PEM.
    pub ca: Option<String>,
    /// May it be at an internal address?
    pub allow_internal: bool,
    /// What it is for.
    pub description: String,
    /// A disabled one lets nobody in.
    pub enabled: bool,
    /// Since when.
    pub created: Timestamp,
    /// The maker's name at that time.
    pub created_by_name: String,
}

macro_rules! select_provider {
    ($rest:literal) => {
        concat!(
            "SELECT id, account_id, name, issuer, client_ids, jwks, ca, allow_internal, description, enabled, created_ms, created_by_name \
             FROM oidc_provider ",
            $rest
        )
    };
}

fn provider(row: &Row) -> Result<Provider, StoreError> {
    Ok(Provider {
        id: ProviderId::from_i64(row.get(0)?),
        account: AccountId::from_i64(row.get(1)?),
        name: row.get(2)?,
        issuer: row.get(3)?,
        client_ids: row.get(4)?,
        jwks: row.get(5)?,
        ca: row.get(6)?,
        allow_internal: row.get(7)?,
        description: row.get(8)?,
        enabled: row.get(9)?,
        created: Timestamp::from_millis(row.get(10)?),
        created_by_name: row.get(11)?,
    })
}

/// Writes a new one. `Conflict` when its name or issuer is taken in the account.
pub async fn insert(tx: &mut Tx<'_>, p: &Provider) -> Result<(), StoreError> {
    let sql = "INSERT INTO oidc_provider (id, account_id, name, issuer, client_ids, jwks, ca, allow_internal, description, enabled, \
               created_ms, created_by_name) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)";
    let values = params![
        p.id.as_i64(),
        p.account.as_i64(),
        &*p.name,
        &*p.issuer,
        &*p.client_ids,
        p.jwks.as_deref(),
        p.ca.as_deref(),
        p.allow_internal,
        &*p.description,
        p.enabled,
        p.created.millis(),
        &*p.created_by_name
    ];
    tx.execute(sql, values).await?;
    Ok(())
}

/// Changes all that can change. False: there is none.
pub async fn update(tx: &mut Tx<'_>, p: &Provider) -> Result<bool, StoreError> {
    let sql = "UPDATE oidc_provider SET client_ids = $1, jwks = $2, ca = $3, allow_internal = $4, description = $5, enabled = $6 \
               WHERE id = $7";
    let values = params![&*p.client_ids, p.jwks.as_deref(), p.ca.as_deref(), p.allow_internal, &*p.description, p.enabled, p.id.as_i64()];
    Ok(tx.execute(sql, values).await? == 1)
}

/// Deletes. False: there is none.
pub async fn delete(tx: &mut Tx<'_>, id: ProviderId) -> Result<bool, StoreError> {
    Ok(tx.execute("DELETE FROM oidc_provider WHERE id = $1", params![id.as_i64()]).await? == 1)
}

/// The one with this id.
pub async fn by_id(tx: &mut Tx<'_>, id: ProviderId) -> Result<Option<Provider>, StoreError> {
    tx.row(select_provider!("WHERE id = $1"), params![id.as_i64()]).await?.as_ref().map(provider).transpose()
}

/// The account's with this name.
pub async fn by_name(tx: &mut Tx<'_>, account: AccountId, name: &str) -> Result<Option<Provider>, StoreError> {
    let sql = select_provider!("WHERE account_id = $1 AND name = $2");
    tx.row(sql, params![account.as_i64(), name]).await?.as_ref().map(provider).transpose()
}

/// The account's for this issuer.
pub async fn by_issuer(tx: &mut Tx<'_>, account: AccountId, issuer: &str) -> Result<Option<Provider>, StoreError> {
    let sql = select_provider!("WHERE account_id = $1 AND issuer = $2");
    tx.row(sql, params![account.as_i64(), issuer]).await?.as_ref().map(provider).transpose()
}

/// An account's by name, after `after`, at most `limit`.
pub async fn of_account(tx: &mut Tx<'_>, account: AccountId, after: &str, limit: i64) -> Result<Vec<Provider>, StoreError> {
    let sql = select_provider!("WHERE account_id = $1 AND name > $2 ORDER BY name LIMIT $3");
    tx.rows(sql, params![account.as_i64(), after, limit]).await?.iter().map(provider).collect()
}

/// How many an account has.
pub async fn count(tx: &mut Tx<'_>, account: AccountId) -> Result<i64, StoreError> {
    tx.one("SELECT count(*) FROM oidc_provider WHERE account_id = $1", params![account.as_i64()]).await?.get(0)
}
