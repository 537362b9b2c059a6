//! What a snapshot is made of: `manifest.json`, and beside it the code that shows who made it.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use model::Timestamp;
use secrets::{KeyId, MasterKey, MasterKeys};
use serde::{Deserialize, Serialize};
use store::Applied;

use super::piece::Piece;
use crate::CareError;

/// Raised when an older version could no longer read a backup.
pub(crate) const FORMAT: u32 = 1;
pub(crate) const FILE: &str = "manifest.json";
pub(crate) const MAC_FILE: &str = "manifest.mac";
/// What is read of it.
const MAX_BYTES: u64 = 64 << 20;

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Manifest {
    pub(crate) format: u32,
    pub(crate) made_by: String,
    pub(crate) taken_at: Timestamp,
    /// `sqlite` or `postgres`; it may be restored into either.
    pub(crate) database: String,
    pub(crate) schema: Vec<Step>,
    /// The change feed's number at that moment.
    pub(crate) change_feed: i64,
    pub(crate) tables: Vec<TablePiece>,
    pub(crate) blobs: BlobCount,
    /// Storage keys of blobs that the store itself did not have whole.
    pub(crate) missing_blobs: Vec<String>,
    /// Under which master keys its secrets lie.
    pub(crate) master_keys: Vec<String>,
    /// The master key itself, if that was wished for.
    pub(crate) master_key: Option<Piece>,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct Step {
    pub(crate) number: i64,
    pub(crate) name: String,
    pub(crate) checksum: String,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct TablePiece {
    pub(crate) table: String,
    pub(crate) columns: Vec<String>,
    pub(crate) rows: u64,
    #[serde(flatten)]
    pub(crate) piece: Piece,
}

#[derive(Clone, Copy, Default, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct BlobCount {
    pub(crate) count: u64,
    pub(crate) bytes: u64,
}

impl From<Applied> for Step {
    fn from(applied: Applied) -> Self {
        Self { number: applied.number, name: applied.name, checksum: applied.checksum }
    }
}

/// Who vouches for a backup.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Signature {
    /// It was made with this master key, and its manifest is unchanged since.
    Good(KeyId),
    /// It was made with a master key that is not at hand: damage is found, a forgery is not.
    Unknown(String),
    /// The code is not that of this manifest: somebody has changed one of the two.
    Bad,
}

impl Manifest {
    pub(crate) fn table(&self, name: &str) -> Option<&TablePiece> {
        self.tables.iter().find(|table| table.table == name)
    }

    /// Writes it, and the code over it.
    pub(crate) fn write(&self, folder: &Path, key: &MasterKey) -> io::Result<()> {
        let text = serde_json::to_vec_pretty(self)?;
        let mac = format!("{} {}\n", key.id(), hex::encode(key.backup_mac(&text)));
        write_file(&folder.join(MAC_FILE), mac.as_bytes())?;
        write_file(&folder.join(FILE), &text)
    }

    /// Reads it, with who vouches for it.
    pub(crate) fn read(folder: &Path, keys: Option<&MasterKeys>) -> Result<(Self, Signature), CareError> {
        let path = folder.join(FILE);
        let size = fs::metadata(&path).map_err(CareError::file(&path))?.len();
        if size > MAX_BYTES {
            return Err(CareError::damaged(FILE, "it is too large"));
        }
        let text = fs::read(&path).map_err(CareError::file(&path))?;
        let mac = fs::read_to_string(folder.join(MAC_FILE)).map_err(|error| CareError::damaged(MAC_FILE, &error))?;
        let signature = signature(&text, &mac, keys)?;
        let format: Format = serde_json::from_slice(&text).map_err(|error| CareError::damaged(FILE, &error))?;
        if format.format != FORMAT {
            let text = format!("the backup has format {}, this version reads {FORMAT}: use the version that made it", format.format);
            return Err(CareError::Refused(text));
        }
        let manifest: Self = serde_json::from_slice(&text).map_err(|error| CareError::damaged(FILE, &error))?;
        let mut pieces = manifest.tables.iter().map(|table| &table.piece).chain(&manifest.master_key);
        match pieces.find(|piece| !is_plain(&piece.file)) {
            Some(piece) => Err(CareError::damaged(FILE, &format!("{:?} is no name of a piece", piece.file))),
            None => Ok((manifest, signature)),
        }
    }
}

/// A name that leads nowhere else.
fn is_plain(name: &str) -> bool {
    let letters = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-'));
    letters && !name.starts_with('.') && !name.is_empty()
}

#[derive(Deserialize)]
struct Format {
    format: u32,
}

fn signature(text: &[u8], mac: &str, keys: Option<&MasterKeys>) -> Result<Signature, CareError> {
    let shape = || CareError::damaged(MAC_FILE, "it is no key's id and code");
    let (id, code) = mac.trim().split_once(' ').ok_or_else(shape)?;
    let code = hex::decode(code).map_err(|_| shape())?;
    let mut bytes = [0; 4];
    hex::decode_to_slice(id, &mut bytes).map_err(|_| shape())?;
    let id = KeyId::from_bytes(bytes);
    Ok(match keys.and_then(|keys| keys.find(id)) {
        None => Signature::Unknown(id.to_string()),
        Some(key) if key.is_backup_mac(text, &code) => Signature::Good(id),
        Some(_) => Signature::Bad,
    })
}

/// Writes a file for the owner alone, and sees it on the disk.
pub(crate) fn write_file(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?;
    file.write_all(content)?;
    file.sync_all()
}

/// Sees the names in a folder on the disk.
pub(crate) fn sync_folder(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}
