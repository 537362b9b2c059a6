//! `tidegate scan PATH…`: finds secrets of Tidegate in files, says whose they are, and disables them.
//!
//! What it finds it never prints: a mask stands for it. What it sends it sends to the server that is configured, and to no other.

mod lookup;
mod unpack;
mod walk;

use std::path::PathBuf;

use clap::Args;
use client::{ClientError, Tidegate};
use model::Clock as _;
use serde_json::{Value, json};

use self::lookup::Owners;
use self::walk::{Finding, Walk};
use super::{ClientArguments, CommandError, Session};
use crate::printer::{Output, note};
use crate::system::SystemClock;

const COLUMNS: &[&str] = &["place", "kind", "masked", "credential_id", "owner", "enabled", "last_used_at", "disabled"];

/// Exit code 0: everything was read and nothing was found. 1: something was found, or something could not be read or done.
#[derive(Args, Debug)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(super) client: ClientArguments,
    /// Files and folders to look through, with all that is in them, packed or not; `-`: standard input
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Disable every credential that is found, without asking
    #[arg(long)]
    disable: bool,
    /// Ask no server whose they are
    #[arg(long, conflicts_with = "disable")]
    offline: bool,
}

pub(super) async fn run(arguments: &Arguments, session: &Session) -> Result<Output, CommandError> {
    let mut walk = Walk::starting(SystemClock.now());
    arguments.paths.iter().for_each(|path| walk.look_into(path));
    note(&walk.summary());
    let mut owners = Owners::of(&walk.findings);
    let client = if arguments.offline || walk.findings.is_empty() { None } else { server(session)? };
    if let Some(client) = &client {
        let ask = !arguments.paths.iter().any(|path| path.as_os_str() == "-");
        owners.look_up(client).await;
        owners.disable(client, arguments.disable, ask).await;
    }
    let found: Vec<Value> = walk.findings.iter().map(|finding| shown(finding, &owners)).collect();
    let clean = found.is_empty() && walk.unread == 0;
    let output = Output::Many(found, COLUMNS);
    Ok(if clean { output } else { Output::Alarm(Box::new(output)) })
}

/// The server that is configured; none: then nobody is asked.
fn server(session: &Session) -> Result<Option<Tidegate>, CommandError> {
    match session.client() {
        Ok(client) => Ok(Some(client)),
        Err(CommandError::Client(ClientError::NoEndpoint | ClientError::NoAccessKey)) => {
            note("No server is configured, so nobody was asked whose they are (`tidegate configure`).");
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

fn shown(finding: &Finding, owners: &Owners) -> Value {
    let (owner, disabled) = owners.get(finding);
    let place = format!("{}:{}:{}", finding.path, finding.line, finding.column);
    let mut shown = json!({
        "place": place, "path": finding.path, "line": finding.line, "column": finding.column,
        "kind": finding.kind, "masked": finding.masked, "disabled": disabled,
    });
    let told = serde_json::to_value(owner).unwrap_or_default();
    if let (Value::Object(shown), Value::Object(told)) = (&mut shown, told) {
        // Its own word for what it is stays; the credential's kind comes beside it.
        shown.extend(told.into_iter().map(|(key, value)| if key == "kind" { ("credential_kind".to_owned(), value) } else { (key, value) }));
    }
    shown
}
