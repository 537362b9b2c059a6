//! The `immutableTagRules` of a namespace: which tags of which of its repositories are immutable. A rule is what it says: its id
//! stands in no document.

use api::{CreateImmutableTagRule, ImmutableTagRule};
use client::{ClientError, Tidegate};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::noun::Here;
use crate::step::{Change, Key, Step, call};

const FIELD: &str = "immutableTagRules";
const EVERYTHING: &str = "**";

/// A rule of immutable tags. In patterns, `*` is anything without a slash, `**` anything, `?` one character, `{a,b}` one of several.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema, Debug)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct TagRuleSpec {
    /// Which tags.
    tags: String,
    /// Save these.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    except_tags: Option<String>,
    /// Of which repositories, by their names within the namespace; all of them unless told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    repositories: Option<String>,
    /// Save these.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    except_repositories: Option<String>,
    /// Is it in force? Yes unless told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    enabled: Option<bool>,
}

impl TagRuleSpec {
    fn of(rule: ImmutableTagRule) -> Self {
        let ImmutableTagRule { tags, except_tags, repositories, except_repositories, enabled, .. } = rule;
        Self { tags, except_tags, repositories: Some(repositories), except_repositories, enabled: Some(enabled) }.plain()
    }

    /// Without what goes without saying: two that mean the same are equal.
    fn plain(self) -> Self {
        let said = |text: &String| !text.is_empty();
        Self {
            tags: self.tags,
            except_tags: self.except_tags.filter(said),
            repositories: self.repositories.filter(|text| text != EVERYTHING),
            except_repositories: self.except_repositories.filter(said),
            enabled: self.enabled.filter(|enabled| !enabled),
        }
    }

    fn new_rule(&self) -> CreateImmutableTagRule {
        let Self { tags, except_tags, repositories, except_repositories, enabled } = self.clone();
        CreateImmutableTagRule { tags, except_tags, repositories, except_repositories, enabled }
    }
}

/// The rules that are there, if they are asked for.
pub(crate) async fn read(here: &Here<'_>, key: &Key, asked: bool) -> Result<Option<Vec<TagRuleSpec>>, ClientError> {
    if !asked {
        return Ok(None);
    }
    let there = here.client.namespaces(key.at()).tag_rules(&key.name).await?;
    Ok(Some(there.into_iter().map(TagRuleSpec::of).collect()))
}

/// First what is new, then what goes: no tag is free in between.
pub(crate) fn plan(key: &Key, wanted: Option<&[TagRuleSpec]>, there: &[TagRuleSpec]) -> Vec<Step> {
    let Some(wanted) = wanted else { return Vec::new() };
    let mut going: Vec<TagRuleSpec> = there.to_vec();
    let mut coming = Vec::new();
    for rule in wanted.iter().cloned().map(TagRuleSpec::plain) {
        match going.iter().position(|there| *there == rule) {
            Some(place) => drop(going.swap_remove(place)),
            None => coming.push(rule),
        }
    }
    let json = |rule: &TagRuleSpec| serde_json::to_value(rule).unwrap_or_default();
    let come = coming.into_iter().map(|rule| {
        let (instance, name, new) = (key.at().to_owned(), key.name.clone(), rule.new_rule());
        let change = Change::new(FIELD, Value::Null, json(&rule));
        Step::tie(key, change, call!(client => client.namespaces(&instance).create_tag_rule(&name, &new)))
    });
    let go = going.into_iter().map(|rule| {
        let (instance, name) = (key.at().to_owned(), key.name.clone());
        let change = Change::new(FIELD, json(&rule), Value::Null);
        Step::tie(key, change, call!(client => delete(client, &instance, &name, &rule)))
    });
    come.chain(go).collect()
}

/// Deletes one rule that says this, if there still is one.
async fn delete(client: &Tidegate, instance: &str, namespace: &str, gone: &TagRuleSpec) -> Result<(), ClientError> {
    let there = client.namespaces(instance).tag_rules(namespace).await?;
    match there.into_iter().find(|rule| TagRuleSpec::of(rule.clone()) == *gone) {
        Some(rule) => client.namespaces(instance).delete_tag_rule(namespace, &rule.rule_id).await,
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(tags: &str, repositories: Option<&str>) -> TagRuleSpec {
        let repositories = repositories.map(str::to_owned);
        TagRuleSpec { tags: tags.to_owned(), except_tags: None, repositories, except_repositories: None, enabled: None }
    }

    #[test]
    fn what_is_new_comes_before_what_goes() {
        let key = Key { kind: "Namespace", instance: None, name: "demo".into() };
        let there = [rule("v*", None), rule("old", Some("app"))];
        let said = |wanted: Option<&[TagRuleSpec]>| -> Vec<String> {
            plan(&key, wanted, &there).iter().map(|step| format!("{} -> {}", step.changes[0].from, step.changes[0].to)).collect()
        };
        assert_eq!(said(None), Vec::<String>::new());
        assert_eq!(said(Some(&[rule("old", Some("app")), rule("v*", Some("**"))])), Vec::<String>::new(), "in any order and spelling");
        assert_eq!(
            said(Some(&[rule("v*", None), rule("new", None)])),
            [r#"null -> {"tags":"new"}"#, r#"{"repositories":"app","tags":"old"} -> null"#]
        );
        assert_eq!(said(Some(&[])).len(), 2);
    }
}
