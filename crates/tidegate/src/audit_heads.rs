//! The signed heads of the audit trail, kept in the data folder: whoever sets the database back would have to come here too.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use trail::Trail;

/// What is read of the file.
const MAX: u64 = 16 * 1024 * 1024;

/// The file, and what stands in it.
#[derive(Clone, Debug)]
pub(crate) struct AuditHeads {
    path: PathBuf,
    kept: Arc<Mutex<Vec<String>>>,
}

impl AuditHeads {
    /// Lets the trail know what was kept. Without a file that can be read it goes by the database alone.
    pub(crate) fn open(data_dir: &Path, trail: &Trail) -> Self {
        let path = data_dir.join("audit-heads.json");
        match read(&path) {
            Ok(heads) => trail.remember(&heads),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => tracing::warn!(file = %path.display(), %error, "the kept heads of the audit trail cannot be read"),
        }
        Self { path, kept: Arc::default() }
    }

    /// Writes the heads down, if they have moved.
    pub(crate) fn keep(&self, trail: &Trail) {
        let mut heads = trail.heads();
        heads.sort_unstable();
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if *kept == heads {
            return;
        }
        match write(&self.path, &heads) {
            Ok(()) => *kept = heads,
            Err(error) => tracing::warn!(file = %self.path.display(), %error, "the heads of the audit trail cannot be kept"),
        }
    }
}

fn read(path: &Path) -> io::Result<Vec<String>> {
    let mut text = String::new();
    io::Read::read_to_string(&mut io::Read::take(File::open(path)?, MAX), &mut text)?;
    serde_json::from_str(&text).map_err(io::Error::from)
}

/// Whole or not at all.
fn write(path: &Path, heads: &[String]) -> io::Result<()> {
    let new = path.with_extension("new");
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&new)?;
    file.write_all(serde_json::to_string_pretty(heads)?.as_bytes())?;
    file.sync_all()?;
    fs::rename(&new, path)
}
