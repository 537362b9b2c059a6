//! A backup: the rows of one moment, and the content that they name, in a folder that any version from this one on can read.
//!
//! In this order: a hold, so that nothing that the rows name is deleted; the rows, in one snapshot of the database; the content,
//! which never changes under its key; the manifest, which says what there must be; and only then the name that makes it a backup.

mod check;
mod content;
mod manifest;
mod piece;
mod prune;
mod rows;
mod target;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use blobs::BlobStore;
use model::{Clock, Seconds, Timestamp};
use secrets::MasterKeys;
use serde::Serialize;
use store::{MIGRATIONS, Store, StoreError};
use tokio::task::AbortHandle;

pub use check::{Checked, Problem, check_snapshot};
pub(crate) use content::AT_ONCE;
use content::{Copied, copy_all};
pub use manifest::Signature;
use manifest::{FORMAT, Step};
pub(crate) use manifest::{Manifest, TablePiece, write_file};
pub(crate) use piece::PieceReader;
pub use prune::{Pruned, Snapshot, describe, prune, snapshots};
pub(crate) use rows::{BlobRow, BlobRows, is_taken};
use rows::{Rows, dump};
pub use target::Target;
pub(crate) use target::key_text;

use crate::CareError;
use crate::progress::Report;

/// What a hold is called, and how long it lasts without being renewed.
const HOLD: &str = "backup";
const HOLD_LIFE: Seconds = Seconds::minutes(30);
const RENEW_EVERY: Duration = Duration::from_mins(5);
/// Where the master key lies in a snapshot.
pub(crate) const KEY_FILE: &str = "master.key";

/// A backup to be made.
pub struct Backup<'a> {
    /// The database, beside a server that may be using it.
    pub store: Arc<Store>,
    /// Its content.
    pub blobs: BlobStore,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// The folder that it goes into.
    pub target: &'a Path,
    /// What the secrets in the database lie under; the one in force vouches for the backup.
    pub keys: &'a MasterKeys,
    /// Whether the master key goes into it: then whoever has the backup has every secret.
    pub with_master_key: bool,
    /// What to call the program that makes it.
    pub made_by: &'a str,
}

impl std::fmt::Debug for Backup<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Backup").field("target", &self.target).finish_non_exhaustive()
    }
}

/// A backup that was made.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct BackupMade {
    /// Its name.
    pub name: String,
    /// Where it is.
    pub path: PathBuf,
    /// The moment whose rows it has.
    pub taken_at: Timestamp,
    /// Rows, over all tables.
    pub rows: u64,
    /// Blobs that it names.
    pub blobs: u64,
    /// Their bytes.
    pub blob_bytes: u64,
    /// Blobs that were not in the folder before.
    pub new_blobs: u64,
    /// Their bytes.
    pub new_blob_bytes: u64,
    /// Storage keys of blobs that the store does not have whole, so that the backup has not either.
    pub missing_blobs: Vec<String>,
    /// Whether the master key is in it.
    pub with_master_key: bool,
}

impl Backup<'_> {
    /// Makes it. Interrupted, it leaves no backup, and content that the next one need not copy again.
    pub async fn make(&self, report: Report<'_>) -> Result<BackupMade, CareError> {
        is_of_this_version(&self.store).await?;
        let target = Arc::new(Target::create(self.target)?);
        let hold = Hold::set(&self.store, &self.clock).await?;
        let now = self.clock.now();
        let (name, folder) = target.begin(now)?;
        let (place, store) = (&folder, &self.store);
        let rows = store.snapshot(|tx| Box::pin(async move { dump(tx, place, report).await })).await?;
        let mut manifest = self.manifest(now, rows).await?;
        manifest.blobs = BlobRows::count(&folder, &manifest.tables)?;
        let copied = copy_all(&self.blobs, &target, (&folder, &manifest.tables), manifest.blobs.count, report).await?;
        hold.has_stood(self.clock.now())?;
        manifest.missing_blobs.clone_from(&copied.missing);
        let written = self.complete(&mut manifest, &folder).and_then(|()| target.publish(&name, &folder));
        written.map_err(CareError::file(&folder))?;
        hold.end(self.clock.now()).await?;
        Ok(made(&target, name, &manifest, &copied))
    }

    async fn manifest(&self, now: Timestamp, rows: Rows) -> Result<Manifest, CareError> {
        let schema = self.store.applied().await?.into_iter().map(Step::from).collect();
        Ok(Manifest {
            format: FORMAT,
            made_by: self.made_by.to_owned(),
            taken_at: now,
            database: self.store.backend_name().to_owned(),
            schema,
            change_feed: rows.change_feed,
            tables: rows.tables,
            blobs: manifest::BlobCount::default(),
            missing_blobs: Vec::new(),
            master_keys: rows.master_keys,
            master_key: None,
        })
    }

    fn complete(&self, manifest: &mut Manifest, folder: &Path) -> std::io::Result<()> {
        if self.with_master_key {
            let text = zeroize::Zeroizing::new(format!("{}\n", self.keys.current.to_text().reveal()));
            write_file(&folder.join(KEY_FILE), text.as_bytes())?;
            manifest.master_key = Some(check::piece_of(folder, KEY_FILE)?);
        }
        manifest.write(folder, &self.keys.current)
    }
}

fn made(target: &Target, name: String, manifest: &Manifest, copied: &Copied) -> BackupMade {
    BackupMade {
        path: target.snapshot(&name),
        name,
        taken_at: manifest.taken_at,
        rows: manifest.tables.iter().map(|table| table.rows).sum(),
        blobs: manifest.blobs.count,
        blob_bytes: manifest.blobs.bytes,
        new_blobs: copied.new,
        new_blob_bytes: copied.new_bytes,
        missing_blobs: copied.missing.clone(),
        with_master_key: manifest.master_key.is_some(),
    }
}

/// The database must have the schema that this version knows: then it also knows what to hold and what to leave out.
pub(crate) async fn is_of_this_version(store: &Store) -> Result<(), CareError> {
    let applied = store.applied().await?;
    let found = applied.last().map_or(0, |step| step.number);
    let known = MIGRATIONS.last().map_or(0, |step| step.number);
    if found == known {
        return Ok(());
    }
    let text = format!("the database has schema {found}, this version of the program knows {known}: use the version that serves it");
    Err(CareError::Refused(text))
}

/// While it stands, collection deletes no content.
struct Hold {
    store: Arc<Store>,
    until: Arc<AtomicI64>,
    renewing: AbortHandle,
}

impl Hold {
    async fn set(store: &Arc<Store>, clock: &Arc<dyn Clock>) -> Result<Self, CareError> {
        let until = Arc::new(AtomicI64::new(0));
        renew(store, &**clock, &until).await?;
        let (held, time, moved) = (Arc::clone(store), Arc::clone(clock), Arc::clone(&until));
        let task = tokio::spawn(async move {
            loop {
                tokio::time::sleep(RENEW_EVERY).await;
                if let Err(error) = renew(&held, &*time, &moved).await {
                    tracing::warn!(%error, "the hold on content is not renewed at the moment");
                }
            }
        });
        Ok(Self { store: Arc::clone(store), until, renewing: task.abort_handle() })
    }

    /// What was copied after its end may have been deleted and not been missed.
    fn has_stood(&self, now: Timestamp) -> Result<(), CareError> {
        if now.millis() < self.until.load(Ordering::Acquire) {
            return Ok(());
        }
        Err(CareError::refused("the database could not be told for half an hour that content is needed: begin the backup again"))
    }

    async fn end(self, now: Timestamp) -> Result<(), CareError> {
        self.renewing.abort();
        let store = &self.store;
        Ok(store.write(|tx| Box::pin(store::hold::release(tx, HOLD, now))).await?)
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        self.renewing.abort();
    }
}

async fn renew(store: &Store, clock: &dyn Clock, until: &AtomicI64) -> Result<(), StoreError> {
    let now = clock.now();
    store.write(|tx| Box::pin(store::hold::set(tx, HOLD, now, HOLD_LIFE))).await?;
    until.store(now.plus(HOLD_LIFE).millis(), Ordering::Release);
    Ok(())
}
