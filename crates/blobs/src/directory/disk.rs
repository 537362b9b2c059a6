//! The file operations that the directory back end is made of, so that a double can lose what was not synced.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, IoSliceMut};
use std::os::unix::fs::{DirBuilderExt, FileExt, MetadataExt, OpenOptionsExt};
use std::path::Path;
use std::time::UNIX_EPOCH;

use model::Timestamp;
use rustix::fs::{CWD, Mode, OFlags, ResolveFlags};
use rustix::io::ReadWriteFlags;

/// A disk. Whatever is not said to wait for the storage may be lost at a power cut.
pub(crate) trait Disk: Clone + Send + Sync + 'static {
    /// An open file.
    type File: Send + Sync + 'static;

    /// Makes a folder, mode 0700. One that is there already is no error.
    fn make_dir(&self, path: &Path) -> io::Result<()>;
    /// Makes a file, mode 0600, for reading and writing. `AlreadyExists` if there is one.
    fn create(&self, path: &Path) -> io::Result<Self::File>;
    /// Opens a file for reading and writing.
    fn open(&self, path: &Path) -> io::Result<Self::File>;
    /// Opens a file for reading alone, as a disk that takes nothing wants it.
    fn open_to_read(&self, path: &Path) -> io::Result<Self::File>;
    /// Likewise, with `WouldBlock` if that may have to wait for the storage.
    fn open_now(&self, path: &Path) -> io::Result<Self::File>;
    /// Locks a file against others who lock it; `false` if another has it. Ends when the file is closed.
    fn try_lock(&self, file: &Self::File) -> io::Result<bool>;
    /// The size of a file, and whether its name is still there.
    fn measure(&self, file: &Self::File) -> io::Result<(u64, bool)>;
    /// Cuts a file off.
    fn truncate(&self, file: &Self::File, size: u64) -> io::Result<()>;
    /// Writes all of `bytes` at `offset`.
    fn write_at(&self, file: &Self::File, bytes: &[u8], offset: u64) -> io::Result<()>;
    /// Reads some bytes at `offset`; none only at the end.
    fn read_at(&self, file: &Self::File, into: &mut [u8], offset: u64) -> io::Result<usize>;
    /// Likewise, with `WouldBlock` or `Unsupported` if that may have to wait for the storage.
    fn read_now(&self, file: &Self::File, into: &mut [u8], offset: u64) -> io::Result<usize>;
    /// Waits until a file's content and size are on the storage.
    fn sync_file(&self, file: &Self::File) -> io::Result<()>;
    /// Waits until a folder's entries are on the storage.
    fn sync_dir(&self, path: &Path) -> io::Result<()>;
    /// Removes a file's name.
    fn remove(&self, path: &Path) -> io::Result<()>;
    /// The names in a folder, in any order.
    fn names(&self, path: &Path) -> io::Result<Vec<String>>;
    /// Size and time of the last change of what is at `path`.
    fn stat(&self, path: &Path) -> io::Result<(u64, Timestamp)>;
}

/// The disk of this machine.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Files;

impl Disk for Files {
    type File = File;

    fn make_dir(&self, path: &Path) -> io::Result<()> {
        match DirBuilder::new().mode(0o700).create(path) {
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists && path.is_dir() => Ok(()),
            done => done,
        }
    }

    fn create(&self, path: &Path) -> io::Result<File> {
        OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(path)
    }

    fn open(&self, path: &Path) -> io::Result<File> {
        OpenOptions::new().read(true).write(true).open(path)
    }

    fn open_to_read(&self, path: &Path) -> io::Result<File> {
        File::open(path)
    }

    fn open_now(&self, path: &Path) -> io::Result<File> {
        let flags = OFlags::RDONLY | OFlags::CLOEXEC;
        Ok(rustix::fs::openat2(CWD, path, flags, Mode::empty(), ResolveFlags::CACHED)?.into())
    }

    fn try_lock(&self, file: &File) -> io::Result<bool> {
        match file.try_lock() {
            Ok(()) => Ok(true),
            Err(TryLockError::WouldBlock) => Ok(false),
            Err(TryLockError::Error(e)) => Err(e),
        }
    }

    fn measure(&self, file: &File) -> io::Result<(u64, bool)> {
        let about = file.metadata()?;
        Ok((about.len(), about.nlink() > 0))
    }

    fn truncate(&self, file: &File, size: u64) -> io::Result<()> {
        file.set_len(size)
    }

    fn write_at(&self, file: &File, bytes: &[u8], offset: u64) -> io::Result<()> {
        file.write_all_at(bytes, offset)
    }

    fn read_at(&self, file: &File, into: &mut [u8], offset: u64) -> io::Result<usize> {
        loop {
            match file.read_at(into, offset) {
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                done => return done,
            }
        }
    }

    fn read_now(&self, file: &File, into: &mut [u8], offset: u64) -> io::Result<usize> {
        Ok(rustix::io::preadv2(file, &mut [IoSliceMut::new(into)], offset, ReadWriteFlags::NOWAIT)?)
    }

    fn sync_file(&self, file: &File) -> io::Result<()> {
        file.sync_all()
    }

    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        File::open(path)?.sync_all()
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }

    fn names(&self, path: &Path) -> io::Result<Vec<String>> {
        fs::read_dir(path)?.filter_map(|entry| entry.map(|e| e.file_name().into_string().ok()).transpose()).collect()
    }

    fn stat(&self, path: &Path) -> io::Result<(u64, Timestamp)> {
        let about = fs::metadata(path)?;
        let since = about.modified()?.duration_since(UNIX_EPOCH).unwrap_or_default();
        Ok((about.len(), Timestamp::from_millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))))
    }
}
