//! `kind: Endpoint`: network rules of an instance, named `public` or as a private network of the server's configuration.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::Path;

use api::{CreateEndpoint, CreateEndpointEntry, DefaultAction, UpdateEndpoint};
use client::{ClientError, Tidegate};
use ipnet::IpNet;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::Trouble;
use crate::diff;
use crate::error::found;
use crate::noun::{Here, Noun};
use crate::step::{Call, Change, Key, Stage, Step, call};

const PUBLIC: &str = "public";

pub(crate) struct Endpoint;

/// An endpoint of an instance: `public`, or the named network of the server's configuration that it is for (with an empty `spec`).
#[derive(Clone, Serialize, Deserialize, ToSchema, Default, Debug)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct EndpointSpec {
    /// Off, it lets nobody in. The public one's alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    enabled: Option<bool>,
    /// Whom the public one lets in besides its entries: `allow` (everybody) or `deny` (nobody).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    default_action: Option<Besides>,
    /// All entries of the public one's allow list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    entries: Option<Vec<EndpointEntry>>,
}

/// Addresses that are let in.
#[derive(Clone, Serialize, Deserialize, ToSchema, PartialEq, Eq, Debug)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct EndpointEntry {
    /// A block of addresses.
    cidr: String,
    /// What it is.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    comment: String,
}

/// Whom an endpoint lets in besides its entries.
#[derive(Clone, Copy, Serialize, Deserialize, ToSchema, PartialEq, Eq, Debug)]
#[serde(rename_all = "camelCase")]
enum Besides {
    /// Everybody.
    Allow,
    /// Nobody.
    Deny,
}

impl From<Besides> for DefaultAction {
    fn from(action: Besides) -> Self {
        match action {
            Besides::Allow => Self::Allow,
            Besides::Deny => Self::Deny,
        }
    }
}

impl From<DefaultAction> for Besides {
    fn from(action: DefaultAction) -> Self {
        match action {
            DefaultAction::Allow => Self::Allow,
            DefaultAction::Deny => Self::Deny,
        }
    }
}

impl Noun for Endpoint {
    const KIND: &'static str = "Endpoint";
    const IN_INSTANCE: bool = true;
    const LABEL: Option<&'static str> = None;
    type Spec = EndpointSpec;

    fn resolve(spec: &mut EndpointSpec, _base: &Path) -> Result<(), Trouble> {
        for entry in spec.entries.iter_mut().flatten() {
            entry.cidr = whole(&entry.cidr);
        }
        Ok(())
    }

    async fn list(here: &Here<'_>, instance: &str) -> Result<Vec<String>, ClientError> {
        Ok(here.client.endpoints(instance).list().await?.into_iter().map(|endpoint| endpoint.endpoint).collect())
    }

    async fn read(here: &Here<'_>, key: &Key, _wanted: Option<&EndpointSpec>) -> Result<Option<EndpointSpec>, ClientError> {
        Ok(found(here.client.endpoints(key.at()).show(&key.name).await)?.map(spec))
    }

    fn plan(_here: &Here<'_>, key: &Key, wanted: &EndpointSpec, there: Option<EndpointSpec>) -> Result<Vec<Step>, Trouble> {
        if key.name == PUBLIC {
            return Ok(public(key, wanted, &there.unwrap_or_else(new_public)));
        }
        if wanted.enabled.is_some() || wanted.default_action.is_some() || wanted.entries.is_some() {
            return Err(Trouble::Unsafe(format!("{key}: a private endpoint is there or not; only `{PUBLIC}` has settings and entries")));
        }
        let (instance, new) = (key.at().to_owned(), CreateEndpoint { network: key.name.clone() });
        let create = || Step::create(key, Vec::new(), call!(client => client.endpoints(&instance).create(&new)));
        Ok(if there.is_none() { vec![create()] } else { Vec::new() })
    }

    fn delete(_key: &Key) -> Option<Call> {
        None
    }
}

/// An address alone is a block of one, as the server says it.
fn whole(cidr: &str) -> String {
    match (cidr.parse::<IpNet>(), cidr.parse::<IpAddr>()) {
        (Ok(net), _) => net.to_string(),
        (_, Ok(address)) => IpNet::from(address.to_canonical()).to_string(),
        _ => cidr.to_owned(),
    }
}

/// What a new instance has.
fn new_public() -> EndpointSpec {
    EndpointSpec { enabled: Some(true), default_action: Some(Besides::Allow), entries: Some(Vec::new()) }
}

fn spec(there: api::Endpoint) -> EndpointSpec {
    if there.endpoint != PUBLIC {
        return EndpointSpec::default();
    }
    let mut entries: Vec<_> =
        there.entries.unwrap_or_default().into_iter().map(|entry| EndpointEntry { cidr: entry.cidr, comment: entry.comment }).collect();
    entries.sort_by(|a, b| a.cidr.cmp(&b.cidr));
    EndpointSpec { enabled: Some(there.enabled), default_action: there.default_action.map(Besides::from), entries: Some(entries) }
}

/// First who is let in, then who is not, then the rest: nobody who is in both is out in between.
fn public(key: &Key, wanted: &EndpointSpec, there: &EndpointSpec) -> Vec<Step> {
    let by_cidr = |spec: &EndpointSpec| -> BTreeMap<String, EndpointEntry> {
        spec.entries.iter().flatten().map(|entry| (entry.cidr.clone(), entry.clone())).collect()
    };
    let (new, old) = (by_cidr(wanted), by_cidr(there));
    let mut steps = Vec::new();
    if wanted.entries.is_some() {
        let added: Vec<_> = new.values().filter(|entry| old.get(&entry.cidr) != Some(*entry)).collect();
        if !added.is_empty() {
            steps.push(allow(key, &added));
        }
        // With the last entry gone everybody gets in: that has to be said.
        let opens = new.is_empty() && wanted.default_action == Some(Besides::Allow);
        steps.extend(old.keys().filter(|cidr| !new.contains_key(*cidr)).map(|cidr| disallow(key, cidr, opens)));
    }
    steps.extend(settings(key, wanted, there));
    steps
}

/// Entries come and go with a `default_action` of their own: what is wanted is said once more behind them.
fn settings(key: &Key, wanted: &EndpointSpec, there: &EndpointSpec) -> Option<Step> {
    let mut expected = there.clone();
    if let Some(entries) = &wanted.entries {
        let had = there.entries.as_ref().is_some_and(|entries| !entries.is_empty());
        let turns = if entries.is_empty() && had { Some(Besides::Allow) } else { None };
        let added = entries.iter().any(|entry| !there.entries.iter().flatten().any(|old| old == entry));
        expected.default_action = if added { Some(Besides::Deny) } else { turns.or(there.default_action) };
    }
    let changes = diff::changes(wanted, &expected, &["entries"]);
    if changes.is_empty() {
        return None;
    }
    let (instance, touched) = (key.at().to_owned(), |field| diff::touches(&changes, &[field]));
    let change = UpdateEndpoint {
        enabled: wanted.enabled.filter(|_| touched("enabled")),
        default_action: wanted.default_action.filter(|_| touched("defaultAction")).map(DefaultAction::from),
        force: false,
    };
    let call: Call = call!(client => client.endpoints(&instance).update_public(&change));
    let mut step = Step::update(key, changes, call);
    step.stage = Stage::Tie;
    Some(step)
}

fn allow(key: &Key, entries: &[&EndpointEntry]) -> Step {
    let new = |entry: &&EndpointEntry| CreateEndpointEntry { cidr: entry.cidr.clone(), comment: entry.comment.clone(), force: false };
    let (instance, new): (_, Vec<_>) = (key.at().to_owned(), entries.iter().map(new).collect());
    let mut step = Step::update(
        key,
        entries.iter().map(|entry| Change::add("entries", &entry.cidr)).collect(),
        call!(client => allow_all(client, &instance, new)),
    );
    step.stage = Stage::Tie;
    step
}

/// The first entry shuts everybody else out, so that it must be the one with the caller's own address: whichever is refused for
/// that is tried again behind another one.
async fn allow_all(client: &Tidegate, instance: &str, mut waiting: Vec<CreateEndpointEntry>) -> Result<(), ClientError> {
    loop {
        let (before, mut again, mut refused) = (waiting.len(), Vec::new(), None);
        for entry in waiting {
            match client.endpoints(instance).allow(&entry).await {
                Ok(_) => {}
                Err(error) if error.code() == "needs_force" => {
                    again.push(entry);
                    refused = Some(error);
                }
                Err(error) => return Err(error),
            }
        }
        match refused {
            None => return Ok(()),
            Some(error) if again.len() == before => return Err(error),
            Some(_) => waiting = again,
        }
    }
}

fn disallow(key: &Key, cidr: &str, opens: bool) -> Step {
    let (instance, gone) = (key.at().to_owned(), cidr.to_owned());
    Step::tie(key, Change::remove("entries", cidr), call!(client => client.endpoints(&instance).disallow(&gone, opens)))
}
