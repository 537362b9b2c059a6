//! A table as a file: lines of JSON, one an array of a row's values, compressed with gzip.
//!
//! A number is a `BIGINT`, a text a `TEXT`, `{"b": BASE64}` a `BYTEA`, null is null. So what one database wrote any other can read.

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead as _, BufReader, BufWriter, Read as _, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::read::MultiGzDecoder;
use flate2::write::GzEncoder;
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};
use sha2::{Digest as _, Sha256};
use store::Value;

/// The longest line that is read. The largest value is a manifest, of 4 MiB.
const MAX_LINE: u64 = 64 << 20;

/// A file of a backup, as the backup's manifest knows it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct Piece {
    pub(crate) file: String,
    pub(crate) bytes: u64,
    pub(crate) sha256: String,
}

/// Counts and hashes what is written into a file.
struct Tally {
    file: BufWriter<File>,
    hash: Sha256,
    bytes: u64,
}

impl Write for Tally {
    fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
        self.file.write_all(piece)?;
        self.hash.update(piece);
        self.bytes += piece.len() as u64;
        Ok(piece.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// A piece under way.
pub(crate) struct PieceWriter {
    out: GzEncoder<Tally>,
    file: String,
    pub(crate) rows: u64,
}

impl PieceWriter {
    pub(crate) fn create(folder: &Path, file: String) -> io::Result<Self> {
        let opened = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(folder.join(&file))?;
        let tally = Tally { file: BufWriter::new(opened), hash: Sha256::new(), bytes: 0 };
        Ok(Self { out: GzEncoder::new(tally, Compression::fast()), file, rows: 0 })
    }

    pub(crate) fn row(&mut self, values: &[Value]) -> io::Result<()> {
        let row: Vec<Json> = values.iter().map(encoded).collect();
        serde_json::to_writer(&mut self.out, &row)?;
        self.out.write_all(b"\n")?;
        self.rows += 1;
        Ok(())
    }

    /// Waits until it is on the disk.
    pub(crate) fn finish(self) -> io::Result<Piece> {
        let tally = self.out.finish()?;
        let file = tally.file.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.sync_all()?;
        Ok(Piece { file: self.file, bytes: tally.bytes, sha256: hex::encode(tally.hash.finalize()) })
    }
}

/// The rows of a piece.
pub(crate) struct PieceReader {
    lines: BufReader<MultiGzDecoder<BufReader<File>>>,
    line: Vec<u8>,
}

impl PieceReader {
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        let file = BufReader::new(File::open(path)?);
        Ok(Self { lines: BufReader::new(MultiGzDecoder::new(file)), line: Vec::new() })
    }

    fn read(&mut self) -> io::Result<Option<Vec<Value>>> {
        self.line.clear();
        if (&mut self.lines).take(MAX_LINE).read_until(b'\n', &mut self.line)? == 0 {
            return Ok(None);
        }
        let row: Vec<Json> = serde_json::from_slice(&self.line)?;
        let values: Option<Vec<Value>> = row.into_iter().map(decoded).collect();
        values.map(Some).ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "a value that no column has"))
    }
}

impl Iterator for PieceReader {
    type Item = io::Result<Vec<Value>>;

    fn next(&mut self) -> Option<Self::Item> {
        self.read().transpose()
    }
}

fn encoded(value: &Value) -> Json {
    match value {
        Value::Null => Json::Null,
        Value::Int(number) => (*number).into(),
        Value::Text(text) => text.as_str().into(),
        Value::Bytes(bytes) => json!({ "b": STANDARD.encode(bytes) }),
    }
}

fn decoded(value: Json) -> Option<Value> {
    Some(match value {
        Json::Null => Value::Null,
        Json::Number(number) => Value::Int(number.as_i64()?),
        Json::String(text) => Value::Text(text),
        Json::Object(fields) => Value::Bytes(STANDARD.decode(fields.get("b")?.as_str()?).ok()?),
        Json::Bool(_) | Json::Array(_) => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_come_back_as_they_went() {
        let folder = tempfile::tempdir().unwrap();
        let rows = [
            vec![Value::Null, Value::Int(i64::MIN), Value::Int(i64::MAX)],
            vec![Value::Text("a\n\"\u{e9}\u{0}".to_owned()), Value::Text(String::new()), Value::Bytes((0..=255).collect())],
        ];
        let mut writer = PieceWriter::create(folder.path(), "x".to_owned()).unwrap();
        for row in &rows {
            writer.row(row).unwrap();
        }
        let piece = writer.finish().unwrap();
        let whole = std::fs::read(folder.path().join("x")).unwrap();
        assert_eq!((piece.bytes, piece.sha256), (whole.len() as u64, hex::encode(Sha256::digest(&whole))));
        let read: Vec<_> = PieceReader::open(&folder.path().join("x")).unwrap().map(Result::unwrap).collect();
        assert_eq!(read, rows);
    }
}
