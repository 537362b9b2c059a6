//! `kind: Role`

use std::path::Path;

use api::{CreateRole, UpdateRole};
use client::{ClientError, Holder, LabelOwner};
use model::Seconds;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::attachments;
use super::text::{self, PolicyText};
use crate::Trouble;
use crate::diff;
use crate::error::found;
use crate::noun::{Here, Noun};
use crate::step::{Call, Key, Step, call};

pub(crate) struct Role;

/// A role: an identity that is assumed, never logged in to directly.
#[derive(Clone, Serialize, Deserialize, ToSchema, Debug)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct RoleSpec {
    /// What it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    /// Who may assume it.
    #[schema(schema_with = text::schema)]
    trust_policy: PolicyText,
    /// Seconds that a session lasts at most, 3600 to 43200; 3600 for a new role unless told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<i64>)]
    max_session: Option<Seconds>,
    /// Disabled roles are nobody; new ones are enabled unless told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    enabled: Option<bool>,
    /// All policies that are attached to it, by name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    policies: Option<Vec<String>>,
}

impl Noun for Role {
    const KIND: &'static str = "Role";
    const LABEL: Option<&'static str> = Some("role");
    type Spec = RoleSpec;

    fn resolve(spec: &mut RoleSpec, base: &Path) -> Result<(), Trouble> {
        spec.trust_policy.resolve(base)
    }

    async fn list(here: &Here<'_>, _instance: &str) -> Result<Vec<String>, ClientError> {
        Ok(here.client.roles().list().await?.into_iter().map(|role| role.name).collect())
    }

    async fn read(here: &Here<'_>, key: &Key, wanted: Option<&RoleSpec>) -> Result<Option<RoleSpec>, ClientError> {
        let Some(role) = found(here.client.roles().show(&key.name).await)? else { return Ok(None) };
        let policies = wanted.is_none_or(|wanted| wanted.policies.is_some());
        let policies = attachments::read(here, &Holder::Role(role.name), policies).await?;
        Ok(Some(RoleSpec {
            description: Some(role.description),
            trust_policy: PolicyText::of(role.trust_policy),
            max_session: Some(role.max_session),
            enabled: Some(role.enabled),
            policies,
        }))
    }

    fn plan(_here: &Here<'_>, key: &Key, wanted: &RoleSpec, there: Option<RoleSpec>) -> Result<Vec<Step>, Trouble> {
        let (mut steps, name) = (Vec::new(), key.name.clone());
        let held = there.as_ref().and_then(|there| there.policies.clone());
        let changes = if let Some(there) = &there {
            diff::changes(wanted, there, &["policies"])
        } else {
            steps.push(create(key, wanted));
            // What cannot be said when it is made.
            let others = ["description", "trustPolicy", "maxSession", "policies"];
            if wanted.enabled == Some(false) { diff::all(wanted, &others) } else { Vec::new() }
        };
        if !changes.is_empty() {
            let touched = |field| diff::touches(&changes, &[field]);
            let change = UpdateRole {
                description: wanted.description.clone().filter(|_| touched("description")),
                trust_policy: touched("trustPolicy").then(|| wanted.trust_policy.text()),
                max_session: wanted.max_session.filter(|_| touched("maxSession")),
                enabled: wanted.enabled.filter(|_| touched("enabled")),
            };
            let name = name.clone();
            steps.push(Step::update(key, changes, call!(client => client.roles().update(&name, &change))));
        }
        steps.extend(attachments::plan(key, &Holder::Role(name), wanted.policies.as_ref(), held.as_ref()));
        Ok(steps)
    }

    fn delete(key: &Key) -> Option<Call> {
        let name = key.name.clone();
        Some(call!(client => client.roles().delete(&name)))
    }

    fn owner(key: &Key) -> Option<LabelOwner> {
        Some(LabelOwner::Role(key.name.clone()))
    }
}

fn create(key: &Key, wanted: &RoleSpec) -> Step {
    let new = CreateRole {
        name: key.name.clone(),
        description: wanted.description.clone().unwrap_or_default(),
        trust_policy: wanted.trust_policy.text(),
        max_session: wanted.max_session,
    };
    Step::create(key, diff::all(wanted, &["policies", "enabled"]), call!(client => client.roles().create(&new)))
}
