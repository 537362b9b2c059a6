//! Retention: which tags a namespace keeps, so that the others go by themselves, and untagged manifests after them.
//!
//! A tag goes if a rule speaks of it and none of those that do keeps it. What is locked or immutable stays whatever rules say: deleting
//! asks [`crate::protection`] as everybody does.

mod pulls;
mod rule;
mod rules;
mod run;
mod schedule;

use access::{Audit, Permit, Record, audit};
use model::{NamespaceId, OnNamespace, Op, Seconds, act};
use store::{StoreError, Tx};

use crate::{Registry, RegistryError};

pub(crate) use pulls::Pulls;
pub use rule::{KeptRule, MAX_DAYS, MAX_NEWEST, MAX_RULES, RetentionRule};
pub use rules::NamespaceRetention;
pub use run::{MAX_ITEMS, RetentionItem, RetentionRun};
pub use schedule::Schedule;

use run::Acting;

/// How often the job comes by a namespace.
const EVERY: Seconds = Seconds::hours(1);

/// A namespace that the job came by.
#[derive(Debug)]
pub struct Tended {
    /// The namespace.
    pub on: OnNamespace,
    /// What went there, or why nothing more did: it is tried again in an hour.
    pub done: Result<RetentionRun, RegistryError>,
}

impl Registry {
    /// Acts on a namespace's rules now, or says what would go and why the rest stays.
    pub async fn run_retention(&self, permit: Permit<act::RunRetention>, dry: bool) -> Result<RetentionRun, RegistryError> {
        let on = permit.on();
        let (namespace, rules) = self.store.read(|tx| Box::pin(rules::find(tx, on))).await?;
        let rules: Vec<_> = rules.into_iter().map(|kept| Acting { acts: true, rule: kept.rule }).collect();
        let done = self.act_on(permit.op(), on, namespace, &rules, dry).await?;
        if !dry {
            let (record, now) = (permit.success().with_detail(done.said()), permit.op().now);
            self.store.write(|tx| Box::pin(ran(tx, (namespace, now), (self.audit(), &record)))).await?;
        }
        Ok(done)
    }

    /// Acts on the rules of the namespace that has waited longest, if one has waited for an hour. A background job, on one node at a
    /// time; what it does twice it does once. A namespace where it fails has had its turn: no other waits behind it.
    pub async fn retain_next(&self, op: &Op) -> Result<Option<Tended>, RegistryError> {
        let before = op.now.plus(Seconds(-EVERY.0));
        let known: Result<_, StoreError> = self.store.write_soon(|tx| Box::pin(store::retention::pulls_known_since(tx, op.now))).await;
        known?;
        let due: Result<_, StoreError> = self.store.read(|tx| Box::pin(store::retention::due(tx, before))).await;
        let Some((instance, namespace, name)) = due? else { return Ok(None) };
        let found: Result<_, StoreError> = self.store.read(|tx| Box::pin(store::instance::by_id(tx, instance))).await;
        let on = OnNamespace { instance: found?.ok_or(RegistryError::NameUnknown)?.on, name };
        let done = self.tend(op, &on, namespace).await;
        if done.is_err() {
            let passed: Result<(), StoreError> = self.store.write(|tx| Box::pin(store::retention::ran(tx, namespace, op.now))).await;
            passed?;
        }
        Ok(Some(Tended { on, done }))
    }

    async fn tend(&self, op: &Op, on: &OnNamespace, namespace: NamespaceId) -> Result<RetentionRun, RegistryError> {
        let (_, rules) = self.store.read(|tx| Box::pin(rules::find(tx, on))).await?;
        let rules: Vec<_> = rules.into_iter().map(|kept| Acting { acts: kept.rule.schedule.is_due(op.now), rule: kept.rule }).collect();
        let done = self.act_on(op, on, namespace, &rules, false).await?;
        let record = Record::job(op, on.instance.account, "retention").with_detail(format!("namespace {}: {}", on.name, done.said()));
        let written = done.removed() > 0;
        self.store
            .write(|tx| {
                let record = &record;
                Box::pin(async move {
                    if written {
                        audit::write(tx, self.audit(), record).await?;
                    }
                    store::retention::ran(tx, namespace, op.now).await
                })
            })
            .await?;
        Ok(done)
    }
}

async fn ran(
    tx: &mut Tx<'_>,
    (namespace, now): (NamespaceId, model::Timestamp),
    (audit, record): (&Audit, &Record),
) -> Result<(), StoreError> {
    store::retention::ran(tx, namespace, now).await?;
    audit::write(tx, audit, record).await
}
