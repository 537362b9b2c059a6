//! `tidegate policy …`

use std::net::IpAddr;
use std::path::{Path, PathBuf};

use api::{CreatePolicy, CreatePolicyVersion, ExplainPolicy, SetDefaultVersion};
use clap::{Args, Subcommand};
use client::{Holder, Tidegate};
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
    /// List policies, built-in ones included, or those that somebody has
    List {
        #[command(flatten)]
        holder: HolderArgument,
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
    #[command(flatten)]
    holder: HolderArgument,
}

/// Whom a policy is attached to: one of them.
#[derive(Args, Debug)]
#[group(multiple = false)]
pub(crate) struct HolderArgument {
    /// This user
    #[arg(long, value_name = "NAME")]
    user: Option<String>,
    /// This group, and so its users
    #[arg(long, value_name = "NAME")]
    group: Option<String>,
    /// This service account
    #[arg(long, value_name = "NAME")]
    service_account: Option<String>,
    /// This role
    #[arg(long, value_name = "NAME")]
    role: Option<String>,
}

impl HolderArgument {
    fn holder(self) -> Option<Holder> {
        let user = self.user.map(Holder::User).or(self.group.map(Holder::Group));
        user.or(self.service_account.map(Holder::ServiceAccount)).or(self.role.map(Holder::Role))
    }

    fn required(self) -> Result<Holder, CommandError> {
        self.holder().ok_or_else(|| CommandError::Usage("say to whom: --user, --group, --service-account or --role".to_owned()))
    }
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
        Command::List { holder } => match holder.holder() {
            None => Output::many(&policies.list().await?, &["name", "version", "built_in", "description"]),
            Some(holder) => Output::many(&policies.list_attached(&holder).await?, &["name", "policy_id", "attached_at"]),
        },
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
        Command::Attach(Attachment { name, holder }) => {
            let holder = holder.required()?;
            policies.attach(&name, &holder).await?;
            attachment(client, &name, &holder).await
        }
        Command::Detach(Attachment { name, holder }) => {
            let holder = holder.required()?;
            policies.detach(&name, &holder).await?;
            attachment(client, &name, &holder).await
        }
        Command::Explain(question) => Output::one(&policies.explain(&question.into()).await?),
    })
}

async fn update(client: &Tidegate, name: &str, document: &Path, keep_default: bool) -> Result<Output, CommandError> {
    let new = CreatePolicyVersion { document: input::document(document)?, set_as_default: !keep_default };
    Ok(Output::one(&client.policies().create_version(name, &new).await?))
}

/// Whoever may attach a policy need not be allowed to see it: then its version stays unknown.
async fn attachment(client: &Tidegate, name: &str, holder: &Holder) -> Output {
    let version = client.policies().show(name).await.ok().map(|found| found.policy.version);
    let (kind, holder) = match holder {
        Holder::User(name) => ("user", name),
        Holder::Group(name) => ("group", name),
        Holder::ServiceAccount(name) => ("service_account", name),
        Holder::Role(name) => ("role", name),
    };
    Output::one(&json!({"name": name, "version": version, kind: holder}))
}
