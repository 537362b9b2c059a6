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
use std::sync::atomic::{AtomicBool, Ordering};
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
use crate::progress::{Progress, Report};

/// How long a hold lasts without being renewed.
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
    /// A random number, which tells this backup's hold from those of others that are made at the same time.
    pub random: u64,
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
        let hold = Hold::set(&self.store, self.random).await?;
        let now = self.clock.now();
        let (name, folder) = target.begin(now)?;
        let (place, store) = (&folder, &self.store);
        let rows = store.snapshot(|tx| Box::pin(async move { dump(tx, place, report).await })).await?;
        let mut manifest = self.manifest(now, rows).await?;
        manifest.blobs = BlobRows::count(&folder, &manifest.tables)?;
        let copied = copy_all(&self.blobs, &target, (&folder, &manifest.tables), manifest.blobs.count, report).await?;
        hold.has_stood().await?;
        manifest.missing_blobs.clone_from(&copied.missing);
        let written = self.complete(&mut manifest, &folder).and_then(|()| target.publish(&name, &folder));
        written.map_err(CareError::file(&folder))?;
        if let Err(error) = hold.end().await {
            report(Progress::Remark(&format!(
                "the backup is made; its hold stays for half an hour, and with it content to be deleted: {error}"
            )));
        }
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
    name: String,
    lapsed: Arc<AtomicBool>,
    renewing: AbortHandle,
}

impl Hold {
    async fn set(store: &Arc<Store>, random: u64) -> Result<Self, CareError> {
        let name = format!("backup-{random:016x}");
        store.write(|tx| Box::pin(store::hold::set(tx, &name, HOLD_LIFE))).await?;
        let lapsed = Arc::new(AtomicBool::new(false));
        let task = tokio::spawn(go_on(Arc::clone(store), name.clone(), Arc::clone(&lapsed)));
        Ok(Self { store: Arc::clone(store), name, lapsed, renewing: task.abort_handle() })
    }

    /// Has it stood all the time? What was copied after its end may have been deleted and not been missed.
    async fn has_stood(&self) -> Result<(), CareError> {
        if !self.lapsed.load(Ordering::Acquire) && renew(&self.store, &self.name).await? {
            return Ok(());
        }
        let text = "the database could not be told for half an hour that content is needed, and collection may have deleted some of it: \
                    begin the backup again; what it has copied is not copied anew";
        Err(CareError::refused(text))
    }

    async fn end(self) -> Result<(), StoreError> {
        self.renewing.abort();
        let name = &self.name;
        self.store.write(|tx| Box::pin(store::hold::release(tx, name))).await
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        self.renewing.abort();
    }
}

/// Renews a hold until it has lapsed: it is not set again, so that nobody takes it for one that has stood.
async fn go_on(store: Arc<Store>, name: String, lapsed: Arc<AtomicBool>) {
    loop {
        tokio::time::sleep(RENEW_EVERY).await;
        match renew(&store, &name).await {
            Ok(true) => {}
            Ok(false) => return lapsed.store(true, Ordering::Release),
            Err(error) => tracing::warn!(%error, "the hold on content is not renewed at the moment"),
        }
    }
}

async fn renew(store: &Store, name: &str) -> Result<bool, StoreError> {
    store.write(|tx| Box::pin(store::hold::renew(tx, name, HOLD_LIFE))).await
}
