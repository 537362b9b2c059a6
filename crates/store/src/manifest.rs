//! Manifests, byte for byte, with what they refer to.

use model::{Digest, InstanceId, Lock, Locks, MediaType, RepositoryId, RepositoryName, Tag, Timestamp};

use crate::blob::digest;
use crate::many::{WIDTH, padded};
use crate::quota::{self, Grown};
use crate::{Row, StoreError, Tx, Value, params};

/// A manifest that is there, without its bytes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Head {
    /// The repository it is in.
    pub repository: RepositoryId,
    /// Its digest.
    pub digest: Digest,
    /// Its media type.
    pub media_type: MediaType,
    /// Bytes.
    pub size: i64,
    /// Is it, its repository, or the tag it was asked for by locked against reading?
    pub unreadable: bool,
}

/// A manifest to be written.
#[derive(Clone, Debug)]
pub struct NewManifest<'a> {
    /// The digest it is kept under.
    pub digest: Digest,
    /// Its media type.
    pub media_type: &'a str,
    /// What a referrers list shows as its type.
    pub artifact_type: Option<&'a str>,
    /// What it refers to as its subject.
    pub subject: Option<Digest>,
    /// Its annotations as JSON, for referrers lists; none unless it has a subject.
    pub annotations: Option<String>,
    /// Its bytes.
    pub content: &'a [u8],
    /// Blobs it is made of.
    pub blobs: &'a [Digest],
    /// Manifests it is made of.
    pub manifests: &'a [Digest],
    /// The digest of an image's configuration.
    pub config: Option<Digest>,
    /// Bytes, with everything that it is made of.
    pub image_size: i64,
}

/// A manifest that refers to another one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Referrer {
    /// Its digest.
    pub digest: Digest,
    /// Its media type.
    pub media_type: MediaType,
    /// Bytes.
    pub size: i64,
    /// Its artifact type.
    pub artifact_type: Option<String>,
    /// Its annotations as JSON.
    pub annotations: Option<String>,
}

/// Children written by one statement.
const CHILDREN: usize = 8;

fn media_type(text: &str) -> Result<MediaType, StoreError> {
    MediaType::parse(text).map_err(|_| StoreError::corrupt("manifest.media_type"))
}

fn head(row: &Row) -> Result<Head, StoreError> {
    Ok(Head {
        repository: RepositoryId::from_i64(row.get(0)?),
        digest: digest(row, 1)?,
        media_type: media_type(&row.get::<String>(2)?)?,
        size: row.get(3)?,
        unreadable: Locks::from_i64(row.get(4)?).has(Lock::Read),
    })
}

/// The manifest that a tag of the repository of this name points at.
pub async fn by_tag(tx: &mut Tx<'_>, instance: InstanceId, name: &RepositoryName, tag: &Tag) -> Result<Option<Head>, StoreError> {
    let sql = "SELECT m.repository_id, m.digest, m.media_type, m.size, r.locks | t.locks | m.locks FROM repository r \
               JOIN tag t ON t.repository_id = r.id \
               JOIN manifest m ON m.repository_id = t.repository_id AND m.digest = t.digest \
               WHERE r.instance_id = $1 AND r.name = $2 AND t.name = $3";
    tx.row(sql, params![instance.as_i64(), name.as_str(), tag.as_str()]).await?.as_ref().map(head).transpose()
}

/// The manifest with this digest in the repository of this name.
pub async fn by_digest(tx: &mut Tx<'_>, instance: InstanceId, name: &RepositoryName, digest: &Digest) -> Result<Option<Head>, StoreError> {
    let sql = "SELECT m.repository_id, m.digest, m.media_type, m.size, r.locks | m.locks FROM repository r \
               JOIN manifest m ON m.repository_id = r.id \
               WHERE r.instance_id = $1 AND r.name = $2 AND m.digest = $3";
    tx.row(sql, params![instance.as_i64(), name.as_str(), digest.as_bytes()]).await?.as_ref().map(head).transpose()
}

/// A manifest's bytes.
pub async fn content(tx: &mut Tx<'_>, repository: RepositoryId, digest: &Digest) -> Result<Option<Vec<u8>>, StoreError> {
    let sql = "SELECT content FROM manifest WHERE repository_id = $1 AND digest = $2";
    let row = tx.row(sql, params![repository.as_i64(), digest.as_bytes()]).await?;
    row.map(|row| row.get(0)).transpose()
}

/// Is this manifest in the repository?
pub async fn exists(tx: &mut Tx<'_>, repository: RepositoryId, digest: &Digest) -> Result<bool, StoreError> {
    let sql = "SELECT size FROM manifest WHERE repository_id = $1 AND digest = $2";
    Ok(tx.row(sql, params![repository.as_i64(), digest.as_bytes()]).await?.is_some())
}

/// Which of these manifests are in the repository, with their sizes, in no order.
pub async fn present(tx: &mut Tx<'_>, repository: RepositoryId, digests: &[Digest]) -> Result<Vec<(Digest, i64)>, StoreError> {
    let sql = "SELECT digest, size FROM manifest WHERE repository_id = $1 \
               AND digest IN ($2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)";
    let mut found = Vec::with_capacity(digests.len());
    for chunk in digests.chunks(WIDTH) {
        let mut values = vec![Value::from(repository.as_i64())];
        values.extend(padded(chunk).map(|d| Value::from(d.as_bytes())));
        for row in tx.rows(sql, &values).await? {
            found.push((digest(&row, 0)?, row.get(1)?));
        }
    }
    Ok(found)
}

/// The bytes of these manifests of the repository, with everything that they are made of. What is not there has none.
pub async fn image_sizes(tx: &mut Tx<'_>, repository: RepositoryId, digests: &[Digest]) -> Result<i64, StoreError> {
    let sql = "SELECT CAST(COALESCE(SUM(image_size), 0) AS BIGINT) FROM manifest WHERE repository_id = $1 \
               AND digest IN ($2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)";
    let mut sum: i64 = 0;
    for chunk in digests.chunks(WIDTH) {
        let mut values = vec![Value::from(repository.as_i64())];
        values.extend(padded(chunk).map(|d| Value::from(d.as_bytes())));
        sum = sum.saturating_add(tx.one(sql, &values).await?.get(0)?);
    }
    Ok(sum)
}

/// Writes a manifest and what it refers to. None: it is there already, and nothing has changed.
pub async fn insert(tx: &mut Tx<'_>, repository: RepositoryId, m: &NewManifest<'_>, now: Timestamp) -> Result<Option<Grown>, StoreError> {
    let sql = "INSERT INTO manifest (repository_id, digest, media_type, size, artifact_type, subject, annotations, pushed_ms, content, \
               config, image_size) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ON CONFLICT (repository_id, digest) DO NOTHING";
    let size = i64::try_from(m.content.len()).unwrap_or(i64::MAX);
    let values = params![
        repository.as_i64(),
        m.digest.as_bytes(),
        m.media_type,
        size,
        m.artifact_type,
        m.subject.as_ref().map(Digest::as_bytes),
        m.annotations.as_deref(),
        now.millis(),
        m.content,
        m.config.as_ref().map(Digest::as_bytes),
        m.image_size
    ];
    if tx.execute(sql, values).await? == 0 {
        return Ok(None);
    }
    insert_children(tx, repository, &m.digest, m.blobs, "blob").await?;
    insert_children(tx, repository, &m.digest, m.manifests, "manifest").await?;
    quota::add(tx, repository, &m.digest, size).await.map(Some)
}

async fn insert_children(
    tx: &mut Tx<'_>,
    repository: RepositoryId,
    parent: &Digest,
    children: &[Digest],
    kind: &str,
) -> Result<(), StoreError> {
    let sql = "INSERT INTO manifest_child (repository_id, parent, kind, child) VALUES ($1, $2, $3, $4), ($1, $2, $3, $5), \
               ($1, $2, $3, $6), ($1, $2, $3, $7), ($1, $2, $3, $8), ($1, $2, $3, $9), ($1, $2, $3, $10), ($1, $2, $3, $11) \
               ON CONFLICT (repository_id, parent, child) DO NOTHING";
    for chunk in children.chunks(CHILDREN) {
        let mut values = vec![Value::from(repository.as_i64()), Value::from(parent.as_bytes()), Value::from(kind)];
        values.extend(padded(chunk).take(CHILDREN).map(|d| Value::from(d.as_bytes())));
        tx.execute(sql, &values).await?;
    }
    Ok(())
}

/// Deletes a manifest and the tags that point at it; what it refers to stays, its blobs for the collection's grace at least.
/// False: there is none.
pub async fn delete(tx: &mut Tx<'_>, repository: RepositoryId, digest: &Digest, now: Timestamp) -> Result<bool, StoreError> {
    let key = params![repository.as_i64(), digest.as_bytes()];
    crate::blob::touch_children(tx, repository, digest, now).await?;
    tx.execute("DELETE FROM tag WHERE repository_id = $1 AND digest = $2", key).await?;
    tx.execute("DELETE FROM manifest_child WHERE repository_id = $1 AND parent = $2", key).await?;
    tx.execute("DELETE FROM manifest_pull WHERE repository_id = $1 AND digest = $2", key).await?;
    let Some(gone) = tx.row("DELETE FROM manifest WHERE repository_id = $1 AND digest = $2 RETURNING size", key).await? else {
        return Ok(false);
    };
    quota::add(tx, repository, digest, -gone.get::<i64>(0)?).await?;
    Ok(true)
}

/// Manifests whose subject is `subject`, by digest behind `after`, of one artifact type or of any, at most `limit`; without those
/// that are locked against listing.
pub async fn referrers(
    tx: &mut Tx<'_>,
    repository: RepositoryId,
    subject: &Digest,
    artifact_type: Option<&str>,
    after: Option<&Digest>,
    limit: i64,
) -> Result<Vec<Referrer>, StoreError> {
    let after = after.map_or(&[][..], Digest::as_bytes);
    let rows = if let Some(artifact_type) = artifact_type {
        let sql = "SELECT digest, media_type, size, artifact_type, annotations FROM manifest \
                   WHERE repository_id = $1 AND subject = $2 AND digest > $3 AND artifact_type = $4 AND locks & 4 = 0 \
                   ORDER BY digest LIMIT $5";
        tx.rows(sql, params![repository.as_i64(), subject.as_bytes(), after, artifact_type, limit]).await?
    } else {
        let sql = "SELECT digest, media_type, size, artifact_type, annotations FROM manifest \
                   WHERE repository_id = $1 AND subject = $2 AND digest > $3 AND locks & 4 = 0 ORDER BY digest LIMIT $4";
        tx.rows(sql, params![repository.as_i64(), subject.as_bytes(), after, limit]).await?
    };
    rows.iter().map(referrer).collect()
}

fn referrer(row: &Row) -> Result<Referrer, StoreError> {
    Ok(Referrer {
        digest: digest(row, 0)?,
        media_type: media_type(&row.get::<String>(1)?)?,
        size: row.get(2)?,
        artifact_type: row.get(3)?,
        annotations: row.get(4)?,
    })
}
