//! `tidegate audit verify`: the whole trail over the management API, or an export in a file.

use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};

use api::{AuditRecordQuery, AuditTrail};
use chain::{Begin, Belief, End, Format, Keys, Report, Verifier};
use clap::Args;
use client::Tidegate;

use super::PAGE;
use crate::manage::{CommandError, input};
use crate::printer::{Harm, Output};

/// Retention may take away what is being read: then it is read again.
const TRIES: usize = 3;

#[derive(Args, Debug)]
pub(crate) struct Arguments {
    /// Verify this export instead of asking the server; needs --keys
    #[arg(long, value_name = "FILE", requires = "keys")]
    file: Option<PathBuf>,
    /// Believe the public keys in this file alone, as `audit keys` has printed them before
    #[arg(long, value_name = "FILE")]
    keys: Option<PathBuf>,
    /// The trail must contain the checkpoint in this file: what an earlier `audit verify -o json` printed, or its `checkpoint`
    #[arg(long, value_name = "FILE")]
    checkpoint: Option<PathBuf>,
}

impl Arguments {
    pub(super) fn file(&self) -> Option<&Path> {
        self.file.as_deref()
    }

    fn pinned(&self) -> Result<Option<Keys>, CommandError> {
        self.keys.as_deref().map(|path| parse_keys(&input::document(path)?, path)).transpose()
    }

    /// A checkpoint as it stands, or in the report of an earlier verification.
    fn kept(&self) -> Result<Option<String>, CommandError> {
        let Some(path) = &self.checkpoint else { return Ok(None) };
        let text = input::document(path)?;
        let report = serde_json::from_str::<serde_json::Value>(&text).ok();
        let named = report.and_then(|report| report.get("checkpoint").and_then(|c| c.as_str().map(str::to_owned)));
        Ok(Some(named.unwrap_or(text)))
    }
}

fn parse_keys(text: &str, path: &Path) -> Result<Keys, CommandError> {
    Keys::parse(text).map_err(|error| CommandError::Usage(format!("{}: {error}", path.display())))
}

/// The whole trail, as the server has it.
pub(super) async fn online(arguments: &Arguments, client: &Tidegate) -> Result<Output, CommandError> {
    let (pinned, kept) = (arguments.pinned()?, arguments.kept()?);
    for _ in 1..TRIES {
        let (report, still) = read(client, pinned.as_ref(), kept.as_deref()).await?;
        if report.whole || still {
            return Ok(output(&report));
        }
    }
    Ok(output(&read(client, pinned.as_ref(), kept.as_deref()).await?.0))
}

/// Reads it once; whether it still begins where it began.
async fn read(client: &Tidegate, pinned: Option<&Keys>, kept: Option<&str>) -> Result<(Report, bool), CommandError> {
    let trail = client.audit().trail().await?;
    let published = published(&trail)?;
    let begin = trail.begin.clone().map_or(Begin::First, Begin::Behind);
    // The server has named all keys; whoever trusts it in nothing believes each key that an old one hands over to.
    let (keys, belief) = pinned.map_or((&published, Belief::All), |pinned| (pinned, Belief::Successors));
    let mut verifier = Verifier::new(keys, belief, &begin);
    if let Some(checkpoint) = kept {
        verifier.expect(checkpoint);
    }
    let query = AuditRecordQuery { limit: u32::try_from(PAGE).ok(), ..AuditRecordQuery::default() };
    let mut pages = client.audit().records(&query);
    let mut end: Option<AuditTrail> = None;
    loop {
        let records = pages.next().await?;
        for record in &records {
            verifier.record(record);
        }
        match (records.is_empty(), end.take()) {
            // Nothing more, and nothing since the head was read.
            (true, Some(end)) => return Ok((verifier.finish(End::Whole(end.head.as_deref())), end.begin == trail.begin)),
            (true, None) => end = Some(client.audit().trail().await?),
            (false, _) => {}
        }
    }
}

fn published(trail: &AuditTrail) -> Result<Keys, CommandError> {
    let pem: String = trail.keys.iter().map(|key| key.public_key_pem.as_str()).collect();
    Keys::parse(&pem).map_err(|error| CommandError::Usage(format!("the server's keys: {error}")))
}

/// An export: what is in it, from its first record to its last.
pub(super) fn file(arguments: &Arguments, path: &Path) -> Result<Output, CommandError> {
    let unreadable = |cause| CommandError::File { path: path.to_owned(), cause };
    let (keys, kept) = (arguments.pinned()?.unwrap_or_default(), arguments.kept()?);
    let mut lines = BufReader::new(File::open(path).map_err(unreadable)?).lines().peekable();
    let first = lines.peek().and_then(|line| line.as_deref().ok()).and_then(|line| Format::read(line).ok());
    let begin = if first.is_some_and(|record| record.sequence() == 1) { Begin::First } else { Begin::Anywhere };
    let mut verifier = Verifier::new(&keys, Belief::Successors, &begin);
    if let Some(checkpoint) = kept {
        verifier.expect(&checkpoint);
    }
    for (number, line) in (1..).zip(lines) {
        match Format::read(&line.map_err(unreadable)?) {
            Ok(record) => verifier.record(&record),
            Err(_) => verifier.unreadable(number),
        }
    }
    Ok(output(&verifier.finish(End::Part)))
}

fn output(report: &Report) -> Output {
    let lines = report.problems.iter().map(|problem| match &problem.at {
        Some(at) => format!("record {} ({}, {}): {}", at.sequence, at.event_id, at.time, problem.problem),
        None => problem.problem.clone(),
    });
    let text = || format!("the audit trail is not whole:\n  {}", lines.collect::<Vec<_>>().join("\n  "));
    let harm = (!report.whole).then(|| Harm { code: "not_whole", text: text() });
    Output::Verdict(serde_json::to_value(report).unwrap_or_default(), harm)
}
