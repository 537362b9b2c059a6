//! `tidegate signing-key …`

use clap::Subcommand;
use client::Tidegate;

use super::CommandError;
use crate::printer::{Format, Output};

const COLUMNS: &[&str] = &["kid", "algorithm", "created_at", "signs_from", "retires_at"];

#[derive(Subcommand, Debug)]
pub(crate) enum Command {
    /// List the keys whose signatures hold
    List,
    /// Print public keys as PEM, as other registries read them
    Export {
        /// This key alone [default: all]
        kid: Option<String>,
    },
    /// Begin a new key; the old one retires when its last token has ended
    Rotate,
}

pub(super) async fn run(command: Command, client: &Tidegate, asked: Option<Format>) -> Result<Output, CommandError> {
    let keys = client.signing_keys();
    let kid = match command {
        Command::List => return Ok(Output::many(&keys.list().await?, COLUMNS)),
        Command::Rotate => return Ok(Output::many(&keys.rotate().await?, COLUMNS)),
        Command::Export { kid } => kid,
    };
    let mut found = keys.list().await?;
    found.retain(|key| kid.as_ref().is_none_or(|kid| *kid == key.kid));
    if let (Some(kid), true) = (kid, found.is_empty()) {
        return Err(CommandError::Usage(format!("there is no signing key {kid}: `tidegate signing-key list` shows them")));
    }
    // The answer of an export is a file for another program, unless JSON was asked for.
    match asked {
        Some(Format::Json) => Ok(Output::many(&found, COLUMNS)),
        _ => Ok(Output::Text(found.iter().map(|key| key.public_key_pem.as_str()).collect())),
    }
}
