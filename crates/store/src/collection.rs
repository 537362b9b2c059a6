//! What nothing needs any more: links that no manifest holds, blobs that no repository links, content that no row names.
//!
//! Pages are walked by [`links`], [`blobs`] and [`unnamed`], outside of any change; what they find is asked again
//! in the transaction that acts on it. A row of `condemned` is written there: the storage is freed by key, later.

use model::{AccountId, Digest, RepositoryId, Timestamp, UploadId};

use crate::blob::digest;
use crate::many::{WIDTH, padded};
use crate::{Row, StoreError, Tx, Value, params, quota};

/// A link, as a page shows it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LinkSeen {
    /// The repository that has it.
    pub repository: RepositoryId,
    /// The blob's digest.
    pub digest: Digest,
    /// Has nobody touched it for long, and does no manifest hold it?
    pub idle: bool,
}

/// A blob, as a page shows it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BlobSeen {
    /// Whose it is.
    pub account: AccountId,
    /// Its digest.
    pub digest: Digest,
    /// Under which key it lies.
    pub key: UploadId,
    /// Bytes.
    pub size: i64,
    /// Is it needed, by what the page was asked for?
    pub needed: bool,
}

/// Content whose time has come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Due {
    /// Under which key it lies.
    pub key: UploadId,
    /// Bytes.
    pub size: i64,
    /// Condemned when.
    pub since: Timestamp,
}

/// Content on its way out.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Waiting {
    /// How many pieces, up to [`COUNTED`].
    pub blobs: i64,
    /// Their bytes.
    pub bytes: i64,
    /// Since when the oldest of them waits.
    pub oldest: Option<Timestamp>,
}

/// How far what waits is counted.
pub const COUNTED: i64 = 100_000;

/// A page of links behind `after`, by repository and digest. One is idle if it was last touched before `before`.
pub async fn links(tx: &mut Tx<'_>, after: (i64, &[u8]), before: Timestamp, limit: i64) -> Result<Vec<LinkSeen>, StoreError> {
    let sql = "SELECT l.repository_id, l.digest, CAST(CASE WHEN l.touched_ms < $1 AND NOT EXISTS ( \
                 SELECT 1 FROM manifest_child c WHERE c.repository_id = l.repository_id AND c.child = l.digest AND c.kind = 'blob') \
               THEN 1 ELSE 0 END AS BIGINT) \
               FROM (SELECT repository_id, digest, touched_ms FROM blob_link WHERE (repository_id, digest) > ($2, $3) \
                     ORDER BY repository_id, digest LIMIT $4) l ORDER BY l.repository_id, l.digest";
    let rows = tx.rows(sql, params![before.millis(), after.0, after.1, limit]).await?;
    let seen = |row: &Row| Ok(LinkSeen { repository: RepositoryId::from_i64(row.get(0)?), digest: digest(row, 1)?, idle: row.get(2)? });
    rows.iter().map(seen).collect()
}

/// Takes idle links of a repository away, and tells which. The others somebody has touched since, a manifest holds them, or they are gone.
pub async fn remove_links(
    tx: &mut Tx<'_>,
    repository: RepositoryId,
    digests: &[Digest],
    before: Timestamp,
) -> Result<Vec<Digest>, StoreError> {
    let sql = "DELETE FROM blob_link WHERE repository_id = $1 AND touched_ms < $2 \
               AND digest IN ($3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18) AND NOT EXISTS ( \
               SELECT 1 FROM manifest_child c WHERE c.repository_id = $1 AND c.child = blob_link.digest AND c.kind = 'blob') \
               RETURNING digest";
    let mut gone = Vec::with_capacity(digests.len());
    for chunk in digests.chunks(WIDTH) {
        let mut values = vec![Value::from(repository.as_i64()), Value::from(before.millis())];
        values.extend(padded(chunk).map(|digest| Value::from(digest.as_bytes())));
        for row in tx.rows(sql, &values).await? {
            gone.push(digest(&row, 0)?);
        }
    }
    if !gone.is_empty() {
        let freed = quota::unlinked(tx, repository, &gone).await?;
        if freed != 0 {
            quota::collected(tx, repository, freed).await?;
        }
    }
    Ok(gone)
}

/// Does no manifest hold this link?
pub async fn is_idle(tx: &mut Tx<'_>, repository: RepositoryId, digest: &Digest) -> Result<bool, StoreError> {
    let sql = "SELECT 1 FROM manifest_child WHERE repository_id = $1 AND child = $2 AND kind = 'blob' LIMIT 1";
    Ok(tx.row(sql, params![repository.as_i64(), digest.as_bytes()]).await?.is_none())
}

/// Touches a link that no manifest holds, for somebody who is told that the blob is there. False: there is none any more, or it
/// needs no touch.
pub async fn touch_idle(tx: &mut Tx<'_>, repository: RepositoryId, digest: &Digest, now: Timestamp) -> Result<bool, StoreError> {
    let sql = "UPDATE blob_link SET touched_ms = $1 WHERE repository_id = $2 AND digest = $3 AND touched_ms < $1 AND NOT EXISTS ( \
               SELECT 1 FROM manifest_child c WHERE c.repository_id = $2 AND c.child = $3 AND c.kind = 'blob')";
    Ok(tx.execute(sql, params![now.millis(), repository.as_i64(), digest.as_bytes()]).await? == 1)
}

/// A page of blobs behind `after`, by account and digest. One is needed if a repository of its account links it.
pub async fn blobs(tx: &mut Tx<'_>, after: (i64, &[u8]), limit: i64) -> Result<Vec<BlobSeen>, StoreError> {
    let sql = "SELECT b.account_id, b.digest, b.storage_key, b.size, CAST(CASE WHEN EXISTS ( \
                 SELECT 1 FROM blob_link l JOIN repository r ON r.id = l.repository_id \
                 WHERE l.digest = b.digest AND r.account_id = b.account_id) THEN 1 ELSE 0 END AS BIGINT) \
               FROM (SELECT account_id, digest, storage_key, size FROM blob WHERE (account_id, digest) > ($1, $2) \
                     ORDER BY account_id, digest LIMIT $3) b ORDER BY b.account_id, b.digest";
    tx.rows(sql, params![after.0, after.1, limit]).await?.iter().map(blob_seen).collect()
}

/// The same, as it would be if links that are idle by `before` were gone.
pub async fn blobs_without_idle(tx: &mut Tx<'_>, after: (i64, &[u8]), before: Timestamp, limit: i64) -> Result<Vec<BlobSeen>, StoreError> {
    let sql = "SELECT b.account_id, b.digest, b.storage_key, b.size, CAST(CASE WHEN EXISTS ( \
                 SELECT 1 FROM blob_link l JOIN repository r ON r.id = l.repository_id \
                 WHERE l.digest = b.digest AND r.account_id = b.account_id AND (l.touched_ms >= $1 OR EXISTS ( \
                   SELECT 1 FROM manifest_child c WHERE c.repository_id = l.repository_id AND c.child = l.digest AND c.kind = 'blob'))) \
               THEN 1 ELSE 0 END AS BIGINT) \
               FROM (SELECT account_id, digest, storage_key, size FROM blob WHERE (account_id, digest) > ($2, $3) \
                     ORDER BY account_id, digest LIMIT $4) b ORDER BY b.account_id, b.digest";
    tx.rows(sql, params![before.millis(), after.0, after.1, limit]).await?.iter().map(blob_seen).collect()
}

fn blob_seen(row: &Row) -> Result<BlobSeen, StoreError> {
    Ok(BlobSeen {
        account: AccountId::from_i64(row.get(0)?),
        digest: digest(row, 1)?,
        key: UploadId::from_i64(row.get(2)?),
        size: row.get(3)?,
        needed: row.get(4)?,
    })
}

/// Takes the rows of an account's blobs away that no repository of it links, condemns what they named, and tells which. For a
/// serialisable unit: whoever links the blob meanwhile reads its row (`blob::insert`, `blob::find_linked`), and one of the two runs again.
pub async fn remove_blobs(tx: &mut Tx<'_>, account: AccountId, digests: &[Digest], now: Timestamp) -> Result<Vec<Digest>, StoreError> {
    let sql = "DELETE FROM blob WHERE account_id = $1 \
               AND digest IN ($2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17) AND NOT EXISTS ( \
               SELECT 1 FROM blob_link l JOIN repository r ON r.id = l.repository_id \
               WHERE l.digest = blob.digest AND r.account_id = blob.account_id) RETURNING digest, storage_key, size";
    let (mut gone, mut content) = (Vec::with_capacity(digests.len()), Vec::with_capacity(digests.len()));
    for chunk in digests.chunks(WIDTH) {
        let mut values = vec![Value::from(account.as_i64())];
        values.extend(padded(chunk).map(|digest| Value::from(digest.as_bytes())));
        for row in tx.rows(sql, &values).await? {
            gone.push(digest(&row, 0)?);
            content.push((UploadId::from_i64(row.get(1)?), row.get(2)?));
        }
    }
    condemn(tx, &content, now).await?;
    Ok(gone)
}

/// Those of these keys that no blob, no upload and nothing condemned has.
pub async fn unnamed(tx: &mut Tx<'_>, keys: &[UploadId]) -> Result<Vec<UploadId>, StoreError> {
    let sql = "SELECT storage_key FROM blob WHERE storage_key IN ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16) \
               UNION ALL SELECT id FROM upload WHERE id IN ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16) \
               UNION ALL SELECT storage_key FROM condemned WHERE deleted_ms IS NULL \
               AND storage_key IN ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)";
    let mut named = Vec::new();
    for chunk in keys.chunks(WIDTH) {
        let values: Vec<Value> = padded(chunk).map(|key| Value::from(key.as_i64())).collect();
        for row in tx.rows(sql, &values).await? {
            named.push(UploadId::from_i64(row.get(0)?));
        }
    }
    Ok(keys.iter().filter(|key| !named.contains(key)).copied().collect())
}

/// Condemns what lies under these keys, of so many bytes each, unless a blob or an upload has it, and tells which: the others one has,
/// or they are condemned already. What was deleted and is there again, as after a power cut, is condemned anew.
pub async fn condemn(tx: &mut Tx<'_>, content: &[(UploadId, i64)], now: Timestamp) -> Result<Vec<UploadId>, StoreError> {
    // `column1` and `column2` are how both databases call the columns of VALUES.
    let sql = "INSERT INTO condemned (storage_key, size, since_ms) SELECT DISTINCT column1, column2, CAST($1 AS BIGINT) FROM (VALUES \
               (CAST($2 AS BIGINT), CAST($3 AS BIGINT)), (CAST($4 AS BIGINT), CAST($5 AS BIGINT)), (CAST($6 AS BIGINT), CAST($7 \
               AS BIGINT)), (CAST($8 AS BIGINT), CAST($9 AS BIGINT)), (CAST($10 AS BIGINT), CAST($11 AS BIGINT)), (CAST($12 AS \
               BIGINT), CAST($13 AS BIGINT)), (CAST($14 AS BIGINT), CAST($15 AS BIGINT)), (CAST($16 AS BIGINT), CAST($17 AS \
               BIGINT)), (CAST($18 AS BIGINT), CAST($19 AS BIGINT)), (CAST($20 AS BIGINT), CAST($21 AS BIGINT)), (CAST($22 AS \
               BIGINT), CAST($23 AS BIGINT)), (CAST($24 AS BIGINT), CAST($25 AS BIGINT)), (CAST($26 AS BIGINT), CAST($27 AS \
               BIGINT)), (CAST($28 AS BIGINT), CAST($29 AS BIGINT)), (CAST($30 AS BIGINT), CAST($31 AS BIGINT)), (CAST($32 AS \
               BIGINT), CAST($33 AS BIGINT))) given \
               WHERE NOT EXISTS (SELECT 1 FROM blob WHERE storage_key = column1) AND NOT EXISTS (SELECT 1 FROM upload WHERE id = column1) \
               ON CONFLICT (storage_key) DO UPDATE SET since_ms = excluded.since_ms, deleted_ms = NULL \
               WHERE condemned.deleted_ms IS NOT NULL RETURNING storage_key";
    let mut condemned = Vec::with_capacity(content.len());
    for chunk in content.chunks(WIDTH) {
        let mut values = vec![Value::from(now.millis())];
        values.extend(padded(chunk).flat_map(|(key, size)| [Value::from(key.as_i64()), Value::from(*size)]));
        for row in tx.rows(sql, &values).await? {
            condemned.push(UploadId::from_i64(row.get(0)?));
        }
    }
    Ok(condemned)
}

/// What was condemned no later than `until` and is not deleted yet, behind `after` (since when, and the key). Never what a blob has.
pub async fn due(tx: &mut Tx<'_>, after: (i64, i64), until: Timestamp, limit: i64) -> Result<Vec<Due>, StoreError> {
    let sql = "SELECT storage_key, size, since_ms FROM condemned c WHERE deleted_ms IS NULL AND (since_ms, storage_key) > ($1, $2) \
               AND since_ms <= $3 AND NOT EXISTS (SELECT 1 FROM blob b WHERE b.storage_key = c.storage_key) \
               ORDER BY since_ms, storage_key LIMIT $4";
    let rows = tx.rows(sql, params![after.0, after.1, until.millis(), limit]).await?;
    let due = |row: &Row| Ok(Due { key: UploadId::from_i64(row.get(0)?), size: row.get(1)?, since: Timestamp::from_millis(row.get(2)?) });
    rows.iter().map(due).collect()
}

/// Writes down that the content under these condemned keys is gone, and tells of which that was not written down already.
pub async fn deleted(tx: &mut Tx<'_>, keys: &[UploadId], now: Timestamp) -> Result<Vec<UploadId>, StoreError> {
    let sql = "UPDATE condemned SET deleted_ms = $1 WHERE deleted_ms IS NULL AND storage_key IN ($2, $3, $4, $5, $6, $7, $8, $9, $10, \
               $11, $12, $13, $14, $15, $16, $17) RETURNING storage_key";
    let mut written = Vec::with_capacity(keys.len());
    for chunk in keys.chunks(WIDTH) {
        let mut values = vec![Value::from(now.millis())];
        values.extend(padded(chunk).map(|key| Value::from(key.as_i64())));
        for row in tx.rows(sql, &values).await? {
            written.push(UploadId::from_i64(row.get(0)?));
        }
    }
    Ok(written)
}

/// Forgets at most `limit` of what was deleted before `before`; how many.
pub async fn forget_deleted(tx: &mut Tx<'_>, before: Timestamp, limit: i64) -> Result<u64, StoreError> {
    let sql = "DELETE FROM condemned WHERE storage_key IN ( \
               SELECT storage_key FROM condemned WHERE deleted_ms IS NOT NULL AND deleted_ms < $1 ORDER BY deleted_ms LIMIT $2)";
    tx.execute(sql, params![before.millis(), limit]).await
}

/// What waits to be deleted.
pub async fn waiting(tx: &mut Tx<'_>) -> Result<Waiting, StoreError> {
    let sql = "SELECT COUNT(*), CAST(COALESCE(SUM(size), 0) AS BIGINT), MIN(since_ms) FROM ( \
               SELECT size, since_ms FROM condemned WHERE deleted_ms IS NULL ORDER BY since_ms LIMIT $1) counted";
    let row = tx.one(sql, params![COUNTED]).await?;
    let oldest = row.get::<Option<i64>>(2)?.map(Timestamp::from_millis);
    Ok(Waiting { blobs: row.get(0)?, bytes: row.get(1)?, oldest })
}
