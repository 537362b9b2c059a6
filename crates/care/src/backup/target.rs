//! The folder that backups go into: `snapshots/NAME/` holds the rows of one moment, `blobs/SHARD/KEY` the content of all of
//! them, each once. Content never changes under its key, so that the next backup copies what is new alone.

use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use model::{Timestamp, UploadId};
use store::DirectoryLock;

use super::manifest::{sync_folder, write_file};
use crate::CareError;

const MARK: &str = "tidegate-backup";
const MARK_TEXT: &str = "Backups of Tidegate, format 1. See docs/backup.md.\n";
/// A snapshot under way has a name that ends so.
const PART: &str = ".part";

/// A folder of backups.
#[derive(Debug)]
pub struct Target {
    root: PathBuf,
    _lock: Option<DirectoryLock>,
}

impl Target {
    /// Opens the folder for writing, alone, making it where there is none or an empty one.
    pub fn create(root: &Path) -> Result<Self, CareError> {
        let failed = CareError::file(root);
        let marked = root.join(MARK).is_file();
        if !marked && fs::read_dir(root).is_ok_and(|mut entries| entries.next().is_some()) {
            let text = format!("{} is neither empty nor a folder of backups: choose another one", root.display());
            return Err(CareError::Refused(text));
        }
        make(root).map_err(failed)?;
        let lock = DirectoryLock::acquire(root).map_err(|_| in_use(root))?;
        let target = Self { root: root.to_owned(), _lock: Some(lock) };
        target.furnish().map_err(CareError::file(root))?;
        Ok(target)
    }

    /// Opens the folder for reading.
    pub fn open(root: &Path) -> Result<Self, CareError> {
        if !root.join(MARK).is_file() {
            return Err(CareError::refused(format!("{} is no folder of backups: there is no file {MARK} in it", root.display())));
        }
        Ok(Self { root: root.to_owned(), _lock: None })
    }

    fn furnish(&self) -> io::Result<()> {
        make(&self.root.join("snapshots"))?;
        make(&self.root.join("blobs"))?;
        for shard in 0..=255_u8 {
            make(&self.shard(shard))?;
        }
        sync_folder(&self.root.join("blobs"))?;
        if !self.root.join(MARK).exists() {
            write_file(&self.root.join(MARK), MARK_TEXT.as_bytes())?;
        }
        sync_folder(&self.root)
    }

    fn shard(&self, shard: u8) -> PathBuf {
        self.root.join("blobs").join(format!("{shard:02x}"))
    }

    /// Where content lies.
    pub(crate) fn blob(&self, key: UploadId) -> PathBuf {
        let [shard, ..] = key.as_i64().to_le_bytes();
        self.shard(shard).join(key_text(key))
    }

    /// Where content lies while it is copied.
    pub(crate) fn blob_part(&self, key: UploadId) -> PathBuf {
        self.blob(key).with_extension("part")
    }

    /// Sees every name of content on the disk.
    pub(crate) fn sync_blobs(&self) -> io::Result<()> {
        (0..=255).try_for_each(|shard| sync_folder(&self.shard(shard)))
    }

    /// Every file below `blobs`, with the key that its name says.
    pub(crate) fn each_blob(&self, mut each: impl FnMut(&Path, Option<UploadId>) -> io::Result<()>) -> io::Result<()> {
        for shard in 0..=255_u8 {
            for entry in fs::read_dir(self.shard(shard))? {
                let path = entry?.path();
                each(&path, path.file_name().and_then(|name| name.to_str()).and_then(key_of))?;
            }
        }
        Ok(())
    }

    /// The whole snapshots by name, oldest first.
    pub(crate) fn names(&self) -> io::Result<Vec<String>> {
        let entries = fs::read_dir(self.root.join("snapshots"))?;
        let names: io::Result<Vec<_>> = entries.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned())).collect();
        let mut names: Vec<String> = names?.into_iter().filter(|name| !name.ends_with(PART)).collect();
        names.sort_unstable();
        Ok(names)
    }

    /// The snapshot of this name, or the youngest.
    pub(crate) fn choose(&self, name: Option<&str>) -> Result<String, CareError> {
        let names = self.names().map_err(CareError::file(&self.root))?;
        match name {
            None => names.last().cloned().ok_or_else(|| CareError::refused(format!("there is no whole backup in {}", self.root.display()))),
            Some(name) if names.iter().any(|known| known == name) => Ok(name.to_owned()),
            Some(name) => {
                Err(CareError::refused(format!("there is no backup {name} in {}: see `tidegate backup list`", self.root.display())))
            }
        }
    }

    pub(crate) fn snapshot(&self, name: &str) -> PathBuf {
        self.root.join("snapshots").join(name)
    }

    /// A folder for a new snapshot of this moment: its name, and where it is until it is whole.
    pub(crate) fn begin(&self, now: Timestamp) -> Result<(String, PathBuf), CareError> {
        let parent = self.root.join("snapshots");
        let begun = || {
            self.clear_parts()?;
            let plain = Timestamp::from_seconds(now.seconds()).to_string().replace(':', "");
            let name =
                (1..1000).map(|n| if n == 1 { plain.clone() } else { format!("{plain}-{n}") }).find(|name| !parent.join(name).exists());
            let name = name.unwrap_or(plain);
            let folder = parent.join(format!("{name}{PART}"));
            make(&folder)?;
            Ok((name, folder))
        };
        begun().map_err(CareError::file(&parent))
    }

    /// Deletes what others left half done: snapshots that are not whole yet, or not any more.
    pub(crate) fn clear_parts(&self) -> io::Result<()> {
        for entry in fs::read_dir(self.root.join("snapshots"))? {
            let path = entry?.path();
            if path.to_string_lossy().ends_with(PART) {
                fs::remove_dir_all(path)?;
            }
        }
        Ok(())
    }

    /// Deletes a snapshot. Interrupted, it leaves none: from the first moment it is not whole any more.
    pub(crate) fn retire(&self, name: &str) -> io::Result<()> {
        let (whole, part) = (self.snapshot(name), self.snapshot(&format!("{name}{PART}")));
        fs::rename(whole, &part)?;
        sync_folder(&self.root.join("snapshots"))?;
        fs::remove_dir_all(part)
    }

    /// Lets a snapshot be whole.
    pub(crate) fn publish(&self, name: &str, folder: &Path) -> io::Result<()> {
        sync_folder(folder)?;
        fs::rename(folder, self.snapshot(name))?;
        sync_folder(&self.root.join("snapshots"))
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }
}

fn in_use(root: &Path) -> CareError {
    CareError::refused(format!("{} cannot be written, or another backup is writing into it", root.display()))
}

fn make(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// A storage key as files are named.
pub(crate) fn key_text(key: UploadId) -> String {
    format!("{:016x}", key.as_i64())
}

fn key_of(name: &str) -> Option<UploadId> {
    let lower = name.len() == 16 && name.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte));
    i64::from_str_radix(name, 16).ok().filter(|_| lower).map(UploadId::from_i64)
}
