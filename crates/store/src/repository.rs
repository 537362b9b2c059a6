//! Repositories. Their names are whole: `NAMESPACE/REST`, or one segment in the root namespace.

use model::{AccountId, Glob, ImmutableTags, InstanceId, Lock, Locks, NamespaceId, RepositoryId, RepositoryName, Timestamp};

use crate::{Row, StoreError, Tx, params, quota};

/// A repository.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Repository {
    /// Its id.
    pub id: RepositoryId,
    /// The account whose content it links.
    pub account: AccountId,
    /// Its instance.
    pub instance: InstanceId,
    /// Its namespace.
    pub namespace: NamespaceId,
    /// Its whole name.
    pub name: RepositoryName,
    /// May anybody read it?
    pub public: bool,
    /// For people, in one line.
    pub summary: String,
    /// For people.
    pub description: String,
    /// What it is locked against.
    pub locks: Locks,
    /// Which of its tags are immutable, besides what its namespace says.
    pub immutable_tags: Option<ImmutableTags>,
    /// Made when.
    pub created: Timestamp,
    /// Its settings were changed last when.
    pub updated: Timestamp,
}

macro_rules! select_repository {
    ($rest:literal) => {
        concat!(
            "SELECT id, account_id, instance_id, namespace_id, name, is_public, description, created_ms, updated_ms, summary, \
             locks, immutable_tags, immutable_except FROM repository ",
            $rest
        )
    };
}

fn repository(row: &Row) -> Result<Repository, StoreError> {
    Ok(Repository {
        id: RepositoryId::from_i64(row.get(0)?),
        account: AccountId::from_i64(row.get(1)?),
        instance: InstanceId::from_i64(row.get(2)?),
        namespace: NamespaceId::from_i64(row.get(3)?),
        name: name(&row.get::<String>(4)?)?,
        public: row.get(5)?,
        description: row.get(6)?,
        created: Timestamp::from_millis(row.get(7)?),
        updated: Timestamp::from_millis(row.get(8)?),
        summary: row.get(9)?,
        locks: Locks::from_i64(row.get(10)?),
        immutable_tags: immutable_tags(row, 11)?,
    })
}

pub(crate) fn pattern(tags: Option<&ImmutableTags>) -> Option<&str> {
    tags.map(|tags| tags.tags.as_str())
}

pub(crate) fn exception(tags: Option<&ImmutableTags>) -> Option<&str> {
    tags.and_then(|tags| tags.except.as_ref()).map(Glob::as_str)
}

/// A pattern and its exception, in two columns that stand side by side.
pub(crate) fn immutable_tags(row: &Row, column: usize) -> Result<Option<ImmutableTags>, StoreError> {
    let glob = |text: Option<String>| text.map(|text| Glob::parse(&text).map_err(|_| StoreError::corrupt("immutable_tags"))).transpose();
    let except = glob(row.get(column + 1)?)?;
    Ok(glob(row.get(column)?)?.map(|tags| ImmutableTags { tags, except }))
}

fn name(text: &str) -> Result<RepositoryName, StoreError> {
    RepositoryName::parse(text).map_err(|_| StoreError::corrupt("repository.name"))
}

/// Writes a new repository. False: the instance has one of that name.
pub async fn insert(tx: &mut Tx<'_>, r: &Repository) -> Result<bool, StoreError> {
    let sql = "INSERT INTO repository (id, account_id, instance_id, namespace_id, name, is_public, description, created_ms, updated_ms, summary, \
               immutable_tags, immutable_except) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) ON CONFLICT (instance_id, name) DO NOTHING";
    let values = params![
        r.id.as_i64(),
        r.account.as_i64(),
        r.instance.as_i64(),
        r.namespace.as_i64(),
        r.name.as_str(),
        r.public,
        &*r.description,
        r.created.millis(),
        r.updated.millis(),
        &*r.summary,
        pattern(r.immutable_tags.as_ref()),
        exception(r.immutable_tags.as_ref())
    ];
    if tx.execute(sql, values).await? == 0 {
        return Ok(false);
    }
    quota::repository_made(tx, r.namespace, r.id).await?;
    Ok(true)
}

/// The instance's repository with this name.
pub async fn by_name(tx: &mut Tx<'_>, instance: InstanceId, name: &RepositoryName) -> Result<Option<Repository>, StoreError> {
    let sql = select_repository!("WHERE instance_id = $1 AND name = $2");
    tx.row(sql, params![instance.as_i64(), name.as_str()]).await?.as_ref().map(repository).transpose()
}

/// The instance's repository with this id.
pub async fn by_id(tx: &mut Tx<'_>, instance: InstanceId, id: RepositoryId) -> Result<Option<Repository>, StoreError> {
    let sql = select_repository!("WHERE instance_id = $1 AND id = $2");
    tx.row(sql, params![instance.as_i64(), id.as_i64()]).await?.as_ref().map(repository).transpose()
}

/// A namespace's repositories by name, without the first `skip`, at most `limit`.
pub async fn window(tx: &mut Tx<'_>, namespace: NamespaceId, (skip, limit): (i64, i64)) -> Result<Vec<Repository>, StoreError> {
    let sql = select_repository!("WHERE namespace_id = $1 ORDER BY name LIMIT $2 OFFSET $3");
    tx.rows(sql, params![namespace.as_i64(), limit, skip]).await?.iter().map(repository).collect()
}

/// How many repositories a namespace has; the count stops at `reach`.
pub async fn count(tx: &mut Tx<'_>, namespace: NamespaceId, reach: i64) -> Result<i64, StoreError> {
    let sql = "SELECT COUNT(*) FROM (SELECT 1 FROM repository WHERE namespace_id = $1 LIMIT $2) counted";
    tx.one(sql, params![namespace.as_i64(), reach]).await?.get(0)
}

/// Only the id of the instance's repository with this name.
pub async fn id_by_name(tx: &mut Tx<'_>, instance: InstanceId, name: &RepositoryName) -> Result<Option<RepositoryId>, StoreError> {
    let sql = "SELECT id FROM repository WHERE instance_id = $1 AND name = $2";
    let row = tx.row(sql, params![instance.as_i64(), name.as_str()]).await?;
    row.map(|row| row.get(0).map(RepositoryId::from_i64)).transpose()
}

/// The id of the instance's repository with this name, and its locks.
pub async fn id_and_locks(
    tx: &mut Tx<'_>,
    instance: InstanceId,
    name: &RepositoryName,
) -> Result<Option<(RepositoryId, Locks)>, StoreError> {
    let sql = "SELECT id, locks FROM repository WHERE instance_id = $1 AND name = $2";
    let row = tx.row(sql, params![instance.as_i64(), name.as_str()]).await?;
    row.map(|row| Ok((RepositoryId::from_i64(row.get(0)?), Locks::from_i64(row.get(1)?)))).transpose()
}

/// A namespace's repositories by name, after `after`, at most `limit`.
pub async fn list(tx: &mut Tx<'_>, namespace: NamespaceId, after: &str, limit: i64) -> Result<Vec<Repository>, StoreError> {
    let sql = select_repository!("WHERE namespace_id = $1 AND name > $2 ORDER BY name LIMIT $3");
    tx.rows(sql, params![namespace.as_i64(), after, limit]).await?.iter().map(repository).collect()
}

/// Names of an instance's repositories from `from` on and before `to` (none: to the end), at most `limit`, and their locks.
pub async fn names_in_range(
    tx: &mut Tx<'_>,
    instance: InstanceId,
    (from, to): (&str, Option<&str>),
    limit: i64,
) -> Result<Vec<(RepositoryName, Locks)>, StoreError> {
    let rows = if let Some(to) = to {
        let sql = "SELECT name, locks FROM repository WHERE instance_id = $1 AND name >= $2 AND name < $3 ORDER BY name LIMIT $4";
        tx.rows(sql, params![instance.as_i64(), from, to, limit]).await?
    } else {
        let sql = "SELECT name, locks FROM repository WHERE instance_id = $1 AND name >= $2 ORDER BY name LIMIT $3";
        tx.rows(sql, params![instance.as_i64(), from, limit]).await?
    };
    rows.iter().map(|row| Ok((name(&row.get::<String>(0)?)?, Locks::from_i64(row.get(1)?)))).collect()
}

/// Changes a repository's settings.
pub async fn update(tx: &mut Tx<'_>, r: &Repository) -> Result<(), StoreError> {
    let sql = "UPDATE repository SET is_public = $1, description = $2, updated_ms = $3, summary = $4, \
               immutable_tags = $5, immutable_except = $6 WHERE id = $7";
    let (tags, except) = (pattern(r.immutable_tags.as_ref()), exception(r.immutable_tags.as_ref()));
    let values = params![r.public, &*r.description, r.updated.millis(), &*r.summary, tags, except, r.id.as_i64()];
    tx.execute(sql, values).await?;
    Ok(())
}

/// Deletes a repository with its tags, manifests, links and uploads (whose files are the caller's to delete).
pub async fn delete(tx: &mut Tx<'_>, id: RepositoryId) -> Result<(), StoreError> {
    quota::repository_goes(tx, id).await?;
    tx.execute("DELETE FROM tag WHERE repository_id = $1", params![id.as_i64()]).await?;
    tx.execute("DELETE FROM manifest_child WHERE repository_id = $1", params![id.as_i64()]).await?;
    tx.execute("DELETE FROM manifest WHERE repository_id = $1", params![id.as_i64()]).await?;
    tx.execute("DELETE FROM manifest_pull WHERE repository_id = $1", params![id.as_i64()]).await?;
    tx.execute("DELETE FROM blob_link WHERE repository_id = $1", params![id.as_i64()]).await?;
    tx.execute("DELETE FROM upload WHERE repository_id = $1", params![id.as_i64()]).await?;
    tx.execute("DELETE FROM repository WHERE id = $1", params![id.as_i64()]).await?;
    Ok(())
}

/// A repository as something to push to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Target {
    /// Its id.
    pub id: RepositoryId,
    /// May an index name manifests that are not there?
    pub sparse_indexes: bool,
    /// Is it locked against writing?
    pub read_only: bool,
    /// Has it, or may its tags or manifests have, what keeps something as it is?
    pub guarded: bool,
}

/// The instance's repository with this name, as something to push to.
pub async fn target(tx: &mut Tx<'_>, instance: InstanceId, name: &RepositoryName) -> Result<Option<Target>, StoreError> {
    let sql = "SELECT r.id, n.sparse_indexes, r.locks, CAST(CASE WHEN r.guarded = 1 OR r.immutable_tags IS NOT NULL \
               OR EXISTS (SELECT 1 FROM immutable_tag_rule k WHERE k.namespace_id = n.id) THEN 1 ELSE 0 END AS BIGINT) \
               FROM repository r JOIN namespace n ON n.id = r.namespace_id WHERE r.instance_id = $1 AND r.name = $2";
    let row = tx.row(sql, params![instance.as_i64(), name.as_str()]).await?;
    row.as_ref().map(to_push_to).transpose()
}

fn to_push_to(row: &Row) -> Result<Target, StoreError> {
    Ok(Target {
        id: RepositoryId::from_i64(row.get(0)?),
        sparse_indexes: row.get(1)?,
        read_only: Locks::from_i64(row.get(2)?).has(Lock::Write),
        guarded: row.get(3)?,
    })
}
