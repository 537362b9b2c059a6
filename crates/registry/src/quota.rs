//! How many namespaces and repositories an instance has and may have.

use access::Permit;
use model::{InstanceId, act};
use store::usage::{self, Usage};
use store::{StoreError, Tx};

use crate::{Limits, Registry, RegistryError};

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

impl Registry {
    /// What an instance has, and the most that it may have.
    pub async fn instance_usage(&self, permit: Permit<act::GetInstanceUsage>) -> Result<InstanceUsage, RegistryError> {
        let id = permit.on().id;
        let used: Result<Usage, StoreError> = self.store.read(|tx| Box::pin(usage::of_instance(tx, id))).await;
        Ok(InstanceUsage { used: used?, max_namespaces: self.limits.namespaces, max_repositories: self.limits.repositories })
    }
}

/// Counts a namespace that has just been written.
pub(crate) async fn one_more_namespace(tx: &mut Tx<'_>, instance: InstanceId, limits: Limits) -> Result<(), RegistryError> {
    let max = limits.namespaces;
    if usage::add_namespace(tx, instance, max.into()).await? { Ok(()) } else { Err(RegistryError::Limit { what: "namespaces", max }) }
}

/// Counts a repository that has just been written.
pub(crate) async fn one_more_repository(tx: &mut Tx<'_>, instance: InstanceId, limits: Limits) -> Result<(), RegistryError> {
    let max = limits.repositories;
    if usage::add_repository(tx, instance, max.into()).await? { Ok(()) } else { Err(RegistryError::Limit { what: "repositories", max }) }
}
