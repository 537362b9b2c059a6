//! The rows of one moment, table by table, into files.

use std::path::Path;

use model::UploadId;
use secrets::KeyId;
use store::sealed::{self, Place};
use store::{StoreError, Table, Tx, Value};

use super::manifest::{BlobCount, TablePiece};
use super::piece::{PieceReader, PieceWriter};
use crate::CareError;
use crate::progress::{Progress, Report};

/// What stays out, and why. Every other table is taken.
const LEFT_OUT: &[(&str, &str)] = &[
    ("migration", "said by the manifest's schema"),
    ("lease", "whoever does a job now does not do it there"),
    ("hold", "likewise"),
    ("node", "nodes that run now do not run there"),
    ("upload", "content that is not whole is not taken"),
    ("condemned", "what waits to be deleted is not taken"),
    ("collection_run", "what has gone, and where a run stands, is said of another store"),
];
/// Rows fetched at once.
const AT_ONCE: usize = 500;
/// A manifest may have 4 MiB.
const MANIFESTS_AT_ONCE: usize = 8;
/// How often progress is told.
const TELL_EVERY: u64 = 1000;

/// What was read in one snapshot of the database.
#[derive(Debug)]
pub(crate) struct Rows {
    pub(crate) tables: Vec<TablePiece>,
    pub(crate) change_feed: i64,
    pub(crate) master_keys: Vec<String>,
}

/// Is this table part of a backup?
pub(crate) fn is_taken(table: &Table) -> bool {
    !LEFT_OUT.iter().any(|(name, _)| *name == table.name)
}

/// Writes every table into a file of its own in `folder`.
pub(crate) async fn dump(tx: &mut Tx<'_>, folder: &Path, report: Report<'_>) -> Result<Rows, CareError> {
    let mut tables = Vec::new();
    for table in tx.tables().await?.into_iter().filter(is_taken) {
        tables.push(dump_table(tx, table, folder, report).await?);
    }
    Ok(Rows { tables, change_feed: store::change::head(tx).await?, master_keys: master_keys(tx).await? })
}

async fn dump_table(tx: &mut Tx<'_>, table: Table, folder: &Path, report: Report<'_>) -> Result<TablePiece, CareError> {
    let file = format!("{}.jsonl.gz", table.name);
    let path = folder.join(&file);
    let mut writer = PieceWriter::create(folder, file).map_err(CareError::file(&path))?;
    let mut failed = None;
    let at_once = if table.name == "manifest" { MANIFESTS_AT_ONCE } else { AT_ONCE };
    let name = table.name.clone();
    let walked = tx
        .dump(&table, at_once, &mut |values: Vec<Value>| {
            if let Err(error) = writer.row(&values) {
                failed = Some(error);
                return Err(StoreError::corrupt("the backup cannot be written"));
            }
            if writer.rows.is_multiple_of(TELL_EVERY) {
                report(Progress::Rows { table: &name, done: writer.rows });
            }
            Ok(())
        })
        .await;
    if let Some(error) = failed {
        return Err(CareError::file(&path)(error));
    }
    walked?;
    let rows = writer.rows;
    let piece = writer.finish().map_err(CareError::file(&path))?;
    Ok(TablePiece { table: table.name, columns: table.columns, rows, piece })
}

async fn master_keys(tx: &mut Tx<'_>) -> Result<Vec<String>, StoreError> {
    let mut ids = Vec::new();
    for place in Place::ALL {
        let found = sealed::count(tx, place).await?;
        ids.extend(found.into_iter().map(|(key, _)| KeyId::from_bytes(key).to_string()));
    }
    ids.sort_unstable();
    ids.dedup();
    Ok(ids)
}

/// A blob that a snapshot names.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BlobRow {
    pub(crate) key: UploadId,
    pub(crate) digest: model::Digest,
    pub(crate) size: u64,
}

/// The blobs of a snapshot, one by one.
pub(crate) struct BlobRows {
    rows: PieceReader,
    /// Where key, digest and size stand.
    places: [usize; 3],
    file: String,
}

impl BlobRows {
    pub(crate) fn open(folder: &Path, tables: &[TablePiece]) -> Result<Self, CareError> {
        let blob = tables.iter().find(|table| table.table == "blob");
        let blob = blob.ok_or_else(|| CareError::damaged("manifest.json", "the table of blobs is not in it"))?;
        let place = |name| blob.columns.iter().position(|column| column == name);
        let (Some(key), Some(digest), Some(size)) = (place("storage_key"), place("digest"), place("size")) else {
            return Err(CareError::damaged(&blob.piece.file, "columns of blobs are not in it"));
        };
        let path = folder.join(&blob.piece.file);
        let rows = PieceReader::open(&path).map_err(CareError::file(&path))?;
        Ok(Self { rows, places: [key, digest, size], file: blob.piece.file.clone() })
    }

    /// How many there are, and how long.
    pub(crate) fn count(folder: &Path, tables: &[TablePiece]) -> Result<BlobCount, CareError> {
        let mut sum = BlobCount::default();
        for blob in Self::open(folder, tables)? {
            sum.count += 1;
            sum.bytes += blob?.size;
        }
        Ok(sum)
    }

    fn blob(&self, row: &[Value]) -> Option<BlobRow> {
        let [key, digest, size] = self.places;
        let (Value::Int(key), Value::Bytes(digest), Value::Int(size)) = (row.get(key)?, row.get(digest)?, row.get(size)?) else {
            return None;
        };
        let digest = model::Digest::from_bytes(digest)?;
        Some(BlobRow { key: UploadId::from_i64(*key), digest, size: u64::try_from(*size).ok()? })
    }
}

impl Iterator for BlobRows {
    type Item = Result<BlobRow, CareError>;

    fn next(&mut self) -> Option<Self::Item> {
        let row = self.rows.next()?;
        let blob = row.map(|row| self.blob(&row));
        Some(match blob {
            Ok(Some(blob)) => Ok(blob),
            Ok(None) => Err(CareError::damaged(&self.file, "a row is no blob's")),
            Err(error) => Err(CareError::damaged(&self.file, &error)),
        })
    }
}
