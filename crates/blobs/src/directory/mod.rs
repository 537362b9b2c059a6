//! The directory back end: `DIR/blobs/SHARD/KEY`, where KEY is the key's sixteen hex digits and SHARD the last two of
//! them. All 256 shards are made when the directory is opened, so that a new file never needs a new folder.

mod append;
#[cfg(test)]
mod crash_tests;
mod disk;
#[cfg(test)]
mod lossy;
mod read;

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use model::{ObjectId, UploadId};

pub(crate) use append::Upload;
use disk::Disk;
pub(crate) use disk::Files;
pub(crate) use read::Reading;

use crate::jobs::Jobs;
use crate::{BlobError, OpenError, Options, Stored};

const SHARDS: u16 = 256;
/// No key: what a probe writes.
const PROBE: &str = "probe";

/// A directory on some disk.
#[derive(Clone)]
pub(crate) struct Directory<D: Disk> {
    disk: D,
    jobs: Jobs,
    root: Arc<Path>,
}

impl<D: Disk> fmt::Debug for Directory<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Directory").field(&self.root).finish()
    }
}

impl<D: Disk> Directory<D> {
    /// Makes what is missing, waits until that is on the storage, and tries to write.
    pub(crate) fn open(disk: D, dir: &Path, options: Options) -> Result<Self, OpenError> {
        let root: Arc<Path> = dir.join("blobs").into();
        let opened = Self { disk, jobs: Jobs::new(options.jobs), root };
        let tried = opened.make_folders(dir).and_then(|()| opened.probe());
        tried.map_err(|source| OpenError { path: dir.to_path_buf(), source })?;
        Ok(opened)
    }

    /// Makes nothing, and tries nothing but that the folder is there.
    pub(crate) fn look_into(disk: D, dir: &Path, options: Options) -> Result<Self, OpenError> {
        let root: Arc<Path> = dir.join("blobs").into();
        let opened = Self { disk, jobs: Jobs::new(options.jobs), root };
        let there = opened.disk.stat(&opened.root);
        there.map_err(|source| OpenError { path: dir.to_path_buf(), source })?;
        Ok(opened)
    }

    fn make_folders(&self, dir: &Path) -> io::Result<()> {
        for path in self.missing_folders(dir) {
            self.disk.make_dir(path)?;
            self.disk.sync_dir(path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new(".")))?;
        }
        self.disk.make_dir(&self.root)?;
        self.disk.sync_dir(dir)?;
        for shard in 0..SHARDS {
            self.disk.make_dir(&self.shard(shard))?;
        }
        self.disk.sync_dir(&self.root)
    }

    /// Those of `dir` and its parents that are not there, outermost first.
    fn missing_folders<'a>(&self, dir: &'a Path) -> Vec<&'a Path> {
        let named = dir.ancestors().filter(|path| !path.as_os_str().is_empty());
        let mut missing: Vec<&Path> = named.take_while(|path| self.disk.stat(path).is_err()).collect();
        missing.reverse();
        missing
    }

    fn probe(&self) -> io::Result<()> {
        let path = self.shard(0).join(PROBE);
        let tried = self.disk.create(&path).and_then(|file| self.disk.write_at(&file, b"?", 0));
        // Also where there was room for the file and none for its content: what is left would hide that from the next probe.
        self.disk.remove(&path).or_else(no_such_file)?;
        match tried {
            // Another node is probing now, or stopped while it did: then the removal has told.
            Err(e) if e.kind() != io::ErrorKind::AlreadyExists => Err(e),
            _ => Ok(()),
        }
    }

    fn shard(&self, shard: u16) -> PathBuf {
        self.root.join(format!("{shard:02x}"))
    }

    fn path(&self, key: UploadId) -> PathBuf {
        self.shard(shard_of(key)).join(file_name(key))
    }

    /// A job that gets this directory. What is missing where the whole folder is has not gone: its disk is not mounted.
    async fn run<T, F>(&self, work: F) -> Result<T, BlobError>
    where
        T: Send + 'static,
        F: FnOnce(Self) -> Result<T, BlobError> + Send + 'static,
    {
        let this = self.clone();
        self.jobs.run(move || work(this.clone()).map_err(|error| this.unless_away(error))).await
    }

    fn unless_away(&self, error: BlobError) -> BlobError {
        match error {
            BlobError::Missing if let Err(away) = self.disk.stat(&self.shard(0)) => {
                BlobError::Unavailable(io::Error::other(format!("the folder of the blobs is not there: {away}")))
            }
            other => other,
        }
    }

    pub(crate) async fn create(&self, key: UploadId) -> Result<Upload<D>, BlobError> {
        self.run(move |dir| {
            let file = dir.disk.create(&dir.path(key))?;
            dir.claim(key, file)
        })
        .await
    }

    pub(crate) async fn resume(&self, key: UploadId) -> Result<Upload<D>, BlobError> {
        self.run(move |dir| {
            let file = dir.disk.open(&dir.path(key))?;
            dir.claim(key, file)
        })
        .await
    }

    fn claim(self, key: UploadId, file: D::File) -> Result<Upload<D>, BlobError> {
        if !self.disk.try_lock(&file)? {
            return Err(BlobError::Busy);
        }
        Ok(Upload::new(self, key, file))
    }

    pub(crate) async fn delete(&self, key: UploadId) -> Result<(), BlobError> {
        let removed = self.run(move |dir| Ok(dir.disk.remove(&dir.path(key))?)).await;
        removed.or_else(|error| if matches!(error, BlobError::Missing) { Ok(()) } else { Err(error) })
    }

    pub(crate) async fn size(&self, key: UploadId) -> Result<u64, BlobError> {
        self.run(move |dir| Ok(dir.disk.stat(&dir.path(key))?.0)).await
    }

    pub(crate) async fn ping(&self) -> Result<(), BlobError> {
        self.run(|dir| Ok(dir.probe()?)).await
    }

    pub(crate) async fn list(&self, after: Option<UploadId>, at_most: usize) -> Result<Vec<Stored>, BlobError> {
        let mut page = Vec::new();
        for shard in after.map_or(0, shard_of)..SHARDS {
            let room = at_most.max(1) - page.len();
            page.extend(self.run(move |dir| dir.list_shard(shard, after, room)).await?);
            if page.len() >= at_most.max(1) {
                break;
            }
        }
        Ok(page)
    }

    /// The first `room` files of a shard that come after a key, by (shard, key).
    fn list_shard(&self, shard: u16, after: Option<UploadId>, room: usize) -> Result<Vec<Stored>, BlobError> {
        let folder = self.shard(shard);
        let later = |key: &UploadId| after.is_none_or(|after| (shard, *key) > (shard_of(after), after));
        let mut keys: Vec<UploadId> = self.disk.names(&folder)?.iter().filter_map(|name| key_of(name)).filter(later).collect();
        keys.sort_unstable();
        let about = |key| match self.disk.stat(&folder.join(file_name(key))) {
            Ok((size, modified)) => Some(Ok(Stored { key, size, modified })),
            Err(e) if e.kind() == io::ErrorKind::NotFound => None,
            Err(e) => Some(Err(e.into())),
        };
        keys.into_iter().filter_map(about).take(room).collect()
    }
}

fn no_such_file(error: io::Error) -> io::Result<()> {
    if error.kind() == io::ErrorKind::NotFound { Ok(()) } else { Err(error) }
}

fn shard_of(key: UploadId) -> u16 {
    u16::from(key.as_i64().to_le_bytes().first().copied().unwrap_or_default())
}

fn file_name(key: UploadId) -> String {
    format!("{:016x}", key.as_i64())
}

/// The key whose file is called `name`; nothing else that lies in the folder is ever touched.
fn key_of(name: &str) -> Option<UploadId> {
    name.parse::<ObjectId>().ok()?;
    i64::from_str_radix(name, 16).ok().map(UploadId::from_i64)
}
