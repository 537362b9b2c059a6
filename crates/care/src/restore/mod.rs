//! A backup into an empty database and an empty store. Everything is checked before anything is written; content comes first, then
//! all rows in one transaction: a restore that is interrupted leaves a database with nothing in it.
//!
//! The rows keep their ids, content its storage keys, sequences their place. So does what may be presented: whatever was disabled or
//! deleted after the backup is as it was at that moment. [`Restore::end_sessions`] ends what ends by itself anyway.

mod content;
mod rows;

use std::path::Path;
use std::sync::Arc;

use blobs::{BlobError, BlobStore};
use model::{Op, Timestamp};
use secrets::MasterKeys;
use serde::Serialize;
use store::{Database, MIGRATIONS, Migration, Store, Value};

use crate::backup::{KEY_FILE, Manifest, PieceReader, Signature, Target, check_snapshot};
use crate::progress::Report;
use crate::{CareError, Checked};

/// A backup to be restored.
#[derive(Debug)]
pub struct Restore<'a> {
    /// The folder it is in.
    pub target: &'a Path,
    /// Which one; none: the youngest.
    pub name: Option<&'a str>,
    /// What its secrets lie under.
    pub keys: &'a MasterKeys,
    /// Take a backup that is signed by a master key which is not at hand.
    pub unsigned: bool,
    /// Go on with a restore that was interrupted: the store may have content already.
    pub go_on: bool,
    /// End every token and every session that the backup knows.
    pub end_sessions: bool,
}

/// What was restored.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Restored {
    /// Which backup.
    pub name: String,
    /// The moment that everything is as of.
    pub taken_at: Timestamp,
    /// Rows, over all tables.
    pub rows: u64,
    /// Blobs.
    pub blobs: u64,
    /// Their bytes.
    pub blob_bytes: u64,
    /// Blobs that the backup does not have, because the store did not.
    pub missing_blobs: u64,
    /// Credentials that can be presented, as at that moment: those that ended since then are among them.
    pub live_credentials: u64,
    /// Whether tokens and sessions were ended.
    pub sessions_ended: bool,
}

impl Restore<'_> {
    /// Checks the backup, every piece of it, and that it can be opened and vouched for.
    pub fn check(&self, report: Report<'_>) -> Result<Checked, CareError> {
        let target = Target::open(self.target)?;
        let checked = check_snapshot(&target, self.name, Some(self.keys), report)?;
        if let Some(first) = checked.problems.first() {
            let count = checked.problem_count;
            let text = format!("{} (of {count} things that are wrong; `tidegate backup verify` lists them)", first.problem);
            return Err(CareError::damaged(&first.piece, &text));
        }
        if let (Signature::Unknown(id), false) = (&checked.signature, self.unsigned) {
            let text = format!("the backup is signed with master key {id}, which is not at hand: nobody vouches for what is in it");
            return Err(CareError::refused(format!("{text}. Name the key (`old_master_key_file`), or say --unsigned")));
        }
        let (manifest, _) = Manifest::read(&target.snapshot(&checked.name), None)?;
        self.opens(&manifest)?;
        Ok(checked)
    }

    /// Its secrets must open afterwards.
    fn opens(&self, manifest: &Manifest) -> Result<(), CareError> {
        let known: Vec<String> = [Some(&self.keys.current), self.keys.old.as_ref(), self.keys.next.as_ref()]
            .into_iter()
            .flatten()
            .map(|key| key.id().to_string())
            .collect();
        match manifest.master_keys.iter().find(|id| !known.contains(id)) {
            None => Ok(()),
            Some(id) => Err(CareError::refused(format!(
                "secrets in the backup lie under master key {id}, and the one at hand is {}: put that key in its place first",
                self.keys.current.id()
            ))),
        }
    }

    /// Restores it into `database` and `blobs`. `op` is what the trail's record of it says.
    pub async fn run(&self, database: &Database, blobs: &BlobStore, op: &Op, report: Report<'_>) -> Result<Restored, CareError> {
        let checked = self.check(report)?;
        let target = Arc::new(Target::open(self.target)?);
        let folder = target.snapshot(&checked.name);
        let (manifest, _) = Manifest::read(&folder, None)?;
        let steps = steps(&manifest)?;
        let store = Store::open_with(database, steps).await?;
        if store.read(|tx| Box::pin(rows::is_inhabited(tx))).await? {
            return Err(CareError::refused("the database is not empty: restore into an empty one"));
        }
        self.is_empty(blobs).await?;
        content::put_all(blobs, &target, (&folder, &manifest), report).await?;
        rows::fill(&store, rows::Filling { folder: &folder, manifest: &manifest, report }).await?;
        drop(store);
        // With the steps that this version adds.
        let store = Arc::new(Store::open(database).await?);
        let beginning = rows::Beginning { op, taken_at: manifest.taken_at, end_sessions: self.end_sessions };
        let live_credentials = beginning.write(&store).await?;
        Ok(Restored {
            name: checked.name,
            taken_at: manifest.taken_at,
            rows: checked.rows,
            blobs: checked.blobs,
            blob_bytes: checked.blob_bytes,
            missing_blobs: checked.known_missing,
            live_credentials,
            sessions_ended: self.end_sessions,
        })
    }

    async fn is_empty(&self, blobs: &BlobStore) -> Result<(), CareError> {
        if self.go_on || blobs.list(None, 1).await.map_err(CareError::Listing)?.is_empty() {
            return Ok(());
        }
        let text = "the store of blobs is not empty: restore into an empty one, or, after a restore that was interrupted, say --continue";
        Err(CareError::refused(text))
    }
}

/// The schema that the backup's rows fit, which must be a beginning of this version's.
fn steps(manifest: &Manifest) -> Result<&'static [Migration], CareError> {
    let found = manifest.schema.len();
    let Some(known) = MIGRATIONS.get(..found) else {
        let text = format!("the backup has schema {found}, this version of the program knows {}: use a newer version", MIGRATIONS.len());
        return Err(CareError::Refused(text));
    };
    let same = manifest.schema.iter().zip(known).all(|(step, known)| step.number == known.number && step.checksum == known.checksum());
    if same { Ok(known) } else { Err(CareError::refused("the backup's schema is not one of this program's")) }
}

/// The master key that lies in a backup, if it does.
pub fn master_key_in(target: &Path, name: Option<&str>) -> Result<Option<zeroize::Zeroizing<Vec<u8>>>, CareError> {
    let target = Target::open(target)?;
    let folder = target.snapshot(&target.choose(name)?);
    let (manifest, _) = Manifest::read(&folder, None)?;
    if manifest.master_key.is_none() {
        return Ok(None);
    }
    let path = folder.join(KEY_FILE);
    std::fs::read(&path).map(|text| Some(text.into())).map_err(CareError::file(&path))
}

/// The rows of a table of a backup.
fn rows_of(folder: &Path, file: &str) -> Result<impl Iterator<Item = Result<Vec<Value>, CareError>> + Send + use<>, CareError> {
    let path = folder.join(file);
    let file = file.to_owned();
    let rows = PieceReader::open(&path).map_err(CareError::file(&path))?;
    Ok(rows.map(move |row| row.map_err(|error| CareError::damaged(&file, &error))))
}

/// What stands under a key already is no error where it is the same.
fn is_there(error: &BlobError) -> bool {
    matches!(error, BlobError::Exists)
}
