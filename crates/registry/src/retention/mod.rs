//! Retention: which tags a namespace keeps, so that the others go by themselves, and untagged manifests after them.
//!
//! A tag goes if a rule speaks of it and none of those that do keeps it. What is locked or immutable stays whatever rules say: deleting
//! asks [`crate::protection`] as everybody does.

mod pulls;
mod rule;
mod run;

use access::{Audit, Permit, Record, audit};
use model::{NamespaceId, OnNamespace, Op, Seconds, act};
use store::{StoreError, Tx};

use crate::{Registry, RegistryError};

pub(crate) use pulls::Pulls;
pub use rule::{MAX_DAYS, MAX_NEWEST, MAX_RULES, RetentionRule};
pub use run::{MAX_ITEMS, RetentionItem, RetentionRun};

/// How often rules are acted on.
const EVERY: Seconds = Seconds::hours(1);

impl Registry {
    /// A namespace's rules.
    pub async fn retention(&self, permit: Permit<act::GetRetention>) -> Result<Vec<RetentionRule>, RegistryError> {
        let on = permit.on();
        let (_, rules) = self.store.read(|tx| Box::pin(find(tx, on))).await?;
        Ok(rules)
    }

    /// Sets a namespace's rules, all of them; without any, nothing goes by itself.
    pub async fn set_retention(&self, permit: Permit<act::SetRetention>, rules: &[RetentionRule]) -> Result<(), RegistryError> {
        let text = rule::write(rules)?;
        let record = permit.success().with_detail(format!("{} rules", rules.len()));
        let (on, now) = (permit.on(), permit.op().now);
        self.store
            .write(|tx| {
                let (text, record) = (&text, &record);
                Box::pin(async move {
                    let (namespace, _) = find(tx, on).await?;
                    store::retention::pulls_known_since(tx, now).await?;
                    match text {
                        Some(text) => store::retention::set(tx, namespace, text, now).await?,
                        None => drop(store::retention::delete(tx, namespace).await?),
                    }
                    Ok::<_, RegistryError>(audit::write(tx, self.audit(), record).await?)
                })
            })
            .await
    }

    /// Acts on a namespace's rules now, or says what would go and why the rest stays.
    pub async fn run_retention(&self, permit: Permit<act::RunRetention>, dry: bool) -> Result<RetentionRun, RegistryError> {
        let on = permit.on();
        let (namespace, rules) = self.store.read(|tx| Box::pin(find(tx, on))).await?;
        let done = self.act_on(permit.op(), on, namespace, &rules, dry).await?;
        if !dry {
            let (record, now) = (permit.success().with_detail(done.said()), permit.op().now);
            self.store.write(|tx| Box::pin(ran(tx, (namespace, now), (self.audit(), &record)))).await?;
        }
        Ok(done)
    }

    /// Acts on the rules of the namespace that has waited longest, if one has waited for an hour. A background job, on one node at a
    /// time; what it does twice it does once.
    pub async fn retain_next(&self, op: &Op) -> Result<Option<RetentionRun>, RegistryError> {
        let before = op.now.plus(Seconds(-EVERY.0));
        let known: Result<_, StoreError> = self.store.write_soon(|tx| Box::pin(store::retention::pulls_known_since(tx, op.now))).await;
        known?;
        let due: Result<_, StoreError> = self.store.read(|tx| Box::pin(store::retention::due(tx, before))).await;
        let Some((instance, namespace, name)) = due? else { return Ok(None) };
        let found: Result<_, StoreError> = self.store.read(|tx| Box::pin(store::instance::by_id(tx, instance))).await;
        let on = OnNamespace { instance: found?.ok_or(RegistryError::NameUnknown)?.on, name };
        let (_, rules) = self.store.read(|tx| Box::pin(find(tx, &on))).await?;
        let done = self.act_on(op, &on, namespace, &rules, false).await?;
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
        Ok(Some(done))
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

async fn find(tx: &mut Tx<'_>, on: &OnNamespace) -> Result<(NamespaceId, Vec<RetentionRule>), RegistryError> {
    let namespace = crate::namespace::find(tx, on).await?.id;
    let text = store::retention::rules(tx, namespace).await?;
    Ok((namespace, text.map_or(Ok(Vec::new()), |text| rule::read(&text))?))
}
