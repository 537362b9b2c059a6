//! `kind: Namespace`

use std::path::Path;

use api::{CreateNamespace, SetNamespaceQuota, UpdateNamespace};
use client::{ClientError, LabelOwner};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::resource_policy::{self, Of};
use super::retention::{self, RetentionSpec};
use super::tag_rules::{self, TagRuleSpec};
use super::text::{self, PolicyText};
use crate::Trouble;
use crate::diff;
use crate::error::found;
use crate::noun::{Here, Noun};
use crate::step::{Call, Change, Key, Step, call};

pub(crate) struct Namespace;

/// What is set by steps of its own.
const TIES: [&str; 4] = ["policy", "immutableTagRules", "quota", "retention"];

/// A namespace of an instance; `_` is the root namespace.
#[derive(Clone, Serialize, Deserialize, ToSchema, Default, Debug)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct NamespaceSpec {
    /// May anybody pull? No for a new one unless told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    public: Option<bool>,
    /// May a push make its repository? Yes for a new one unless told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    auto_create_repository: Option<bool>,
    /// May an index lack children? No for a new one unless told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sparse_indexes: Option<bool>,
    /// Is a repository public that is made without saying so? No for a new one unless told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    default_public: Option<bool>,
    /// What it may hold, all of it: what is left out of it has no bound, and `{}` bounds nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    quota: Option<QuotaSpec>,
    /// Are all tags of a repository immutable that is made without saying so? No for a new one unless told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    default_immutable_tags: Option<bool>,
    /// Its rules of immutable tags, all of them; those that are not here go. `[]`: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    immutable_tag_rules: Option<Vec<TagRuleSpec>>,
    /// Which images it keeps, all rules; `[]`: everything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    retention: Option<Vec<RetentionSpec>>,
    /// Who else may use it: a RAM document whose statements name principals; `{}`: nobody else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(schema_with = text::schema)]
    policy: Option<PolicyText>,
}

/// What a namespace may hold.
#[derive(Clone, Serialize, Deserialize, ToSchema, Default, PartialEq, Eq, Debug)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct QuotaSpec {
    /// Bytes of blobs, each once, and of manifests.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0)]
    max_bytes: Option<i64>,
    /// Repositories.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0)]
    max_repositories: Option<i64>,
}

/// The quota that is there, if it is asked for; none: nothing is bounded.
async fn quota(here: &Here<'_>, key: &Key, asked: bool) -> Result<Option<QuotaSpec>, ClientError> {
    if !asked {
        return Ok(None);
    }
    let there = here.client.namespaces(key.at()).quota(&key.name).await?;
    let spec = QuotaSpec { max_bytes: there.max_bytes, max_repositories: there.max_repositories };
    Ok(Some(spec).filter(|spec| *spec != QuotaSpec::default()))
}

/// Sets the quota where it is another one.
fn plan_quota(key: &Key, wanted: Option<&QuotaSpec>, there: Option<&QuotaSpec>) -> Option<Step> {
    let (wanted, there) = (wanted?, there.cloned().unwrap_or_default());
    if *wanted == there {
        return None;
    }
    let json = |spec: &QuotaSpec| if *spec == QuotaSpec::default() { None } else { serde_json::to_value(spec).ok() };
    let change = Change::new("quota", json(&there), json(wanted));
    let (instance, name) = (key.at().to_owned(), key.name.clone());
    let quota = SetNamespaceQuota { max_bytes: wanted.max_bytes, max_repositories: wanted.max_repositories };
    Some(Step::tie(key, change, call!(client => client.namespaces(&instance).set_quota(&name, &quota))))
}

impl Noun for Namespace {
    const KIND: &'static str = "Namespace";
    const IN_INSTANCE: bool = true;
    const LABEL: Option<&'static str> = Some("namespace");
    type Spec = NamespaceSpec;

    fn resolve(spec: &mut NamespaceSpec, base: &Path) -> Result<(), Trouble> {
        spec.policy.as_mut().map_or(Ok(()), |policy| policy.resolve(base))
    }

    async fn list(here: &Here<'_>, instance: &str) -> Result<Vec<String>, ClientError> {
        Ok(here.client.namespaces(instance).list().await?.into_iter().map(|namespace| namespace.name).collect())
    }

    async fn read(here: &Here<'_>, key: &Key, wanted: Option<&NamespaceSpec>) -> Result<Option<NamespaceSpec>, ClientError> {
        let Some(there) = found(here.client.namespaces(key.at()).show(&key.name).await)? else { return Ok(None) };
        let asked = wanted.is_none_or(|wanted| wanted.policy.is_some());
        Ok(Some(NamespaceSpec {
            public: Some(there.public),
            auto_create_repository: Some(there.auto_create_repository),
            sparse_indexes: Some(there.sparse_indexes),
            default_public: Some(there.default_public),
            quota: quota(here, key, wanted.is_none_or(|wanted| wanted.quota.is_some())).await?,
            default_immutable_tags: Some(there.default_immutable_tags),
            immutable_tag_rules: tag_rules::read(here, key, wanted.is_none_or(|wanted| wanted.immutable_tag_rules.is_some())).await?,
            retention: retention::read(here, key, wanted.is_none_or(|wanted| wanted.retention.is_some())).await?,
            policy: resource_policy::read(here, Of::Namespace, key, asked).await?,
        }))
    }

    fn plan(_here: &Here<'_>, key: &Key, wanted: &NamespaceSpec, there: Option<NamespaceSpec>) -> Result<Vec<Step>, Trouble> {
        let (instance, name) = (key.at().to_owned(), key.name.clone());
        let policy =
            resource_policy::plan(Of::Namespace, key, wanted.policy.as_ref(), there.as_ref().and_then(|there| there.policy.as_ref()));
        let rules = tag_rules::plan(
            key,
            wanted.immutable_tag_rules.as_deref(),
            there.as_ref().and_then(|there| there.immutable_tag_rules.as_deref()).unwrap_or_default(),
        );
        let quota = plan_quota(key, wanted.quota.as_ref(), there.as_ref().and_then(|there| there.quota.as_ref()));
        let kept = retention::plan(key, wanted.retention.as_deref(), there.as_ref().and_then(|there| there.retention.as_deref()));
        let ties = quota.into_iter().chain(kept).chain(rules).chain(policy);
        let Some(there) = there else {
            let new = CreateNamespace {
                name,
                public: wanted.public.unwrap_or_default(),
                auto_create_repository: wanted.auto_create_repository,
                sparse_indexes: wanted.sparse_indexes.unwrap_or_default(),
                default_public: wanted.default_public.unwrap_or_default(),
                default_immutable_tags: wanted.default_immutable_tags.unwrap_or_default(),
            };
            let made = Step::create(key, diff::all(wanted, &TIES), call!(client => client.namespaces(&instance).create(&new)));
            return Ok([made].into_iter().chain(ties).collect());
        };
        let changes = diff::changes(wanted, &there, &TIES);
        if changes.is_empty() {
            return Ok(ties.collect());
        }
        let touched = |field| diff::touches(&changes, &[field]);
        let change = UpdateNamespace {
            public: wanted.public.filter(|_| touched("public")),
            auto_create_repository: wanted.auto_create_repository.filter(|_| touched("autoCreateRepository")),
            sparse_indexes: wanted.sparse_indexes.filter(|_| touched("sparseIndexes")),
            default_public: wanted.default_public.filter(|_| touched("defaultPublic")),
            default_immutable_tags: wanted.default_immutable_tags.filter(|_| touched("defaultImmutableTags")),
        };
        let step = Step::update(key, changes, call!(client => client.namespaces(&instance).update(&name, &change)));
        Ok([step].into_iter().chain(ties).collect())
    }

    fn delete(key: &Key) -> Option<Call> {
        let (instance, name) = (key.at().to_owned(), key.name.clone());
        Some(call!(client => client.namespaces(&instance).delete(&name)))
    }

    fn owner(key: &Key) -> Option<LabelOwner> {
        Some(LabelOwner::Namespace { instance: key.at().to_owned(), name: key.name.clone() })
    }
}
