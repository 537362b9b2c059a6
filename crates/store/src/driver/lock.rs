//! The lock that makes a data directory one server's own.

use std::fs::{File, OpenOptions};
use std::io;
use std::path::Path;

use rustix::fs::{FlockOperation, flock};

use super::error::StoreError;

/// Held for as long as the server uses the directory; the system frees it when the process ends, however it ends.
#[derive(Debug)]
pub struct DirectoryLock {
    _file: File,
}

impl DirectoryLock {
    /// Makes `directory` if there is none, and takes it. [`StoreError::InUse`] when another process has it,
    /// [`StoreError::NotWritable`] when it cannot be made or written.
    pub fn acquire(directory: &Path) -> Result<Self, StoreError> {
        let refused = |error: io::Error| StoreError::NotWritable { path: directory.to_owned(), cause: error.into() };
        std::fs::create_dir_all(directory).map_err(refused)?;
        let mut options = OpenOptions::new();
        options.create(true).truncate(false).write(true);
        let file = options.open(directory.join("lock")).map_err(refused)?;
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(Self { _file: file }),
            Err(rustix::io::Errno::WOULDBLOCK) => Err(StoreError::InUse(directory.to_owned())),
            Err(other) => Err(refused(other.into())),
        }
    }
}
