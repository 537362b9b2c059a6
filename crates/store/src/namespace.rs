//! Namespaces: the first segment of their repositories' names.

use model::{InstanceId, NamespaceId, NamespaceName, RepositoryName, Timestamp};

use crate::{Row, StoreError, Tx, params};

/// A namespace.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Namespace {
    /// Its id.
    pub id: NamespaceId,
    /// Its name.
    pub name: NamespaceName,
    /// Its settings.
    pub settings: Settings,
    /// Made when.
    pub created: Timestamp,
}

/// A namespace's settings.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "settings that stand each for itself")]
pub struct Settings {
    /// May anybody read its repositories?
    pub public: bool,
    /// May a push make its repository?
    pub auto_create_repository: bool,
    /// May an index name manifests that are not there?
    pub sparse_indexes: bool,
    /// Is a repository public that is made without saying so?
    pub default_public: bool,
    /// Are all tags of a repository immutable that is made without saying so?
    pub default_immutable_tags: bool,
}

macro_rules! select_namespace {
    ($rest:literal) => {
        concat!(
            "SELECT id, name, is_public, auto_create_repository, sparse_indexes, created_ms, default_public, \
                 default_immutable_tags FROM namespace ",
            $rest
        )
    };
}

fn namespace(row: &Row) -> Result<Namespace, StoreError> {
    Ok(Namespace {
        id: NamespaceId::from_i64(row.get(0)?),
        name: NamespaceName::parse(&row.get::<String>(1)?).map_err(|_| StoreError::corrupt("namespace.name"))?,
        settings: Settings {
            public: row.get(2)?,
            auto_create_repository: row.get(3)?,
            sparse_indexes: row.get(4)?,
            default_public: row.get(6)?,
            default_immutable_tags: row.get(7)?,
        },
        created: Timestamp::from_millis(row.get(5)?),
    })
}

/// Writes a new namespace. False: the instance has one of that name.
pub async fn insert(tx: &mut Tx<'_>, instance: InstanceId, n: &Namespace) -> Result<bool, StoreError> {
    let sql = "INSERT INTO namespace (id, instance_id, name, is_public, auto_create_repository, sparse_indexes, created_ms, default_public, \
               default_immutable_tags) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (instance_id, name) DO NOTHING";
    let s = n.settings;
    let values = params![
        n.id.as_i64(),
        instance.as_i64(),
        n.name.as_str(),
        s.public,
        s.auto_create_repository,
        s.sparse_indexes,
        n.created.millis(),
        s.default_public,
        s.default_immutable_tags
    ];
    Ok(tx.execute(sql, values).await? == 1)
}

/// The instance's namespace with this name.
pub async fn by_name(tx: &mut Tx<'_>, instance: InstanceId, name: &NamespaceName) -> Result<Option<Namespace>, StoreError> {
    let sql = select_namespace!("WHERE instance_id = $1 AND name = $2");
    tx.row(sql, params![instance.as_i64(), name.as_str()]).await?.as_ref().map(namespace).transpose()
}

/// The instance's namespace with this id.
pub async fn by_id(tx: &mut Tx<'_>, instance: InstanceId, id: NamespaceId) -> Result<Option<Namespace>, StoreError> {
    let sql = select_namespace!("WHERE instance_id = $1 AND id = $2");
    tx.row(sql, params![instance.as_i64(), id.as_i64()]).await?.as_ref().map(namespace).transpose()
}

/// An instance's namespaces by name, without the first `skip`, at most `limit`.
pub async fn window(tx: &mut Tx<'_>, instance: InstanceId, (skip, limit): (i64, i64)) -> Result<Vec<Namespace>, StoreError> {
    let sql = select_namespace!("WHERE instance_id = $1 ORDER BY name LIMIT $2 OFFSET $3");
    tx.rows(sql, params![instance.as_i64(), limit, skip]).await?.iter().map(namespace).collect()
}

/// How many namespaces an instance has; the count stops at `reach`.
pub async fn count(tx: &mut Tx<'_>, instance: InstanceId, reach: i64) -> Result<i64, StoreError> {
    let sql = "SELECT COUNT(*) FROM (SELECT 1 FROM namespace WHERE instance_id = $1 LIMIT $2) counted";
    tx.one(sql, params![instance.as_i64(), reach]).await?.get(0)
}

/// An instance's namespaces by name, after `after`, at most `limit`.
pub async fn list(tx: &mut Tx<'_>, instance: InstanceId, after: &str, limit: i64) -> Result<Vec<Namespace>, StoreError> {
    let sql = select_namespace!("WHERE instance_id = $1 AND name > $2 ORDER BY name LIMIT $3");
    tx.rows(sql, params![instance.as_i64(), after, limit]).await?.iter().map(namespace).collect()
}

/// Changes a namespace's settings.
pub async fn update(tx: &mut Tx<'_>, id: NamespaceId, s: Settings) -> Result<(), StoreError> {
    let sql = "UPDATE namespace SET is_public = $1, auto_create_repository = $2, sparse_indexes = $3, default_public = $4, \
               default_immutable_tags = $5 WHERE id = $6";
    let values = params![s.public, s.auto_create_repository, s.sparse_indexes, s.default_public, s.default_immutable_tags, id.as_i64()];
    tx.execute(sql, values).await?;
    Ok(())
}

/// Deletes an empty namespace. False: it still has repositories.
pub async fn delete_empty(tx: &mut Tx<'_>, id: NamespaceId) -> Result<bool, StoreError> {
    let sql = "DELETE FROM namespace WHERE id = $1 AND NOT EXISTS (SELECT 1 FROM repository WHERE namespace_id = $1)";
    if tx.execute(sql, params![id.as_i64()]).await? == 0 {
        return Ok(false);
    }
    crate::quota::forget(tx, id).await?;
    crate::retention::delete(tx, id).await?;
    Ok(true)
}

/// Is the repository, or the namespace its name lies in, marked public?
pub async fn is_public(tx: &mut Tx<'_>, instance: InstanceId, name: &RepositoryName) -> Result<bool, StoreError> {
    let sql = "SELECT id FROM namespace WHERE instance_id = $1 AND name = $2 AND is_public = 1 \
               UNION ALL SELECT id FROM repository WHERE instance_id = $1 AND name = $3 AND is_public = 1";
    let values = params![instance.as_i64(), name.namespace().as_str(), name.as_str()];
    Ok(!tx.rows(sql, values).await?.is_empty())
}
