//! `tidegate federation …` and `tidegate oidc-provider …`

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use api::{CreateFederatedCredential, CreateProvider, UpdateFederatedCredential, UpdateProvider};
use clap::{Args, Subcommand};
use client::Tidegate;
use model::Seconds;
use serde_json::json;

use super::{CommandError, input};
use crate::printer::Output;

const COLUMNS: &[&str] = &["name", "issuer", "subject", "audience", "enabled", "last_used_at"];
const PROVIDER_COLUMNS: &[&str] = &["name", "issuer", "client_ids", "allow_internal", "enabled", "created_at"];

#[derive(Subcommand, Debug)]
pub(crate) enum Command {
    /// Let workloads of an issuer be a service account, without any secret
    Create(Box<Create>),
    /// List whom a service account trusts
    List {
        /// The service account, by name or client id
        service_account: String,
    },
    /// Show one of them
    Show(One),
    /// Change whom it trusts, or enable or disable it
    Update(Box<Update>),
    /// Delete it; every token made from it ends
    Delete(One),
}

/// A federated credential.
#[derive(Args, Debug)]
pub(crate) struct One {
    /// The service account, by name or client id
    service_account: String,
    /// The federated credential's name
    name: String,
}

/// A new one.
#[derive(Args, Debug)]
pub(crate) struct Create {
    #[command(flatten)]
    one: One,
    /// Fill in for: github-actions, gitlab, kubernetes, entra
    #[arg(long, value_name = "PRESET")]
    preset: Option<String>,
    /// What the preset needs, as repository=acme/app; may be repeated
    #[arg(long, value_name = "FIELD=VALUE", value_parser = pair, requires = "preset")]
    with: Vec<(String, String)>,
    /// The audience that tokens must be for [default: the server's host, as --endpoint names it]
    #[arg(long, value_name = "TEXT")]
    audience: Option<String>,
    /// The issuer, exactly as in its tokens
    #[arg(long, value_name = "URL")]
    issuer: Option<String>,
    /// The subject, exactly or with * and ?
    #[arg(long, value_name = "PATTERN")]
    subject: Option<String>,
    /// A further claim that must match, as environment=production; repeated for one claim: any of the values
    #[arg(long, value_name = "CLAIM=PATTERN", value_parser = pair)]
    claim: Vec<(String, String)>,
    /// What it is for
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    description: String,
    /// End by itself after this time, as 90d
    #[arg(long, value_name = "TIME", value_parser = input::duration)]
    expires_in: Option<Seconds>,
}

/// A changed one.
#[derive(Args, Debug)]
pub(crate) struct Update {
    #[command(flatten)]
    one: One,
    /// The audience
    #[arg(long, value_name = "TEXT")]
    audience: Option<String>,
    /// The subject, exactly or with * and ?
    #[arg(long, value_name = "PATTERN")]
    subject: Option<String>,
    /// The further claims, in place of all there are
    #[arg(long, value_name = "CLAIM=PATTERN", value_parser = pair)]
    claim: Vec<(String, String)>,
    /// What it is for
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,
    /// Let it work again
    #[arg(long, conflicts_with = "disable")]
    enable: bool,
    /// Stop it, running tokens included
    #[arg(long)]
    disable: bool,
}

pub(super) async fn run(command: Command, client: &Tidegate) -> Result<Output, CommandError> {
    Ok(match command {
        Command::Create(new) => {
            let audience = new.audience.unwrap_or_else(|| client.endpoint().authority().to_owned());
            let wanted = CreateFederatedCredential {
                name: new.one.name,
                audience,
                issuer: new.issuer,
                subject: new.subject,
                claims: claims(new.claim),
                preset: new.preset,
                with: new.with.into_iter().collect(),
                description: new.description,
                expires_in: new.expires_in,
            };
            Output::one(&client.federated(&new.one.service_account).create(&wanted).await?)
        }
        Command::List { service_account } => Output::many(&client.federated(&service_account).list().await?, COLUMNS),
        Command::Show(One { service_account, name }) => Output::one(&client.federated(&service_account).show(&name).await?),
        Command::Update(new) => {
            let change = UpdateFederatedCredential {
                audience: new.audience,
                subject: new.subject,
                claims: Some(claims(new.claim)).filter(|claims| !claims.is_empty()),
                description: new.description,
                enabled: switch(new.enable, new.disable),
            };
            Output::one(&client.federated(&new.one.service_account).update(&new.one.name, &change).await?)
        }
        Command::Delete(One { service_account, name }) => {
            client.federated(&service_account).delete(&name).await?;
            Output::one(&json!({"name": name, "enabled": false}))
        }
    })
}

#[derive(Subcommand, Debug)]
pub(crate) enum ProviderCommand {
    /// Name an issuer that roles and service accounts may trust
    Create {
        /// 1 to 128 letters, digits and . - _
        name: String,
        /// The issuer, exactly as in its tokens
        #[arg(long, value_name = "URL")]
        issuer: String,
        #[command(flatten)]
        keys: Keys,
        /// May it be at an internal address, and speak plain http?
        #[arg(long)]
        allow_internal: bool,
        /// What it is for
        #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
        description: String,
    },
    /// List OIDC providers
    List,
    /// Show an OIDC provider
    Show {
        /// Its name
        name: String,
    },
    /// Ask the issuer for its keys now, and say how that went
    Check {
        /// Its name
        name: String,
    },
    /// Change an OIDC provider; its issuer never changes
    Update {
        /// Its name
        name: String,
        #[command(flatten)]
        keys: Keys,
        /// Ask the issuer for its keys from now on
        #[arg(long, conflicts_with = "jwks")]
        discover: bool,
        /// May it be at an internal address?
        #[arg(long, value_name = "BOOL")]
        allow_internal: Option<bool>,
        /// What it is for
        #[arg(long, value_name = "TEXT")]
        description: Option<String>,
        /// Let it work again
        #[arg(long, conflicts_with = "disable")]
        enable: bool,
        /// Stop all it lets in, running tokens included
        #[arg(long)]
        disable: bool,
    },
    /// Delete an OIDC provider with the federated credentials of its issuer
    Delete {
        /// Its name
        name: String,
    },
}

/// What an issuer is known by.
#[derive(Args, Debug)]
pub(crate) struct Keys {
    /// An audience that roles accept; may be repeated
    #[arg(long = "client-id", value_name = "AUDIENCE")]
    client_ids: Vec<String>,
    /// A file with its keys (a JSON Web Key Set), where it cannot be asked; - is standard input
    #[arg(long, value_name = "FILE")]
    jwks: Option<PathBuf>,
    /// A file with certificates (PEM) of its own authority, trusted in place of the public ones
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
}

pub(super) async fn run_provider(command: ProviderCommand, client: &Tidegate) -> Result<Output, CommandError> {
    let providers = client.providers();
    Ok(match command {
        ProviderCommand::Create { name, issuer, keys, allow_internal, description } => {
            let (jwks, ca) = (text(keys.jwks.as_deref())?, text(keys.ca.as_deref())?);
            let new = CreateProvider { name, issuer, client_ids: keys.client_ids, jwks, ca, allow_internal, description };
            Output::one(&providers.create(&new).await?)
        }
        ProviderCommand::List => Output::many(&providers.list().await?, PROVIDER_COLUMNS),
        ProviderCommand::Show { name } => Output::one(&providers.show(&name).await?),
        ProviderCommand::Check { name } => Output::one(&providers.check(&name).await?),
        ProviderCommand::Update { name, keys, discover, allow_internal, description, enable, disable } => {
            let jwks = if discover { Some(String::new()) } else { text(keys.jwks.as_deref())? };
            let change = UpdateProvider {
                client_ids: Some(keys.client_ids).filter(|ids| !ids.is_empty()),
                jwks,
                ca: text(keys.ca.as_deref())?,
                allow_internal,
                description,
                enabled: switch(enable, disable),
            };
            Output::one(&providers.update(&name, &change).await?)
        }
        ProviderCommand::Delete { name } => {
            providers.delete(&name).await?;
            Output::one(&json!({"name": name, "enabled": false}))
        }
    })
}

fn text(path: Option<&Path>) -> Result<Option<String>, CommandError> {
    path.map(input::document).transpose()
}

const fn switch(enable: bool, disable: bool) -> Option<bool> {
    match (enable, disable) {
        (true, _) => Some(true),
        (_, true) => Some(false),
        _ => None,
    }
}

/// Reads `NAME=VALUE`.
fn pair(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("write it as NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}

fn claims(all: Vec<(String, String)>) -> BTreeMap<String, Vec<String>> {
    let mut claims = BTreeMap::<String, Vec<String>>::new();
    for (name, value) in all {
        claims.entry(name).or_default().push(value);
    }
    claims
}
