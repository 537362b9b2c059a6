//! Locks of repositories, tags and manifests, and what refers to what: the rows that decisions about keeping are made of.

use model::{AccountId, Digest, ImmutableTags, InstanceId, Locks, MediaType, NamespaceId, RepositoryId, RepositoryName, Tag};

use crate::blob::digest;
use crate::repository::immutable_tags;
use crate::{Row, StoreError, Tx, params};

/// A repository as something that may be kept as it is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Kept {
    /// Its id.
    pub id: RepositoryId,
    /// Its namespace.
    pub namespace: NamespaceId,
    /// Its locks.
    pub locks: Locks,
    /// May its tags or manifests have locks of their own?
    pub guarded: bool,
    /// Which of its tags are immutable by its own setting.
    pub immutable_tags: Option<ImmutableTags>,
}

/// The instance's repository of this name.
pub async fn repository(tx: &mut Tx<'_>, instance: InstanceId, name: &RepositoryName) -> Result<Option<Kept>, StoreError> {
    let sql =
        "SELECT id, namespace_id, locks, guarded, immutable_tags, immutable_except FROM repository WHERE instance_id = $1 AND name = $2";
    let row = tx.row(sql, params![instance.as_i64(), name.as_str()]).await?;
    row.as_ref().map(kept).transpose()
}

fn kept(row: &Row) -> Result<Kept, StoreError> {
    Ok(Kept {
        id: RepositoryId::from_i64(row.get(0)?),
        namespace: NamespaceId::from_i64(row.get(1)?),
        locks: Locks::from_i64(row.get(2)?),
        guarded: row.get(3)?,
        immutable_tags: immutable_tags(row, 4)?,
    })
}

/// A tag as something that may be kept as it is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct KeptTag {
    /// The tag.
    pub name: Tag,
    /// What it points at.
    pub digest: Digest,
    /// Its locks.
    pub locks: Locks,
}

fn kept_tag(row: &Row) -> Result<KeptTag, StoreError> {
    Ok(KeptTag {
        name: Tag::parse(&row.get::<String>(0)?).map_err(|_| StoreError::corrupt("tag.name"))?,
        digest: digest(row, 1)?,
        locks: Locks::from_i64(row.get(2)?),
    })
}

/// The tag.
pub async fn tag(tx: &mut Tx<'_>, repository: RepositoryId, tag: &Tag) -> Result<Option<KeptTag>, StoreError> {
    let sql = "SELECT name, digest, locks FROM tag WHERE repository_id = $1 AND name = $2";
    tx.row(sql, params![repository.as_i64(), tag.as_str()]).await?.as_ref().map(kept_tag).transpose()
}

/// A repository's tags by name, behind `after`, at most `limit`.
pub async fn tags(tx: &mut Tx<'_>, repository: RepositoryId, after: &str, limit: i64) -> Result<Vec<KeptTag>, StoreError> {
    let sql = "SELECT name, digest, locks FROM tag WHERE repository_id = $1 AND name > $2 ORDER BY name LIMIT $3";
    tx.rows(sql, params![repository.as_i64(), after, limit]).await?.iter().map(kept_tag).collect()
}

/// The tags that point at a manifest, by name, behind `after`, at most `limit`.
pub async fn tags_at(
    tx: &mut Tx<'_>,
    repository: RepositoryId,
    manifest: &Digest,
    after: &str,
    limit: i64,
) -> Result<Vec<KeptTag>, StoreError> {
    let sql = "SELECT name, digest, locks FROM tag WHERE repository_id = $1 AND digest = $2 AND name > $3 ORDER BY name LIMIT $4";
    tx.rows(sql, params![repository.as_i64(), manifest.as_bytes(), after, limit]).await?.iter().map(kept_tag).collect()
}

/// A manifest's locks. None: it is not there.
pub async fn manifest(tx: &mut Tx<'_>, repository: RepositoryId, digest: &Digest) -> Result<Option<Locks>, StoreError> {
    let sql = "SELECT locks FROM manifest WHERE repository_id = $1 AND digest = $2";
    let row = tx.row(sql, params![repository.as_i64(), digest.as_bytes()]).await?;
    row.map(|row| row.get(0).map(Locks::from_i64)).transpose()
}

/// A manifest of a repository that has any of these locks, if there is one.
pub async fn locked_manifest(tx: &mut Tx<'_>, repository: RepositoryId, locks: Locks) -> Result<Option<Digest>, StoreError> {
    let sql = "SELECT digest FROM manifest WHERE repository_id = $1 AND locks & $2 <> 0 ORDER BY digest LIMIT 1";
    let row = tx.row(sql, params![repository.as_i64(), locks.as_i64()]).await?;
    row.as_ref().map(|row| digest(row, 0)).transpose()
}

/// Sets a repository's locks.
pub async fn lock_repository(tx: &mut Tx<'_>, repository: RepositoryId, locks: Locks) -> Result<(), StoreError> {
    let sql = "UPDATE repository SET locks = $1 WHERE id = $2";
    tx.execute(sql, params![locks.as_i64(), repository.as_i64()]).await?;
    Ok(())
}

/// Sets a tag's locks. False: it is not there.
pub async fn lock_tag(tx: &mut Tx<'_>, repository: RepositoryId, tag: &Tag, locks: Locks) -> Result<bool, StoreError> {
    let sql = "UPDATE tag SET locks = $1 WHERE repository_id = $2 AND name = $3";
    let changed = tx.execute(sql, params![locks.as_i64(), repository.as_i64(), tag.as_str()]).await?;
    guard(tx, repository).await?;
    Ok(changed == 1)
}

/// Sets a manifest's locks. False: it is not there.
pub async fn lock_manifest(tx: &mut Tx<'_>, repository: RepositoryId, digest: &Digest, locks: Locks) -> Result<bool, StoreError> {
    let sql = "UPDATE manifest SET locks = $1 WHERE repository_id = $2 AND digest = $3";
    let changed = tx.execute(sql, params![locks.as_i64(), repository.as_i64(), digest.as_bytes()]).await?;
    guard(tx, repository).await?;
    Ok(changed == 1)
}

async fn guard(tx: &mut Tx<'_>, repository: RepositoryId) -> Result<(), StoreError> {
    tx.execute("UPDATE repository SET guarded = 1 WHERE id = $1 AND guarded = 0", params![repository.as_i64()]).await?;
    Ok(())
}

/// Manifests that are made of this digest, by theirs, behind `after`, at most `limit`.
pub async fn parents(
    tx: &mut Tx<'_>,
    repository: RepositoryId,
    child: &Digest,
    after: Option<&Digest>,
    limit: i64,
) -> Result<Vec<Digest>, StoreError> {
    let after = after.map_or(&[][..], Digest::as_bytes);
    let sql = "SELECT parent FROM manifest_child WHERE repository_id = $1 AND child = $2 AND parent > $3 ORDER BY parent LIMIT $4";
    let rows = tx.rows(sql, params![repository.as_i64(), child.as_bytes(), after, limit]).await?;
    rows.iter().map(|row| digest(row, 0)).collect()
}

/// A manifest that refers to another one, or is made of a digest.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Referring {
    /// Its digest.
    pub digest: Digest,
    /// Its media type.
    pub media_type: MediaType,
    /// What a referrers list shows as its type.
    pub artifact_type: Option<String>,
}

fn referring(row: &Row) -> Result<Referring, StoreError> {
    Ok(Referring {
        digest: digest(row, 0)?,
        media_type: MediaType::parse(&row.get::<String>(1)?).map_err(|_| StoreError::corrupt("manifest.media_type"))?,
        artifact_type: row.get(2)?,
    })
}

/// The manifests that are made of this digest, by theirs, behind `after`, at most `limit`.
pub async fn made_of(
    tx: &mut Tx<'_>,
    repository: RepositoryId,
    child: &Digest,
    after: Option<&Digest>,
    limit: i64,
) -> Result<Vec<Referring>, StoreError> {
    let after = after.map_or(&[][..], Digest::as_bytes);
    let sql = "SELECT m.digest, m.media_type, m.artifact_type FROM manifest_child c \
               JOIN manifest m ON m.repository_id = c.repository_id AND m.digest = c.parent \
               WHERE c.repository_id = $1 AND c.child = $2 AND c.parent > $3 ORDER BY c.parent LIMIT $4";
    tx.rows(sql, params![repository.as_i64(), child.as_bytes(), after, limit]).await?.iter().map(referring).collect()
}

/// The manifests whose subject this digest is, by theirs, behind `after`, at most `limit`.
pub async fn with_subject(
    tx: &mut Tx<'_>,
    repository: RepositoryId,
    subject: &Digest,
    after: Option<&Digest>,
    limit: i64,
) -> Result<Vec<Referring>, StoreError> {
    let after = after.map_or(&[][..], Digest::as_bytes);
    let sql = "SELECT digest, media_type, artifact_type FROM manifest \
               WHERE repository_id = $1 AND subject = $2 AND digest > $3 ORDER BY digest LIMIT $4";
    tx.rows(sql, params![repository.as_i64(), subject.as_bytes(), after, limit]).await?.iter().map(referring).collect()
}

/// Where a digest is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Holder {
    /// The repository.
    pub repository: RepositoryId,
    /// Its name.
    pub name: RepositoryName,
}

fn holder(row: &Row) -> Result<Holder, StoreError> {
    Ok(Holder {
        repository: RepositoryId::from_i64(row.get(0)?),
        name: RepositoryName::parse(&row.get::<String>(1)?).map_err(|_| StoreError::corrupt("repository.name"))?,
    })
}

/// The repositories of an instance that link this blob, by their ids, behind `after`, at most `limit`.
pub async fn linking(
    tx: &mut Tx<'_>,
    (account, instance): (AccountId, InstanceId),
    blob: &Digest,
    (after, limit): (i64, i64),
) -> Result<Vec<Holder>, StoreError> {
    let sql = "SELECT r.id, r.name FROM blob_link l JOIN repository r ON r.id = l.repository_id \
               WHERE l.digest = $1 AND r.account_id = $2 AND r.instance_id = $3 AND l.repository_id > $4 ORDER BY l.repository_id LIMIT $5";
    let values = params![blob.as_bytes(), account.as_i64(), instance.as_i64(), after, limit];
    tx.rows(sql, values).await?.iter().map(holder).collect()
}

/// The repositories of an instance that have this manifest, by their ids, behind `after`, at most `limit`.
pub async fn having(
    tx: &mut Tx<'_>,
    (account, instance): (AccountId, InstanceId),
    manifest: &Digest,
    (after, limit): (i64, i64),
) -> Result<Vec<Holder>, StoreError> {
    let sql = "SELECT r.id, r.name FROM manifest m JOIN repository r ON r.id = m.repository_id \
               WHERE m.digest = $1 AND r.account_id = $2 AND r.instance_id = $3 AND m.repository_id > $4 ORDER BY m.repository_id LIMIT $5";
    let values = params![manifest.as_bytes(), account.as_i64(), instance.as_i64(), after, limit];
    tx.rows(sql, values).await?.iter().map(holder).collect()
}
