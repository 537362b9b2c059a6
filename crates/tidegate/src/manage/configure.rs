//! `tidegate configure`: a profile from a server's bootstrap file.

use std::path::PathBuf;

use clap::Args;
use client::profile::{self, Profile, Profiles};
use serde_json::json;

use super::{ClientArguments, CommandError, Session};
use crate::printer::Output;

/// Which file.
#[derive(Args, Debug)]
pub(crate) struct Arguments {
    /// The file that the server wrote on its first start: DIR/bootstrap.json
    #[arg(long, value_name = "FILE")]
    from: PathBuf,
    #[command(flatten)]
    pub(super) client: ClientArguments,
}

pub(super) fn run(arguments: &Arguments, session: &Session) -> Result<Output, CommandError> {
    let path = profile::path(&session.environment)
        .ok_or_else(|| CommandError::Usage("neither HOME nor XDG_CONFIG_HOME says where profiles are kept".to_owned()))?;
    let ca_file = session.arguments.ca_file.as_ref().map(std::path::absolute).transpose();
    let ca_file = ca_file.map_err(|cause| CommandError::File { path: arguments.from.clone(), cause })?;
    let name = session.arguments.profile.as_deref().unwrap_or(profile::DEFAULT);
    let found = Profile::from_bootstrap(&arguments.from)?;
    let endpoint = session.arguments.endpoint.clone().unwrap_or(found.endpoint);
    client::Endpoint::parse(&endpoint)?;
    let profile = Profile { endpoint, ca_file, ..found };
    let answer = json!({"profile": name, "endpoint": profile.endpoint, "access_key_id": profile.access_key_id, "path": path});
    let mut profiles = Profiles::load(&path)?;
    profiles.profiles.insert(name.to_owned(), profile);
    profiles.save(&path)?;
    Ok(Output::one(&answer))
}
