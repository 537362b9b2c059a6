//! The `retention` of a namespace: rules of what it keeps.

use api::{RetentionRule, SetRetention};
use client::ClientError;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::noun::Here;
use crate::step::{Change, Key, Step, call};

/// A rule of retention: of which tags it speaks, and which of those it keeps.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema, Default, Debug)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct RetentionSpec {
    /// Of which repositories, by their names within the namespace; all of them unless told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    repositories: Option<String>,
    /// Of which of their tags; all of them unless told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    tags: Option<String>,
    /// Keeps as many of these as were pushed last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    keep_newest: Option<u32>,
    /// Keeps those that match.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    keep_tags: Option<String>,
    /// Keeps those that were pushed within so many days.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    keep_pushed_days: Option<u32>,
    /// Keeps those that were pulled, or pushed, within so many days.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    keep_pulled_days: Option<u32>,
    /// Manifests without a tag go when they were neither pushed nor pulled for so many days.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    untagged_days: Option<u32>,
}

impl RetentionSpec {
    fn of(rule: RetentionRule) -> Self {
        let RetentionRule { repositories, tags, keep_newest, keep_tags, keep_pushed_days, keep_pulled_days, untagged_days } = rule;
        Self { repositories, tags, keep_newest, keep_tags, keep_pushed_days, keep_pulled_days, untagged_days }.plain()
    }

    /// Without what goes without saying: two that mean the same are equal.
    fn plain(self) -> Self {
        let said = |text: &String| text != "**";
        Self { repositories: self.repositories.filter(said), tags: self.tags.filter(said), ..self }
    }

    fn rule(self) -> RetentionRule {
        let Self { repositories, tags, keep_newest, keep_tags, keep_pushed_days, keep_pulled_days, untagged_days } = self;
        RetentionRule { repositories, tags, keep_newest, keep_tags, keep_pushed_days, keep_pulled_days, untagged_days }
    }
}

/// The rules that are there, if they are asked for; none: no rules.
pub(crate) async fn read(here: &Here<'_>, key: &Key, asked: bool) -> Result<Option<Vec<RetentionSpec>>, ClientError> {
    if !asked {
        return Ok(None);
    }
    let there = here.client.namespaces(key.at()).retention(&key.name).await?;
    Ok(Some(there.rules.into_iter().map(RetentionSpec::of).collect::<Vec<_>>()).filter(|rules| !rules.is_empty()))
}

/// Sets the rules where they are others.
pub(crate) fn plan(key: &Key, wanted: Option<&[RetentionSpec]>, there: Option<&[RetentionSpec]>) -> Option<Step> {
    let wanted: Vec<_> = wanted?.iter().cloned().map(RetentionSpec::plain).collect();
    let there = there.unwrap_or_default();
    if wanted == there {
        return None;
    }
    let json = |rules: &[RetentionSpec]| serde_json::to_value(rules).unwrap_or_default();
    let change = Change::new("retention", json(there), json(&wanted));
    let (instance, name) = (key.at().to_owned(), key.name.clone());
    let set = SetRetention { rules: wanted.into_iter().map(RetentionSpec::rule).collect() };
    Some(Step::tie(key, change, call!(client => client.namespaces(&instance).set_retention(&name, &set))))
}
