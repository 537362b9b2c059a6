//! Rows that say of other rows what is not so, for who looks through everything.
//!
//! Pages walk a table by its key, each in one snapshot, outside of any change. What they find is asked again, one by one, in the
//! transaction that mends it. A blob's own rows are walked by [`crate::collection::blobs`].

use model::{AccountId, Digest, NamespaceId, RepositoryId, UploadId};

use crate::blob::{Stored, digest};
use crate::{Row, StoreError, Tx, params, quota};

/// Where a repository is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Place {
    /// Whose it is.
    pub account: AccountId,
    /// Its instance's name and its own, as `local/team/app`.
    pub name: String,
}

/// A link, as a page shows it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LinkSeen {
    /// The repository that has it.
    pub repository: RepositoryId,
    /// The digest that it links.
    pub digest: Digest,
    /// Does its account have a blob of that digest?
    pub has_blob: bool,
}

/// What is wrong with what a manifest says of one of its parts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reference {
    /// Nothing.
    Sound,
    /// The manifest is not there.
    NoParent,
    /// The repository does not have the blob.
    NoBlob,
    /// The repository does not have the manifest that an index names.
    NoManifest,
}

/// What a manifest says of one of its parts, as a page shows it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ReferenceSeen {
    /// The repository.
    pub repository: RepositoryId,
    /// The manifest.
    pub parent: Digest,
    /// Its part.
    pub child: Digest,
    /// Is it so?
    pub is: Reference,
}

/// A tag, as a page shows it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TagSeen {
    /// The repository.
    pub repository: RepositoryId,
    /// Its name.
    pub name: String,
    /// What it points at.
    pub digest: Digest,
    /// Is that manifest there?
    pub has_manifest: bool,
}

/// A manifest with its bytes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ManifestSeen {
    /// The repository.
    pub repository: RepositoryId,
    /// The digest that it is kept under.
    pub digest: Digest,
    /// The size that its row says.
    pub size: i64,
    /// Its bytes.
    pub content: Vec<u8>,
}

/// An image that needs a blob.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Image {
    /// Its repository, as [`Place::name`].
    pub repository: String,
    /// Its manifest.
    pub manifest: Digest,
    /// A tag that points at it.
    pub tag: Option<String>,
}

/// What became of a blob's row.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Dropping {
    /// It is gone, with every link of it.
    Done,
    /// So many links are gone; there may be more.
    Unlinked(u64),
    /// It is not the row that was seen.
    Changed,
}

/// Where a repository is. None: it is gone.
pub async fn place(tx: &mut Tx<'_>, repository: RepositoryId) -> Result<Option<Place>, StoreError> {
    let sql = "SELECT r.account_id, i.name, r.name FROM repository r JOIN instance i ON i.id = r.instance_id WHERE r.id = $1";
    let row = tx.row(sql, params![repository.as_i64()]).await?;
    row.map(|row| Ok(Place { account: AccountId::from_i64(row.get(0)?), name: named(&row, 1)? })).transpose()
}

fn named(row: &Row, column: usize) -> Result<String, StoreError> {
    Ok(format!("{}/{}", row.get::<String>(column)?, row.get::<String>(column + 1)?))
}

/// A page of links behind `after`, by repository and digest.
pub async fn links(tx: &mut Tx<'_>, after: (i64, &[u8]), limit: i64) -> Result<Vec<LinkSeen>, StoreError> {
    let sql = "SELECT l.repository_id, l.digest, CAST(CASE WHEN EXISTS ( \
                 SELECT 1 FROM repository r JOIN blob b ON b.account_id = r.account_id AND b.digest = l.digest \
                 WHERE r.id = l.repository_id) THEN 1 ELSE 0 END AS BIGINT) \
               FROM (SELECT repository_id, digest FROM blob_link WHERE (repository_id, digest) > ($1, $2) \
                     ORDER BY repository_id, digest LIMIT $3) l ORDER BY l.repository_id, l.digest";
    let seen = |row: &Row| Ok(LinkSeen { repository: RepositoryId::from_i64(row.get(0)?), digest: digest(row, 1)?, has_blob: row.get(2)? });
    tx.rows(sql, params![after.0, after.1, limit]).await?.iter().map(seen).collect()
}

/// A page of what manifests say of their parts, behind `after`: by repository, manifest and part.
pub async fn references(tx: &mut Tx<'_>, after: (i64, &[u8], &[u8]), limit: i64) -> Result<Vec<ReferenceSeen>, StoreError> {
    let sql = "SELECT c.repository_id, c.parent, c.child, CAST(CASE \
                 WHEN NOT EXISTS (SELECT 1 FROM manifest m WHERE m.repository_id = c.repository_id AND m.digest = c.parent) THEN 1 \
                 WHEN c.kind = 'blob' AND NOT EXISTS (SELECT 1 FROM blob_link l JOIN repository r ON r.id = l.repository_id \
                   JOIN blob b ON b.account_id = r.account_id AND b.digest = l.digest \
                   WHERE l.repository_id = c.repository_id AND l.digest = c.child) THEN 2 \
                 WHEN c.kind = 'manifest' AND NOT EXISTS ( \
                   SELECT 1 FROM manifest m WHERE m.repository_id = c.repository_id AND m.digest = c.child) THEN 3 \
                 ELSE 0 END AS BIGINT) \
               FROM (SELECT repository_id, parent, child, kind FROM manifest_child WHERE (repository_id, parent, child) > ($1, $2, $3) \
                     ORDER BY repository_id, parent, child LIMIT $4) c ORDER BY c.repository_id, c.parent, c.child";
    tx.rows(sql, params![after.0, after.1, after.2, limit]).await?.iter().map(reference).collect()
}

fn reference(row: &Row) -> Result<ReferenceSeen, StoreError> {
    let is = match row.get::<i64>(3)? {
        0 => Reference::Sound,
        1 => Reference::NoParent,
        2 => Reference::NoBlob,
        _ => Reference::NoManifest,
    };
    Ok(ReferenceSeen { repository: RepositoryId::from_i64(row.get(0)?), parent: digest(row, 1)?, child: digest(row, 2)?, is })
}

/// A page of tags behind `after`, by repository and name.
pub async fn tags(tx: &mut Tx<'_>, after: (i64, &str), limit: i64) -> Result<Vec<TagSeen>, StoreError> {
    let sql = "SELECT t.repository_id, t.name, t.digest, CAST(CASE WHEN EXISTS ( \
                 SELECT 1 FROM manifest m WHERE m.repository_id = t.repository_id AND m.digest = t.digest) THEN 1 ELSE 0 END AS BIGINT) \
               FROM (SELECT repository_id, name, digest FROM tag WHERE (repository_id, name) > ($1, $2) \
                     ORDER BY repository_id, name LIMIT $3) t ORDER BY t.repository_id, t.name";
    let seen = |row: &Row| {
        let repository = RepositoryId::from_i64(row.get(0)?);
        Ok(TagSeen { repository, name: row.get(1)?, digest: digest(row, 2)?, has_manifest: row.get(3)? })
    };
    tx.rows(sql, params![after.0, after.1, limit]).await?.iter().map(seen).collect()
}

/// A page of manifests with their bytes, behind `after`, by repository and digest. Each may have 4 MiB.
pub async fn manifests(tx: &mut Tx<'_>, after: (i64, &[u8]), limit: i64) -> Result<Vec<ManifestSeen>, StoreError> {
    let sql = "SELECT repository_id, digest, size, content FROM manifest WHERE (repository_id, digest) > ($1, $2) \
               ORDER BY repository_id, digest LIMIT $3";
    let seen = |row: &Row| {
        let repository = RepositoryId::from_i64(row.get(0)?);
        Ok(ManifestSeen { repository, digest: digest(row, 1)?, size: row.get(2)?, content: row.get(3)? })
    };
    tx.rows(sql, params![after.0, after.1, limit]).await?.iter().map(seen).collect()
}

/// A page of namespaces behind `after`, by id, with the account and a name as `local/team`.
pub async fn namespaces(tx: &mut Tx<'_>, after: i64, limit: i64) -> Result<Vec<(NamespaceId, Place)>, StoreError> {
    let sql = "SELECT n.id, i.account_id, i.name, n.name FROM namespace n JOIN instance i ON i.id = n.instance_id \
               WHERE n.id > $1 ORDER BY n.id LIMIT $2";
    let seen =
        |row: &Row| Ok((NamespaceId::from_i64(row.get(0)?), Place { account: AccountId::from_i64(row.get(1)?), name: named(row, 2)? }));
    tx.rows(sql, params![after, limit]).await?.iter().map(seen).collect()
}

/// Blobs from a storage key on, whoever has them. Keys are drawn at random: a random key begins a random sample.
pub async fn blobs_from(tx: &mut Tx<'_>, key: UploadId, limit: i64) -> Result<Vec<(AccountId, Digest, Stored)>, StoreError> {
    let sql = "SELECT account_id, digest, storage_key, size FROM blob WHERE storage_key >= $1 ORDER BY storage_key LIMIT $2";
    let seen = |row: &Row| {
        let stored = Stored { key: UploadId::from_i64(row.get(2)?), size: row.get(3)? };
        Ok((AccountId::from_i64(row.get(0)?), digest(row, 1)?, stored))
    };
    tx.rows(sql, params![key.as_i64(), limit]).await?.iter().map(seen).collect()
}

/// Images of an account that need this blob, at most `limit`.
pub async fn images(tx: &mut Tx<'_>, account: AccountId, blob: &Digest, limit: i64) -> Result<Vec<Image>, StoreError> {
    let sql = "SELECT i.name, r.name, c.parent, t.name FROM blob_link l JOIN repository r ON r.id = l.repository_id \
               JOIN instance i ON i.id = r.instance_id \
               JOIN manifest_child c ON c.repository_id = r.id AND c.child = l.digest AND c.kind = 'blob' \
               LEFT JOIN tag t ON t.repository_id = r.id AND t.digest = c.parent \
               WHERE l.digest = $1 AND r.account_id = $2 ORDER BY i.name, r.name, c.parent, t.name LIMIT $3";
    let seen = |row: &Row| Ok(Image { repository: named(row, 0)?, manifest: digest(row, 2)?, tag: row.get(3)? });
    tx.rows(sql, params![blob.as_bytes(), account.as_i64(), limit]).await?.iter().map(seen).collect()
}

/// Tags that point at a manifest, at most `limit`.
pub async fn tags_of(tx: &mut Tx<'_>, repository: RepositoryId, manifest: &Digest, limit: i64) -> Result<Vec<String>, StoreError> {
    let sql = "SELECT name FROM tag WHERE repository_id = $1 AND digest = $2 ORDER BY name LIMIT $3";
    tx.rows(sql, params![repository.as_i64(), manifest.as_bytes(), limit]).await?.iter().map(|row| row.get(0)).collect()
}

/// Do a namespace's rows of blobs say what its links say? The sum of what it holds is [`quota::counted_again`]'s.
pub async fn counts_blobs_right(tx: &mut Tx<'_>, namespace: NamespaceId) -> Result<bool, StoreError> {
    let sql = "SELECT COUNT(*), CAST(COALESCE(SUM(links), 0) AS BIGINT), CAST(COALESCE(SUM(size), 0) AS BIGINT) FROM namespace_blob \
               WHERE namespace_id = $1";
    let said = tx.one(sql, params![namespace.as_i64()]).await?;
    let sql = "SELECT COUNT(*), CAST(COALESCE(SUM(links), 0) AS BIGINT), CAST(COALESCE(SUM(size), 0) AS BIGINT) FROM ( \
               SELECT l.digest, MAX(b.size) AS size, COUNT(*) AS links FROM repository r JOIN blob_link l ON l.repository_id = r.id \
               JOIN blob b ON b.account_id = r.account_id AND b.digest = l.digest WHERE r.namespace_id = $1 GROUP BY l.digest) counted";
    let is = tx.one(sql, params![namespace.as_i64()]).await?;
    let three = |row: &Row| Ok::<_, StoreError>((row.get::<i64>(0)?, row.get::<i64>(1)?, row.get::<i64>(2)?));
    Ok(three(&said)? == three(&is)?)
}

/// Takes away the row of a blob whose content is lost, after its links, at most `limit` of them at once: so that whoever is asked for it
/// says that it is not there, and a client brings it again.
pub async fn drop_blob(tx: &mut Tx<'_>, account: AccountId, digest: &Digest, key: UploadId, limit: i64) -> Result<Dropping, StoreError> {
    if crate::blob::find(tx, account, digest).await?.is_none_or(|found| found.key != key) {
        return Ok(Dropping::Changed);
    }
    let sql = "SELECT l.repository_id FROM blob_link l JOIN repository r ON r.id = l.repository_id \
               WHERE l.digest = $1 AND r.account_id = $2 LIMIT $3";
    let links = tx.rows(sql, params![digest.as_bytes(), account.as_i64(), limit]).await?;
    for row in &links {
        crate::blob::unlink(tx, RepositoryId::from_i64(row.get(0)?), digest).await?;
    }
    if !links.is_empty() {
        return Ok(Dropping::Unlinked(links.len() as u64));
    }
    tx.execute("DELETE FROM blob WHERE account_id = $1 AND digest = $2", params![account.as_i64(), digest.as_bytes()]).await?;
    Ok(Dropping::Done)
}

/// Takes away a link to a blob that the account does not have. False: it has, or the link is gone.
pub async fn drop_link(tx: &mut Tx<'_>, repository: RepositoryId, digest: &Digest) -> Result<bool, StoreError> {
    let sql = "DELETE FROM blob_link WHERE repository_id = $1 AND digest = $2 AND NOT EXISTS ( \
               SELECT 1 FROM repository r JOIN blob b ON b.account_id = r.account_id WHERE r.id = $1 AND b.digest = $2)";
    if tx.execute(sql, params![repository.as_i64(), digest.as_bytes()]).await? == 0 {
        return Ok(false);
    }
    // Its namespace may count a blob that its account does not have.
    let freed = quota::unlinked(tx, repository, &[*digest]).await?;
    if freed != 0 {
        quota::add(tx, repository, digest, -freed).await?;
    }
    Ok(true)
}

/// Takes away what is written of the parts of a manifest that is not there; how many.
pub async fn drop_references(tx: &mut Tx<'_>, repository: RepositoryId, parent: &Digest) -> Result<u64, StoreError> {
    let sql = "DELETE FROM manifest_child WHERE repository_id = $1 AND parent = $2 AND NOT EXISTS ( \
               SELECT 1 FROM manifest m WHERE m.repository_id = $1 AND m.digest = $2)";
    tx.execute(sql, params![repository.as_i64(), parent.as_bytes()]).await
}

/// Takes away a tag whose manifest is not there. False: it is, or the tag points elsewhere by now.
pub async fn drop_tag(tx: &mut Tx<'_>, repository: RepositoryId, name: &str, digest: &Digest) -> Result<bool, StoreError> {
    let sql = "DELETE FROM tag WHERE repository_id = $1 AND name = $2 AND digest = $3 AND NOT EXISTS ( \
               SELECT 1 FROM manifest m WHERE m.repository_id = $1 AND m.digest = $3)";
    Ok(tx.execute(sql, params![repository.as_i64(), name, digest.as_bytes()]).await? == 1)
}

/// Host names of instances, of all accounts, at most `limit`.
pub async fn hosts(tx: &mut Tx<'_>, limit: i64) -> Result<Vec<String>, StoreError> {
    tx.rows("SELECT host FROM instance_host ORDER BY host LIMIT $1", params![limit]).await?.iter().map(|row| row.get(0)).collect()
}

/// What a database says of itself, by name: its version, and what keeps what is written.
pub async fn settings(tx: &mut Tx<'_>) -> Result<Vec<(String, String)>, StoreError> {
    let sql = tx.either(
        "SELECT 'version', sqlite_version() UNION ALL SELECT 'journal_mode', journal_mode FROM pragma_journal_mode \
         UNION ALL SELECT 'bytes', CAST(c.page_count * s.page_size AS TEXT) FROM pragma_page_count c, pragma_page_size s",
        "SELECT CAST(name AS TEXT), CAST(setting AS TEXT) FROM pg_settings WHERE name IN ('server_version', 'server_version_num', 'fsync', \
         'full_page_writes', 'synchronous_commit', 'max_connections', 'default_transaction_read_only', 'server_encoding') \
         UNION ALL SELECT 'in_recovery', CASE WHEN pg_is_in_recovery() THEN 'on' ELSE 'off' END \
         UNION ALL SELECT 'connections', CAST(COUNT(*) AS TEXT) FROM pg_stat_activity \
         UNION ALL SELECT 'bytes', CAST(pg_database_size(current_database()) AS TEXT)",
    );
    tx.rows(sql, params![]).await?.iter().map(|row| Ok((row.get(0)?, row.get(1)?))).collect()
}

/// What SQLite itself finds wrong with its file, at most a hundred things. PostgreSQL has checks of its own.
pub async fn damage(tx: &mut Tx<'_>) -> Result<Vec<String>, StoreError> {
    let sql = tx.either(
        "SELECT integrity_check FROM pragma_integrity_check WHERE integrity_check <> 'ok' LIMIT 100",
        "SELECT CAST('' AS TEXT) WHERE 1 = 0",
    );
    tx.rows(sql, params![]).await?.iter().map(|row| row.get(0)).collect()
}

/// The latest moment that anybody wrote down: the last change of a right, the last record of the trail.
pub async fn latest(tx: &mut Tx<'_>) -> Result<Option<model::Timestamp>, StoreError> {
    let sql = "SELECT MAX(at_ms) FROM ( \
               SELECT at_ms FROM (SELECT at_ms FROM change ORDER BY seq DESC LIMIT 1) last_change \
               UNION ALL SELECT time_ms FROM (SELECT time_ms FROM audit_pending LIMIT 100) waiting) latest";
    let row = tx.one(sql, params![]).await?;
    Ok(row.get::<Option<i64>>(0)?.map(model::Timestamp::from_millis))
}
