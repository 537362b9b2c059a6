//! Deleting tags, manifests and blobs through the registry's own protocol.

use access::{Audit, Permit, Record, audit};
use model::{Digest, OnRepository, Reference, RepositoryId, Timestamp, act};
use store::{StoreError, Tx};

use crate::protection::Guard;
use crate::{Registry, RegistryError};

impl Registry {
    /// Deletes a tag, or a manifest with all its tags. What a manifest refers to, and what refers to it, stays.
    pub async fn delete_manifest(&self, permit: Permit<act::DeleteRepositoryTag>, reference: &Reference) -> Result<(), RegistryError> {
        let record = permit.success().with_detail(reference.to_string());
        let at = (permit.on(), permit.op().now);
        let deleted = self.store.write(|tx| Box::pin(delete_manifest(tx, at, reference, (self.audit(), &record)))).await;
        self.noting(&permit, deleted).await
    }

    /// Takes a blob out of a repository. Others that have it keep it.
    pub async fn delete_blob(&self, permit: Permit<act::DeleteRepositoryTag>, digest: &Digest) -> Result<(), RegistryError> {
        let record = permit.success().with_detail(digest.to_string());
        let on = permit.on();
        let deleted = self.store.write(|tx| Box::pin(delete_blob(tx, on, digest, (self.audit(), &record)))).await;
        self.noting(&permit, deleted).await
    }
}

async fn delete_manifest(
    tx: &mut Tx<'_>,
    (on, now): (&OnRepository, Timestamp),
    reference: &Reference,
    (audit, record): (&Audit, &Record),
) -> Result<(), RegistryError> {
    let guard = Guard::of(tx, on).await?;
    let gone = match reference {
        Reference::Tag(tag) => {
            guard.may_remove_tag(tx, tag).await?;
            store::tag::delete(tx, guard.id, tag).await?
        }
        Reference::Digest(digest) => {
            guard.may_remove_manifest(tx, digest).await?;
            store::manifest::delete(tx, guard.id, digest, now).await?
        }
    };
    if !gone {
        return Err(RegistryError::ManifestUnknown);
    }
    Ok(audit::write(tx, audit, record).await?)
}

async fn delete_blob(tx: &mut Tx<'_>, on: &OnRepository, digest: &Digest, (audit, record): (&Audit, &Record)) -> Result<(), RegistryError> {
    let guard = Guard::of(tx, on).await?;
    guard.may_remove_blob(tx, digest).await?;
    if !store::blob::unlink(tx, guard.id, digest).await? {
        return Err(RegistryError::BlobUnknown);
    }
    Ok(audit::write(tx, audit, record).await?)
}

/// The repository of this name.
pub(crate) async fn repository(tx: &mut Tx<'_>, on: &OnRepository) -> Result<RepositoryId, RegistryError> {
    let found: Result<_, StoreError> = store::repository::id_by_name(tx, on.instance.id, &on.name).await;
    found?.ok_or(RegistryError::NameUnknown)
}
