//! `tidegate retention …`

use api::{RetentionRule, RunRetention, SetRetention};
use clap::{Args, Subcommand};
use client::Tidegate;

use super::CommandError;
use super::input::InstanceArgument;
use crate::printer::Output;

#[derive(Subcommand, Debug)]
pub(crate) enum Command {
    /// Show which images a namespace keeps
    Show {
        /// The namespace
        namespace: String,
        #[command(flatten)]
        of: InstanceArgument,
    },
    /// Say which images a namespace keeps: one rule instead of all there were, or one more
    Set {
        /// The namespace
        namespace: String,
        #[command(flatten)]
        of: InstanceArgument,
        #[command(flatten)]
        rule: Rule,
        /// Add the rule to those that are there
        #[arg(long)]
        add: bool,
    },
    /// Take a namespace's rules away: everything stays
    Delete {
        /// The namespace
        namespace: String,
        #[command(flatten)]
        of: InstanceArgument,
    },
    /// Delete now what the rules do not keep, and say why the rest stays
    Run {
        /// The namespace
        namespace: String,
        #[command(flatten)]
        of: InstanceArgument,
        /// Change nothing, only say what would go
        #[arg(long)]
        dry_run: bool,
    },
}

/// A rule. A tag of which rules speak goes unless one of them keeps it.
#[derive(Args, Debug)]
#[group(required = true, multiple = true)]
pub(crate) struct Rule {
    /// Keep the NUMBER tags of a repository that were pushed last
    #[arg(long, value_name = "NUMBER")]
    keep_newest: Option<u32>,
    /// Keep tags that match: *, **, ?, {a,b}
    #[arg(long, value_name = "PATTERN")]
    keep_tags: Option<String>,
    /// Keep tags that were pushed within so many days
    #[arg(long, value_name = "DAYS")]
    keep_pushed_days: Option<u32>,
    /// Keep tags that were pulled or pushed within so many days
    #[arg(long, value_name = "DAYS")]
    keep_pulled_days: Option<u32>,
    /// Delete manifests without a tag that were neither pushed nor pulled for so many days
    #[arg(long, value_name = "DAYS")]
    untagged_days: Option<u32>,
    /// Speak of these tags only [default: all]
    #[arg(long, value_name = "PATTERN")]
    tags: Option<String>,
    /// Speak of these repositories only, by their names within the namespace [default: all]
    #[arg(long, value_name = "PATTERN")]
    repositories: Option<String>,
}

impl Rule {
    fn read(self) -> RetentionRule {
        let Self { keep_newest, keep_tags, keep_pushed_days, keep_pulled_days, untagged_days, tags, repositories } = self;
        RetentionRule { repositories, tags, keep_newest, keep_tags, keep_pushed_days, keep_pulled_days, untagged_days }
    }
}

pub(super) async fn run(command: Command, client: &Tidegate) -> Result<Output, CommandError> {
    Ok(match command {
        Command::Show { namespace, of } => Output::one(&client.namespaces(&of.instance).retention(&namespace).await?),
        Command::Set { namespace, of, rule, add } => {
            let namespaces = client.namespaces(&of.instance);
            let mut rules = if add { namespaces.retention(&namespace).await?.rules } else { Vec::new() };
            rules.push(rule.read());
            Output::one(&namespaces.set_retention(&namespace, &SetRetention { rules }).await?)
        }
        Command::Delete { namespace, of } => {
            Output::one(&client.namespaces(&of.instance).set_retention(&namespace, &SetRetention::default()).await?)
        }
        Command::Run { namespace, of, dry_run } => {
            Output::one(&client.namespaces(&of.instance).run_retention(&namespace, &RunRetention { dry_run }).await?)
        }
    })
}
