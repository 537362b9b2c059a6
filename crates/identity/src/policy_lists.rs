//! Policies with what is attached to whom: the lists that speak of both.

use std::collections::HashMap;

use access::Permit;
use model::{PolicyId, Timestamp, act};
use store::StoreError;
use store::account::{self, Principal};
use store::policy::Policy;

use crate::policies::ListsAttached;
use crate::principals::there;
use crate::{Identity, IdentityError};

/// A policy and how many principals it is attached to.
#[derive(Clone, Debug)]
pub struct ListedPolicy {
    /// Its name.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// The policy; none: built in.
    pub own: Option<Policy>,
    /// Principals that it is attached to.
    pub attachments: i64,
}

/// A policy that is attached to somebody.
#[derive(Clone, Debug)]
pub struct AttachedPolicy {
    /// Its name.
    pub name: String,
    /// Its id; none: built in.
    pub id: Option<PolicyId>,
    /// What it is for.
    pub description: String,
    /// The version in force.
    pub version: i64,
    /// Since when.
    pub attached: Timestamp,
}

impl Identity {
    /// Built-in policies and the account's own, by name, after `after`, at most `limit`, with how often each is attached.
    /// `built_in`: these alone, or the account's own alone.
    pub async fn list_policies_counted(
        &self,
        permit: Permit<act::ListPolicies>,
        built_in: Option<bool>,
        after: &str,
        limit: i64,
    ) -> Result<Vec<ListedPolicy>, IdentityError> {
        let account = permit.on().0;
        let read: Result<_, StoreError> = self
            .read(|tx| {
                Box::pin(async move {
                    let own = if built_in == Some(true) { Vec::new() } else { store::policy::list(tx, account, after, limit).await? };
                    Ok((own, store::policy::attachment_counts(tx, account).await?))
                })
            })
            .await;
        let (own, counts) = read?;
        let counts: HashMap<String, i64> = counts.into_iter().collect();
        let listed = |name: &str, description: &str, own: Option<Policy>| ListedPolicy {
            name: name.to_owned(),
            description: description.to_owned(),
            own,
            attachments: counts.get(name).copied().unwrap_or(0),
        };
        let there = policy::builtins().iter().filter(|p| built_in != Some(false) && p.name > after);
        let mut all: Vec<_> = there.map(|p| listed(p.name, p.description, None)).collect();
        all.extend(own.into_iter().map(|p| listed(&p.name.clone(), &p.description.clone(), Some(p))));
        all.sort_by(|a, b| a.name.cmp(&b.name));
        all.truncate(usize::try_from(limit).unwrap_or(0));
        Ok(all)
    }

    /// What is attached to somebody, with what each policy is for.
    pub async fn list_attached_policies<A: ListsAttached>(&self, permit: Permit<A>) -> Result<Vec<AttachedPolicy>, IdentityError> {
        let to = there(permit.on())?;
        let read: Result<_, StoreError> = self
            .read(|tx| {
                Box::pin(async move {
                    let mut all = Vec::new();
                    for one in store::policy::attachments(tx, to).await? {
                        let own = match one.policy {
                            Some(id) => store::policy::by_id(tx, id).await?,
                            None => None,
                        };
                        all.push((one, own));
                    }
                    Ok(all)
                })
            })
            .await;
        let described = |(one, own): (store::policy::Attachment, Option<Policy>)| {
            let built_in = || policy::builtin(&one.name).map_or_else(String::new, |p| p.description.to_owned());
            AttachedPolicy {
                version: own.as_ref().map_or(1, |own| own.default_version),
                description: own.map_or_else(built_in, |own| own.description),
                id: one.policy,
                name: one.name,
                attached: one.attached,
            }
        };
        Ok(read?.into_iter().map(described).collect())
    }

    /// Whom a policy is attached to and since when: by id after `after`, at most `limit`.
    pub async fn list_policy_holders(
        &self,
        permit: Permit<act::ListEntitiesForPolicy>,
        after: i64,
        limit: i64,
    ) -> Result<Vec<(Principal, Timestamp)>, IdentityError> {
        let on = permit.on();
        if on.id.is_none() && policy::builtin(&on.name).is_none() {
            return Err(IdentityError::NotFound("policy"));
        }
        let (account, name) = (on.account, &*on.name);
        Ok(self.read(|tx| Box::pin(account::holders(tx, account, name, after, limit))).await?)
    }
}
