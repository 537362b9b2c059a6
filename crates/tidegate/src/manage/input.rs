//! What people type: lengths of time, files, secrets.

use std::fs;
use std::io::{self, IsTerminal as _, Read as _};
use std::path::Path;

use api::Secret;
use clap::Args;
use model::Seconds;

use super::CommandError;
use crate::printer::note;

/// The most that is read of a document.
const MAX_DOCUMENT: u64 = 1024 * 1024;
/// The most that is read of a secret.
const MAX_SECRET: u64 = 4096;

/// Which instance.
#[derive(Args, Debug)]
pub(crate) struct InstanceArgument {
    /// The instance, by name or id [default: the one that the server's host name chooses]
    #[arg(long, value_name = "INSTANCE", default_value = client::HERE, hide_default_value = true)]
    pub(super) instance: String,
}

/// Reads `90d`, `12h`, `15m`, `90s`.
pub(super) fn duration(text: &str) -> Result<Seconds, String> {
    Seconds::parse(text).ok_or_else(|| "write it as a number and s, m, h or d: 90d, 12h, 15m".to_owned())
}

/// Reads `10GiB`, `500MB`, `1048576`.
pub(super) fn size(text: &str) -> Result<i64, String> {
    let units = [("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30), ("TiB", 1 << 40), ("KB", 1000), ("MB", 1_000_000)];
    let mut units = units.into_iter().chain([("GB", 1_000_000_000), ("TB", 1_000_000_000_000), ("B", 1)]);
    let split = units.find_map(|(unit, bytes)| Some((text.strip_suffix(unit)?, bytes)));
    let (number, unit) = split.unwrap_or((text, 1_i64));
    let number = number.trim_end().parse::<i64>().ok().filter(|number| *number >= 0);
    number
        .and_then(|number| number.checked_mul(unit))
        .ok_or_else(|| "write it as a number of bytes, or with a unit: 10GiB, 500MB".to_owned())
}

/// Reads an RFC 3339 time.
pub(super) fn time(text: &str) -> Result<model::Timestamp, String> {
    model::Timestamp::parse(text).ok_or_else(|| "write it as an RFC 3339 time: 2026-01-31T12:00:00Z".to_owned())
}

/// A document from a file, or from standard input for `-`.
pub(super) fn document(path: &Path) -> Result<String, CommandError> {
    let read = if path == Path::new("-") { read_some(io::stdin(), MAX_DOCUMENT) } else { open(path) };
    read.map_err(|cause| CommandError::File { path: path.to_owned(), cause })
}

fn open(path: &Path) -> io::Result<String> {
    read_some(fs::File::open(path)?, MAX_DOCUMENT)
}

fn read_some(from: impl io::Read, most: u64) -> io::Result<String> {
    let mut text = String::new();
    let size = from.take(most + 1).read_to_string(&mut text)?;
    if size as u64 > most {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, format!("it is larger than {most} bytes")));
    }
    Ok(text)
}

/// A new password: the whole of standard input without its last line break, or typed twice at a prompt.
pub(super) fn new_password(from_stdin: bool) -> Result<Secret, CommandError> {
    if from_stdin {
        let text = read_some(io::stdin(), MAX_SECRET).map_err(|e| CommandError::Usage(format!("the password cannot be read: {e}")))?;
        return Ok(Secret::new(text.strip_suffix('\n').map_or(&*text, |t| t.strip_suffix('\r').unwrap_or(t))));
    }
    if !io::stdin().is_terminal() {
        return Err(CommandError::Usage("there is no terminal to ask at: pipe the password in and say --password-stdin".to_owned()));
    }
    let ask = |what: &str| rpassword::prompt_password(what).map_err(|e| CommandError::Usage(format!("the password cannot be read: {e}")));
    let first = Secret::new(ask("New password: ")?);
    let again = Secret::new(ask("Once more: ")?);
    if first.reveal() == again.reveal() {
        return Ok(first);
    }
    Err(CommandError::Usage("the two passwords are not the same".to_owned()))
}

/// Asks a person at the terminal; where there is none, the answer is no.
pub(super) fn confirm(question: &str) -> bool {
    if !(io::stdin().is_terminal() && io::stderr().is_terminal()) {
        return false;
    }
    note(&format!("{question} [y/N]"));
    let mut answer = String::new();
    io::stdin().read_line(&mut answer).is_ok() && matches!(answer.trim(), "y" | "Y" | "yes")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_are_bounded() {
        assert_eq!(read_some(&b"abc"[..], 3).unwrap(), "abc");
        assert_eq!(read_some(&b"abcd"[..], 3).unwrap_err().kind(), io::ErrorKind::FileTooLarge);
    }
}
