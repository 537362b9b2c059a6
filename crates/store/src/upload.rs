//! Uploads under way: bound to a repository and to who began them, their resumable state compared and set.

use model::{InstanceId, PrincipalId, RepositoryId, RepositoryName, Timestamp, UploadId};

use crate::{Row, StoreError, Tx, params};

/// An upload.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Upload {
    /// Its id, also the storage key of its content.
    pub id: UploadId,
    /// Into which repository.
    pub repository: RepositoryId,
    /// Begun by whom; none: by nobody known.
    pub principal: Option<PrincipalId>,
    /// How far it is, as the blob store writes it.
    pub state: Vec<u8>,
}

fn upload(row: &Row) -> Result<Upload, StoreError> {
    Ok(Upload {
        id: UploadId::from_i64(row.get(0)?),
        repository: RepositoryId::from_i64(row.get(1)?),
        principal: row.get::<Option<i64>>(2)?.map(PrincipalId::from_i64),
        state: row.get(3)?,
    })
}

/// Writes a new upload.
pub async fn insert(tx: &mut Tx<'_>, u: &Upload, now: Timestamp) -> Result<(), StoreError> {
    let sql = "INSERT INTO upload (id, repository_id, principal_id, state, started_ms, touched_ms) VALUES ($1, $2, $3, $4, $5, $6)";
    let principal = u.principal.map(PrincipalId::as_i64);
    tx.execute(sql, params![u.id.as_i64(), u.repository.as_i64(), principal, &*u.state, now.millis(), now.millis()]).await?;
    Ok(())
}

/// The upload with this id into the repository of this name.
pub async fn find(tx: &mut Tx<'_>, instance: InstanceId, name: &RepositoryName, id: UploadId) -> Result<Option<Upload>, StoreError> {
    let sql = "SELECT u.id, u.repository_id, u.principal_id, u.state FROM upload u JOIN repository r ON r.id = u.repository_id \
               WHERE u.id = $1 AND r.instance_id = $2 AND r.name = $3";
    tx.row(sql, params![id.as_i64(), instance.as_i64(), name.as_str()]).await?.as_ref().map(upload).transpose()
}

/// The same, and nobody ends or moves it on before this unit has ended: one who was given up for dead, whose commit still comes, is
/// waited for.
pub async fn find_held(tx: &mut Tx<'_>, instance: InstanceId, name: &RepositoryName, id: UploadId) -> Result<Option<Upload>, StoreError> {
    // SQLite has one writer at a time, and no such words.
    let hold = tx.either("SELECT 1 FROM upload WHERE id = $1", "SELECT 1 FROM upload WHERE id = $1 FOR UPDATE");
    match tx.row(hold, params![id.as_i64()]).await? {
        Some(_) => find(tx, instance, name, id).await,
        None => Ok(None),
    }
}

/// Replaces the state `was` by `is`. False: somebody else has moved the upload on, or it is gone.
pub async fn advance(tx: &mut Tx<'_>, id: UploadId, was: &[u8], is: &[u8], now: Timestamp) -> Result<bool, StoreError> {
    let sql = "UPDATE upload SET state = $1, touched_ms = $2 WHERE id = $3 AND state = $4";
    Ok(tx.execute(sql, params![is, now.millis(), id.as_i64(), was]).await? == 1)
}

/// Ends an upload whose state still is `was`. False: somebody else has moved it on, or it is gone.
pub async fn finish(tx: &mut Tx<'_>, id: UploadId, was: &[u8]) -> Result<bool, StoreError> {
    let sql = "DELETE FROM upload WHERE id = $1 AND state = $2";
    Ok(tx.execute(sql, params![id.as_i64(), was]).await? == 1)
}

/// Forgets an upload, however far it is. False: it is gone.
pub async fn delete(tx: &mut Tx<'_>, id: UploadId) -> Result<bool, StoreError> {
    Ok(tx.execute("DELETE FROM upload WHERE id = $1", params![id.as_i64()]).await? == 1)
}

/// Forgets an upload, and tells how far it was; none: it is gone.
pub async fn take(tx: &mut Tx<'_>, id: UploadId) -> Result<Option<Vec<u8>>, StoreError> {
    let row = tx.row("DELETE FROM upload WHERE id = $1 RETURNING state", params![id.as_i64()]).await?;
    row.map(|row| row.get(0)).transpose()
}

/// Uploads into a repository, each with how far it is.
pub async fn of_repository(tx: &mut Tx<'_>, repository: RepositoryId) -> Result<Vec<(UploadId, Vec<u8>)>, StoreError> {
    let rows = tx.rows("SELECT id, state FROM upload WHERE repository_id = $1", params![repository.as_i64()]).await?;
    rows.iter().map(|row| Ok((UploadId::from_i64(row.get(0)?), row.get(1)?))).collect()
}

/// Deletes at most `limit` uploads that nobody has touched since `before`, and tells which, each with how far it was.
pub async fn take_untouched(tx: &mut Tx<'_>, before: Timestamp, limit: i64) -> Result<Vec<(UploadId, Vec<u8>)>, StoreError> {
    let sql = "DELETE FROM upload WHERE id IN (SELECT id FROM upload WHERE touched_ms < $1 ORDER BY touched_ms LIMIT $2) \
               RETURNING id, state";
    let rows = tx.rows(sql, params![before.millis(), limit]).await?;
    rows.iter().map(|row| Ok((UploadId::from_i64(row.get(0)?), row.get(1)?))).collect()
}

/// Is an upload of this id under way?
pub async fn exists(tx: &mut Tx<'_>, id: UploadId) -> Result<bool, StoreError> {
    Ok(tx.row("SELECT 1 FROM upload WHERE id = $1", params![id.as_i64()]).await?.is_some())
}
