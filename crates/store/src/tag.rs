//! Tags: names that point at manifests of their repository.

use model::{Digest, Locks, MediaType, RepositoryId, Tag, Timestamp};

use crate::blob::{digest, optional_digest};
use crate::{Row, StoreError, Tx, params};

/// A tag with the manifest it points at.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Tagged {
    /// The tag.
    pub name: Tag,
    /// The manifest's digest.
    pub digest: Digest,
    /// The manifest's media type.
    pub media_type: MediaType,
    /// The manifest's bytes.
    pub size: i64,
    /// Made when.
    pub created: Timestamp,
    /// Pointed here when.
    pub updated: Timestamp,
    /// The manifest was pushed first when.
    pub pushed: Timestamp,
    /// Bytes, with everything that the manifest is made of.
    pub image_size: i64,
    /// The image's configuration; an index has none.
    pub config: Option<Digest>,
    /// What the tag is locked against.
    pub locks: Locks,
}

macro_rules! select_tagged {
    ($rest:literal) => {
        concat!(
            "SELECT t.name, t.digest, m.media_type, m.size, t.created_ms, t.updated_ms, m.pushed_ms, m.image_size, m.config, t.locks FROM tag t \
             JOIN manifest m ON m.repository_id = t.repository_id AND m.digest = t.digest ",
            $rest
        )
    };
}

fn tagged(row: &Row) -> Result<Tagged, StoreError> {
    Ok(Tagged {
        name: name(row)?,
        digest: digest(row, 1)?,
        media_type: MediaType::parse(&row.get::<String>(2)?).map_err(|_| StoreError::corrupt("manifest.media_type"))?,
        size: row.get(3)?,
        created: Timestamp::from_millis(row.get(4)?),
        updated: Timestamp::from_millis(row.get(5)?),
        pushed: Timestamp::from_millis(row.get(6)?),
        image_size: row.get(7)?,
        config: optional_digest(row, 8)?,
        locks: Locks::from_i64(row.get(9)?),
    })
}

fn name(row: &Row) -> Result<Tag, StoreError> {
    Tag::parse(&row.get::<String>(0)?).map_err(|_| StoreError::corrupt("tag.name"))
}

/// Points a tag at a manifest, making it if it is new.
pub async fn set(tx: &mut Tx<'_>, repository: RepositoryId, tag: &Tag, digest: &Digest, now: Timestamp) -> Result<(), StoreError> {
    let sql = "INSERT INTO tag (repository_id, name, digest, created_ms, updated_ms) VALUES ($1, $2, $3, $4, $5) \
               ON CONFLICT (repository_id, name) DO UPDATE SET digest = excluded.digest, updated_ms = excluded.updated_ms";
    tx.execute(sql, params![repository.as_i64(), tag.as_str(), digest.as_bytes(), now.millis(), now.millis()]).await?;
    Ok(())
}

/// The tag and what it points at.
pub async fn find(tx: &mut Tx<'_>, repository: RepositoryId, tag: &Tag) -> Result<Option<Tagged>, StoreError> {
    let sql = select_tagged!("WHERE t.repository_id = $1 AND t.name = $2");
    tx.row(sql, params![repository.as_i64(), tag.as_str()]).await?.as_ref().map(tagged).transpose()
}

/// A repository's tags by name, without the first `skip`, at most `limit`, with what they point at.
pub async fn window(tx: &mut Tx<'_>, repository: RepositoryId, (skip, limit): (i64, i64)) -> Result<Vec<Tagged>, StoreError> {
    let sql = select_tagged!("WHERE t.repository_id = $1 ORDER BY t.name LIMIT $2 OFFSET $3");
    tx.rows(sql, params![repository.as_i64(), limit, skip]).await?.iter().map(tagged).collect()
}

/// How many tags a repository has; the count stops at `reach`.
pub async fn count(tx: &mut Tx<'_>, repository: RepositoryId, reach: i64) -> Result<i64, StoreError> {
    let sql = "SELECT COUNT(*) FROM (SELECT 1 FROM tag WHERE repository_id = $1 LIMIT $2) counted";
    tx.one(sql, params![repository.as_i64(), reach]).await?.get(0)
}

/// A repository's tags by name, behind `after`, at most `limit`, with what they point at.
pub async fn list(tx: &mut Tx<'_>, repository: RepositoryId, after: &str, limit: i64) -> Result<Vec<Tagged>, StoreError> {
    let sql = select_tagged!("WHERE t.repository_id = $1 AND t.name > $2 ORDER BY t.name LIMIT $3");
    tx.rows(sql, params![repository.as_i64(), after, limit]).await?.iter().map(tagged).collect()
}

/// A repository's tags by name, behind `after`, at most `limit`, without those that are locked against listing.
pub async fn names(tx: &mut Tx<'_>, repository: RepositoryId, after: &str, limit: i64) -> Result<Vec<Tag>, StoreError> {
    let sql = "SELECT name FROM tag WHERE repository_id = $1 AND name > $2 AND locks & 4 = 0 ORDER BY name LIMIT $3";
    tx.rows(sql, params![repository.as_i64(), after, limit]).await?.iter().map(name).collect()
}

/// Deletes a tag; its manifest stays. False: there is none.
pub async fn delete(tx: &mut Tx<'_>, repository: RepositoryId, tag: &Tag) -> Result<bool, StoreError> {
    let sql = "DELETE FROM tag WHERE repository_id = $1 AND name = $2";
    Ok(tx.execute(sql, params![repository.as_i64(), tag.as_str()]).await? == 1)
}
