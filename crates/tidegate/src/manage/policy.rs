//! `tidegate policy …`

use std::net::IpAddr;
use std::path::{Path, PathBuf};

use api::{CreatePolicy, CreatePolicyVersion, ExplainPolicy, SetDefaultVersion};
use clap::{Args, Subcommand};
use client::Tidegate;
use model::Timestamp;
use serde_json::json;

use super::{CommandError, input};
use crate::printer::Output;

#[derive(Subcommand, Debug)]
pub(crate) enum Command {
    /// Create a policy
    Create {
        /// 1 to 128 letters, digits and dashes
        name: String,
        /// The document; - is standard input
        #[arg(long, value_name = "FILE")]
        document: PathBuf,
        /// What it is for
        #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
        description: String,
    },
    /// List policies, built-in ones included, or those of a user
    List {
        /// Attached to this user
        #[arg(long, value_name = "NAME")]
        user: Option<String>,
    },
    /// Show a policy with its document in force
    Show {
        /// The policy
        name: String,
    },
    /// Give a policy a new document, in force at once
    Update {
        /// The policy
        name: String,
        /// The document; - is standard input
        #[arg(long, value_name = "FILE")]
        document: PathBuf,
        /// Keep the version in force that is in force
        #[arg(long)]
        keep_default: bool,
    },
    /// Delete a policy that is attached to nobody, or one of its versions
    Delete {
        /// The policy
        name: String,
        /// This version alone, which must not be in force
        #[arg(long, value_name = "NUMBER")]
        version: Option<i64>,
    },
    /// List a policy's versions
    Versions {
        /// The policy
        name: String,
    },
    /// Choose the version that is in force
    SetDefault {
        /// The policy
        name: String,
        /// The version's number
        version: i64,
    },
    /// Attach a policy
    Attach(Attachment),
    /// Detach a policy
    Detach(Attachment),
    /// Explain whether a user may do something, and which statement says so
    Explain(Question),
}

/// What to attach to whom.
#[derive(Args, Debug)]
pub(crate) struct Attachment {
    /// The policy
    name: String,
    /// The user
    #[arg(long, value_name = "NAME")]
    user: String,
}

/// May somebody do something?
#[derive(Args, Debug)]
pub(crate) struct Question {
    /// The user
    #[arg(long, value_name = "NAME")]
    user: String,
    /// The action: cr:PullRepository
    #[arg(long, value_name = "ACTION")]
    action: String,
    /// NAMESPACE/REPOSITORY, or whatever the action is done to
    #[arg(long, value_name = "RESOURCE")]
    resource: Option<String>,
    /// The instance, by name or id [default: the one that the server's host name chooses]
    #[arg(long, value_name = "INSTANCE")]
    instance: Option<String>,
    /// From this address [default: from here]
    #[arg(long, value_name = "IP")]
    from: Option<IpAddr>,
    /// At this time [default: now]
    #[arg(long, value_name = "TIME", value_parser = input::time)]
    at: Option<Timestamp>,
}

impl From<Question> for ExplainPolicy {
    fn from(q: Question) -> Self {
        Self { user: q.user, action: q.action, resource: q.resource, instance: q.instance, from: q.from, at: q.at }
    }
}

pub(super) async fn run(command: Command, client: &Tidegate) -> Result<Output, CommandError> {
    let policies = client.policies();
    Ok(match command {
        Command::Create { name, document, description } => {
            let document = input::document(&document)?;
            Output::one(&policies.create(&CreatePolicy { name, description, document }).await?)
        }
        Command::List { user: None } => Output::many(&policies.list().await?, &["name", "version", "built_in", "description"]),
        Command::List { user: Some(user) } => Output::many(&policies.list_attached(&user).await?, &["name", "policy_id", "attached_at"]),
        Command::Show { name } => Output::one(&policies.show(&name).await?),
        Command::Update { name, document, keep_default } => update(client, &name, &document, keep_default).await?,
        Command::Delete { name, version: None } => {
            policies.delete(&name).await?;
            Output::one(&json!({"name": name, "version": null}))
        }
        Command::Delete { name, version: Some(version) } => {
            policies.delete_version(&name, version).await?;
            Output::one(&json!({"name": name, "version": version}))
        }
        Command::Versions { name } => Output::many(&policies.list_versions(&name).await?, &["version", "is_default", "created_at"]),
        Command::SetDefault { name, version } => {
            policies.set_default_version(&name, &SetDefaultVersion { version }).await?;
            Output::one(&json!({"name": name, "version": version}))
        }
        Command::Attach(Attachment { name, user }) => {
            policies.attach(&name, &user).await?;
            attachment(client, &name, &user).await
        }
        Command::Detach(Attachment { name, user }) => {
            policies.detach(&name, &user).await?;
            attachment(client, &name, &user).await
        }
        Command::Explain(question) => Output::one(&policies.explain(&question.into()).await?),
    })
}

async fn update(client: &Tidegate, name: &str, document: &Path, keep_default: bool) -> Result<Output, CommandError> {
    let new = CreatePolicyVersion { document: input::document(document)?, set_as_default: !keep_default };
    Ok(Output::one(&client.policies().create_version(name, &new).await?))
}

/// Whoever may attach a policy need not be allowed to see it: then its version stays unknown.
async fn attachment(client: &Tidegate, name: &str, user: &str) -> Output {
    let version = client.policies().show(name).await.ok().map(|found| found.policy.version);
    Output::one(&json!({"name": name, "version": version, "user": user}))
}
