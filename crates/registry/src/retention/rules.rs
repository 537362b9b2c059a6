//! Rules as things to manage: all of a namespace's at once, or one by one.

use access::{Permit, audit};
use model::{NamespaceId, NamespaceName, OnInstance, OnNamespace, RetentionRuleId, Timestamp, act};
use store::{StoreError, Tx};

use super::rule::{self, KeptRule, RetentionRule};
use crate::catalog::{Page, one_more, page_size, printable};
use crate::{Counted, REACH, Registry, RegistryError, Window};

/// Namespaces that are read together.
const STEP: usize = 200;

/// Which images a namespace keeps.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NamespaceRetention {
    /// The namespace.
    pub namespace: NamespaceName,
    /// Its rules, one at least.
    pub rules: Vec<KeptRule>,
}

impl Registry {
    /// A namespace's rules.
    pub async fn retention(&self, permit: Permit<act::GetRetention>) -> Result<Vec<KeptRule>, RegistryError> {
        let on = permit.on();
        let (_, rules) = self.store.read(|tx| Box::pin(find(tx, on))).await?;
        Ok(rules)
    }

    /// One of a namespace's rules.
    pub async fn retention_rule(&self, permit: Permit<act::GetRetention>, id: RetentionRuleId) -> Result<KeptRule, RegistryError> {
        self.retention(permit).await?.into_iter().find(|kept| kept.id == id).ok_or(RegistryError::NameUnknown)
    }

    /// Sets a namespace's rules, all of them; without any, nothing goes by itself. One that was there is the same one still.
    pub async fn set_retention(&self, permit: Permit<act::SetRetention>, rules: &[RetentionRule]) -> Result<(), RegistryError> {
        self.change_rules(permit, |there| {
            let mut before = std::mem::take(&mut there.all);
            for rule in rules {
                let same = before.iter().position(|kept| kept.rule == *rule);
                there.all.push(same.map_or_else(|| there.made(rule), |at| before.remove(at)));
            }
            Ok(())
        })
        .await
    }

    /// Adds a rule to a namespace's.
    pub async fn add_retention_rule(
        &self,
        permit: Permit<act::SetRetention>,
        rule: &RetentionRule,
    ) -> Result<RetentionRuleId, RegistryError> {
        self.change_rules(permit, |there| {
            let added = there.made(rule);
            let id = added.id;
            there.all.push(added);
            Ok(id)
        })
        .await
    }

    /// Puts what a rule says in place of what it said, if `may` allows that.
    pub async fn update_retention_rule(
        &self,
        permit: Permit<act::SetRetention>,
        id: RetentionRuleId,
        rule: &RetentionRule,
        may: fn(&RetentionRule) -> Result<(), &'static str>,
    ) -> Result<(), RegistryError> {
        self.change_rules(permit, |there| {
            let kept = there.all.iter_mut().find(|kept| kept.id == id).ok_or(RegistryError::NameUnknown)?;
            may(&kept.rule).map_err(|reason| RegistryError::RuleInvalid { reason })?;
            kept.rule.clone_from(rule);
            kept.changed = there.now;
            Ok(())
        })
        .await
    }

    /// Takes one of a namespace's rules away.
    pub async fn delete_retention_rule(&self, permit: Permit<act::SetRetention>, id: RetentionRuleId) -> Result<(), RegistryError> {
        self.change_rules(permit, |there| {
            let at = there.all.iter().position(|kept| kept.id == id).ok_or(RegistryError::NameUnknown)?;
            there.all.remove(at);
            Ok(())
        })
        .await
    }

    /// Changes a namespace's rules, in one transaction with its record.
    async fn change_rules<T: Send>(
        &self,
        permit: Permit<act::SetRetention>,
        change: impl Fn(&mut Rules<'_>) -> Result<T, RegistryError> + Send + Sync,
    ) -> Result<T, RegistryError> {
        let (on, now, done) = (permit.on(), permit.op().now, permit.success());
        let (change, done) = (&change, &done);
        self.store
            .write(|tx| {
                Box::pin(async move {
                    let (namespace, all) = find(tx, on).await?;
                    let mut there = Rules { namespace, all, now, random: &*self.random };
                    let answer = change(&mut there)?;
                    let rules = there.all;
                    store::retention::pulls_known_since(tx, now).await?;
                    match rule::write(&rules)? {
                        Some(text) => store::retention::set(tx, namespace, &text, now).await?,
                        None => drop(store::retention::delete(tx, namespace).await?),
                    }
                    let record = done.clone().with_detail(format!("{} rules", rules.len()));
                    audit::write(tx, self.audit(), &record).await?;
                    Ok(answer)
                })
            })
            .await
    }

    /// Which images an instance's namespaces keep that have rules, by name, behind `after`, at most `n`.
    pub async fn list_retention(
        &self,
        permit: Permit<act::ListRetention>,
        n: Option<usize>,
        after: Option<&str>,
    ) -> Result<Page<NamespaceRetention>, RegistryError> {
        let (instance, n) = (permit.on(), page_size(n));
        let read = self.retention_behind(instance, printable(after), one_more(n)).await?;
        Ok(Page::of(read, n))
    }

    /// The rules of an instance's namespaces that are to be shown, one by one, and how many there are.
    pub async fn count_retention_rules(
        &self,
        permit: Permit<act::ListRetention>,
        window: Window,
        shown: impl Fn(&RetentionRule) -> bool,
    ) -> Result<Counted<(NamespaceName, KeptRule)>, RegistryError> {
        let (instance, mut after, mut all) = (permit.on(), String::new(), Counted { items: Vec::new(), total: 0 });
        loop {
            let page = self.retention_behind(instance, &after, i64::try_from(STEP).unwrap_or(i64::MAX)).await?;
            let Some(last) = page.last() else { return Ok(all) };
            last.namespace.as_str().clone_into(&mut after);
            for NamespaceRetention { namespace, rules } in page {
                for kept in rules.into_iter().filter(|kept| shown(&kept.rule)) {
                    if usize::try_from(all.total).is_ok_and(|place| window.holds(place)) {
                        all.items.push((namespace.clone(), kept));
                    }
                    all.total += 1;
                }
            }
            if usize::try_from(all.total).is_ok_and(|total| total >= REACH) {
                return Ok(all);
            }
        }
    }

    async fn retention_behind(&self, instance: &OnInstance, after: &str, limit: i64) -> Result<Vec<NamespaceRetention>, RegistryError> {
        let id = instance.id;
        let read: Result<_, StoreError> = self.store.scan(|tx| Box::pin(store::retention::list(tx, id, after, limit))).await;
        let mut all = Vec::new();
        for (id, namespace, text, changed) in read? {
            all.push(NamespaceRetention { namespace, rules: rule::read(id, (&text, changed))? });
        }
        Ok(all)
    }
}

/// A namespace's rules while they are changed.
struct Rules<'a> {
    namespace: NamespaceId,
    all: Vec<KeptRule>,
    now: Timestamp,
    random: &'a (dyn Fn() -> u64 + Send + Sync),
}

impl Rules<'_> {
    /// One that was not there.
    fn made(&self, rule: &RetentionRule) -> KeptRule {
        let number = u32::try_from((self.random)() >> 32).unwrap_or_default();
        let id = RetentionRuleId { namespace: self.namespace, number };
        KeptRule { id, rule: rule.clone(), created: self.now, changed: self.now }
    }
}

/// A namespace's id and its rules.
pub(super) async fn find(tx: &mut Tx<'_>, on: &OnNamespace) -> Result<(NamespaceId, Vec<KeptRule>), RegistryError> {
    let namespace = crate::namespace::find(tx, on).await?.id;
    let kept = store::retention::rules(tx, namespace).await?;
    let rules = kept.map_or(Ok(Vec::new()), |(text, changed)| rule::read(namespace, (&text, changed)))?;
    Ok((namespace, rules))
}
