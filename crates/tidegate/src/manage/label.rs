//! `tidegate label …`

use std::collections::BTreeMap;

use api::{LabelQuery, UpdateLabels};
use clap::{Args, Subcommand, ValueEnum};
use client::{LabelOwner, Tidegate};

use super::CommandError;
use super::input::InstanceArgument;
use crate::printer::Output;

#[derive(Subcommand, Debug)]
pub(crate) enum Command {
    /// List labels and what carries them
    List {
        /// With this key
        #[arg(long, value_name = "KEY")]
        key: Option<String>,
        /// With this value
        #[arg(long, value_name = "VALUE")]
        value: Option<String>,
    },
    /// Set labels of one thing
    Set {
        #[command(flatten)]
        of: Carrier,
        /// The labels
        #[arg(required = true, value_name = "KEY=VALUE", value_parser = label)]
        labels: Vec<(String, String)>,
    },
    /// Take labels off one thing
    Delete {
        #[command(flatten)]
        of: Carrier,
        /// The labels' keys
        #[arg(required = true, value_name = "KEY")]
        labels: Vec<String>,
    },
}

/// What carries the labels.
#[derive(Args, Debug)]
pub(crate) struct Carrier {
    /// What it is
    #[arg(value_enum, value_name = "KIND")]
    kind: Kind,
    /// Its name
    name: String,
    #[command(flatten)]
    of: InstanceArgument,
}

#[derive(Clone, Copy, ValueEnum, Debug)]
enum Kind {
    User,
    Group,
    ServiceAccount,
    Role,
    Policy,
    OidcProvider,
    Instance,
    Namespace,
}

impl Carrier {
    fn owner(&self) -> LabelOwner {
        let name = self.name.clone();
        match self.kind {
            Kind::User => LabelOwner::User(name),
            Kind::Group => LabelOwner::Group(name),
            Kind::ServiceAccount => LabelOwner::ServiceAccount(name),
            Kind::Role => LabelOwner::Role(name),
            Kind::Policy => LabelOwner::Policy(name),
            Kind::OidcProvider => LabelOwner::OidcProvider(name),
            Kind::Instance => LabelOwner::Instance(name),
            Kind::Namespace => LabelOwner::Namespace { instance: self.of.instance.clone(), name },
        }
    }
}

fn label(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').ok_or_else(|| "write it as KEY=VALUE".to_owned())?;
    Ok((key.to_owned(), value.to_owned()))
}

pub(super) async fn run(command: Command, client: &Tidegate) -> Result<Output, CommandError> {
    let (of, labels): (_, BTreeMap<_, _>) = match command {
        Command::List { key, value } => {
            let query = LabelQuery { key, value, ..LabelQuery::default() };
            return Ok(Output::many(&client.labels().list(&query).await?, &["kind", "instance", "name", "key", "value"]));
        }
        Command::Set { of, labels } => (of, labels.into_iter().map(|(key, value)| (key, Some(value))).collect()),
        Command::Delete { of, labels } => (of, labels.into_iter().map(|key| (key, None)).collect()),
    };
    client.labels().update(&of.owner(), &UpdateLabels { labels }).await?;
    Ok(Output::Done(format!("Labelled {}.", of.name)))
}
