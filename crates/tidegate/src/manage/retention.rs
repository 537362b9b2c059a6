//! `tidegate retention …`

use api::{RetentionRule, RetentionSchedule, RunRetention, SetRetention};
use clap::{Args, Subcommand, ValueEnum};
use client::Tidegate;

use super::CommandError;
use super::input::{InstanceArgument, NamespaceArgument};
use crate::printer::Output;

#[derive(Subcommand, Debug)]
pub(crate) enum Command {
    /// List which images the namespaces of an instance keep that have rules
    List {
        #[command(flatten)]
        of: InstanceArgument,
    },
    /// Show which images a namespace keeps
    Show(NamespaceArgument),
    /// Say which images a namespace keeps: one rule instead of all there were, or one more
    Set {
        #[command(flatten)]
        of: NamespaceArgument,
        #[command(flatten)]
        rule: Rule,
        /// Add the rule to those that are there
        #[arg(long)]
        add: bool,
    },
    /// Take a namespace's rules away: everything stays
    Delete(NamespaceArgument),
    /// Delete now what the rules do not keep, and say why the rest stays
    Run {
        #[command(flatten)]
        of: NamespaceArgument,
        /// Change nothing, only say what would go
        #[arg(long)]
        dry_run: bool,
    },
}

/// When the job acts on a rule.
#[derive(Clone, Copy, ValueEnum, Debug)]
pub(crate) enum Schedule {
    /// Each hour
    Hourly,
    /// Each day in the first three hours, by UTC
    Daily,
    /// On Mondays, by UTC
    Weekly,
    /// On the first day of each month, by UTC
    Monthly,
    /// Never: on `retention run` alone
    Asked,
}

impl From<Schedule> for RetentionSchedule {
    fn from(said: Schedule) -> Self {
        match said {
            Schedule::Hourly => Self::Hourly,
            Schedule::Daily => Self::Daily,
            Schedule::Weekly => Self::Weekly,
            Schedule::Monthly => Self::Monthly,
            Schedule::Asked => Self::Asked,
        }
    }
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
    /// When what the rule does not keep goes [default: hourly]
    #[arg(long)]
    schedule: Option<Schedule>,
}

impl Rule {
    fn read(self) -> RetentionRule {
        let Self { keep_newest, keep_tags, keep_pushed_days, keep_pulled_days, untagged_days, tags, repositories, schedule } = self;
        let schedule = schedule.map(RetentionSchedule::from);
        RetentionRule { repositories, tags, keep_newest, keep_tags, keep_pushed_days, keep_pulled_days, untagged_days, schedule }
    }
}

pub(super) async fn run(command: Command, client: &Tidegate) -> Result<Output, CommandError> {
    Ok(match command {
        Command::List { of } => Output::many(&client.namespaces(&of.instance).retentions().await?, &["namespace", "rules"]),
        Command::Show(of) => Output::one(&of.among(client).retention(&of.namespace).await?),
        Command::Set { of, rule, add } => {
            let mut rules = if add { of.among(client).retention(&of.namespace).await?.rules } else { Vec::new() };
            rules.push(rule.read());
            Output::one(&of.among(client).set_retention(&of.namespace, &SetRetention { rules }).await?)
        }
        Command::Delete(of) => Output::one(&of.among(client).set_retention(&of.namespace, &SetRetention::default()).await?),
        Command::Run { of, dry_run } => Output::one(&of.among(client).run_retention(&of.namespace, &RunRetention { dry_run }).await?),
    })
}
