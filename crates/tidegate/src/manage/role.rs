//! `tidegate role …`

use std::net::SocketAddr;
use std::path::PathBuf;

use api::{AssumeRole, CreateRole, UpdateRole};
use clap::{Args, Subcommand};
use client::Tidegate;
use model::Seconds;

use super::{CommandError, input, role_desk};
use crate::printer::Output;

#[derive(Subcommand, Debug)]
pub(crate) enum Command {
    /// Create a role
    Create {
        /// 1 to 64 letters, digits and . - _
        name: String,
        /// Who may assume it; - is standard input
        #[arg(long, value_name = "FILE")]
        trust_policy: PathBuf,
        /// What it is for
        #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
        description: String,
        /// A session lasts so long at most, 1h to 12h [default: 1h]
        #[arg(long, value_name = "TIME", value_parser = input::duration)]
        max_session: Option<Seconds>,
    },
    /// List roles
    List,
    /// Show a role and who may assume it
    Show {
        /// Name or id
        name: String,
    },
    /// Change a role
    Update {
        /// Name or id
        name: String,
        /// Who may assume it; - is standard input
        #[arg(long, value_name = "FILE")]
        trust_policy: Option<PathBuf>,
        /// What it is for
        #[arg(long, value_name = "TEXT")]
        description: Option<String>,
        /// A session lasts so long at most, 1h to 12h
        #[arg(long, value_name = "TIME", value_parser = input::duration)]
        max_session: Option<Seconds>,
    },
    /// Let a disabled role be assumed again
    Enable {
        /// Name or id
        name: String,
    },
    /// Keep a role from everybody, running sessions included
    Disable {
        /// Name or id
        name: String,
    },
    /// Delete a role; its sessions end
    Delete {
        /// Name or id
        name: String,
    },
    /// Assume a role: a key for a while, shown once
    Assume(Assumption),
    /// Serve a role's keys to this machine's programs, at a URL for ALIBABA_CLOUD_CREDENTIALS_URI
    Serve {
        #[command(flatten)]
        wanted: Assumption,
        /// Where to listen; port 0 is any that is free
        #[arg(long, value_name = "IP:PORT", default_value = "127.0.0.1:0")]
        listen: SocketAddr,
    },
    /// End all sessions of a role
    EndSessions {
        /// Name or id
        name: String,
    },
}

/// A session that is asked for.
#[derive(Args, Debug)]
pub(crate) struct Assumption {
    /// The role, by name or id
    name: String,
    /// What to call the session: 2 to 64 letters, digits and . @ - _ = ,
    #[arg(long, value_name = "NAME")]
    session_name: String,
    /// How long it lasts, 15m to the role's maximum [default: 1h]
    #[arg(long, value_name = "TIME", value_parser = input::duration)]
    duration: Option<Seconds>,
    /// What bounds the role's rights for this session; - is standard input
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    /// What the role's trust policy asks for under sts:ExternalId
    #[arg(long, value_name = "TEXT")]
    external_id: Option<String>,
    /// Who stands behind the session
    #[arg(long, value_name = "TEXT")]
    source_identity: Option<String>,
}

pub(super) async fn run(command: Command, client: &Tidegate) -> Result<Output, CommandError> {
    let roles = client.roles();
    Ok(match command {
        Command::Create { name, trust_policy, description, max_session } => {
            let trust_policy = input::document(&trust_policy)?;
            Output::one(&roles.create(&CreateRole { name, description, trust_policy, max_session }).await?)
        }
        Command::List => Output::many(&roles.list().await?, &["name", "role_id", "enabled", "max_session", "description", "created_at"]),
        Command::Show { name } => Output::one(&roles.show(&name).await?),
        Command::Update { name, trust_policy, description, max_session } => {
            let trust_policy = trust_policy.as_deref().map(input::document).transpose()?;
            Output::one(&roles.update(&name, &UpdateRole { description, trust_policy, max_session, enabled: None }).await?)
        }
        Command::Enable { name } => Output::one(&roles.update(&name, &enabled(true)).await?),
        Command::Disable { name } => Output::one(&roles.update(&name, &enabled(false)).await?),
        Command::Delete { name } => {
            roles.delete(&name).await?;
            Output::Done(format!("Deleted {name}."))
        }
        Command::Assume(wanted) => assume(wanted, client).await?,
        Command::Serve { wanted, listen } => {
            let (name, asked) = asked(wanted)?;
            match role_desk::serve(client, name, asked, listen).await? {}
        }
        Command::EndSessions { name } => Output::one(&roles.end_sessions(&name).await?),
    })
}

fn enabled(enabled: bool) -> UpdateRole {
    UpdateRole { enabled: Some(enabled), ..UpdateRole::default() }
}

async fn assume(wanted: Assumption, client: &Tidegate) -> Result<Output, CommandError> {
    let (name, asked) = asked(wanted)?;
    Ok(Output::secret(&client.roles().assume(&name, &asked).await?))
}

/// The role, and what is asked of it.
fn asked(wanted: Assumption) -> Result<(String, AssumeRole), CommandError> {
    let asked = AssumeRole {
        session_name: wanted.session_name,
        duration: wanted.duration,
        policy: wanted.policy.as_deref().map(input::document).transpose()?,
        external_id: wanted.external_id,
        source_identity: wanted.source_identity,
    };
    Ok((wanted.name, asked))
}
