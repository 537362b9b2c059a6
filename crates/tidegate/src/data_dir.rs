//! The data folder: made on first start, writable, of a format that this version knows. Where the database is a file in it,
//! `store` holds it for one server alone.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use crate::refusal::Refusal;

/// The layout of the folder. Raised when an older version could no longer read it; the database counts its own schema.
const FORMAT: u32 = 1;

/// Makes the folder, or finds that it is one of ours.
pub(crate) fn open_data_dir(path: &Path) -> Result<(), Refusal> {
    let unwritable = |cause| Refusal::DataDirUnwritable { path: path.to_owned(), cause };
    fs::DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(unwritable)?;
    check_format(path)
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
    fn a_newer_or_foreign_folder_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("format"), "2\n").unwrap();
        let refused = open_data_dir(folder.path()).unwrap_err();
        assert!(matches!(refused, Refusal::DataDirNewer { found: 2, known: 1, .. }), "{refused}");
        fs::write(folder.path().join("format"), "v1").unwrap();
        assert!(matches!(open_data_dir(folder.path()), Err(Refusal::DataDirForeign { .. })));
    }

    #[test]
    fn a_file_in_the_way_is_no_folder() {
        let file = tempfile::NamedTempFile::new().unwrap();
        assert!(matches!(open_data_dir(file.path()), Err(Refusal::DataDirUnwritable { .. })));
    }
}
