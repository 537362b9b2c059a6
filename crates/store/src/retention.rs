//! What namespaces keep, and what that is decided by: when tags were pushed and manifests pulled.

use model::{Digest, InstanceId, NamespaceId, NamespaceName, RepositoryId, RepositoryName, Tag, Timestamp};

use crate::blob::digest;
use crate::{Row, StoreError, Tx, params};

/// Pulls are known from here on: nothing counts as not pulled for longer.
const SINCE: &str = "pulls_known_since_ms";

/// A namespace's rules, as their text, and since when.
pub async fn rules(tx: &mut Tx<'_>, namespace: NamespaceId) -> Result<Option<(String, Timestamp)>, StoreError> {
    let row = tx.row("SELECT rules, changed_ms FROM retention WHERE namespace_id = $1", params![namespace.as_i64()]).await?;
    row.map(|row| Ok((row.get(0)?, Timestamp::from_millis(row.get(1)?)))).transpose()
}

/// The rules of those of an instance's namespaces that have any, by the namespaces' names, behind `after`, at most `limit`.
pub async fn list(
    tx: &mut Tx<'_>,
    instance: InstanceId,
    after: &str,
    limit: i64,
) -> Result<Vec<(NamespaceId, NamespaceName, String, Timestamp)>, StoreError> {
    let sql = "SELECT n.id, n.name, t.rules, t.changed_ms FROM namespace n JOIN retention t ON t.namespace_id = n.id \
               WHERE n.instance_id = $1 AND n.name > $2 ORDER BY n.name LIMIT $3";
    let one = |row: &Row| Ok((NamespaceId::from_i64(row.get(0)?), name(row, 1)?, row.get(2)?, Timestamp::from_millis(row.get(3)?)));
    tx.rows(sql, params![instance.as_i64(), after, limit]).await?.iter().map(one).collect()
}

fn name(row: &Row, column: usize) -> Result<NamespaceName, StoreError> {
    NamespaceName::parse(&row.get::<String>(column)?).map_err(|_| StoreError::corrupt("namespace.name"))
}

/// Sets a namespace's rules. They are acted on when the job comes by, as if they never had been.
pub async fn set(tx: &mut Tx<'_>, namespace: NamespaceId, rules: &str, now: Timestamp) -> Result<(), StoreError> {
    let sql = "INSERT INTO retention (namespace_id, rules, changed_ms, ran_ms) VALUES ($1, $2, $3, 0) \
               ON CONFLICT (namespace_id) DO UPDATE SET rules = excluded.rules, changed_ms = excluded.changed_ms, ran_ms = 0";
    tx.execute(sql, params![namespace.as_i64(), rules, now.millis()]).await?;
    Ok(())
}

/// Takes a namespace's rules away. False: it has none.
pub async fn delete(tx: &mut Tx<'_>, namespace: NamespaceId) -> Result<bool, StoreError> {
    Ok(tx.execute("DELETE FROM retention WHERE namespace_id = $1", params![namespace.as_i64()]).await? == 1)
}

/// The namespace whose rules have not been acted on since `before`, for the longest time.
pub async fn due(tx: &mut Tx<'_>, before: Timestamp) -> Result<Option<(InstanceId, NamespaceId, NamespaceName)>, StoreError> {
    let sql = "SELECT n.instance_id, n.id, n.name FROM retention t JOIN namespace n ON n.id = t.namespace_id \
               WHERE t.ran_ms < $1 ORDER BY t.ran_ms LIMIT 1";
    let row = tx.row(sql, params![before.millis()]).await?;
    row.map(|row| Ok((InstanceId::from_i64(row.get(0)?), NamespaceId::from_i64(row.get(1)?), name(&row, 2)?))).transpose()
}

/// A namespace's rules have been acted on.
pub async fn ran(tx: &mut Tx<'_>, namespace: NamespaceId, now: Timestamp) -> Result<(), StoreError> {
    tx.execute("UPDATE retention SET ran_ms = $1 WHERE namespace_id = $2", params![now.millis(), namespace.as_i64()]).await?;
    Ok(())
}

/// A repository.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Place {
    /// Its id.
    pub id: RepositoryId,
    /// Its whole name.
    pub name: RepositoryName,
}

/// A namespace's repositories by name, behind `after`, at most `limit`.
pub async fn repositories(tx: &mut Tx<'_>, namespace: NamespaceId, after: &str, limit: i64) -> Result<Vec<Place>, StoreError> {
    let sql = "SELECT id, name FROM repository WHERE namespace_id = $1 AND name > $2 ORDER BY name LIMIT $3";
    let place = |row: &Row| {
        let name = RepositoryName::parse(&row.get::<String>(1)?).map_err(|_| StoreError::corrupt("repository.name"))?;
        Ok(Place { id: RepositoryId::from_i64(row.get(0)?), name })
    };
    tx.rows(sql, params![namespace.as_i64(), after, limit]).await?.iter().map(place).collect()
}

/// A tag, as far as rules speak of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Aged {
    /// The tag.
    pub name: Tag,
    /// What it points at.
    pub digest: Digest,
    /// Pointed there when.
    pub pushed: Timestamp,
    /// That was pulled last when, if that is known.
    pub pulled: Option<Timestamp>,
}

macro_rules! select_aged {
    ($which:literal) => {
        concat!(
            "SELECT t.name, t.digest, t.updated_ms, p.pulled_ms FROM tag t \
             LEFT JOIN manifest_pull p ON p.repository_id = t.repository_id AND p.digest = t.digest WHERE t.repository_id = $1 AND t.name ",
            $which
        )
    };
}

fn aged(row: &Row) -> Result<Aged, StoreError> {
    Ok(Aged {
        name: Tag::parse(&row.get::<String>(0)?).map_err(|_| StoreError::corrupt("tag.name"))?,
        digest: digest(row, 1)?,
        pushed: Timestamp::from_millis(row.get(2)?),
        pulled: row.get::<Option<i64>>(3)?.map(Timestamp::from_millis),
    })
}

/// A repository's tags by name, behind `after`, at most `limit`.
pub async fn tags(tx: &mut Tx<'_>, repository: RepositoryId, after: &str, limit: i64) -> Result<Vec<Aged>, StoreError> {
    let sql = select_aged!("> $2 ORDER BY t.name LIMIT $3");
    tx.rows(sql, params![repository.as_i64(), after, limit]).await?.iter().map(aged).collect()
}

/// A tag as it is now.
pub async fn tag(tx: &mut Tx<'_>, repository: RepositoryId, name: &Tag) -> Result<Option<Aged>, StoreError> {
    tx.row(select_aged!("= $2"), params![repository.as_i64(), name.as_str()]).await?.as_ref().map(aged).transpose()
}

macro_rules! select_unused {
    ($which:literal, $rest:literal) => {
        concat!(
            "SELECT m.digest FROM manifest m WHERE m.repository_id = $1 AND m.digest ",
            $which,
            " $2 AND m.pushed_ms < $3 \
             AND NOT EXISTS (SELECT 1 FROM tag t WHERE t.repository_id = m.repository_id AND t.digest = m.digest) \
             AND NOT EXISTS (SELECT 1 FROM manifest_child c WHERE c.repository_id = m.repository_id AND c.child = m.digest) \
             AND NOT EXISTS (SELECT 1 FROM manifest s WHERE s.repository_id = m.repository_id AND s.digest = m.subject) \
             AND NOT EXISTS (SELECT 1 FROM manifest_pull p \
             WHERE p.repository_id = m.repository_id AND p.digest = m.digest AND p.pulled_ms >= $3)",
            $rest
        )
    };
}

/// A repository's manifests that no tag points at, that no manifest there is made of, and that refer to no subject that is there; pushed
/// before `before` and pulled not since; by digest, behind `after`, at most `limit`.
pub async fn unused(
    tx: &mut Tx<'_>,
    repository: RepositoryId,
    before: Timestamp,
    after: Option<&Digest>,
    limit: i64,
) -> Result<Vec<Digest>, StoreError> {
    let after = after.map_or(&[][..], Digest::as_bytes);
    let values = params![repository.as_i64(), after, before.millis(), limit];
    tx.rows(select_unused!(">", " ORDER BY m.digest LIMIT $4"), values).await?.iter().map(|row| digest(row, 0)).collect()
}

/// The same of one manifest.
pub async fn is_unused(tx: &mut Tx<'_>, repository: RepositoryId, manifest: &Digest, before: Timestamp) -> Result<bool, StoreError> {
    let values = params![repository.as_i64(), manifest.as_bytes(), before.millis()];
    Ok(tx.row(select_unused!("=", ""), values).await?.is_some())
}

/// Manifests were pulled; what is known already within `step_ms` stays.
pub async fn pulled(tx: &mut Tx<'_>, pulls: &[(RepositoryId, Digest, Timestamp)], step_ms: i64) -> Result<(), StoreError> {
    let sql = "INSERT INTO manifest_pull (repository_id, digest, pulled_ms) VALUES ($1, $2, $3) \
               ON CONFLICT (repository_id, digest) DO UPDATE SET pulled_ms = excluded.pulled_ms \
               WHERE manifest_pull.pulled_ms + $4 < excluded.pulled_ms";
    for (repository, digest, at) in pulls {
        tx.execute(sql, params![repository.as_i64(), digest.as_bytes(), at.millis(), step_ms]).await?;
    }
    Ok(())
}

/// Pulls are known from `now` on alone: what was known of those before has a gap, or is of another time.
pub async fn know_pulls_from(tx: &mut Tx<'_>, now: Timestamp) -> Result<(), StoreError> {
    let sql = "INSERT INTO counter (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value";
    tx.execute(sql, params![SINCE, now.millis()]).await?;
    Ok(())
}

/// Since when pulls are known: since this was asked for first.
pub async fn pulls_known_since(tx: &mut Tx<'_>, now: Timestamp) -> Result<Timestamp, StoreError> {
    let sql = "INSERT INTO counter (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING";
    tx.execute(sql, params![SINCE, now.millis()]).await?;
    let row = tx.one("SELECT value FROM counter WHERE name = $1", params![SINCE]).await?;
    Ok(Timestamp::from_millis(row.get(0)?))
}
