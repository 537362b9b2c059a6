//! All rows of a backup in one transaction, and the record that says so.

use std::path::Path;
use std::sync::Arc;

use access::{Audit, Record, audit};
use model::{AccountId, Op, Timestamp};
use store::{Store, StoreError, Table, Tx, Value, params};

use super::rows_of;
use crate::CareError;
use crate::backup::{Manifest, TablePiece, is_taken};
use crate::progress::{Progress, Report};

/// Rows that are written together; of manifests, which may have 4 MiB, fewer.
const AT_ONCE: usize = 256;
const MANIFESTS_AT_ONCE: usize = 8;
/// What the record's action is called.
const ACTION: &str = "restore";

/// Has anybody lived in this database?
pub(super) async fn is_inhabited(tx: &mut Tx<'_>) -> Result<bool, StoreError> {
    for sql in ["SELECT 1 FROM account LIMIT 1", "SELECT 1 FROM server_key LIMIT 1", "SELECT 1 FROM audit_event LIMIT 1"] {
        if tx.row(sql, params![]).await?.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Writes all rows of the backup in `folder`, in one transaction.
pub(super) async fn fill(store: &Store, filling: Filling<'_>) -> Result<(), CareError> {
    let filling = &filling;
    store.write(|tx| Box::pin(filling.fill(tx))).await
}

/// What is written.
#[derive(Clone, Copy)]
pub(super) struct Filling<'a> {
    pub(super) folder: &'a Path,
    pub(super) manifest: &'a Manifest,
    pub(super) report: Report<'a>,
}

impl Filling<'_> {
    async fn fill(&self, tx: &mut Tx<'_>) -> Result<(), CareError> {
        let tables: Vec<Table> = tx.tables().await?.into_iter().filter(is_taken).collect();
        // What a migration has written into a new database is in the backup, too.
        for table in tables.iter().rev() {
            tx.clear(table).await?;
        }
        for table in &tables {
            let piece = self.manifest.table(&table.name);
            let piece = piece.ok_or_else(|| CareError::damaged("manifest.json", &format!("table {} is not in it", table.name)))?;
            self.fill_table(tx, table, piece).await?;
        }
        Ok(())
    }

    async fn fill_table(&self, tx: &mut Tx<'_>, table: &Table, piece: &TablePiece) -> Result<(), CareError> {
        let as_in_piece = Table { name: table.name.clone(), columns: piece.columns.clone() };
        if piece.columns.iter().any(|column| !table.columns.contains(column)) {
            return Err(CareError::damaged(&piece.piece.file, "it has a column that the schema has not"));
        }
        let at_once = if table.name == "manifest" { MANIFESTS_AT_ONCE } else { AT_ONCE };
        let mut page: Vec<Vec<Value>> = Vec::with_capacity(at_once);
        let mut done = 0;
        for row in rows_of(self.folder, &piece.piece.file)? {
            page.push(row?);
            if page.len() == at_once {
                tx.fill(&as_in_piece, &page).await?;
                done += page.len() as u64;
                page.clear();
                (self.report)(Progress::Rows { table: &table.name, done });
            }
        }
        Ok(tx.fill(&as_in_piece, &page).await?)
    }
}

/// What the new beginning is: who may go on, and what the trail says of it.
pub(super) struct Beginning<'a> {
    pub(super) op: &'a Op,
    pub(super) taken_at: Timestamp,
    pub(super) end_sessions: bool,
}

impl Beginning<'_> {
    /// Writes it; how many credentials there are that can be presented.
    pub(super) async fn write(&self, store: &Arc<Store>) -> Result<u64, CareError> {
        let audit = &Audit::new(Arc::clone(store), 0);
        let live = store.write(|tx| Box::pin(self.begin(tx, audit))).await?;
        Ok(u64::try_from(live).unwrap_or(0))
    }

    async fn begin(&self, tx: &mut Tx<'_>, audit: &Audit) -> Result<i64, StoreError> {
        if self.end_sessions {
            store::role::end_all_sessions(tx, self.op.now).await?;
            store::signing_key::delete_all(tx).await?;
        }
        // Of what was pulled since the backup nothing is known: retention may not take it for idle.
        store::retention::know_pulls_from(tx, self.op.now).await?;
        // Every account's trail says that what came after the backup is gone.
        let detail = format!("from the backup of {}{}", self.taken_at, if self.end_sessions { ", sessions ended" } else { "" });
        for row in tx.rows("SELECT id FROM account ORDER BY id", params![]).await? {
            let account = AccountId::from_i64(row.get(0)?);
            audit::write(tx, audit, &Record::job(self.op, account, ACTION).with_detail(detail.clone())).await?;
        }
        store::credential::count_live(tx, self.op.now).await
    }
}
