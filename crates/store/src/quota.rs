//! What a namespace holds and may hold, in bytes and repositories.
//!
//! A namespace's bytes are those of the blobs that its repositories link, each once, and of its repositories' manifests. They are
//! counted by whoever writes and deletes links, manifests and repositories ([`crate::blob`], [`crate::manifest`],
//! [`crate::repository`]), in the same unit of work: nobody else has to think of it. The sum lies in shards, because pushes beside each
//! other would meet at one row.

use model::{Digest, InstanceId, NamespaceId, NamespaceName, RepositoryId};

use crate::many::{WIDTH, padded};
use crate::{Row, StoreError, Tx, Value, params};

/// Rows over which a namespace's sum is spread.
const SHARDS: u8 = 64;
/// The row besides them that the collection alone changes; its bytes are below zero.
const COLLECTED: u8 = SHARDS;

/// What a namespace may hold; none: as much as there is.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Quota {
    /// Bytes.
    pub bytes: Option<i64>,
    /// Repositories.
    pub repositories: Option<i64>,
}

impl Quota {
    /// Does it bound anything?
    pub const fn is_some(&self) -> bool {
        self.bytes.is_some() || self.repositories.is_some()
    }
}

/// What a namespace holds.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Held {
    /// Bytes.
    pub bytes: i64,
    /// Repositories.
    pub repositories: i64,
}

/// A namespace, and by how much it has just grown.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Grown {
    /// The namespace.
    pub namespace: NamespaceId,
    /// The bytes that were added.
    pub bytes: i64,
    /// The most bytes that it may hold; whether it still does is the caller's to ask of [`held`].
    pub most: Option<i64>,
}

/// A namespace's line in a list of what each holds.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Listed {
    /// Its name.
    pub name: NamespaceName,
    /// What it may hold.
    pub quota: Quota,
    /// What it holds.
    pub held: Held,
}

/// A namespace's id and quota, by name.
pub async fn by_name(tx: &mut Tx<'_>, instance: InstanceId, name: &NamespaceName) -> Result<Option<(NamespaceId, Quota)>, StoreError> {
    let sql = "SELECT id, max_bytes, max_repositories FROM namespace WHERE instance_id = $1 AND name = $2";
    let row = tx.row(sql, params![instance.as_i64(), name.as_str()]).await?;
    row.map(|row| Ok((NamespaceId::from_i64(row.get(0)?), Quota { bytes: row.get(1)?, repositories: row.get(2)? }))).transpose()
}

/// Says what a namespace may hold. It may hold more already: then nothing is added until it holds less.
pub async fn set(tx: &mut Tx<'_>, namespace: NamespaceId, quota: Quota) -> Result<(), StoreError> {
    let sql = "UPDATE namespace SET max_bytes = $1, max_repositories = $2 WHERE id = $3";
    tx.execute(sql, params![quota.bytes, quota.repositories, namespace.as_i64()]).await?;
    Ok(())
}

/// What a namespace holds now.
pub async fn held(tx: &mut Tx<'_>, namespace: NamespaceId) -> Result<Held, StoreError> {
    let sql = "SELECT CAST(COALESCE(SUM(bytes), 0) AS BIGINT), CAST(COALESCE(SUM(repositories), 0) AS BIGINT) FROM namespace_usage \
               WHERE namespace_id = $1";
    let row = tx.one(sql, params![namespace.as_i64()]).await?;
    Ok(Held { bytes: row.get(0)?, repositories: row.get(1)? })
}

/// Does a repository of the namespace link this blob, so that one more link adds nothing?
pub async fn has_blob(tx: &mut Tx<'_>, namespace: NamespaceId, digest: &Digest) -> Result<bool, StoreError> {
    let sql = "SELECT links FROM namespace_blob WHERE namespace_id = $1 AND digest = $2";
    Ok(tx.row(sql, params![namespace.as_i64(), digest.as_bytes()]).await?.is_some())
}

/// An instance's namespaces by name, after `after`, at most `limit`, with what each holds and may hold.
pub async fn list(tx: &mut Tx<'_>, instance: InstanceId, after: &str, limit: i64) -> Result<Vec<Listed>, StoreError> {
    let sql = "SELECT name, max_bytes, max_repositories, \
               COALESCE((SELECT CAST(SUM(u.bytes) AS BIGINT) FROM namespace_usage u WHERE u.namespace_id = namespace.id), 0), \
               COALESCE((SELECT CAST(SUM(u.repositories) AS BIGINT) FROM namespace_usage u WHERE u.namespace_id = namespace.id), 0) \
               FROM namespace WHERE instance_id = $1 AND name > $2 ORDER BY name LIMIT $3";
    tx.rows(sql, params![instance.as_i64(), after, limit]).await?.iter().map(listed).collect()
}

fn listed(row: &Row) -> Result<Listed, StoreError> {
    Ok(Listed {
        name: NamespaceName::parse(&row.get::<String>(0)?).map_err(|_| StoreError::corrupt("namespace.name"))?,
        quota: Quota { bytes: row.get(1)?, repositories: row.get(2)? },
        held: Held { bytes: row.get(3)?, repositories: row.get(4)? },
    })
}

/// One more link of a blob into a repository. None: its namespace has the blob already.
pub(crate) async fn linked(tx: &mut Tx<'_>, repository: RepositoryId, digest: &Digest) -> Result<Option<Grown>, StoreError> {
    let sql = "INSERT INTO namespace_blob (namespace_id, digest, size, links) \
               SELECT r.namespace_id, b.digest, b.size, 1 FROM repository r JOIN blob b ON b.account_id = r.account_id \
               WHERE r.id = $1 AND b.digest = $2 \
               ON CONFLICT (namespace_id, digest) DO UPDATE SET links = namespace_blob.links + 1 RETURNING links, size";
    let row = tx.one(sql, params![repository.as_i64(), digest.as_bytes()]).await?;
    match row.get::<i64>(0)? {
        1 => add(tx, repository, digest, row.get(1)?).await.map(Some),
        _ => Ok(None),
    }
}

/// One link less of each of these blobs. The bytes that the repository's namespace holds no more are the caller's to take off its sum.
pub(crate) async fn unlinked(tx: &mut Tx<'_>, repository: RepositoryId, digests: &[Digest]) -> Result<i64, StoreError> {
    let less = "UPDATE namespace_blob SET links = links - 1 WHERE namespace_id = (SELECT namespace_id FROM repository WHERE id = $1) \
                AND digest IN ($2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17) RETURNING links, size";
    let gone = "DELETE FROM namespace_blob WHERE namespace_id = (SELECT namespace_id FROM repository WHERE id = $1) AND links = 0 \
                AND digest IN ($2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)";
    let mut freed: i64 = 0;
    for chunk in digests.chunks(WIDTH) {
        let mut values = vec![Value::from(repository.as_i64())];
        values.extend(padded(chunk).map(|digest| Value::from(digest.as_bytes())));
        let mut last = false;
        for row in tx.rows(less, &values).await? {
            if row.get::<i64>(0)? == 0 {
                freed = freed.saturating_add(row.get(1)?);
                last = true;
            }
        }
        if last {
            tx.execute(gone, &values).await?;
        }
    }
    Ok(freed)
}

/// So many bytes less in a repository's namespace, by the collection. Nobody else changes that shard: a step that takes many links away
/// meets no push there.
pub(crate) async fn collected(tx: &mut Tx<'_>, repository: RepositoryId, bytes: i64) -> Result<(), StoreError> {
    add_to(tx, repository, COLLECTED, -bytes).await.map(drop)
}

/// So many bytes more, or less, in a repository's namespace.
pub(crate) async fn add(tx: &mut Tx<'_>, repository: RepositoryId, digest: &Digest, bytes: i64) -> Result<Grown, StoreError> {
    let shard = digest.as_bytes().last().map_or(0, |last| last % SHARDS);
    let row = add_to(tx, repository, shard, bytes).await?;
    Ok(Grown { namespace: NamespaceId::from_i64(row.get(0)?), bytes, most: row.get(1)? })
}

async fn add_to(tx: &mut Tx<'_>, repository: RepositoryId, shard: u8, bytes: i64) -> Result<Row, StoreError> {
    let sql = "INSERT INTO namespace_usage (namespace_id, shard, bytes, repositories) \
               SELECT namespace_id, CAST($1 AS BIGINT), CAST($2 AS BIGINT), 0 FROM repository WHERE id = $3 \
               ON CONFLICT (namespace_id, shard) DO UPDATE SET bytes = namespace_usage.bytes + excluded.bytes \
               RETURNING namespace_id, (SELECT n.max_bytes FROM namespace n WHERE n.id = namespace_usage.namespace_id)";
    tx.one(sql, params![i64::from(shard), bytes, repository.as_i64()]).await
}

/// One more repository.
pub(crate) async fn repository_made(tx: &mut Tx<'_>, namespace: NamespaceId, id: RepositoryId) -> Result<(), StoreError> {
    change(tx, namespace, id, Held { bytes: 0, repositories: 1 }).await
}

/// Takes a repository with its links and manifests, which are there still, out of its namespace's counts.
pub(crate) async fn repository_goes(tx: &mut Tx<'_>, id: RepositoryId) -> Result<(), StoreError> {
    let Some(row) = tx.row("SELECT namespace_id FROM repository WHERE id = $1", params![id.as_i64()]).await? else { return Ok(()) };
    let namespace = NamespaceId::from_i64(row.get(0)?);
    let blobs = take_links(tx, namespace, id).await?;
    let sql = "SELECT CAST(COALESCE(SUM(size), 0) AS BIGINT) FROM manifest WHERE repository_id = $1";
    let manifests: i64 = tx.one(sql, params![id.as_i64()]).await?.get(0)?;
    change(tx, namespace, id, Held { bytes: -(blobs + manifests), repositories: -1 }).await
}

/// Takes a repository's links out of its namespace's blobs, and tells the bytes of those that no other repository links.
async fn take_links(tx: &mut Tx<'_>, namespace: NamespaceId, repository: RepositoryId) -> Result<i64, StoreError> {
    let both = params![namespace.as_i64(), repository.as_i64()];
    let sql = "SELECT CAST(COALESCE(SUM(size), 0) AS BIGINT) FROM namespace_blob WHERE namespace_id = $1 AND links = 1 \
               AND digest IN (SELECT digest FROM blob_link WHERE repository_id = $2)";
    let freed = tx.one(sql, both).await?.get(0)?;
    let sql = "DELETE FROM namespace_blob WHERE namespace_id = $1 AND links = 1 \
               AND digest IN (SELECT digest FROM blob_link WHERE repository_id = $2)";
    tx.execute(sql, both).await?;
    let sql = "UPDATE namespace_blob SET links = links - 1 WHERE namespace_id = $1 \
               AND digest IN (SELECT digest FROM blob_link WHERE repository_id = $2)";
    tx.execute(sql, both).await?;
    Ok(freed)
}

async fn change(tx: &mut Tx<'_>, namespace: NamespaceId, repository: RepositoryId, by: Held) -> Result<(), StoreError> {
    let sql = "INSERT INTO namespace_usage (namespace_id, shard, bytes, repositories) VALUES ($1, $2, $3, $4) \
               ON CONFLICT (namespace_id, shard) DO UPDATE SET \
               bytes = namespace_usage.bytes + excluded.bytes, repositories = namespace_usage.repositories + excluded.repositories";
    let shard = repository.as_i64().rem_euclid(SHARDS.into());
    tx.execute(sql, params![namespace.as_i64(), shard, by.bytes, by.repositories]).await?;
    Ok(())
}

/// Forgets an empty namespace's counts: it goes.
pub(crate) async fn forget(tx: &mut Tx<'_>, namespace: NamespaceId) -> Result<(), StoreError> {
    tx.execute("DELETE FROM namespace_usage WHERE namespace_id = $1", params![namespace.as_i64()]).await?;
    Ok(())
}

/// What a namespace holds by its links, manifests and repositories themselves: what [`held`] has to say too.
pub async fn counted_again(tx: &mut Tx<'_>, namespace: NamespaceId) -> Result<Held, StoreError> {
    let sql = "SELECT CAST(COALESCE(SUM(size), 0) AS BIGINT) FROM (SELECT DISTINCT l.digest, b.size FROM repository r \
               JOIN blob_link l ON l.repository_id = r.id JOIN blob b ON b.account_id = r.account_id AND b.digest = l.digest \
               WHERE r.namespace_id = $1) linked";
    let blobs: i64 = tx.one(sql, params![namespace.as_i64()]).await?.get(0)?;
    let sql = "SELECT CAST(COALESCE(SUM(m.size), 0) AS BIGINT) FROM repository r JOIN manifest m ON m.repository_id = r.id \
               WHERE r.namespace_id = $1";
    let manifests: i64 = tx.one(sql, params![namespace.as_i64()]).await?.get(0)?;
    let sql = "SELECT COUNT(*) FROM repository WHERE namespace_id = $1";
    let repositories = tx.one(sql, params![namespace.as_i64()]).await?.get(0)?;
    Ok(Held { bytes: blobs + manifests, repositories })
}

/// Counts a namespace's blobs, bytes and repositories anew, and tells what it holds.
pub async fn recount(tx: &mut Tx<'_>, namespace: NamespaceId) -> Result<Held, StoreError> {
    let key = params![namespace.as_i64()];
    tx.execute("DELETE FROM namespace_blob WHERE namespace_id = $1", key).await?;
    let sql = "INSERT INTO namespace_blob (namespace_id, digest, size, links) \
               SELECT r.namespace_id, l.digest, MAX(b.size), COUNT(*) FROM repository r JOIN blob_link l ON l.repository_id = r.id \
               JOIN blob b ON b.account_id = r.account_id AND b.digest = l.digest \
               WHERE r.namespace_id = $1 GROUP BY r.namespace_id, l.digest";
    tx.execute(sql, key).await?;
    forget(tx, namespace).await?;
    let held = counted_again(tx, namespace).await?;
    change(tx, namespace, RepositoryId::from_i64(0), held).await?;
    Ok(held)
}
