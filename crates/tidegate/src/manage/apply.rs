//! `tidegate apply` and `tidegate export`.

use std::io;
use std::path::PathBuf;

use clap::Args;
use client::Tidegate;
use declarative::{Exported, Options, Prune, Source};

use super::{ClientArguments, CommandError, Session};
use crate::printer::Output;

/// Documents, and how to apply them.
#[expect(clippy::struct_excessive_bools, reason = "they are the flags of the command line")]
#[derive(Args, Debug)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(super) client: ClientArguments,
    /// A file with documents (YAML or JSON), or a folder of them; - is standard input; may be repeated
    #[arg(short, long, value_name = "FILE", required = true)]
    file: Vec<PathBuf>,
    /// Show what would be changed, and change nothing
    #[arg(long)]
    dry_run: bool,
    /// Put this label on everything in the documents, and delete what carries it and is in none of them
    #[arg(long, value_name = "KEY=VALUE")]
    prune: Option<String>,
    /// Delete more than ten things
    #[arg(long, requires = "prune")]
    yes: bool,
    /// Set the passwords of users that have one already, too
    #[arg(long)]
    set_passwords: bool,
    /// Show the secrets of new service accounts that name no file for it
    #[arg(long)]
    show_secrets: bool,
}

/// What to write.
#[derive(Args, Debug)]
pub(crate) struct ExportArguments {
    #[command(flatten)]
    pub(super) client: ClientArguments,
    /// This kind alone: User, Policy …; may be repeated
    #[arg(long, value_name = "KIND", value_parser = clap::builder::PossibleValuesParser::new(declarative::kinds()))]
    kind: Vec<String>,
    /// Write to this file instead of standard output
    #[arg(short, long, value_name = "FILE")]
    file: Option<PathBuf>,
}

pub(super) async fn run(arguments: Arguments, session: &Session, client: &Tidegate) -> Result<Output, CommandError> {
    let sources = Source::read(&arguments.file, &mut io::stdin().lock())?;
    let options = Options {
        dry_run: arguments.dry_run,
        prune: arguments.prune.map(|label| Prune { label, any_number: arguments.yes }),
        set_passwords: arguments.set_passwords,
        show_secrets: arguments.show_secrets,
        environment: session.environment.clone(),
        now: session.now,
    };
    let report = declarative::apply(client, &sources, &options).await?;
    Ok(Output::report(&report.entries, report.to_string(), report.failure.map(CommandError::from)))
}

/// YAML, or with `-o json` a bare list of the same documents, which `apply` reads too.
pub(super) async fn run_export(arguments: ExportArguments, client: &Tidegate) -> Result<Output, CommandError> {
    let documents = declarative::export(client, &arguments.kind).await?;
    let json = arguments.client.output == Some(crate::printer::Format::Json);
    let text = if json { serde_json::to_string_pretty(&documents).unwrap_or_default() + "\n" } else { Exported::yaml(&documents) };
    let Some(path) = arguments.file else { return Ok(Output::Text(text)) };
    std::fs::write(&path, text).map_err(|cause| CommandError::Unwritable { path: path.clone(), cause })?;
    Ok(Output::Done(format!("Wrote {} documents to {}.", documents.len(), path.display())))
}
