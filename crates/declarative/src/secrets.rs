//! Secrets by reference: read from files and the environment, written to files that their owner alone can read.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use api::Secret;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use zeroize::Zeroizing;

use crate::Trouble;
use crate::files::read_file;
use crate::noun::Here;

/// Where a secret stands. The secret itself never stands in a document.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema, Debug)]
#[serde(rename_all = "camelCase")]
pub(crate) enum SecretRef {
    /// In this file, relative to the document's; its last line break is not part of it.
    File(String),
    /// In this environment variable.
    Env(String),
}

impl SecretRef {
    /// A relative file is relative to `base`.
    pub(crate) fn resolve(&mut self, base: &Path) {
        if let Self::File(path) = self {
            *path = base.join(&*path).display().to_string();
        }
    }

    pub(crate) fn read(&self, here: &Here<'_>) -> Result<Secret, Trouble> {
        match self {
            Self::File(path) => {
                let text = Zeroizing::new(read_file(Path::new(path))?);
                Ok(Secret::new(text.strip_suffix('\n').map_or(&**text, |t| t.strip_suffix('\r').unwrap_or(t))))
            }
            Self::Env(name) => {
                let unset =
                    || Trouble::Unsafe(format!("the environment variable {name}, which a document takes a secret from, is not set"));
                here.environment.get(name).map(Secret::new).ok_or_else(unset)
            }
        }
    }
}

/// A file that is there, empty, so that a secret that is about to be made has where to go. It never was there before; if no
/// secret comes, it goes.
pub(crate) struct SecretFile {
    path: PathBuf,
    file: Option<File>,
}

impl SecretFile {
    pub(crate) fn open(path: &str) -> Result<Self, Trouble> {
        let path = PathBuf::from(path);
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(&path).map_err(|e| Trouble::file(&path, e))?;
        Ok(Self { path, file: Some(file) })
    }

    pub(crate) fn write(mut self, secret: &Secret) -> Result<(), Trouble> {
        let written = self.file.take().map(|mut file| file.write_all(secret.reveal().as_bytes()).and_then(|()| file.sync_all()));
        written.unwrap_or(Ok(())).map_err(|e| Trouble::file(&self.path, e))
    }
}

impl Drop for SecretFile {
    fn drop(&mut self) {
        if self.file.is_some() {
            // It is empty; if it stays, the next attempt says so.
            drop(fs::remove_file(&self.path));
        }
    }
}

/// Before anything is changed: is there room for the secret?
pub(crate) fn room(path: &str) -> Result<(), Trouble> {
    if Path::new(path).symlink_metadata().is_ok() {
        let taken = io::Error::new(io::ErrorKind::AlreadyExists, "it is there already, and a new secret would replace it: move it away");
        return Err(Trouble::file(path, taken));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_s_file_is_its_owner_s_alone_and_goes_when_no_secret_comes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret");
        let text = path.to_str().unwrap();
        drop(SecretFile::open(text).unwrap());
        assert!(!path.exists());
        SecretFile::open(text).unwrap().write(&Secret::new("tgs_x")).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "tgs_x");
        #[cfg(unix)]
        assert_eq!(std::os::unix::fs::PermissionsExt::mode(&fs::metadata(&path).unwrap().permissions()) & 0o777, 0o600);
        assert!(room(text).is_err() && SecretFile::open(text).is_err());
        assert_eq!(fs::read_to_string(&path).unwrap(), "tgs_x");
    }
}
