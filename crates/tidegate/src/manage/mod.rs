//! The commands that are a client of the management API: `tidegate NOUN VERB …`.
//!
//! To add one: a variant in its noun's `Command`, and a branch in its `run` that makes one call of `client` and says with
//! an [`Output`] what to print. Nothing here prints, decides a right, or keeps a secret.

mod access_key;
mod account;
mod admin_user;
mod apply;
mod audit;
mod configure;
mod credential;
mod federation;
mod group;
mod image;
mod immutable_tag_rule;
mod input;
mod instance;
mod integration;
mod label;
mod namespace;
mod network;
mod nodes;
mod operator;
mod password;
mod policy;
mod policy_diff;
mod policy_questions;
mod quota;
mod repository;
mod resource_policy;
mod retention;
mod role;
mod role_desk;
mod scan;
mod service_account;
mod signing_key;
mod tag;
mod user;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand};
use client::target::{Flags, Target};
use client::{ClientError, Tidegate};
use declarative::Trouble;
use model::{Clock as _, Timestamp};

use crate::control::ControlError;
use crate::printer::{Format, Output, Printer};
use crate::system::SystemClock;

/// Above the options that all commands of the client share.
pub(crate) const HEADING: &str = "Client options";

/// What the client's commands share.
#[derive(Args, Clone, Default, Debug)]
#[command(next_help_heading = HEADING)]
pub(crate) struct ClientArguments {
    /// Print JSON or tables [default: tables on a terminal, JSON elsewhere]
    #[arg(short, long, global = true, value_enum, value_name = "FORMAT")]
    pub(crate) output: Option<Format>,
    /// Use this profile of the profile file
    #[arg(long, global = true, value_name = "NAME")]
    pub(crate) profile: Option<String>,
    /// The server's address [env: TIDEGATE_ENDPOINT]
    #[arg(long, global = true, value_name = "URL")]
    pub(crate) endpoint: Option<String>,
    /// The access key to sign in with; its secret comes from TIDEGATE_ACCESS_KEY_SECRET or the profile [env: TIDEGATE_ACCESS_KEY_ID]
    #[arg(long, global = true, value_name = "ID")]
    pub(crate) access_key_id: Option<String>,
    /// Trust the certificate authorities in this file too
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) ca_file: Option<PathBuf>,
}

/// A noun with its verbs.
#[derive(Args, Debug)]
pub(crate) struct Noun<V: Subcommand> {
    #[command(flatten)]
    client: ClientArguments,
    #[command(subcommand)]
    verb: V,
}

/// The client's commands.
#[derive(Subcommand, Debug)]
pub(crate) enum ClientCommand {
    /// Write a profile from the file that a server wrote on its first start
    Configure(configure::Arguments),
    /// Show who you are
    Whoami(ClientArguments),
    /// The account: a tenant, with users and instances of its own
    Account(Noun<account::Command>),
    /// Users
    User(Noun<user::Command>),
    /// Passwords that people choose
    Password(Noun<password::Command>),
    /// Access credentials, and every other credential a user holds
    Credential(Noun<credential::Command>),
    /// Temporary passwords
    LoginToken(Noun<credential::LoginTokenCommand>),
    /// Access keys, which sign API requests
    AccessKey(Noun<access_key::Command>),
    /// Integrations: the clusters and pipelines that credentials are made for
    Integration(Noun<integration::Command>),
    /// Find secrets of Tidegate in files, say whose they are, and disable them
    Scan(scan::Arguments),
    /// Groups: users together
    Group(Noun<group::Command>),
    /// Service accounts: programs
    ServiceAccount(Noun<service_account::Command>),
    /// Roles: identities that are assumed for a while
    Role(Noun<role::Command>),
    /// Federated credentials: whom of which issuer a service account trusts, without any secret
    Federation(Noun<federation::Command>),
    /// OIDC providers: issuers that roles and service accounts may trust
    OidcProvider(Noun<federation::ProviderCommand>),
    /// Policies: what users may do
    Policy(Noun<policy::Command>),
    /// Policies of namespaces and repositories: who else may use them
    ResourcePolicy(Noun<resource_policy::Command>),
    /// Instances: registries with their own host names
    Instance(Noun<instance::Command>),
    /// The admin user of an instance: many hands, two passwords, off by default
    AdminUser(Noun<admin_user::Command>),
    /// Network rules: whom an instance lets in
    Network(Noun<network::Command>),
    /// Namespaces of an instance
    Namespace(Noun<namespace::Command>),
    /// Quotas: what namespaces hold and may hold
    Quota(Noun<quota::Command>),
    /// Retention: which images namespaces keep, so that the others go by themselves
    Retention(Noun<retention::Command>),
    /// Repositories of an instance
    Repository(Noun<repository::Command>),
    /// Tags of a repository
    Tag(Noun<tag::Command>),
    /// Images: what keeps a tag or a manifest as it is, and what refers to it
    Image(Noun<image::Command>),
    /// Rules of immutable tags: which tags of a namespace's repositories stay as they are
    ImmutableTagRule(Noun<immutable_tag_rule::Command>),
    /// Labels: which things belong together
    Label(Noun<label::Command>),
    /// Make what is there like the documents in files
    Apply(apply::Arguments),
    /// Write what is there as documents that `apply` reads
    Export(apply::ExportArguments),
    /// The audit trail
    Audit(Noun<audit::Command>),
    /// The keys that sign tokens
    SigningKey(Noun<signing_key::Command>),
    /// List the nodes that serve, and how they are
    Nodes(nodes::Arguments),
}

impl ClientCommand {
    const fn arguments(&self) -> &ClientArguments {
        match self {
            Self::Configure(arguments) => &arguments.client,
            Self::Scan(arguments) => &arguments.client,
            Self::Apply(arguments) => &arguments.client,
            Self::Export(arguments) => &arguments.client,
            Self::Nodes(arguments) => &arguments.client,
            Self::Whoami(client)
            | Self::Account(Noun { client, .. })
            | Self::User(Noun { client, .. })
            | Self::Password(Noun { client, .. })
            | Self::Credential(Noun { client, .. })
            | Self::LoginToken(Noun { client, .. })
            | Self::AccessKey(Noun { client, .. })
            | Self::Integration(Noun { client, .. })
            | Self::Group(Noun { client, .. })
            | Self::ServiceAccount(Noun { client, .. })
            | Self::Role(Noun { client, .. })
            | Self::Federation(Noun { client, .. })
            | Self::OidcProvider(Noun { client, .. })
            | Self::Policy(Noun { client, .. })
            | Self::ResourcePolicy(Noun { client, .. })
            | Self::Instance(Noun { client, .. })
            | Self::AdminUser(Noun { client, .. })
            | Self::Network(Noun { client, .. })
            | Self::Namespace(Noun { client, .. })
            | Self::Quota(Noun { client, .. })
            | Self::Retention(Noun { client, .. })
            | Self::Repository(Noun { client, .. })
            | Self::Tag(Noun { client, .. })
            | Self::Image(Noun { client, .. })
            | Self::ImmutableTagRule(Noun { client, .. })
            | Self::Label(Noun { client, .. })
            | Self::Audit(Noun { client, .. })
            | Self::SigningKey(Noun { client, .. }) => client,
        }
    }
}

/// Why a command did not succeed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CommandError {
    /// The server, or the way to it.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// What was typed or piped in.
    #[error("{0}")]
    Usage(String),
    /// A file that was named cannot be read.
    #[error("cannot read {}: {cause}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        cause: std::io::Error,
    },
    /// What only whoever holds the server's configuration may do.
    #[error(transparent)]
    Control(#[from] ControlError),
    /// A file that was named cannot be written.
    #[error("cannot write {}: {cause}", path.display())]
    Unwritable {
        /// The file.
        path: PathBuf,
        /// Why.
        cause: std::io::Error,
    },
    /// Documents that are wrong, or would do more than was asked for.
    #[error(transparent)]
    Documents(Trouble),
    /// The operating system does not go along.
    #[error("the program cannot start its work: {0}")]
    System(std::io::Error),
}

impl From<Trouble> for CommandError {
    fn from(trouble: Trouble) -> Self {
        if let Trouble::Client(error) = trouble { Self::Client(error) } else { Self::Documents(trouble) }
    }
}

impl CommandError {
    /// 2 for wrong usage, 1 for what was refused or failed.
    pub(crate) const fn exit_code(&self) -> u8 {
        match self {
            Self::Usage(_) => 2,
            Self::Client(_) | Self::File { .. } | Self::Unwritable { .. } | Self::Documents(_) | Self::System(_) | Self::Control(_) => 1,
        }
    }

    pub(crate) fn code(&self) -> &str {
        match self {
            Self::Usage(_) => "usage",
            Self::File { .. } | Self::Unwritable { .. } | Self::Documents(Trouble::File { .. }) => "invalid_file",
            Self::Documents(Trouble::Document(_)) => "invalid_document",
            Self::Documents(_) => "not_applied",
            Self::System(_) => "system",
            Self::Client(error) => error.code(),
            Self::Control(error) => error.code(),
        }
    }

    pub(crate) fn request_id(&self) -> Option<&str> {
        if let Self::Client(error) = self { error.request_id() } else { None }
    }

    pub(crate) fn field(&self) -> Option<&str> {
        match self {
            Self::Client(error) => error.field(),
            Self::Documents(Trouble::Document(problem)) => Some(&problem.field),
            _ => None,
        }
    }
}

/// What a command has at hand.
#[derive(Debug)]
pub(crate) struct Session {
    arguments: ClientArguments,
    environment: BTreeMap<String, String>,
    now: Timestamp,
}

impl Session {
    /// A client for where the flags, the environment and the profile file lead.
    fn client(&self) -> Result<Tidegate, CommandError> {
        let flags = Flags {
            endpoint: self.arguments.endpoint.clone(),
            access_key_id: self.arguments.access_key_id.clone(),
            ca_file: self.arguments.ca_file.clone(),
            profile: self.arguments.profile.clone(),
        };
        Ok(Tidegate::new(Target::resolve(flags, &self.environment)?)?)
    }
}

/// Runs a command of the client; the environment is passed in. Answers the exit code: 0 done, 1 refused or failed, 2 wrong usage.
pub(crate) fn run(command: ClientCommand, environment: impl Iterator<Item = (String, String)>) -> ExitCode {
    let session = Session { arguments: command.arguments().clone(), environment: environment.collect(), now: SystemClock.now() };
    let printer = Printer::new(session.arguments.output);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    printer.finish(runtime.map_err(CommandError::System).and_then(|runtime| runtime.block_on(answer(command, &session))))
}

async fn answer(command: ClientCommand, session: &Session) -> Result<Output, CommandError> {
    if let ClientCommand::Configure(arguments) = command {
        return configure::run(&arguments, session);
    }
    if let ClientCommand::Scan(arguments) = command {
        return scan::run(&arguments, session).await;
    }
    if let ClientCommand::Account(Noun { verb: account::Command::Operator(verb), .. }) = command {
        return operator::run(verb, session).await;
    }
    if let ClientCommand::Network(Noun { verb: network::Command::Reset { instance, machine }, .. }) = command {
        return network::reset(instance, &machine, session).await;
    }
    if let ClientCommand::Nodes(nodes::Arguments { local: true, machine, .. }) = &command {
        return nodes::run_local(machine, session).await;
    }
    if let ClientCommand::Audit(Noun { verb, .. }) = &command
        && let Some(done) = audit::offline(verb)
    {
        return done;
    }
    let client = session.client()?;
    match command {
        ClientCommand::Configure(arguments) => configure::run(&arguments, session),
        ClientCommand::Scan(arguments) => scan::run(&arguments, session).await,
        ClientCommand::Whoami(_) => Ok(Output::one(&client.whoami().await?)),
        ClientCommand::Account(Noun { verb, .. }) => account::run(verb, &client).await,
        ClientCommand::User(Noun { verb, .. }) => user::run(verb, &client).await,
        ClientCommand::Password(Noun { verb, .. }) => password::run(verb, &client).await,
        ClientCommand::Credential(Noun { verb, .. }) => credential::run(verb, &client).await,
        ClientCommand::LoginToken(Noun { verb, .. }) => credential::run_login_token(verb, &client).await,
        ClientCommand::AccessKey(Noun { verb, .. }) => access_key::run(verb, &client).await,
        ClientCommand::Integration(Noun { verb, .. }) => integration::run(verb, &client).await,
        ClientCommand::Group(Noun { verb, .. }) => group::run(verb, &client).await,
        ClientCommand::ServiceAccount(Noun { verb, .. }) => service_account::run(verb, &client).await,
        ClientCommand::Role(Noun { verb, .. }) => role::run(verb, &client).await,
        ClientCommand::Federation(Noun { verb, .. }) => federation::run(verb, &client).await,
        ClientCommand::OidcProvider(Noun { verb, .. }) => federation::run_provider(verb, &client).await,
        ClientCommand::Policy(Noun { verb, .. }) => policy::run(verb, &client).await,
        ClientCommand::ResourcePolicy(Noun { verb, .. }) => resource_policy::run(verb, &client).await,
        ClientCommand::Instance(Noun { verb, .. }) => instance::run(verb, &client).await,
        ClientCommand::AdminUser(Noun { verb, .. }) => admin_user::run(verb, &client).await,
        ClientCommand::Network(Noun { verb, .. }) => network::run(verb, &client).await,
        ClientCommand::Namespace(Noun { verb, .. }) => namespace::run(verb, &client).await,
        ClientCommand::Retention(Noun { verb, .. }) => retention::run(verb, &client).await,
        ClientCommand::Quota(Noun { verb, .. }) => quota::run(verb, &client).await,
        ClientCommand::Repository(Noun { verb, .. }) => repository::run(verb, &client).await,
        ClientCommand::Tag(Noun { verb, .. }) => tag::run(verb, &client).await,
        ClientCommand::Image(Noun { verb, .. }) => image::run(verb, &client).await,
        ClientCommand::ImmutableTagRule(Noun { verb, .. }) => immutable_tag_rule::run(verb, &client).await,
        ClientCommand::Label(Noun { verb, .. }) => label::run(verb, &client).await,
        ClientCommand::Apply(arguments) => apply::run(arguments, session, &client).await,
        ClientCommand::Export(arguments) => apply::run_export(arguments, &client).await,
        ClientCommand::Audit(Noun { verb, .. }) => audit::run(verb, &client, session.arguments.output).await,
        ClientCommand::Nodes(_) => nodes::run(&client).await,
        ClientCommand::SigningKey(Noun { verb, .. }) => signing_key::run(verb, &client, session.arguments.output).await,
    }
}
