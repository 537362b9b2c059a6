//! The data folder: made on first start, writable, of a format that this version knows, and held by one server alone where
//! the database is a file in it.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};

use crate::refusal::Refusal;

/// The layout of the folder. Raised when an older version could no longer read it; the database counts its own schema.
const FORMAT: u32 = 1;

/// The folder, opened; the lock is let go when this is dropped.
#[derive(Debug)]
pub(crate) struct DataDir {
    _lock: Option<File>,
}

impl DataDir {
    /// Opens the folder; `exclusive` where no other server may share it.
    pub(crate) fn open(path: &Path, exclusive: bool) -> Result<Self, Refusal> {
        let unwritable = |cause| Refusal::DataDirUnwritable { path: path.to_owned(), cause };
        fs::DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(unwritable)?;
        let lock = exclusive.then(|| lock(path)).transpose()?;
        check_format(path)?;
        Ok(Self { _lock: lock })
    }
}

fn lock(path: &Path) -> Result<File, Refusal> {
    let unwritable = |cause| Refusal::DataDirUnwritable { path: path.to_owned(), cause };
    let mut options = OpenOptions::new();
    let file = options.create(true).truncate(false).write(true).mode(0o600).open(path.join("lock")).map_err(unwritable)?;
    match flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(file),
        Err(rustix::io::Errno::WOULDBLOCK) => Err(Refusal::DataDirInUse(path.to_owned())),
        Err(error) => Err(unwritable(error.into())),
    }
}

/// Reads the format file, or writes it into a new folder; either way the folder is seen to be writable.
fn check_format(path: &Path) -> Result<(), Refusal> {
    let file = path.join("format");
    match fs::read_to_string(&file) {
        Ok(text) => match text.trim().parse() {
            Ok(found) if found > FORMAT => Err(Refusal::DataDirNewer { path: path.to_owned(), found, known: FORMAT }),
            Ok(FORMAT) => Ok(()),
            _ => Err(Refusal::DataDirForeign { path: file }),
        },
        Err(error) if error.kind() == io::ErrorKind::NotFound => write_format(path, &file),
        Err(cause) => Err(Refusal::DataDirUnwritable { path: path.to_owned(), cause }),
    }
}

/// Whole or not at all: a half-written format file would lock the owner out.
fn write_format(path: &Path, file: &PathBuf) -> Result<(), Refusal> {
    let write = || {
        let new = path.join("format.new");
        let mut out = File::create(&new)?;
        out.write_all(format!("{FORMAT}\n").as_bytes())?;
        out.sync_all()?;
        fs::rename(new, file)?;
        File::open(path)?.sync_all()
    };
    write().map_err(|cause| Refusal::DataDirUnwritable { path: path.to_owned(), cause })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_server_alone_holds_the_folder() {
        let parent = tempfile::tempdir().unwrap();
        let path = parent.path().join("a/b");
        let held = DataDir::open(&path, true).unwrap();
        assert!(matches!(DataDir::open(&path, true), Err(Refusal::DataDirInUse(_))));
        assert!(DataDir::open(&path, false).is_ok(), "nodes of one PostgreSQL may share it");
        drop(held);
        assert!(DataDir::open(&path, true).is_ok());
    }

    #[test]
    fn a_newer_or_foreign_folder_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("format"), "2\n").unwrap();
        let refused = DataDir::open(folder.path(), true).unwrap_err();
        assert!(matches!(refused, Refusal::DataDirNewer { found: 2, known: 1, .. }), "{refused}");
        fs::write(folder.path().join("format"), "v1").unwrap();
        assert!(matches!(DataDir::open(folder.path(), true), Err(Refusal::DataDirForeign { .. })));
    }

    #[test]
    fn a_file_in_the_way_is_no_folder() {
        let file = tempfile::NamedTempFile::new().unwrap();
        assert!(matches!(DataDir::open(file.path(), true), Err(Refusal::DataDirUnwritable { .. })));
    }
}
