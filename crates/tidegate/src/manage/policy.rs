//! `tidegate policy …`

use std::path::PathBuf;

use api::{CreatePolicy, CreatePolicyVersion, PolicyVersion, SetDefaultVersion, UpdatePolicy};
use clap::{Args, Subcommand};
use client::{Holder, Tidegate};
use serde_json::json;

use super::policy_questions::{self, Deed, Question, Simulation};
use super::{CommandError, input, policy_diff};
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
    /// Give a policy a new document, in force at once, or say what it is for
    Update(Update),
    /// List whom a policy is attached to
    Holders {
        /// The policy
        name: String,
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
    /// Show what one version of a policy changes against another
    Diff {
        /// The policy
        name: String,
        /// The version to begin with [default: the one in force]
        #[arg(long, value_name = "NUMBER")]
        from: Option<i64>,
        /// The version to compare with it [default: the newest]
        #[arg(long, value_name = "NUMBER")]
        to: Option<i64>,
    },
    /// Explain whether somebody may do something, and which statement says so
    Explain(Question),
    /// Explain many requests, as things stand or with a document that is not stored
    Simulate(Simulation),
    /// List who may do something, and which statement says so
    WhoCan(Deed),
}

/// What to change of a policy.
#[derive(Args, Debug)]
pub(crate) struct Update {
    /// The policy
    name: String,
    /// The document; - is standard input
    #[arg(long, value_name = "FILE", required_unless_present = "description")]
    document: Option<PathBuf>,
    /// Keep the version in force that is in force
    #[arg(long, requires = "document")]
    keep_default: bool,
    /// With five versions there, let the oldest that is not in force go
    #[arg(long, requires = "document")]
    drop_oldest: bool,
    /// What it is for
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,
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
    /// The account: it bounds everybody but the root user
    #[arg(long)]
    account: bool,
}

impl HolderArgument {
    fn holder(self) -> Option<Holder> {
        let user = self.user.map(Holder::User).or(self.group.map(Holder::Group));
        let named = user.or(self.service_account.map(Holder::ServiceAccount)).or(self.role.map(Holder::Role));
        named.or(self.account.then_some(Holder::Account))
    }

    fn required(self) -> Result<Holder, CommandError> {
        self.holder().ok_or_else(|| CommandError::Usage("say to whom: --user, --group, --service-account, --role or --account".to_owned()))
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
        Command::Update(wanted) => update(client, wanted).await?,
        Command::Holders { name } => Output::many(&policies.holders(&name).await?, &["principal", "principal_id", "attached_at"]),
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
        Command::Diff { name, from, to } => diff(client, &name, from, to).await?,
        Command::Explain(question) => policy_questions::explain(client, question).await?,
        Command::Simulate(simulation) => policy_questions::simulate(client, simulation).await?,
        Command::WhoCan(deed) => policy_questions::who_can(client, deed).await?,
    })
}

async fn update(client: &Tidegate, wanted: Update) -> Result<Output, CommandError> {
    let Update { name, document, keep_default, drop_oldest, description } = wanted;
    let described = match description {
        Some(description) => Some(client.policies().update(&name, &UpdatePolicy { description }).await?),
        None => None,
    };
    let Some(document) = document else { return Ok(Output::one(&described)) };
    let new = CreatePolicyVersion { document: input::document(&document)?, set_as_default: !keep_default, drop_oldest };
    Ok(Output::one(&client.policies().create_version(&name, &new).await?))
}

async fn diff(client: &Tidegate, name: &str, from: Option<i64>, to: Option<i64>) -> Result<Output, CommandError> {
    let versions = client.policies().list_versions(name).await?;
    let numbered = |number: i64| versions.iter().find(|version| version.version == number);
    let found = |version: Option<&PolicyVersion>, number: Option<i64>| {
        let number = number.map_or_else(String::new, |number| format!(" {number}"));
        version.cloned().ok_or_else(|| CommandError::Usage(format!("policy {name} has no version{number}: see tidegate policy versions")))
    };
    let from = found(from.map_or_else(|| versions.iter().find(|v| v.is_default), numbered), from)?;
    let to = found(to.map_or_else(|| versions.last(), numbered), to)?;
    let account = client.whoami().await?.account_id.parse().ok();
    Ok(Output::Text(policy_diff::render(name, account, &from, &to)))
}

/// Whoever may attach a policy need not be allowed to see it: then its version stays unknown.
async fn attachment(client: &Tidegate, name: &str, holder: &Holder) -> Output {
    let version = client.policies().show(name).await.ok().map(|found| found.policy.version);
    let (kind, holder) = match holder {
        Holder::User(name) => ("user", name),
        Holder::Group(name) => ("group", name),
        Holder::ServiceAccount(name) => ("service_account", name),
        Holder::Role(name) => ("role", name),
        Holder::Account => return Output::one(&json!({"name": name, "version": version, "account": true})),
    };
    Output::one(&json!({"name": name, "version": version, kind: holder}))
}
