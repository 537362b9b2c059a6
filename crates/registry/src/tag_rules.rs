//! Rules of immutable tags as things to manage: which tags of which of a namespace's repositories.

use access::{Audit, Permit, Record, audit};
use model::{Glob, OnNamespace, TagRuleId, act};
use store::tag_rule::{self, TagRule, Terms};
use store::{StoreError, Tx};

use crate::namespace::find;
use crate::{Registry, RegistryError};

/// The most rules of one namespace: every change of a tag looks at all of them.
pub const MAX_TAG_RULES: u32 = 64;

/// What is to change of a rule; none stays as it is. Of an exception, `Some(None)` takes it away.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct TermsChanges {
    /// Of which repositories it speaks.
    pub repositories: Option<Glob>,
    /// Save these.
    pub except_repositories: Option<Option<Glob>>,
    /// Which of their tags are immutable.
    pub tags: Option<Glob>,
    /// Save these.
    pub except_tags: Option<Option<Glob>>,
    /// Is it in force?
    pub enabled: Option<bool>,
}

impl TermsChanges {
    fn apply(&self, to: &mut Terms) {
        if let Some(repositories) = &self.repositories {
            to.repositories.clone_from(repositories);
        }
        if let Some(except) = &self.except_repositories {
            to.except_repositories.clone_from(except);
        }
        if let Some(tags) = &self.tags {
            to.tags.tags.clone_from(tags);
        }
        if let Some(except) = &self.except_tags {
            to.tags.except.clone_from(except);
        }
        to.enabled = self.enabled.unwrap_or(to.enabled);
    }
}

impl Registry {
    /// Makes a rule. It holds at once, for tags that are there too.
    pub async fn create_tag_rule(&self, permit: Permit<act::CreateImmutableTagRule>, terms: Terms) -> Result<TagRule, RegistryError> {
        let rule = TagRule { id: TagRuleId::from_random((self.random)()), terms, created: permit.op().now };
        let (on, record) = (permit.on(), permit.success().with_detail(described(&rule)));
        self.store.write(|tx| Box::pin(create(tx, on, &rule, (self.audit(), &record)))).await?;
        Ok(rule)
    }

    /// A namespace's rules, oldest first.
    pub async fn list_tag_rules(&self, permit: Permit<act::ListImmutableTagRules>) -> Result<Vec<TagRule>, RegistryError> {
        let on = permit.on();
        self.store.read(|tx| Box::pin(list(tx, on))).await
    }

    /// Changes a rule.
    pub async fn update_tag_rule(
        &self,
        permit: Permit<act::UpdateImmutableTagRule>,
        id: TagRuleId,
        changes: TermsChanges,
    ) -> Result<TagRule, RegistryError> {
        let (on, record, changes) = (permit.on(), permit.success(), &changes);
        self.store.write(|tx| Box::pin(update(tx, (on, id), changes, (self.audit(), &record)))).await
    }

    /// Deletes a rule.
    pub async fn delete_tag_rule(&self, permit: Permit<act::DeleteImmutableTagRule>, id: TagRuleId) -> Result<(), RegistryError> {
        let (on, record) = (permit.on(), permit.success());
        self.store.write(|tx| Box::pin(delete(tx, (on, id), (self.audit(), &record)))).await
    }
}

async fn create(tx: &mut Tx<'_>, on: &OnNamespace, rule: &TagRule, (audit, record): (&Audit, &Record)) -> Result<(), RegistryError> {
    let namespace = find(tx, on).await?.id;
    if tag_rule::list(tx, namespace).await?.len() >= usize::try_from(MAX_TAG_RULES).unwrap_or(usize::MAX) {
        return Err(RegistryError::Limit { what: "rules of immutable tags in this namespace", max: MAX_TAG_RULES });
    }
    tag_rule::insert(tx, namespace, rule).await?;
    Ok(audit::write(tx, audit, record).await?)
}

async fn list(tx: &mut Tx<'_>, on: &OnNamespace) -> Result<Vec<TagRule>, RegistryError> {
    let namespace = find(tx, on).await?.id;
    Ok(tag_rule::list(tx, namespace).await?)
}

async fn update(
    tx: &mut Tx<'_>,
    at: (&OnNamespace, TagRuleId),
    changes: &TermsChanges,
    (audit, record): (&Audit, &Record),
) -> Result<TagRule, RegistryError> {
    let mut rule = there(tx, at).await?;
    changes.apply(&mut rule.terms);
    tag_rule::update(tx, rule.id, &rule.terms).await?;
    audit::write(tx, audit, &record.clone().with_detail(described(&rule))).await?;
    Ok(rule)
}

async fn delete(tx: &mut Tx<'_>, at: (&OnNamespace, TagRuleId), (audit, record): (&Audit, &Record)) -> Result<(), RegistryError> {
    let rule = there(tx, at).await?;
    tag_rule::delete(tx, rule.id).await?;
    Ok(audit::write(tx, audit, &record.clone().with_detail(described(&rule))).await?)
}

/// The rule of this id in this namespace: one of another namespace is none.
async fn there(tx: &mut Tx<'_>, (on, id): (&OnNamespace, TagRuleId)) -> Result<TagRule, RegistryError> {
    let namespace = find(tx, on).await?.id;
    let found: Result<_, StoreError> = tag_rule::find(tx, namespace, id).await;
    found?.ok_or(RegistryError::NameUnknown)
}

/// For the record.
fn described(rule: &TagRule) -> String {
    let Terms { repositories, except_repositories, tags, enabled } = &rule.terms;
    let except = except_repositories.as_ref().map(|except| format!(" except {except}")).unwrap_or_default();
    format!("{} tags {tags} of {repositories}{except}{}", rule.id, if *enabled { "" } else { ", off" })
}
