//! Content into the folder of backups: what is there already stays, what is new is copied and hashed on its way.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::sync::Arc;

use blobs::{BlobError, BlobStore};
use futures_util::TryStreamExt as _;
use model::Digest;
use tokio::task::JoinSet;

use super::manifest::TablePiece;
use super::rows::{BlobRow, BlobRows};
use super::target::{Target, key_text};
use crate::CareError;
use crate::hashing::Hashing;
use crate::progress::{Progress, Report};

/// Blobs that are copied side by side.
pub(crate) const AT_ONCE: usize = 4;
/// Blobs that may be missing before it is the store that is not well.
const MISSING: usize = 10_000;
/// How often a blob is asked for before a storage that does not answer is an end.
const TRIES: u32 = 4;

/// What was done with the blobs of a snapshot.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub(crate) struct Copied {
    pub(crate) done: u64,
    pub(crate) bytes: u64,
    pub(crate) new: u64,
    pub(crate) new_bytes: u64,
    pub(crate) missing: Vec<String>,
}

enum Outcome {
    Copied(u64),
    There(u64),
    /// The store does not have it, or not whole.
    Missing(String),
}

/// Copies every blob that the tables in `folder` name.
pub(crate) async fn copy_all(
    blobs: &BlobStore,
    target: &Arc<Target>,
    (folder, tables): (&Path, &[TablePiece]),
    of: u64,
    report: Report<'_>,
) -> Result<Copied, CareError> {
    let mut copied = Copied::default();
    let mut running = JoinSet::new();
    for blob in BlobRows::open(folder, tables)? {
        if running.len() >= AT_ONCE {
            copied.note(running.join_next().await)?;
            copied.tell(of, report);
        }
        running.spawn(copy(blobs.clone(), Arc::clone(target), blob?));
    }
    while let Some(ended) = running.join_next().await {
        copied.note(Some(ended))?;
        copied.tell(of, report);
    }
    target.sync_blobs().map_err(CareError::file(target.root()))?;
    Ok(copied)
}

type Ended = Option<Result<Result<Outcome, CareError>, tokio::task::JoinError>>;

impl Copied {
    fn note(&mut self, ended: Ended) -> Result<(), CareError> {
        let Some(ended) = ended else { return Ok(()) };
        let outcome = ended.map_err(|error| CareError::refused(error.to_string()))??;
        self.done += 1;
        match outcome {
            Outcome::There(bytes) => self.bytes += bytes,
            Outcome::Copied(bytes) => {
                self.bytes += bytes;
                self.new += 1;
                self.new_bytes += bytes;
            }
            Outcome::Missing(key) => self.missing.push(key),
        }
        if self.missing.len() > MISSING {
            return Err(CareError::refused(format!("more than {MISSING} blobs are missing: is this the store of this database?")));
        }
        Ok(())
    }

    fn tell(&self, of: u64, report: Report<'_>) {
        report(Progress::Blobs { what: "copied", done: self.done, of: Some(of), bytes: self.bytes });
    }
}

async fn copy(blobs: BlobStore, target: Arc<Target>, blob: BlobRow) -> Result<Outcome, CareError> {
    if fs::metadata(target.blob(blob.key)).is_ok_and(|there| there.len() == blob.size) {
        return Ok(Outcome::There(blob.size));
    }
    let mut tries = 1;
    loop {
        let error = match fetch(&blobs, &target, blob).await {
            Ok(digest) if digest == blob.digest => {
                let (part, path) = (target.blob_part(blob.key), target.blob(blob.key));
                fs::rename(part, &path).map_err(CareError::file(&path))?;
                return Ok(Outcome::Copied(blob.size));
            }
            Ok(_) => return missing(&target, blob),
            Err(error) => error,
        };
        match error {
            CareError::Blobs { error: BlobError::Missing | BlobError::Damaged, .. } => return missing(&target, blob),
            CareError::Blobs { error: BlobError::Unavailable(_), .. } if tries < TRIES => {
                tokio::time::sleep(std::time::Duration::from_secs(u64::from(tries))).await;
                tries += 1;
            }
            error => return Err(error),
        }
    }
}

/// What is not what its row says is no copy of it.
fn missing(target: &Target, blob: BlobRow) -> Result<Outcome, CareError> {
    let part = target.blob_part(blob.key);
    match fs::remove_file(&part) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(CareError::file(&part)(error)),
        _ => Ok(Outcome::Missing(key_text(blob.key))),
    }
}

/// Copies the content beside its place, and says its digest.
async fn fetch(blobs: &BlobStore, target: &Target, blob: BlobRow) -> Result<Digest, CareError> {
    let asked = |error| CareError::Blobs { key: blob.key, error };
    let part = target.blob_part(blob.key);
    let mut out = create(&part).map_err(CareError::file(&part))?;
    let mut hashing = Hashing::by(blob.digest.algorithm());
    if blob.size == 0 {
        // Nothing is read of what is empty; it has to be there.
        blobs.size(blob.key).await.map_err(asked)?;
    }
    let mut body = blobs.read(blob.key, blob.size, 0..blob.size).await.map_err(asked)?;
    while let Some(piece) = body.try_next().await.map_err(asked)? {
        hashing.update(&piece);
        out.write_all(&piece).map_err(CareError::file(&part))?;
    }
    out.sync_all().map_err(CareError::file(&part))?;
    Ok(hashing.finish())
}

fn create(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)
}
