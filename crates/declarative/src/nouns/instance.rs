//! `kind: Instance`

use api::{CreateInstance, UpdateInstance};
use client::{ClientError, LabelOwner};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::policy::fixed;
use crate::Trouble;
use crate::diff;
use crate::error::found;
use crate::noun::{Here, Noun};
use crate::step::{Call, Key, Step, call};

pub(crate) struct Instance;

/// An instance: a registry with its own host names.
#[derive(Clone, Serialize, Deserialize, ToSchema, Default, Debug)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct InstanceSpec {
    /// Where it stands; said when it is made, and not changed later. `local` unless told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    region: Option<String>,
    /// All host names that choose it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    hosts: Option<Vec<String>>,
    /// May a push make its namespace? No for a new one unless told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    auto_create_namespace: Option<bool>,
    /// Does `/token` hand out refresh tokens? No for a new one unless told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    identity_tokens: Option<bool>,
}

impl Noun for Instance {
    const KIND: &'static str = "Instance";
    const LABEL: Option<&'static str> = Some("instance");
    type Spec = InstanceSpec;

    async fn list(here: &Here<'_>, _instance: &str) -> Result<Vec<String>, ClientError> {
        Ok(here.client.instances().list().await?.into_iter().map(|instance| instance.name).collect())
    }

    async fn read(here: &Here<'_>, key: &Key, _wanted: Option<&InstanceSpec>) -> Result<Option<InstanceSpec>, ClientError> {
        Ok(found(here.client.instances().show(&key.name).await)?.map(spec))
    }

    fn plan(_here: &Here<'_>, key: &Key, wanted: &InstanceSpec, there: Option<InstanceSpec>) -> Result<Vec<Step>, Trouble> {
        let (mut steps, name) = (Vec::new(), key.name.clone());
        let mut wanted = wanted.clone();
        if let Some(hosts) = &mut wanted.hosts {
            for host in hosts.iter_mut() {
                host.make_ascii_lowercase();
            }
            hosts.sort();
            hosts.dedup();
        }
        let there = there.unwrap_or_else(|| {
            let new = CreateInstance { name: name.clone(), region: wanted.region.clone(), hosts: wanted.hosts.clone().unwrap_or_default() };
            let changes = diff::all(&wanted, &["autoCreateNamespace", "identityTokens"]);
            steps.push(Step::create(key, changes, call!(client => client.instances().create(&new))));
            let (region, hosts) = (wanted.region.clone(), wanted.hosts.clone());
            InstanceSpec { region, hosts, auto_create_namespace: Some(false), identity_tokens: Some(false) }
        });
        let changes = diff::changes(&wanted, &there, &[]);
        if diff::touches(&changes, &["region"]) {
            return Err(fixed(key, "region"));
        }
        if !changes.is_empty() {
            let touched = |field| diff::touches(&changes, &[field]);
            let change = UpdateInstance {
                hosts: wanted.hosts.clone().filter(|_| touched("hosts")),
                auto_create_namespace: wanted.auto_create_namespace.filter(|_| touched("autoCreateNamespace")),
                identity_tokens: wanted.identity_tokens.filter(|_| touched("identityTokens")),
            };
            steps.push(Step::update(key, changes, call!(client => client.instances().update(&name, &change))));
        }
        Ok(steps)
    }

    fn delete(key: &Key) -> Option<Call> {
        let name = key.name.clone();
        Some(call!(client => client.instances().delete(&name)))
    }

    fn owner(key: &Key) -> Option<LabelOwner> {
        Some(LabelOwner::Instance(key.name.clone()))
    }
}

fn spec(there: api::Instance) -> InstanceSpec {
    let mut hosts = there.hosts;
    hosts.sort();
    InstanceSpec {
        region: Some(there.region),
        hosts: Some(hosts),
        auto_create_namespace: Some(there.auto_create_namespace),
        identity_tokens: Some(there.identity_tokens),
    }
}
