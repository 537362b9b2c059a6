//! How much an instance and its namespaces hold and may hold.
//!
//! A namespace's bytes are those of the blobs that its repositories link, each once, and of its manifests. What grows it is checked at
//! the end of the very transaction that adds it, so that the bound holds whoever pushes beside whom; what cannot fit anyway is refused
//! before its bytes are sent.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use access::{Audit, Permit, Record, audit};
use model::{Digest, InstanceId, NamespaceName, OnNamespace, OnRepository, RepositoryName, Seconds, Timestamp, act};
use quick_cache::sync::Cache;
use store::quota::{self, Grown, Held, Listed, Quota};
use store::usage::{self, Usage};
use store::{StoreError, Tx, Work};

use crate::catalog::{Page, one_more, page_size, printable};
use crate::{Limits, Registry, RegistryError};

/// Namespaces of which is remembered whether they have a quota.
const REMEMBERED: usize = 4096;
/// For how long.
const REMEMBERED_FOR: Seconds = Seconds(10);

/// What an instance has, and the most that it may have.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct InstanceUsage {
    /// What it has.
    pub used: Usage,
    /// The most namespaces.
    pub max_namespaces: u32,
    /// The most repositories.
    pub max_repositories: u32,
}

/// Whether a namespace has a quota, as it was a moment ago: no more than a reason to look before content is sent, and to push one
/// after another.
pub(crate) struct Bounded(Cache<(InstanceId, NamespaceName), (Timestamp, bool)>);

impl Bounded {
    pub(crate) fn new() -> Self {
        Self(Cache::new(REMEMBERED))
    }
}

impl Registry {
    /// What an instance has, and the most that it may have.
    pub async fn instance_usage(&self, permit: Permit<act::GetInstanceUsage>) -> Result<InstanceUsage, RegistryError> {
        let id = permit.on().id;
        let used: Result<Usage, StoreError> = self.store.read(|tx| Box::pin(usage::of_instance(tx, id))).await;
        Ok(InstanceUsage { used: used?, max_namespaces: self.limits.namespaces, max_repositories: self.limits.repositories })
    }

    /// What a namespace holds and may hold.
    pub async fn namespace_quota(&self, permit: Permit<act::GetNamespaceQuota>) -> Result<Listed, RegistryError> {
        let on = permit.on();
        self.store.read(|tx| Box::pin(show(tx, on))).await
    }

    /// What an instance's namespaces hold and may hold, by name, behind `after`, at most `n`.
    pub async fn list_namespace_quotas(
        &self,
        permit: Permit<act::ListNamespaceQuotas>,
        n: Option<usize>,
        after: Option<&str>,
    ) -> Result<Page<Listed>, RegistryError> {
        let (instance, n, after) = (permit.on().id, page_size(n), printable(after));
        let read = self.store.read(|tx| Box::pin(quota::list(tx, instance, after, one_more(n)))).await?;
        Ok(Page::of(read, n))
    }

    /// Says what a namespace may hold. What it holds already stays, even if it is more.
    pub async fn set_namespace_quota(&self, permit: Permit<act::SetNamespaceQuota>, quota: Quota) -> Result<Listed, RegistryError> {
        let record = permit.success().with_detail(described(quota));
        let on = permit.on();
        let set = self.store.write(|tx| Box::pin(set(tx, on, quota, (self.audit(), &record)))).await?;
        self.bounded.0.insert((on.instance.id, on.name.clone()), (permit.op().now, quota.is_some()));
        Ok(set)
    }

    /// Fails if what is to be pushed certainly does not fit: so many bytes at least, of a blob of this digest if that is known.
    pub async fn expect_room(
        &self,
        permit: &Permit<act::PushRepository>,
        digest: Option<&Digest>,
        bytes: u64,
    ) -> Result<(), RegistryError> {
        let (on, now) = (permit.on(), permit.op().now);
        if !self.is_bounded(on, now).await? {
            return Ok(());
        }
        let namespace = on.name.namespace();
        let read = self.store.read(|tx| Box::pin(room(tx, on.instance.id, &namespace, digest))).await?;
        match read {
            Some(room) => room.take(&on.name, i64::try_from(bytes).unwrap_or(i64::MAX), digest.is_some()),
            None => Ok(()),
        }
    }

    /// A transaction that may make a namespace hold more. Those into one namespace with a quota all read and change its sum: where
    /// they would meet, they go one after another.
    pub(crate) async fn write_growing<'c, T>(
        &'c self,
        on: &OnRepository,
        now: Timestamp,
        body: impl for<'t> Fn(&'t mut Tx<'c>) -> Work<'t, T, RegistryError> + Send + Sync,
    ) -> Result<T, RegistryError>
    where
        T: Send,
    {
        if self.is_bounded(on, now).await? { self.store.write_in_turn(turn(on), body).await } else { self.store.write(body).await }
    }

    pub(crate) async fn is_bounded(&self, on: &OnRepository, now: Timestamp) -> Result<bool, StoreError> {
        let (instance, name) = (on.instance.id, on.name.namespace());
        let key = (instance, name);
        if let Some((at, bounded)) = self.bounded.0.get(&key)
            && now < at.plus(REMEMBERED_FOR)
        {
            return Ok(bounded);
        }
        let found = self.store.read(|tx| Box::pin(quota::by_name(tx, instance, &key.1))).await?;
        let bounded = found.is_some_and(|(_, quota)| quota.is_some());
        self.bounded.0.insert(key, (now, bounded));
        Ok(bounded)
    }
}

fn turn(on: &OnRepository) -> u64 {
    let mut hasher = DefaultHasher::new();
    (on.instance.id, on.name.namespace()).hash(&mut hasher);
    hasher.finish()
}

/// `bytes=1048576 repositories=none`.
fn described(quota: Quota) -> String {
    let of = |most: Option<i64>| most.map_or_else(|| "none".to_owned(), |most| most.to_string());
    format!("bytes={} repositories={}", of(quota.bytes), of(quota.repositories))
}

async fn show(tx: &mut Tx<'_>, on: &OnNamespace) -> Result<Listed, RegistryError> {
    let (id, quota) = quota::by_name(tx, on.instance.id, &on.name).await?.ok_or(RegistryError::NameUnknown)?;
    Ok(Listed { name: on.name.clone(), quota, held: quota::held(tx, id).await? })
}

async fn set(tx: &mut Tx<'_>, on: &OnNamespace, quota: Quota, (audit, record): (&Audit, &Record)) -> Result<Listed, RegistryError> {
    let (id, _) = quota::by_name(tx, on.instance.id, &on.name).await?.ok_or(RegistryError::NameUnknown)?;
    quota::set(tx, id, quota).await?;
    audit::write(tx, audit, record).await?;
    Ok(Listed { name: on.name.clone(), quota, held: quota::held(tx, id).await? })
}

/// What a namespace with a quota of bytes has room for.
struct Room {
    most: i64,
    held: i64,
    /// The blob is in the namespace already.
    there: bool,
}

impl Room {
    /// Without a digest the blob may be one that costs nothing, but its manifest is a new one, and that does not fit a full namespace.
    fn take(&self, name: &RepositoryName, bytes: i64, known: bool) -> Result<(), RegistryError> {
        let needed = match (self.there, known) {
            (true, _) => return Ok(()),
            (false, true) => bytes,
            (false, false) if bytes > self.most => bytes,
            (false, false) => 0,
        };
        if self.held < self.most && self.held.saturating_add(needed) <= self.most {
            return Ok(());
        }
        Err(RegistryError::Quota { namespace: name.namespace(), most: self.most, held: self.held, needed })
    }
}

async fn room(
    tx: &mut Tx<'_>,
    instance: InstanceId,
    namespace: &NamespaceName,
    digest: Option<&Digest>,
) -> Result<Option<Room>, StoreError> {
    let Some((id, Quota { bytes: Some(most), .. })) = quota::by_name(tx, instance, namespace).await? else { return Ok(None) };
    let there = match digest {
        Some(digest) => quota::has_blob(tx, id, digest).await?,
        None => false,
    };
    Ok(Some(Room { most, held: quota::held(tx, id).await?.bytes, there }))
}

/// Fails if what has just been added to a repository's namespace is more than that may hold.
pub(crate) async fn fits(tx: &mut Tx<'_>, name: &RepositoryName, grown: Option<Grown>) -> Result<(), RegistryError> {
    let Some(Grown { namespace, bytes, most: Some(most) }) = grown else { return Ok(()) };
    let held = quota::held(tx, namespace).await?.bytes;
    if held <= most {
        return Ok(());
    }
    Err(RegistryError::Quota { namespace: name.namespace(), most, held: held - bytes, needed: bytes })
}

/// Counts a namespace that has just been written.
pub(crate) async fn one_more_namespace(tx: &mut Tx<'_>, instance: InstanceId, limits: Limits) -> Result<(), RegistryError> {
    let max = limits.namespaces;
    if usage::add_namespace(tx, instance, max.into()).await? { Ok(()) } else { Err(RegistryError::Limit { what: "namespaces", max }) }
}

/// Counts a repository that has just been written.
pub(crate) async fn one_more_repository(tx: &mut Tx<'_>, on: &OnRepository, limits: Limits) -> Result<(), RegistryError> {
    let (instance, max) = (on.instance.id, limits.repositories);
    if !usage::add_repository(tx, instance, max.into()).await? {
        return Err(RegistryError::Limit { what: "repositories", max });
    }
    let namespace = on.name.namespace();
    let Some((id, Quota { repositories: Some(most), .. })) = quota::by_name(tx, instance, &namespace).await? else { return Ok(()) };
    let Held { repositories, .. } = quota::held(tx, id).await?;
    if repositories <= most { Ok(()) } else { Err(RegistryError::RepositoryQuota { namespace, most }) }
}
