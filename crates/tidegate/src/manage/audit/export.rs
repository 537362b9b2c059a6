//! `tidegate audit export`: page by page, to a file or to standard output.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use api::{AuditRecord, AuditRecordQuery};
use client::Tidegate;
use model::Timestamp;

use super::{Lines, PAGE};
use crate::manage::CommandError;
use crate::printer::{self, Output};

/// Where lines go.
enum Target {
    Standard,
    /// A file beside the one that is wanted, which takes its name when it is whole.
    File {
        path: PathBuf,
        part: PathBuf,
        writer: BufWriter<File>,
    },
}

pub(super) async fn run(
    client: &Tidegate,
    (since, until): (Option<Timestamp>, Option<Timestamp>),
    format: Lines,
    to: Option<PathBuf>,
) -> Result<Output, CommandError> {
    let format = match format {
        Lines::Jsonl => chain::Format::Jsonl,
        Lines::Cloudevents => chain::Format::CloudEvents,
    };
    let query = AuditRecordQuery { since, until, limit: u32::try_from(PAGE).ok(), after: None };
    let mut target = Target::open(to)?;
    let (mut pages, mut count) = (client.audit().records(&query), 0);
    loop {
        let records = pages.next().await?;
        if records.is_empty() {
            return target.finish(count);
        }
        count += records.len();
        target.write(format, &records)?;
    }
}

impl Target {
    fn open(to: Option<PathBuf>) -> Result<Self, CommandError> {
        let Some(path) = to else { return Ok(Self::Standard) };
        let mut part = path.clone().into_os_string();
        part.push(".part");
        let part = PathBuf::from(part);
        let file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&part);
        let writer = BufWriter::new(file.map_err(|cause| unwritable(&part, cause))?);
        Ok(Self::File { path, part, writer })
    }

    fn write(&mut self, format: chain::Format, records: &[AuditRecord]) -> Result<(), CommandError> {
        let lines: String = records.iter().map(|record| format.line(record) + "\n").collect();
        match self {
            Self::Standard => printer::print(&lines).map_err(|cause| unwritable(Path::new("standard output"), cause)),
            Self::File { part, writer, .. } => writer.write_all(lines.as_bytes()).map_err(|cause| unwritable(part, cause)),
        }
    }

    fn finish(self, count: usize) -> Result<Output, CommandError> {
        let Self::File { path, part, writer } = self else { return Ok(Output::Nothing) };
        let kept = || -> io::Result<()> {
            writer.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()?;
            fs::rename(&part, &path)
        };
        kept().map_err(|cause| unwritable(&path, cause))?;
        Ok(Output::Done(format!("{count} records are in {}.", path.display())))
    }
}

fn unwritable(path: &Path, cause: io::Error) -> CommandError {
    CommandError::Unwritable { path: path.to_owned(), cause }
}
