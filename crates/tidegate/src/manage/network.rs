//! `tidegate network …`

use api::{CreateEndpoint, CreateEndpointEntry, DefaultAction, UpdateEndpoint};
use clap::{Args, Subcommand, ValueEnum};
use client::Tidegate;

use super::input::InstanceArgument;
use super::{CommandError, Session};
use crate::config::MachineArguments;
use crate::control::{ControlError, NetworkReset, Reach};
use crate::printer::Output;

#[derive(Subcommand, Debug)]
pub(crate) enum Command {
    /// List an instance's endpoints: the public one, and private ones of named networks
    List {
        #[command(flatten)]
        of: InstanceArgument,
    },
    /// Show an endpoint and whom it lets in
    Show {
        /// `public`, or the named network whose private endpoint it is
        #[arg(value_name = "ENDPOINT", default_value = "public")]
        name: String,
        #[command(flatten)]
        of: InstanceArgument,
    },
    /// Let addresses in at the public endpoint; from then on its entries alone
    Allow {
        /// An address or a CIDR block
        cidr: String,
        /// What it is
        #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
        comment: String,
        #[command(flatten)]
        of: InstanceArgument,
        #[command(flatten)]
        zeal: Zeal,
    },
    /// Let addresses in no longer; with the last entry gone, everybody gets in
    Remove {
        /// As the list shows it
        cidr: String,
        #[command(flatten)]
        of: InstanceArgument,
        #[command(flatten)]
        zeal: Zeal,
    },
    /// Turn the public endpoint on or off
    Public {
        /// Off, it lets nobody in
        #[arg(value_enum)]
        state: State,
        /// Whom it lets in besides its entries: everybody (allow), nobody (deny) [default: as it is]
        #[arg(long, value_enum, value_name = "ACTION")]
        default: Option<Default>,
        #[command(flatten)]
        of: InstanceArgument,
        #[command(flatten)]
        zeal: Zeal,
    },
    /// Private endpoints of named networks
    #[command(subcommand)]
    Private(Private),
    /// Let everybody in again at the public endpoint, for who has locked everybody out; on the server's machine, with its
    /// configuration
    Reset {
        /// The instance, by name or id [default: the default instance]
        #[arg(long, value_name = "INSTANCE")]
        instance: Option<String>,
        #[command(flatten)]
        machine: MachineArguments,
    },
}

#[derive(Subcommand, Debug)]
pub(crate) enum Private {
    /// Let a named network of the server's configuration in, whatever the public endpoint says
    Create {
        /// The network's name
        network: String,
        #[command(flatten)]
        of: InstanceArgument,
    },
    /// Take a named network's private endpoint away
    Delete {
        /// The network's name
        network: String,
        #[command(flatten)]
        of: InstanceArgument,
        #[command(flatten)]
        zeal: Zeal,
    },
}

/// How much a change is meant.
#[derive(Args, Clone, Copy, Debug)]
pub(crate) struct Zeal {
    /// Even if it locks out your own address, or lets everybody in
    #[arg(long)]
    force: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum, Debug)]
pub(crate) enum State {
    On,
    Off,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum, Debug)]
pub(crate) enum Default {
    Allow,
    Deny,
}

impl From<Default> for DefaultAction {
    fn from(default: Default) -> Self {
        match default {
            Default::Allow => Self::Allow,
            Default::Deny => Self::Deny,
        }
    }
}

/// Opens an instance to everybody; its entries and private endpoints stay.
pub(super) async fn reset(instance: Option<String>, machine: &MachineArguments, session: &Session) -> Result<Output, CommandError> {
    let environment = session.environment.iter().map(|(name, value)| (name.clone(), value.clone()));
    let config = machine.load(environment).map_err(ControlError::from)?;
    let reach = Reach::find(&config).await?;
    let done = reach.reset_network(NetworkReset { instance }).await;
    reach.close().await;
    Ok(Output::one(&done?))
}

pub(super) async fn run(command: Command, client: &Tidegate) -> Result<Output, CommandError> {
    Ok(match command {
        Command::List { of } => {
            let columns = &["endpoint", "kind", "enabled", "default_action", "configured", "created_at"];
            Output::many(&client.endpoints(&of.instance).list().await?, columns)
        }
        Command::Show { name, of } => Output::one(&client.endpoints(&of.instance).show(&name).await?),
        Command::Allow { cidr, comment, of, zeal: Zeal { force } } => {
            Output::one(&client.endpoints(&of.instance).allow(&CreateEndpointEntry { cidr, comment, force }).await?)
        }
        Command::Remove { cidr, of, zeal: Zeal { force } } => {
            client.endpoints(&of.instance).disallow(&cidr, force).await?;
            Output::Done(format!("Removed {cidr}."))
        }
        Command::Public { state, default, of, zeal: Zeal { force } } => {
            let change = UpdateEndpoint { enabled: Some(state == State::On), default_action: default.map(Into::into), force };
            Output::one(&client.endpoints(&of.instance).update_public(&change).await?)
        }
        Command::Private(Private::Create { network, of }) => {
            Output::one(&client.endpoints(&of.instance).create(&CreateEndpoint { network }).await?)
        }
        Command::Private(Private::Delete { network, of, zeal: Zeal { force } }) => {
            client.endpoints(&of.instance).delete(&network, force).await?;
            Output::Done(format!("Deleted the private endpoint of {network}."))
        }
        Command::Reset { .. } => return Err(CommandError::Usage("this runs on the server's machine".to_owned())),
    })
}
