//! Archives as the usual programs write them, and such as nobody should.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::{DeflateEncoder, GzEncoder};
use proptest::prelude::*;

use super::*;

const SECRET: &str = "the needle";

/// Keeps what it is shown.
#[derive(Default)]
struct Seen {
    files: Vec<(String, Vec<u8>)>,
    bytes: u64,
    trouble: Vec<(String, String)>,
}

impl Finder for Seen {
    fn scan(&mut self, name: &str, from: &mut dyn Read) -> io::Result<()> {
        let mut content = Vec::new();
        let read = from.read_to_end(&mut content);
        self.bytes += content.len() as u64;
        content.truncate(1000);
        self.files.push((name.to_owned(), content));
        read.map(drop)
    }

    fn trouble(&mut self, name: &str, error: &io::Error) {
        self.trouble.push((name.to_owned(), error.to_string()));
    }
}

fn look(bytes: &[u8]) -> (Seen, io::Result<()>) {
    let mut seen = Seen::default();
    let looked = look_into("f", &mut &*bytes, &mut seen);
    (seen, looked)
}

/// Where the needle stands.
fn found(bytes: &[u8]) -> Vec<String> {
    let (seen, looked) = look(bytes);
    looked.unwrap();
    assert!(seen.trouble.is_empty(), "{:?}", seen.trouble);
    let holds = |content: &[u8]| content.windows(SECRET.len()).any(|window| window == SECRET.as_bytes());
    seen.files.into_iter().filter(|(_, content)| holds(content)).map(|(name, _)| name).collect()
}

fn gzip(content: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

fn zstandard(content: &[u8]) -> Vec<u8> {
    ruzstd::encoding::compress_to_vec(content, ruzstd::encoding::CompressionLevel::Fastest)
}

fn tar(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut archive = Vec::new();
    for (name, content) in files {
        let mut head = [0_u8; BLOCK];
        let mut put = |at: usize, text: &str| head[at..at + text.len()].copy_from_slice(text.as_bytes());
        put(0, name);
        put(124, &format!("{:011o}\0", content.len()));
        put(156, "0");
        put(257, "ustar\x0000");
        let sum = checksum(&head);
        head[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        archive.extend_from_slice(&head);
        archive.extend_from_slice(content);
        archive.resize(archive.len().next_multiple_of(BLOCK), 0);
    }
    archive.resize(archive.len() + 2 * BLOCK, 0);
    archive
}

/// How a file is put into a zip.
#[derive(Clone, Copy)]
enum How {
    Stored,
    Deflated,
    /// Its length stands behind it.
    Streamed,
}

fn zip(files: &[(&str, How, &[u8])]) -> Vec<u8> {
    let mut archive = Vec::new();
    for (name, how, content) in files {
        let packed = if matches!(how, How::Stored) {
            content.to_vec()
        } else {
            let mut encoder = DeflateEncoder::new(Vec::new(), Compression::fast());
            encoder.write_all(content).unwrap();
            encoder.finish().unwrap()
        };
        let (flags, method) = match how {
            How::Stored => (0_u16, 0_u16),
            How::Deflated => (0, 8),
            How::Streamed => (8, 8),
        };
        let length = u32::try_from(packed.len()).unwrap();
        let said = if flags == 8 { 0 } else { length };
        archive.extend_from_slice(b"PK\x03\x04\x14\0");
        for field in [flags, method, 0, 0, 0, 0] {
            archive.extend_from_slice(&field.to_le_bytes());
        }
        archive.extend_from_slice(&said.to_le_bytes());
        archive.extend_from_slice(&said.to_le_bytes());
        archive.extend_from_slice(&u16::try_from(name.len()).unwrap().to_le_bytes());
        archive.extend_from_slice(&[0, 0]);
        archive.extend_from_slice(name.as_bytes());
        archive.extend_from_slice(&packed);
        if flags == 8 {
            archive.extend_from_slice(b"PK\x07\x08\x01\x02\x03\x04");
            archive.extend_from_slice(&length.to_le_bytes());
            archive.extend_from_slice(&length.to_le_bytes());
        }
    }
    archive.extend_from_slice(b"PK\x01\x02 what stands behind");
    archive
}

#[test]
fn what_is_packed_is_looked_into_however_deep() {
    let needle = SECRET.as_bytes();
    let layer = tar(&[("etc/passwd", b"x"), ("app/key", needle), ("empty", b""), ("app/other", needle)]);
    assert_eq!(found(needle), ["f"]);
    assert_eq!(found(&gzip(needle)), ["f"]);
    assert_eq!(found(&[gzip(b"first"), gzip(needle)].concat()), ["f"], "several members");
    assert_eq!(found(&zstandard(needle)), ["f"]);
    for packed in [layer.clone(), gzip(&layer), zstandard(&layer)] {
        assert_eq!(found(&packed), ["f!app/key", "f!app/other"]);
    }
    let image = tar(&[("manifest.json", b"{}"), ("blobs/sha256/1", &gzip(&layer)), ("blobs/sha256/2", &layer)]);
    let names = ["f!blobs/sha256/1!app/key", "f!blobs/sha256/1!app/other", "f!blobs/sha256/2!app/key", "f!blobs/sha256/2!app/other"];
    assert_eq!(found(&gzip(&image)), names);
    let files: [(&str, How, &[u8]); 5] = [
        ("a", How::Stored, needle),
        ("b", How::Deflated, needle),
        ("c", How::Streamed, needle),
        ("d.tar.gz", How::Deflated, &gzip(&layer)),
        ("e", How::Streamed, needle),
    ];
    assert_eq!(found(&zip(&files)), ["f!a", "f!b", "f!c", "f!d.tar.gz!app/key", "f!d.tar.gz!app/other", "f!e"]);
    assert_eq!(found(&gzip(&tar(&[("jar", &zip(&files[..2]))]))), ["f!jar!a", "f!jar!b"]);
    let behind = [tar(&[("a", b"x")]), needle.to_vec()].concat();
    assert_eq!(found(&behind), ["f"], "what stands behind an archive too");
    assert_eq!(found(&[b"\x1f\x8b\x08".as_slice(), &[0xff; 20], needle].concat()), ["f"], "what only looks packed");
}

#[test]
fn what_is_broken_is_said_and_is_not_the_end_of_what_stands_beside_it() {
    let mut broken = gzip(&tar(&[("x", &[7; 5000])]));
    broken.truncate(broken.len() / 2);
    let (seen, looked) = look(&tar(&[("broken.gz", &broken), ("key", SECRET.as_bytes())]));
    looked.unwrap();
    assert_eq!(seen.trouble.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), ["f!broken.gz"]);
    assert!(seen.files.iter().any(|(name, content)| name == "f!key" && content == SECRET.as_bytes()), "{:?}", seen.files);
    assert!(look(&broken).1.is_err());
}

#[test]
fn bombs_are_left_at_a_bound() {
    let flat = gzip(&vec![0; 40 << 20]);
    look(&flat).1.unwrap();
    let nested = gzip(&gzip(&vec![0; 100 << 20]));
    let (seen, looked) = look(&nested);
    let most = FREE + RATIO * nested.len() as u64 + (1 << 20);
    assert!(looked.is_err() && seen.bytes <= most, "{} bytes of {}: {looked:?}", seen.bytes, nested.len());
    let mut deep = SECRET.as_bytes().to_vec();
    for _ in 0..DEPTH + 3 {
        deep = gzip(&deep);
    }
    let (seen, looked) = look(&deep);
    assert!(looked.unwrap_err().to_string().contains("too deep"));
    assert_eq!(seen.files.len(), 1);
    let files: Vec<(&str, How, &[u8])> = vec![("same", How::Deflated, &flat[..]); 3];
    let (_, looked) = look(&gzip(&zip(&files)));
    assert!(looked.is_err(), "however many of them");
}

proptest! {
    #[test]
    fn no_bytes_break_it(mut bytes in proptest::collection::vec(any::<u8>(), 0..4000), kind in 0..5_usize, at in any::<prop::sample::Index>(), to in any::<u8>()) {
        let packed = match kind {
            0 => gzip(&bytes),
            1 => zstandard(&bytes),
            2 => tar(&[("a", &bytes), ("b", &bytes)]),
            3 => zip(&[("a", How::Stored, &bytes), ("b", How::Deflated, &bytes), ("c", How::Streamed, &bytes)]),
            _ => std::mem::take(&mut bytes),
        };
        let mut packed = packed;
        if !packed.is_empty() {
            let place = at.index(packed.len());
            packed[place] = to;
        }
        let _ = look(&packed);
    }
}
