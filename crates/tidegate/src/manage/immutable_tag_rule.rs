//! `tidegate immutable-tag-rule …`

use api::{CreateImmutableTagRule, UpdateImmutableTagRule};
use clap::{Args, Subcommand};
use client::Tidegate;

use super::CommandError;
use super::input::InstanceArgument;
use crate::printer::Output;

#[derive(Subcommand, Debug)]
pub(crate) enum Command {
    /// Say which tags of a namespace's repositories are immutable
    Create {
        /// The namespace; _ is the root namespace
        namespace: String,
        #[command(flatten)]
        of: InstanceArgument,
        /// Which tags: v*, {v*,release-*}, **
        #[arg(long, value_name = "PATTERN")]
        tags: String,
        #[command(flatten)]
        terms: Terms,
    },
    /// List a namespace's rules
    List {
        /// The namespace
        namespace: String,
        #[command(flatten)]
        of: InstanceArgument,
    },
    /// Change, enable or disable a rule
    Update {
        /// The namespace
        namespace: String,
        /// The rule's id
        rule: String,
        #[command(flatten)]
        of: InstanceArgument,
        /// Which tags
        #[arg(long, value_name = "PATTERN")]
        tags: Option<String>,
        #[command(flatten)]
        terms: Terms,
    },
    /// Delete a rule
    Delete {
        /// The namespace
        namespace: String,
        /// The rule's id
        rule: String,
        #[command(flatten)]
        of: InstanceArgument,
    },
}

/// What a rule says besides.
#[derive(Args, Debug)]
pub(crate) struct Terms {
    /// Save these tags; empty: none is excepted
    #[arg(long, value_name = "PATTERN")]
    except_tags: Option<String>,
    /// Of which repositories, by their names within the namespace [default for a new one: **, all of them]
    #[arg(long, value_name = "PATTERN")]
    repositories: Option<String>,
    /// Save these repositories; empty: none is excepted
    #[arg(long, value_name = "PATTERN")]
    except_repositories: Option<String>,
    /// Is it in force? [default for a new one: true]
    #[arg(long, value_name = "BOOL")]
    enabled: Option<bool>,
}

pub(super) async fn run(command: Command, client: &Tidegate) -> Result<Output, CommandError> {
    Ok(match command {
        Command::Create { namespace, of, tags, terms: Terms { except_tags, repositories, except_repositories, enabled } } => {
            let new = CreateImmutableTagRule { tags, except_tags, repositories, except_repositories, enabled };
            Output::one(&client.namespaces(&of.instance).create_tag_rule(&namespace, &new).await?)
        }
        Command::List { namespace, of } => {
            let columns = &["rule_id", "tags", "except_tags", "repositories", "except_repositories", "enabled"];
            Output::many(&client.namespaces(&of.instance).tag_rules(&namespace).await?, columns)
        }
        Command::Update { namespace, rule, of, tags, terms: Terms { except_tags, repositories, except_repositories, enabled } } => {
            let change = UpdateImmutableTagRule { tags, except_tags, repositories, except_repositories, enabled };
            Output::one(&client.namespaces(&of.instance).update_tag_rule(&namespace, &rule, &change).await?)
        }
        Command::Delete { namespace, rule, of } => {
            client.namespaces(&of.instance).delete_tag_rule(&namespace, &rule).await?;
            Output::Done(format!("Deleted {rule}."))
        }
    })
}
