//! `tidegate audit …`

mod export;
mod list;
mod verify;

use std::path::PathBuf;

use clap::{Subcommand, ValueEnum};
use client::Tidegate;
use model::Timestamp;

use super::{CommandError, input};
use crate::printer::{Format, Output};

const KEY_COLUMNS: &[&str] = &["kid", "algorithm", "created_at"];
/// The most that the server answers at once.
const PAGE: usize = 1000;

#[derive(Subcommand, Debug)]
pub(crate) enum Command {
    /// List what happened, newest first
    List(Box<list::Arguments>),
    /// Verify that nothing was changed, deleted, moved or put in; exit code 0 when the trail is whole
    Verify(verify::Arguments),
    /// Write sealed records out, oldest first
    Export {
        /// Sealed at this time or later: 2026-01-31T12:00:00Z
        #[arg(long, value_name = "TIME", value_parser = input::time)]
        since: Option<Timestamp>,
        /// Sealed before this time
        #[arg(long, value_name = "TIME", value_parser = input::time)]
        until: Option<Timestamp>,
        /// One record a line, or one CloudEvents 1.0 event a line
        #[arg(long, value_enum, value_name = "FORMAT", default_value_t = Lines::Jsonl)]
        format: Lines,
        /// To this file, written whole or not at all [default: standard output]
        #[arg(long, value_name = "FILE")]
        to: Option<PathBuf>,
    },
    /// Print the public keys that sign the trail as PEM, to verify an export without the server
    Keys,
    /// Begin a new key that signs the trail; the old one hands over to it in each account's trail
    RotateKey,
    /// How long the trail is kept
    #[command(subcommand)]
    Retention(Retention),
}

/// How long the trail is kept.
#[derive(Subcommand, Debug)]
pub(crate) enum Retention {
    /// Show how long the trail is kept, and within which bounds the account may say so
    Show,
    /// Say how long the trail is kept; whole days go, oldest first
    Set {
        /// So many days
        #[arg(long, value_name = "N", required_unless_present = "server_default")]
        days: Option<i64>,
        /// As long as the server's setting says
        #[arg(long, conflicts_with = "days")]
        server_default: bool,
    },
}

/// How records are written.
#[derive(Clone, Copy, ValueEnum, Debug)]
pub(crate) enum Lines {
    /// JSON lines.
    Jsonl,
    /// CloudEvents.
    Cloudevents,
}

/// What needs no server.
pub(super) fn offline(command: &Command) -> Option<Result<Output, CommandError>> {
    match command {
        Command::Verify(arguments) => arguments.file().map(|file| verify::file(arguments, file)),
        _ => None,
    }
}

pub(super) async fn run(command: Command, client: &Tidegate, asked: Option<Format>) -> Result<Output, CommandError> {
    match command {
        Command::List(arguments) => list::run(*arguments, client).await,
        Command::Verify(arguments) => verify::online(&arguments, client).await,
        Command::Export { since, until, format, to } => export::run(client, (since, until), format, to).await,
        Command::Keys => keys(client, asked).await,
        Command::RotateKey => Ok(Output::many(&client.audit().rotate_key().await?, KEY_COLUMNS)),
        Command::Retention(Retention::Show) => Ok(Output::one(&client.audit().retention().await?)),
        Command::Retention(Retention::Set { days, server_default: _ }) => Ok(Output::one(&client.audit().set_retention(days).await?)),
    }
}

/// The answer is a file for a later verification, unless JSON was asked for.
async fn keys(client: &Tidegate, asked: Option<Format>) -> Result<Output, CommandError> {
    let keys = client.audit().trail().await?.keys;
    match asked {
        Some(Format::Json) => Ok(Output::many(&keys, KEY_COLUMNS)),
        _ => Ok(Output::Text(keys.iter().map(|key| key.public_key_pem.as_str()).collect())),
    }
}
