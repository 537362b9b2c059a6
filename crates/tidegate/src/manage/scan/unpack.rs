//! Looking into what is packed: gzip, Zstandard, tar and zip, within one another.
//!
//! All of it is a stream: nothing is written, no name is believed, and of each level a piece is held. What is packed in itself, or
//! unpacks to out of all proportion, is left at a bound, and said.

use std::cell::Cell;
use std::io::{self, BufRead, BufReader, Read};
use std::rc::Rc;

use flate2::bufread::{DeflateDecoder, GzDecoder, MultiGzDecoder};
use ruzstd::decoding::StreamingDecoder;

/// How deep something may be packed in something. An image's layer in an image's archive in a zip is 4: zip, tar, gzip, tar.
const DEPTH: usize = 6;
/// What one file may unpack to, all levels summed.
const MOST: u64 = 16 << 30;
/// How many times larger than what was read it may be, beyond a first part that is always free.
const RATIO: u64 = 300;
const FREE: u64 = 64 << 20;
/// A block of tar, and what is looked at to tell what something is.
const BLOCK: usize = 512;
/// Names of files in archives are shown so far.
const NAME: usize = 300;

/// Whoever wants to see what is in there.
pub(super) trait Finder {
    /// Reads a file to its end.
    fn scan(&mut self, name: &str, from: &mut dyn Read) -> io::Result<()>;

    /// Is told what could not be unpacked.
    fn trouble(&mut self, name: &str, error: &io::Error);
}

/// What something is, by its first bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    Plain,
    Gzip,
    Zstandard,
    Tar,
    Zip,
}

impl Kind {
    fn of(head: &[u8]) -> Self {
        match head {
            [0x1f, 0x8b, 8, ..] if begins(GzDecoder::new(head)) => Self::Gzip,
            [0x28, 0xb5, 0x2f, 0xfd, ..] => Self::Zstandard,
            [b'P', b'K', 3, 4, ..] => Self::Zip,
            _ if Entry::read(head).is_some() => Self::Tar,
            _ => Self::Plain,
        }
    }
}

/// Does it unpack at all? That the first bytes end says nothing.
fn begins(mut decoder: impl Read) -> bool {
    decoder.read(&mut [0]).map_or_else(|error| error.kind() == io::ErrorKind::UnexpectedEof, |_| true)
}

/// What was read of a file, and what came of it.
#[derive(Clone, Default)]
struct Budget {
    read: Rc<Cell<u64>>,
    unpacked: Rc<Cell<u64>>,
}

impl Budget {
    fn is_spent(&self) -> bool {
        let unpacked = self.unpacked.get();
        unpacked > MOST || unpacked > FREE.saturating_add(self.read.get().saturating_mul(RATIO))
    }
}

/// Counts what is read of the file.
struct Counted<'r>(&'r mut dyn Read, Rc<Cell<u64>>);

impl Read for Counted<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.0.read(buffer)?;
        self.1.set(self.1.get().saturating_add(length as u64));
        Ok(length)
    }
}

/// Counts what something unpacks to, and ends it where that is too much.
struct Bounded<R>(R, Budget);

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.1.is_spent() {
            return Err(io::Error::other("it unpacks to out of all proportion, and was left there"));
        }
        let length = self.0.read(buffer)?;
        self.1.unpacked.set(self.1.unpacked.get().saturating_add(length as u64));
        Ok(length)
    }
}

/// Looks through a file, packed or not.
pub(super) fn look_into(name: &str, from: &mut dyn Read, finder: &mut dyn Finder) -> io::Result<()> {
    let budget = Budget::default();
    let mut from = Counted(from, Rc::clone(&budget.read));
    Unpacking { finder, budget }.look(name, &mut from, 0)
}

struct Unpacking<'f> {
    finder: &'f mut dyn Finder,
    budget: Budget,
}

impl Unpacking<'_> {
    fn look(&mut self, name: &str, from: &mut dyn Read, depth: usize) -> io::Result<()> {
        let mut head = Vec::with_capacity(BLOCK);
        let begun = from.take(BLOCK as u64).read_to_end(&mut head);
        let kind = Kind::of(&head);
        let mut whole = BufReader::new(head.as_slice().chain(from));
        if let Err(error) = begun {
            // What was read before it broke off counts too.
            self.finder.scan(name, &mut head.as_slice())?;
            return Err(error);
        }
        if kind != Kind::Plain && depth == DEPTH {
            self.finder.scan(name, &mut whole)?;
            return Err(io::Error::other("it is packed too deep, and was left there"));
        }
        match kind {
            Kind::Plain => self.finder.scan(name, &mut whole),
            Kind::Gzip => self.look(name, &mut self.bounded(MultiGzDecoder::new(&mut whole)), depth + 1),
            Kind::Zstandard => {
                let decoder = StreamingDecoder::new(&mut whole).map_err(io::Error::other)?;
                self.look(name, &mut self.bounded(decoder), depth + 1)
            }
            Kind::Tar => self.tar(name, &mut whole, depth + 1),
            Kind::Zip => self.zip(name, &mut whole, depth + 1),
        }
    }

    fn bounded<R: Read>(&self, decoder: R) -> Bounded<R> {
        Bounded(decoder, self.budget.clone())
    }

    /// Looks through something in an archive; what it does not read is skipped, and what is wrong with it is not the archive's end.
    fn look_at_entry(&mut self, name: &str, from: &mut dyn Read, depth: usize) -> io::Result<()> {
        let looked = self.look(name, from, depth);
        match looked.and_then(|()| io::copy(from, &mut io::sink()).map(drop)) {
            Err(error) if self.budget.is_spent() => Err(error),
            Err(error) => {
                self.finder.trouble(name, &error);
                Ok(())
            }
            Ok(()) => Ok(()),
        }
    }

    /// POSIX.1-1988 tar: blocks of 512 bytes, a header before each file. Whatever has content is looked at, long names and further
    /// headers too.
    fn tar(&mut self, archive: &str, from: &mut dyn Read, depth: usize) -> io::Result<()> {
        let mut block = Vec::with_capacity(BLOCK);
        loop {
            block.clear();
            from.take(BLOCK as u64).read_to_end(&mut block)?;
            match Entry::read(&block) {
                Some(entry) => {
                    let padded = entry.size.checked_next_multiple_of(BLOCK as u64).unwrap_or(u64::MAX);
                    let mut content = from.take(entry.size);
                    self.look_at_entry(&inside(archive, &entry.name), &mut content, depth)?;
                    let unread = content.limit();
                    io::copy(&mut from.take(unread + (padded - entry.size)), &mut io::sink())?;
                }
                // Two empty blocks end it; some have more, or another archive, behind.
                None if block.len() == BLOCK && block.iter().all(|byte| *byte == 0) => {}
                None => return self.finder.scan(archive, &mut block.as_slice().chain(from)),
            }
        }
    }

    /// zip (APPNOTE 6.3), from its beginning: a header before each file. What stands behind the last one is looked at as it is.
    fn zip(&mut self, archive: &str, from: &mut dyn BufRead, depth: usize) -> io::Result<()> {
        let mut signature = Vec::new();
        from.take(4).read_to_end(&mut signature)?;
        while signature == LOCAL_FILE {
            let file = LocalFile::read(from)?;
            let name = inside(archive, &file.name);
            match (file.method, file.size) {
                (STORED, Some(size)) => self.zipped(&name, &mut from.take(size), depth, false)?,
                (DEFLATED, Some(size)) => self.zipped(&name, &mut from.take(size), depth, true)?,
                // It says by itself where it ends; how long it was stands behind.
                (DEFLATED, None) => {
                    let mut inflated = self.bounded(DeflateDecoder::new(&mut *from));
                    self.look_at_entry(&name, &mut inflated, depth)?;
                }
                (_, size) => {
                    self.finder.trouble(&name, &io::Error::other("it is packed or encrypted in a way that is not known here"));
                    self.finder.scan(&name, &mut from.take(size.unwrap_or(u64::MAX)))?;
                }
            }
            signature = next_signature(from, file.size.is_none())?;
        }
        self.finder.scan(archive, &mut signature.as_slice().chain(from))
    }

    fn zipped(&mut self, name: &str, content: &mut dyn BufRead, depth: usize, deflated: bool) -> io::Result<()> {
        if deflated {
            let mut inflated = self.bounded(DeflateDecoder::new(&mut *content));
            self.look_at_entry(name, &mut inflated, depth)?;
        } else {
            self.look_at_entry(name, &mut &mut *content, depth)?;
        }
        io::copy(content, &mut io::sink()).map(drop)
    }
}

/// What is shown of a file in an archive.
fn inside(archive: &str, name: &str) -> String {
    let clean: String = name.chars().take(NAME).map(|c| if c.is_control() { '?' } else { c }).collect();
    format!("{archive}!{clean}")
}

/// The header of a file in a tar archive.
struct Entry {
    name: String,
    size: u64,
}

impl Entry {
    /// None: it is no header.
    fn read(block: &[u8]) -> Option<Self> {
        let field = |at: usize, length: usize| block.get(at..at + length);
        if block.len() != BLOCK || field(257, 5)? != b"ustar" || octal(field(148, 8)?)? != checksum(block) {
            return None;
        }
        let text = |field: &[u8]| String::from_utf8_lossy(field.split(|byte| *byte == 0).next().unwrap_or_default()).into_owned();
        let (prefix, name) = (text(field(345, 155)?), text(field(0, 100)?));
        // GNU writes other things where POSIX has a prefix.
        let posix = field(257, 6)? == b"ustar\0" && !prefix.is_empty();
        Some(Self { name: if posix { format!("{prefix}/{name}") } else { name }, size: size(field(124, 12)?)? })
    }
}

/// The sum of the bytes, those of the sum itself as spaces.
fn checksum(block: &[u8]) -> u64 {
    let bytes = block.iter().enumerate();
    bytes.map(|(at, byte)| if (148..156).contains(&at) { u64::from(b' ') } else { u64::from(*byte) }).sum()
}

fn octal(field: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(field).ok()?.trim_matches(['\0', ' ']);
    if text.is_empty() { Some(0) } else { u64::from_str_radix(text, 8).ok() }
}

/// In octal digits, or, where the first bit is set, in binary.
fn size(field: &[u8]) -> Option<u64> {
    match field {
        [first, ..] if first & 0x80 != 0 => Some(u64::from_be_bytes(field.last_chunk().copied()?)),
        _ => octal(field),
    }
}

const LOCAL_FILE: &[u8] = b"PK\x03\x04";
const BEHIND: [&[u8]; 3] = [LOCAL_FILE, b"PK\x01\x02", b"PK\x05\x06"];
const STORED: u16 = 0;
const DEFLATED: u16 = 8;
/// An encrypted file, whatever packs it.
const ENCRYPTED: u16 = u16::MAX;

/// The header of a file in a zip archive, behind its signature.
struct LocalFile {
    name: String,
    method: u16,
    /// How long its content is; none: that stands behind it.
    size: Option<u64>,
}

impl LocalFile {
    fn read(from: &mut dyn BufRead) -> io::Result<Self> {
        let mut fixed = [0; 26];
        from.read_exact(&mut fixed)?;
        let two = |at: usize| match fixed.get(at..at + 2) {
            Some([low, high]) => u16::from_le_bytes([*low, *high]),
            _ => 0,
        };
        let (flags, method, size) = (two(2), two(4), u32::from(two(14)) | (u32::from(two(16)) << 16));
        let mut name = Vec::new();
        from.take(u64::from(two(22))).read_to_end(&mut name)?;
        io::copy(&mut from.take(u64::from(two(24))), &mut io::sink())?;
        let known = flags & 8 == 0 && size != u32::MAX;
        let method = if flags & 1 == 0 { method } else { ENCRYPTED };
        Ok(Self { name: String::from_utf8_lossy(&name).into_owned(), method, size: known.then_some(u64::from(size)) })
    }
}

/// The four bytes that begin what comes next; where a length stands between, behind it.
fn next_signature(from: &mut dyn BufRead, after_length: bool) -> io::Result<Vec<u8>> {
    let mut seen = Vec::new();
    from.take(4).read_to_end(&mut seen)?;
    // Checksum and two lengths, of 8 bytes each at most, with a signature of their own.
    for _ in 0..if after_length { 24 } else { 0 } {
        if seen.len() < 4 || BEHIND.contains(&seen.as_slice()) {
            break;
        }
        seen.remove(0);
        from.take(1).read_to_end(&mut seen)?;
    }
    Ok(seen)
}

#[cfg(test)]
mod tests;
