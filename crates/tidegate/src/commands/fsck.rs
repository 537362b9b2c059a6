//! `tidegate fsck`: every row against every blob and back, beside a running server; and what can be mended, mended.

use std::fmt::Write as _;
use std::process::ExitCode;
use std::sync::Arc;

use care::{Checkup, Contents, Finding, Fsck, Looked, Repair};
use clap::Args;
use kit::Randomness as _;
use model::Clock as _;
use store::{Store, StoreError};

use super::Failure;
use super::beside::{Teller, block_on, finish};
use crate::config::{Config, MachineArguments};
use crate::house::{blobs_to_read, database, refused};
use crate::jobs::job_op;
use crate::printer::{Format, Output, harmless};
use crate::system::{SystemClock, SystemRandom, environment};

#[derive(Debug, Args)]
#[command(after_help = "Exit code 0: nothing is wrong, or nothing any more. 1: something is wrong, or it could not be looked at.")]
pub(super) struct Arguments {
    /// Mend what can be mended: rows that say what is not so go, and counts are counted anew. On SQLite the server must be stopped
    #[arg(long)]
    repair: bool,
    /// Read all content, and compare every digest: this takes as long as reading all of it
    #[arg(long)]
    verify_content: bool,
    /// With --repair: give up the blobs that are lost, even where they are most of all
    #[arg(long, requires = "repair")]
    accept_loss: bool,
    /// Print JSON or a table [default: a table on a terminal, JSON elsewhere]
    #[arg(short, long, value_enum, value_name = "FORMAT")]
    output: Option<Format>,
    #[command(flatten)]
    machine: MachineArguments,
}

pub(super) fn run(arguments: &Arguments) -> ExitCode {
    finish(arguments.output, check(arguments))
}

fn check(arguments: &Arguments) -> Result<Output, Failure> {
    let config = arguments.machine.load(environment())?;
    let op = job_op(SystemClock.now());
    let mut bits = [0; 4];
    SystemRandom::open().fill(&mut bits);
    let repair = arguments.repair.then_some(Repair { op: &op, node: u32::from_be_bytes(bits), accept_loss: arguments.accept_loss });
    let teller = Teller::default();
    let checkup = block_on(async {
        let store = Arc::new(open(&config, arguments.repair).await?);
        let contents = Contents { store, blobs: blobs_to_read(&config)?, read: arguments.verify_content };
        let fsck = Fsck { contents, clock: Arc::new(SystemClock), grace: config.collection.times.grace, repair };
        Ok(fsck.run(&|progress| teller.tell(progress)).await?)
    })?;
    Ok(Output::found(&checkup, told(&checkup, arguments), checkup.sound))
}

/// Mending needs a SQLite database alone: a server keeps rows of it in memory.
async fn open(config: &Config, repair: bool) -> Result<Store, Failure> {
    let database = database(config);
    let opened = if repair { Store::open_as_it_is(&database).await } else { Store::peek(&database).await };
    opened.map_err(|error| match error {
        StoreError::InUse(path) => format!(
            "a server runs on {}: stop it before you mend its database, for it keeps rows of it in memory (without --repair, fsck \
             runs beside it)",
            path.display()
        )
        .into(),
        error => refused(config, &error).into(),
    })
}

fn told(checkup: &Checkup, arguments: &Arguments) -> String {
    let mut text: String = checkup.findings.iter().map(line).collect();
    let more = checkup.found - checkup.findings.len() as u64;
    if more > 0 {
        // Writing to a `String` cannot fail.
        let _ = writeln!(text, "and {more} more of the kind.");
    }
    let _ = writeln!(text, "{}", looked_at(&checkup.looked_at, arguments.verify_content));
    let (blobs, objects) = (checkup.collectable.blobs, checkup.collectable.objects);
    if blobs + objects > 0 {
        let bytes = checkup.collectable.bytes;
        let _ = writeln!(text, "Nobody needs {blobs} blobs and {objects} pieces of content ({bytes} bytes): the collection takes them.");
    }
    if checkup.index_parts_missing > 0 {
        let missing = checkup.index_parts_missing;
        let _ = writeln!(text, "{missing} manifests that indexes name are not there: they were deleted, or never pushed.");
    }
    let _ = match (checkup.found, checkup.mended, checkup.left) {
        (0, ..) => write!(text, "Nothing is wrong."),
        (found, mended, 0) => write!(text, "{found} things were wrong, and {mended} were mended: nothing is left."),
        (found, 0, _) => write!(text, "{found} things are wrong."),
        (found, mended, left) => write!(text, "{found} things were wrong: {mended} were mended, {left} are left."),
    };
    text
}

fn line(finding: &Finding) -> String {
    let state = if finding.mended { "mended" } else { "wrong" };
    let mut text = format!("{state:<8}{}: {}\n", harmless(&finding.what), harmless(&finding.problem));
    if !finding.images.is_empty() {
        let _ = writeln!(text, "        images: {}", harmless(&finding.images.join(", ")));
    }
    text
}

fn looked_at(looked: &Looked, content: bool) -> String {
    let Looked { blobs, blob_bytes, objects, links, references, tags, manifests, namespaces } = looked;
    let read = if content { format!(", {manifests} manifests, all content read") } else { String::new() };
    format!(
        "Looked at {blobs} blobs ({blob_bytes} bytes), {objects} pieces of content, {links} links, {references} parts of manifests, {tags} \
         tags, {namespaces} namespaces{read}."
    )
}
