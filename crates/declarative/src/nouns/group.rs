//! `kind: Group`

use api::{CreateGroup, UpdateGroup};
use client::{ClientError, Holder, LabelOwner};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::attachments;
use crate::Trouble;
use crate::diff;
use crate::error::found;
use crate::noun::{Here, Noun};
use crate::step::{Call, Change, Key, Step, call};

pub(crate) struct Group;

/// A group: its users have its policies too.
#[derive(Clone, Serialize, Deserialize, ToSchema, Default, Debug)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct GroupSpec {
    /// What it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    /// All its users, by name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    members: Option<Vec<String>>,
    /// All policies that are attached to it, by name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    policies: Option<Vec<String>>,
}

impl Noun for Group {
    const KIND: &'static str = "Group";
    const LABEL: Option<&'static str> = Some("group");
    type Spec = GroupSpec;

    async fn list(here: &Here<'_>, _instance: &str) -> Result<Vec<String>, ClientError> {
        Ok(here.client.groups().list().await?.into_iter().map(|group| group.name).collect())
    }

    async fn read(here: &Here<'_>, key: &Key, wanted: Option<&GroupSpec>) -> Result<Option<GroupSpec>, ClientError> {
        let Some(group) = found(here.client.groups().show(&key.name).await)? else { return Ok(None) };
        let policies = wanted.is_none_or(|wanted| wanted.policies.is_some());
        let policies = attachments::read(here, &Holder::Group(group.name), policies).await?;
        let members = if wanted.is_none_or(|wanted| wanted.members.is_some()) {
            let mut members: Vec<_> = here.client.groups().users(&key.name).await?.into_iter().map(|user| user.name).collect();
            members.sort();
            Some(members)
        } else {
            None
        };
        Ok(Some(GroupSpec { description: Some(group.description), members, policies }))
    }

    fn plan(_here: &Here<'_>, key: &Key, wanted: &GroupSpec, there: Option<GroupSpec>) -> Result<Vec<Step>, Trouble> {
        let (mut steps, name) = (Vec::new(), key.name.clone());
        match &there {
            None => {
                let new = CreateGroup { name: name.clone(), description: wanted.description.clone().unwrap_or_default() };
                let changes = diff::all(wanted, &["members", "policies"]);
                steps.push(Step::create(key, changes, call!(client => client.groups().create(&new))));
            }
            Some(there) => {
                let changes = diff::changes(wanted, there, &["members", "policies"]);
                if let (false, Some(description)) = (changes.is_empty(), wanted.description.clone()) {
                    let (name, change) = (name.clone(), UpdateGroup { name: None, description: Some(description) });
                    steps.push(Step::update(key, changes, call!(client => client.groups().update(&name, &change))));
                }
            }
        }
        let there = there.unwrap_or_default();
        steps.extend(members(key, wanted, &there));
        steps.extend(attachments::plan(key, &Holder::Group(name), wanted.policies.as_ref(), there.policies.as_ref()));
        Ok(steps)
    }

    fn delete(key: &Key) -> Option<Call> {
        let name = key.name.clone();
        Some(call!(client => client.groups().delete(&name)))
    }

    fn owner(key: &Key) -> Option<LabelOwner> {
        Some(LabelOwner::Group(key.name.clone()))
    }
}

fn members(key: &Key, wanted: &GroupSpec, there: &GroupSpec) -> Vec<Step> {
    let (add, remove) = diff::members(wanted.members.as_ref(), there.members.as_deref().unwrap_or_default());
    let join = add.into_iter().map(|user| {
        let (group, name) = (key.name.clone(), user.clone());
        Step::tie(key, Change::add("members", user), call!(client => client.groups().add(&group, &name)))
    });
    let leave = remove.into_iter().map(|user| {
        let (group, name) = (key.name.clone(), user.clone());
        Step::tie(key, Change::remove("members", user), call!(client => client.groups().remove(&group, &name)))
    });
    join.chain(leave).collect()
}
