//! What an account holds by digest, and which repositories link it. A repository sees a blob through a link alone.

use model::{AccountId, Digest, InstanceId, Lock, Locks, RepositoryId, RepositoryName, Timestamp, UploadId};

use crate::many::{WIDTH, padded};
use crate::quota::{self, Grown};
use crate::{Row, StoreError, Tx, Value, params};

/// Where a blob lies, and how long it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Stored {
    /// The storage key: the id of the upload that brought it.
    pub key: UploadId,
    /// Bytes.
    pub size: i64,
}

/// A blob as a repository sees it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Linked {
    /// Where it lies.
    pub stored: Stored,
    /// The repository.
    pub repository: RepositoryId,
    /// When the link was last touched.
    pub touched: Timestamp,
    /// Is the repository locked against reading?
    pub unreadable: bool,
}

/// The blob, if a repository of this name links it.
pub async fn find_linked(
    tx: &mut Tx<'_>,
    instance: InstanceId,
    name: &RepositoryName,
    digest: &Digest,
) -> Result<Option<Linked>, StoreError> {
    let sql = "SELECT b.storage_key, b.size, r.locks, r.id, l.touched_ms FROM repository r \
               JOIN blob_link l ON l.repository_id = r.id \
               JOIN blob b ON b.account_id = r.account_id AND b.digest = l.digest \
               WHERE r.instance_id = $1 AND r.name = $2 AND l.digest = $3";
    let row = tx.row(sql, params![instance.as_i64(), name.as_str(), digest.as_bytes()]).await?;
    row.as_ref().map(linked).transpose()
}

fn stored(row: &Row) -> Result<Stored, StoreError> {
    Ok(Stored { key: UploadId::from_i64(row.get(0)?), size: row.get(1)? })
}

fn linked(row: &Row) -> Result<Linked, StoreError> {
    let unreadable = Locks::from_i64(row.get(2)?).has(Lock::Read);
    let (repository, touched) = (RepositoryId::from_i64(row.get(3)?), Timestamp::from_millis(row.get(4)?));
    Ok(Linked { stored: stored(row)?, repository, touched, unreadable })
}

/// Does the account hold this digest, and where?
pub async fn find(tx: &mut Tx<'_>, account: AccountId, digest: &Digest) -> Result<Option<Stored>, StoreError> {
    let sql = "SELECT storage_key, size FROM blob WHERE account_id = $1 AND digest = $2";
    let row = tx.row(sql, params![account.as_i64(), digest.as_bytes()]).await?;
    row.as_ref().map(stored).transpose()
}

/// What became of new content.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Insertion {
    /// The account has it now, under this key.
    New,
    /// The account has that content already, under another key.
    There,
    /// What lies under this key has been condemned, because it had no row for long: it may be gone at any moment.
    Condemned,
}

/// Writes where new content lies, for a unit that links it next.
pub async fn insert(tx: &mut Tx<'_>, account: AccountId, digest: &Digest, at: Stored, now: Timestamp) -> Result<Insertion, StoreError> {
    let sql = "INSERT INTO blob (account_id, digest, storage_key, size, created_ms) SELECT $1, $2, $3, $4, $5 \
               WHERE NOT EXISTS (SELECT 1 FROM condemned WHERE storage_key = $3) ON CONFLICT (account_id, digest) DO NOTHING";
    let values = params![account.as_i64(), digest.as_bytes(), at.key.as_i64(), at.size, now.millis()];
    if tx.execute(sql, values).await? == 1 {
        return Ok(Insertion::New);
    }
    // Read, and not only met by the insertion: so that who deletes the row meanwhile (`collection::remove_blobs`) meets this unit.
    Ok(if find(tx, account, digest).await?.is_some() { Insertion::There } else { Insertion::Condemned })
}

/// Is any content kept under this storage key?
pub async fn has_key(tx: &mut Tx<'_>, key: UploadId) -> Result<bool, StoreError> {
    let sql = "SELECT size FROM blob WHERE storage_key = $1 LIMIT 1";
    Ok(tx.row(sql, params![key.as_i64()]).await?.is_some())
}

/// What became of a link.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Linking {
    /// It is there, and by how much its namespace has grown; none: it holds no more than before.
    Done(Option<Grown>),
    /// The repository is gone.
    NoRepository,
}

/// Links a blob that is there into a repository, or touches its link.
pub async fn link(tx: &mut Tx<'_>, repository: RepositoryId, digest: &Digest, now: Timestamp) -> Result<Linking, StoreError> {
    let sql = "INSERT INTO blob_link (repository_id, digest, touched_ms) SELECT id, $1, $2 FROM repository WHERE id = $3 \
               ON CONFLICT (repository_id, digest) DO NOTHING";
    if tx.execute(sql, params![digest.as_bytes(), now.millis(), repository.as_i64()]).await? == 1 {
        return quota::linked(tx, repository, digest).await.map(Linking::Done);
    }
    let sql = "UPDATE blob_link SET touched_ms = $1 WHERE repository_id = $2 AND digest = $3";
    let touched = tx.execute(sql, params![now.millis(), repository.as_i64(), digest.as_bytes()]).await?;
    Ok(if touched == 1 { Linking::Done(None) } else { Linking::NoRepository })
}

/// Touches the links of the blobs that a manifest is made of: from now on nobody may need them.
pub(crate) async fn touch_children(tx: &mut Tx<'_>, repository: RepositoryId, parent: &Digest, now: Timestamp) -> Result<(), StoreError> {
    let sql = "UPDATE blob_link SET touched_ms = $1 WHERE repository_id = $2 AND touched_ms < $1 AND digest IN ( \
               SELECT child FROM manifest_child WHERE repository_id = $2 AND parent = $3 AND kind = 'blob')";
    tx.execute(sql, params![now.millis(), repository.as_i64(), parent.as_bytes()]).await?;
    Ok(())
}

/// Takes a blob's link out of a repository. False: there was none.
pub async fn unlink(tx: &mut Tx<'_>, repository: RepositoryId, digest: &Digest) -> Result<bool, StoreError> {
    let sql = "DELETE FROM blob_link WHERE repository_id = $1 AND digest = $2";
    if tx.execute(sql, params![repository.as_i64(), digest.as_bytes()]).await? == 0 {
        return Ok(false);
    }
    let freed = quota::unlinked(tx, repository, &[*digest]).await?;
    if freed != 0 {
        quota::add(tx, repository, digest, -freed).await?;
    }
    Ok(true)
}

/// Touches the links of these digests and tells which are there, with their sizes, in no order.
pub async fn touch(
    tx: &mut Tx<'_>,
    account: AccountId,
    repository: RepositoryId,
    digests: &[Digest],
    now: Timestamp,
) -> Result<Vec<(Digest, i64)>, StoreError> {
    let sql = "UPDATE blob_link SET touched_ms = $1 WHERE repository_id = $2 \
               AND digest IN ($3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18) \
               RETURNING digest, (SELECT b.size FROM blob b WHERE b.account_id = $19 AND b.digest = blob_link.digest)";
    let mut found = Vec::with_capacity(digests.len());
    for chunk in digests.chunks(WIDTH) {
        let mut values = vec![Value::from(now.millis()), Value::from(repository.as_i64())];
        values.extend(padded(chunk).map(|d| Value::from(d.as_bytes())));
        values.push(Value::from(account.as_i64()));
        for row in tx.rows(sql, &values).await? {
            found.push((digest(&row, 0)?, row.get(1)?));
        }
    }
    Ok(found)
}

/// A digest as stored, or none.
pub(crate) fn optional_digest(row: &Row, column: usize) -> Result<Option<Digest>, StoreError> {
    let stored: Option<Vec<u8>> = row.get(column)?;
    stored.map(|bytes| Digest::from_bytes(&bytes).ok_or_else(|| StoreError::corrupt("digest"))).transpose()
}

/// A digest as stored.
pub(crate) fn digest(row: &Row, column: usize) -> Result<Digest, StoreError> {
    Digest::from_bytes(&row.get::<Vec<u8>>(column)?).ok_or_else(|| StoreError::corrupt("digest"))
}
