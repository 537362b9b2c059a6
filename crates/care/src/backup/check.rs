//! Is a backup as it was made? Every piece is read: what a restore would need is all that counts.

use std::collections::HashSet;
use std::fs;
use std::io;
use std::path::Path;

use model::Algorithm;
use secrets::MasterKeys;
use serde::Serialize;

use super::manifest::{MAC_FILE, Manifest, Signature, TablePiece};
use super::piece::{Piece, PieceReader};
use super::rows::{BlobRow, BlobRows};
use super::target::{Target, key_text};
use crate::CareError;
use crate::hashing::digest_of_file;
use crate::progress::{Progress, Report};

/// Problems that are listed; more are counted.
const LISTED: usize = 1000;

/// What is wrong with a piece of a backup.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Problem {
    /// Which piece: a file below the folder.
    pub piece: String,
    /// What is wrong with it.
    pub problem: String,
}

/// What a check of a backup has found.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Checked {
    /// Which backup.
    pub name: String,
    /// Who vouches for it.
    pub signature: Signature,
    /// Rows read.
    pub rows: u64,
    /// Blobs read.
    pub blobs: u64,
    /// Bytes of blobs read.
    pub blob_bytes: u64,
    /// Blobs that the backup says it does not have.
    pub known_missing: u64,
    /// What is wrong, the first thousand.
    pub problems: Vec<Problem>,
    /// How many things are wrong.
    pub problem_count: u64,
}

impl Checked {
    fn problem(&mut self, piece: impl Into<String>, problem: &(impl ToString + ?Sized)) {
        self.problem_count += 1;
        if self.problems.len() < LISTED {
            self.problems.push(Problem { piece: piece.into(), problem: problem.to_string() });
        }
    }

    /// Is everything as it was made?
    pub fn is_whole(&self) -> bool {
        self.problem_count == 0
    }
}

/// Reads everything that a snapshot needs: the youngest, or that of this name.
pub fn check_snapshot(target: &Target, name: Option<&str>, keys: Option<&MasterKeys>, report: Report<'_>) -> Result<Checked, CareError> {
    let name = target.choose(name)?;
    let folder = target.snapshot(&name);
    let (manifest, signature) = Manifest::read(&folder, keys)?;
    let mut checked = Checked {
        name,
        signature,
        rows: 0,
        blobs: 0,
        blob_bytes: 0,
        known_missing: manifest.missing_blobs.len() as u64,
        problems: Vec::new(),
        problem_count: 0,
    };
    if checked.signature == Signature::Bad {
        checked.problem(MAC_FILE, "the manifest was changed, or made with another master key of the same id");
    }
    check_rows(&manifest, &folder, &mut checked, report);
    if let Some(piece) = &manifest.master_key {
        check_piece(&folder, piece, &mut checked);
    }
    // Rows that are damaged name no blobs.
    if checked.is_whole() {
        check_blobs(target, &manifest, &folder, &mut checked, report)?;
    }
    Ok(checked)
}

fn check_rows(manifest: &Manifest, folder: &Path, checked: &mut Checked, report: Report<'_>) {
    for table in &manifest.tables {
        if check_piece(folder, &table.piece, checked) {
            match count(folder, table) {
                Ok(rows) if rows == table.rows => checked.rows += rows,
                Ok(rows) => checked.problem(&table.piece.file, &format!("it has {rows} rows instead of {}", table.rows)),
                Err(error) => checked.problem(&table.piece.file, &error),
            }
        }
        report(Progress::Rows { table: &table.table, done: table.rows });
    }
}

fn count(folder: &Path, table: &TablePiece) -> io::Result<u64> {
    let mut rows = 0;
    for row in PieceReader::open(&folder.join(&table.piece.file))? {
        if row?.len() != table.columns.len() {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "a row has another number of columns"));
        }
        rows += 1;
    }
    Ok(rows)
}

fn check_piece(folder: &Path, piece: &Piece, checked: &mut Checked) -> bool {
    let before = checked.problem_count;
    match piece_of(folder, &piece.file) {
        Ok(found) if found == *piece => {}
        Ok(found) if found.bytes != piece.bytes => {
            checked.problem(&piece.file, &format!("it has {} bytes instead of {}", found.bytes, piece.bytes));
        }
        Ok(_) => checked.problem(&piece.file, "its content has changed"),
        Err(error) => checked.problem(&piece.file, &error),
    }
    checked.problem_count == before
}

/// A file as a piece.
pub(super) fn piece_of(folder: &Path, file: &str) -> io::Result<Piece> {
    let (digest, bytes) = digest_of_file(&folder.join(file), Algorithm::Sha256)?;
    Ok(Piece { file: file.to_owned(), bytes, sha256: hex::encode(digest.as_bytes()) })
}

fn check_blobs(target: &Target, manifest: &Manifest, folder: &Path, checked: &mut Checked, report: Report<'_>) -> Result<(), CareError> {
    let known_missing: HashSet<&String> = manifest.missing_blobs.iter().collect();
    for blob in BlobRows::open(folder, &manifest.tables)? {
        let blob = blob?;
        let key = key_text(blob.key);
        if known_missing.contains(&key) {
            continue;
        }
        match check_blob(target, &blob) {
            Ok(()) => (checked.blobs, checked.blob_bytes) = (checked.blobs + 1, checked.blob_bytes + blob.size),
            Err(problem) => checked.problem(format!("blob {key} ({})", blob.digest), &problem),
        }
        report(Progress::Blobs { what: "checked", done: checked.blobs, of: Some(manifest.blobs.count), bytes: checked.blob_bytes });
    }
    Ok(())
}

fn check_blob(target: &Target, blob: &BlobRow) -> Result<(), String> {
    let path = target.blob(blob.key);
    let size = fs::metadata(&path).map_err(|error| error.to_string())?.len();
    if size != blob.size {
        return Err(format!("it has {size} bytes instead of {}", blob.size));
    }
    match digest_of_file(&path, blob.digest.algorithm()) {
        Ok((digest, _)) if digest == blob.digest => Ok(()),
        Ok((digest, _)) => Err(format!("its content has changed: it is {digest} now")),
        Err(error) => Err(error.to_string()),
    }
}
