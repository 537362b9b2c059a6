//! What backups there are, and the end of old ones.

use std::collections::HashSet;
use std::fs;

use model::Timestamp;
use serde::Serialize;

use super::manifest::Manifest;
use super::rows::BlobRows;
use super::target::Target;
use crate::CareError;

/// A backup in a folder.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Snapshot {
    /// Its name.
    pub name: String,
    /// The moment whose rows it has.
    pub taken_at: Timestamp,
    /// What made it.
    pub made_by: String,
    /// From which kind of database.
    pub database: String,
    /// Its schema's number.
    pub schema: i64,
    /// Rows, over all tables.
    pub rows: u64,
    /// Blobs that it names.
    pub blobs: u64,
    /// Their bytes.
    pub blob_bytes: u64,
    /// Blobs that it does not have, because the store did not.
    pub missing_blobs: u64,
    /// Master keys that its secrets lie under.
    pub master_keys: Vec<String>,
    /// Whether the master key is in it.
    pub with_master_key: bool,
}

/// What went.
#[derive(Clone, Default, PartialEq, Eq, Debug, Serialize)]
pub struct Pruned {
    /// Backups.
    pub deleted: Vec<String>,
    /// Blobs that no other backup needs.
    pub deleted_blobs: u64,
    /// Their bytes.
    pub deleted_blob_bytes: u64,
}

/// All whole backups, oldest first.
pub fn snapshots(target: &Target) -> Result<Vec<Snapshot>, CareError> {
    let names = target.names().map_err(CareError::file(target.root()))?;
    names.into_iter().map(|name| read(target, name)).collect()
}

/// One of them: the youngest, or that of this name.
pub fn describe(target: &Target, name: Option<&str>) -> Result<Snapshot, CareError> {
    read(target, target.choose(name)?)
}

fn read(target: &Target, name: String) -> Result<Snapshot, CareError> {
    let (manifest, _) = Manifest::read(&target.snapshot(&name), None)?;
    Ok(Snapshot {
        name,
        taken_at: manifest.taken_at,
        rows: manifest.tables.iter().map(|table| table.rows).sum(),
        blobs: manifest.blobs.count,
        blob_bytes: manifest.blobs.bytes,
        missing_blobs: manifest.missing_blobs.len() as u64,
        schema: manifest.schema.last().map_or(0, |step| step.number),
        made_by: manifest.made_by,
        database: manifest.database,
        master_keys: manifest.master_keys,
        with_master_key: manifest.master_key.is_some(),
    })
}

/// Deletes all backups but the `keep` youngest, then the content that none of those names. The folder was opened for writing.
pub fn prune(target: &Target, keep: usize) -> Result<Pruned, CareError> {
    let names = target.names().map_err(CareError::file(target.root()))?;
    let (old, kept) = names.split_at(names.len().saturating_sub(keep.max(1)));
    // Read before anything is deleted: a backup that cannot be read keeps everything.
    let needed = needed(target, kept)?;
    let mut pruned = Pruned::default();
    target.clear_parts().map_err(CareError::file(target.root()))?;
    for name in old {
        target.retire(name).map_err(CareError::file(&target.snapshot(name)))?;
        pruned.deleted.push(name.clone());
    }
    let swept = target.each_blob(|path, key| {
        if key.is_some_and(|key| needed.contains(&key.as_i64())) {
            return Ok(());
        }
        pruned.deleted_blobs += 1;
        pruned.deleted_blob_bytes += fs::metadata(path)?.len();
        fs::remove_file(path)
    });
    swept.map_err(CareError::file(target.root()))?;
    Ok(pruned)
}

/// Storage keys: eight bytes a blob are held in memory.
fn needed(target: &Target, names: &[String]) -> Result<HashSet<i64>, CareError> {
    let mut needed = HashSet::new();
    for name in names {
        let folder = target.snapshot(name);
        let (manifest, _) = Manifest::read(&folder, None)?;
        for blob in BlobRows::open(&folder, &manifest.tables)? {
            needed.insert(blob?.key.as_i64());
        }
    }
    Ok(needed)
}
