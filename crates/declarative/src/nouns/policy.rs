//! `kind: Policy`

use std::path::Path;

use api::{CreatePolicy, CreatePolicyVersion};
use client::{ClientError, LabelOwner, Tidegate};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::text::{self, PolicyText};
use crate::Trouble;
use crate::diff;
use crate::error::found;
use crate::noun::{Here, Noun};
use crate::step::{Call, Key, Step, call};

/// Versions that are kept at most (RAM's limit).
const MAX_VERSIONS: usize = 5;

pub(crate) struct Policy;

/// A policy: its document is attached to users, groups, service accounts and roles by its name.
#[derive(Clone, Serialize, Deserialize, ToSchema, Debug)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct PolicySpec {
    /// What it is for; said when it is made, and not changed later.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    /// What it allows and denies.
    #[schema(schema_with = text::schema)]
    document: PolicyText,
}

impl Noun for Policy {
    const KIND: &'static str = "Policy";
    const LABEL: Option<&'static str> = Some("policy");
    type Spec = PolicySpec;

    fn resolve(spec: &mut PolicySpec, base: &Path) -> Result<(), Trouble> {
        spec.document.resolve(base)
    }

    async fn list(here: &Here<'_>, _instance: &str) -> Result<Vec<String>, ClientError> {
        let all = here.client.policies().list().await?;
        Ok(all.into_iter().filter(|policy| !policy.built_in).map(|policy| policy.name).collect())
    }

    async fn read(here: &Here<'_>, key: &Key, _wanted: Option<&PolicySpec>) -> Result<Option<PolicySpec>, ClientError> {
        let policy = found(here.client.policies().show(&key.name).await)?;
        Ok(policy.map(|p| PolicySpec { description: Some(p.policy.description), document: PolicyText::of(p.document) }))
    }

    fn plan(_here: &Here<'_>, key: &Key, wanted: &PolicySpec, there: Option<PolicySpec>) -> Result<Vec<Step>, Trouble> {
        let (name, document) = (key.name.clone(), wanted.document.text());
        let Some(there) = there else {
            let new = CreatePolicy { name, description: wanted.description.clone().unwrap_or_default(), document };
            return Ok(vec![Step::create(key, diff::all(wanted, &[]), call!(client => client.policies().create(&new)))]);
        };
        let changes = diff::changes(wanted, &there, &[]);
        if diff::touches(&changes, &["description"]) {
            return Err(fixed(key, "description"));
        }
        if changes.is_empty() {
            return Ok(Vec::new());
        }
        Ok(vec![Step::update(key, changes, call!(client => renew(client, &name, document)))])
    }

    fn delete(key: &Key) -> Option<Call> {
        let name = key.name.clone();
        Some(call!(client => client.policies().delete(&name)))
    }

    fn owner(key: &Key) -> Option<LabelOwner> {
        Some(LabelOwner::Policy(key.name.clone()))
    }
}

/// A field that is what it was made as.
pub(super) fn fixed(key: &Key, field: &str) -> Trouble {
    Trouble::Unsafe(format!("{key}: spec.{field} is said when it is made and cannot be changed: leave it out, or as it is"))
}

/// A new version in force; the oldest that is not in force goes when there is no room.
async fn renew(client: &Tidegate, name: &str, document: String) -> Result<(), ClientError> {
    let policies = client.policies();
    let versions = policies.list_versions(name).await?;
    if versions.len() >= MAX_VERSIONS {
        let oldest = versions.iter().filter(|version| !version.is_default).map(|version| version.version).min();
        if let Some(oldest) = oldest {
            policies.delete_version(name, oldest).await?;
        }
    }
    policies.create_version(name, &CreatePolicyVersion { document, set_as_default: true, drop_oldest: false }).await.map(drop)
}
