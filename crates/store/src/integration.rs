//! Integrations: what credentials are made for.

use model::{AccountId, IntegrationId, Timestamp};

use crate::{Row, StoreError, Tx, params};

/// What kind of thing uses the credentials.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// A Kubernetes cluster.
    KubernetesCluster,
    /// A pipeline that builds or deploys.
    Pipeline,
    /// Anything else.
    Other,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::KubernetesCluster, Self::Pipeline, Self::Other];

    /// As stored and shown.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::KubernetesCluster => "kubernetes-cluster",
            Self::Pipeline => "pipeline",
            Self::Other => "other",
        }
    }

    /// Reads the stored form.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }
}

/// An integration.
#[derive(Clone, Debug)]
pub struct Integration {
    /// Its id.
    pub id: IntegrationId,
    /// Whose it is.
    pub account: AccountId,
    /// What kind of thing it is.
    pub kind: Kind,
    /// Its name.
    pub name: String,
    /// Where people find it.
    pub link: Option<String>,
    /// Made when.
    pub created: Timestamp,
    /// Made by whom: the name at that time.
    pub created_by: String,
    /// Since when it is gone; none: it is there.
    pub gone: Option<Timestamp>,
}

macro_rules! select_integration {
    ($rest:literal) => {
        concat!("SELECT id, account_id, kind, name, link, state, created_ms, created_by, gone_ms FROM integration ", $rest)
    };
}

const PRESENT: &str = "present";
const GONE: &str = "gone";

fn integration(row: &Row) -> Result<Integration, StoreError> {
    Ok(Integration {
        id: IntegrationId::from_i64(row.get(0)?),
        account: AccountId::from_i64(row.get(1)?),
        kind: Kind::parse(&row.get::<String>(2)?).ok_or_else(|| StoreError::corrupt("integration.kind"))?,
        name: row.get(3)?,
        link: row.get(4)?,
        created: Timestamp::from_millis(row.get(6)?),
        created_by: row.get(7)?,
        gone: row.get::<Option<i64>>(8)?.map(Timestamp::from_millis),
    })
}

const fn state(integration: &Integration) -> &'static str {
    if integration.gone.is_some() { GONE } else { PRESENT }
}

/// Writes a new one. `Conflict` when the name is taken.
pub async fn insert(tx: &mut Tx<'_>, i: &Integration) -> Result<(), StoreError> {
    let sql = "INSERT INTO integration (id, account_id, kind, name, link, state, created_ms, created_by, gone_ms) \
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
    let values = params![
        i.id.as_i64(),
        i.account.as_i64(),
        i.kind.as_str(),
        &*i.name,
        i.link.as_deref(),
        state(i),
        i.created.millis(),
        &*i.created_by,
        i.gone.map(Timestamp::millis)
    ];
    tx.execute(sql, values).await?;
    Ok(())
}

/// Writes what may change: kind, link, and whether it is there.
pub async fn update(tx: &mut Tx<'_>, i: &Integration) -> Result<(), StoreError> {
    let sql = "UPDATE integration SET kind = $1, link = $2, state = $3, gone_ms = $4 WHERE id = $5";
    let values = params![i.kind.as_str(), i.link.as_deref(), state(i), i.gone.map(Timestamp::millis), i.id.as_i64()];
    tx.execute(sql, values).await?;
    Ok(())
}

/// The one with this name or id, in an account.
pub async fn find(tx: &mut Tx<'_>, account: AccountId, text: &str) -> Result<Option<Integration>, StoreError> {
    let id = text.parse::<IntegrationId>().map_or(-1, IntegrationId::as_i64);
    let sql = select_integration!("WHERE account_id = $1 AND (name = $2 OR id = $3) ORDER BY name LIMIT 1");
    tx.row(sql, params![account.as_i64(), text, id]).await?.as_ref().map(integration).transpose()
}

/// The one with this id.
pub async fn by_id(tx: &mut Tx<'_>, id: IntegrationId) -> Result<Option<Integration>, StoreError> {
    tx.row(select_integration!("WHERE id = $1"), params![id.as_i64()]).await?.as_ref().map(integration).transpose()
}

/// An account's, by name after `after`, at most `limit`.
pub async fn list(tx: &mut Tx<'_>, account: AccountId, after: &str, limit: i64) -> Result<Vec<Integration>, StoreError> {
    let sql = select_integration!("WHERE account_id = $1 AND name > $2 ORDER BY name LIMIT $3");
    tx.rows(sql, params![account.as_i64(), after, limit]).await?.iter().map(integration).collect()
}

/// How many an account has.
pub async fn count(tx: &mut Tx<'_>, account: AccountId) -> Result<i64, StoreError> {
    tx.one("SELECT count(*) FROM integration WHERE account_id = $1", params![account.as_i64()]).await?.get(0)
}

/// What its credentials tell of it: how many there are (counted up to `most`), and when one of them was last used.
pub async fn used(tx: &mut Tx<'_>, id: IntegrationId, most: i64) -> Result<(i64, Option<Timestamp>), StoreError> {
    let count = "SELECT count(*) FROM (SELECT 1 FROM credential WHERE integration_id = $1 LIMIT $2) counted";
    let count = tx.one(count, params![id.as_i64(), most]).await?.get(0)?;
    let last = tx.one("SELECT max(last_used_ms) FROM credential WHERE integration_id = $1", params![id.as_i64()]).await?;
    Ok((count, last.get::<Option<i64>>(0)?.map(Timestamp::from_millis)))
}

/// Deletes it. False: there is none.
pub async fn delete(tx: &mut Tx<'_>, id: IntegrationId) -> Result<bool, StoreError> {
    Ok(tx.execute("DELETE FROM integration WHERE id = $1", params![id.as_i64()]).await? == 1)
}
