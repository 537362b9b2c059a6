//! Walking through files, and what is found in them.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{self, IsTerminal as _, Read};
use std::path::{Path, PathBuf};

use api::Secret;
use model::{Clock as _, Timestamp};
use secrets::{Found, Kind, Scanner, Shape};

use super::unpack;
use crate::printer::note;
use crate::system::SystemClock;

/// Read in one go.
const PIECE: usize = 64 * 1024;
/// Findings that are kept; whoever has more has found out enough.
const MOST: usize = 10_000;
/// How often a person is told how far it is.
const TELL_EVERY_MS: i64 = 2000;

/// A secret, and where it stands.
#[derive(Debug)]
pub(super) struct Finding {
    pub(super) path: String,
    pub(super) line: u64,
    pub(super) column: u64,
    pub(super) kind: &'static str,
    pub(super) masked: String,
    pub(super) secret: Secret,
}

/// A walk through files and folders: nothing is followed or skipped; what is packed is looked into.
#[derive(Debug)]
pub(super) struct Walk {
    now: Timestamp,
    told: Timestamp,
    files: u64,
    bytes: u64,
    pub(super) unread: u64,
    cut: bool,
    pub(super) findings: Vec<Finding>,
}

impl Walk {
    pub(super) const fn starting(now: Timestamp) -> Self {
        Self { now, told: now, files: 0, bytes: 0, unread: 0, cut: false, findings: Vec::new() }
    }

    /// A file, a folder with everything in it, or standard input.
    pub(super) fn look_into(&mut self, path: &Path) {
        if path.as_os_str() == "-" {
            return self.read("(standard input)", Ok(io::stdin().lock()));
        }
        // What is named is looked at even through a link; what is found on the way is not.
        match fs::metadata(path) {
            Ok(found) if found.is_dir() => self.look_through(path),
            Ok(_) => self.read_file(path),
            Err(error) => self.unreadable(&path.display().to_string(), &error),
        }
    }

    fn look_through(&mut self, folder: &Path) {
        let mut waiting: Vec<PathBuf> = vec![folder.to_owned()];
        while let Some(folder) = waiting.pop() {
            match fs::read_dir(&folder) {
                Ok(entries) => entries.for_each(|entry| self.look_at(entry, &folder, &mut waiting)),
                Err(error) => self.unreadable(&folder.display().to_string(), &error),
            }
        }
    }

    fn look_at(&mut self, entry: io::Result<fs::DirEntry>, folder: &Path, waiting: &mut Vec<PathBuf>) {
        let kind = entry.and_then(|entry| Ok((entry.path(), entry.file_type()?)));
        match kind {
            Ok((path, kind)) if kind.is_dir() => waiting.push(path),
            Ok((path, kind)) if kind.is_file() => self.read_file(&path),
            // Links lead elsewhere; pipes and devices have no end.
            Ok(_) => {}
            Err(error) => self.unreadable(&folder.display().to_string(), &error),
        }
    }

    fn read_file(&mut self, path: &Path) {
        self.read(&path.display().to_string(), File::open(path));
    }

    fn read(&mut self, name: &str, from: io::Result<impl Read>) {
        if let Err(error) = from.and_then(|mut from| unpack::look_into(name, &mut from, self)) {
            self.unreadable(name, &error);
        }
    }

    fn stream(&mut self, from: &mut dyn Read, found: &mut dyn FnMut(Found)) -> io::Result<()> {
        let mut scanner = Scanner::default();
        let mut piece = vec![0; PIECE];
        let mut count = 0;
        // What one file holds is bounded as all of them are.
        let mut some = |one: Found| {
            count += 1;
            if count <= MOST {
                found(one);
            }
        };
        let outcome = loop {
            match from.read(&mut piece) {
                Ok(0) => break Ok(()),
                Ok(length) => {
                    scanner.feed(piece.get(..length).unwrap_or_default(), &mut some);
                    self.bytes += length as u64;
                    self.tell();
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => break Err(error),
            }
        };
        // What was read before it broke off counts too.
        scanner.finish(&mut some);
        outcome
    }

    fn tell(&mut self) {
        let now = SystemClock.now();
        if now.millis_since(self.told) >= TELL_EVERY_MS && io::stderr().is_terminal() {
            self.told = now;
            note(&format!("… {} files, {} MiB, {} found", self.files, self.bytes >> 20, self.findings.len()));
        }
    }

    fn unreadable(&mut self, name: &str, error: &io::Error) {
        self.unread += 1;
        note(&format!("{name} cannot be read: {error}"));
    }

    pub(super) fn summary(&self) -> String {
        let files = if self.files == 1 { "file" } else { "files" };
        let mut text = format!("{} {files}, {} bytes looked through, {} found", self.files, self.bytes, self.findings.len());
        if self.unread > 0 {
            let _ = write!(text, "; {} could not be read", self.unread);
        }
        if self.cut {
            text.push_str("; there are more than these");
        }
        text
    }
}

impl unpack::Finder for Walk {
    fn scan(&mut self, name: &str, from: &mut dyn Read) -> io::Result<()> {
        let mut findings = Vec::new();
        let read = self.stream(from, &mut |found| findings.push(found));
        let room = MOST.saturating_sub(self.findings.len());
        let now = self.now;
        let mut found = findings.into_iter().filter_map(|found| finding(name, &found, now));
        self.findings.extend(found.by_ref().take(room));
        self.cut |= found.next().is_some();
        self.files += u64::from(read.is_ok());
        read
    }

    fn trouble(&mut self, name: &str, error: &io::Error) {
        self.unreadable(name, error);
    }
}

/// Other people's tokens are none of ours, and what has ended opens nothing.
fn finding(path: &str, found: &Found, now: Timestamp) -> Option<Finding> {
    let kind = match found.shape {
        Shape::Secret(Kind::AccessCredential) => "access_credential",
        Shape::Secret(Kind::AccessKeySecret) => "access_key_secret",
        Shape::Secret(Kind::ClientSecret) => "client_secret",
        Shape::Secret(Kind::AdminPassword) => "admin_password",
        Shape::Secret(Kind::SecurityToken) => "security_token",
        Shape::Token => tokens::sighted(found.secret.reveal()).filter(|seen| seen.until > now)?.kind.as_str(),
    };
    let (line, column, masked) = (found.line, found.column, found.masked());
    Some(Finding { path: path.to_owned(), line, column, kind, masked, secret: Secret::new(found.secret.reveal()) })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "tgc_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAA0VauYx";

    fn look(paths: &[&Path]) -> Walk {
        let mut walk = Walk::starting(Timestamp::from_millis(0));
        for path in paths {
            walk.look_into(path);
        }
        walk
    }

    #[test]
    fn folders_are_walked_and_links_are_not() {
        let folder = tempfile::tempdir().unwrap();
        let outside = tempfile::tempdir().unwrap();
        fs::write(outside.path().join("elsewhere"), SECRET).unwrap();
        fs::create_dir_all(folder.path().join("a/b")).unwrap();
        fs::write(folder.path().join("a/b/deep"), format!("x\ny {SECRET}")).unwrap();
        fs::write(folder.path().join("a/binary"), [b"\0\xff".as_slice(), SECRET.as_bytes()].concat()).unwrap();
        std::os::unix::fs::symlink(outside.path(), folder.path().join("link")).unwrap();
        std::os::unix::fs::symlink(folder.path(), folder.path().join("loop")).unwrap();
        let walk = look(&[folder.path()]);
        let mut places: Vec<_> = walk.findings.iter().map(|f| (f.path.rsplit('/').next().unwrap().to_owned(), f.line, f.column)).collect();
        places.sort();
        assert_eq!(places, [("binary".to_owned(), 1, 3), ("deep".to_owned(), 2, 3)]);
        assert_eq!((walk.files, walk.unread), (2, 0));
        assert_eq!(look(&[&folder.path().join("link")]).findings.len(), 1, "what is named is looked at");
    }

    #[test]
    fn what_cannot_be_read_is_counted() {
        let walk = look(&[Path::new("/nonexistent/file")]);
        assert_eq!((walk.files, walk.unread), (0, 1));
        assert!(walk.summary().contains("1 could not be read"));
    }

    #[test]
    fn findings_are_bounded() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("many"), SECRET.repeat(MOST + 5)).unwrap();
        fs::write(folder.path().join("more"), SECRET).unwrap();
        let walk = look(&[&folder.path().join("many"), &folder.path().join("more")]);
        assert_eq!(walk.findings.len(), MOST);
        assert!(walk.summary().ends_with("there are more than these"));
    }
}
