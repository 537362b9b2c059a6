//! Deleting tags, manifests and blobs through the registry's own protocol.

use access::{Audit, Permit, Record, audit};
use model::{Digest, OnRepository, Reference, RepositoryId, Timestamp, act};
use store::{StoreError, Tx};

use crate::{Registry, RegistryError};

impl Registry {
    /// Deletes a tag, or a manifest with all its tags. What a manifest refers to, and what refers to it, stays.
    pub async fn delete_manifest(&self, permit: Permit<act::DeleteRepositoryTag>, reference: &Reference) -> Result<(), RegistryError> {
        let record = permit.success().with_detail(reference.to_string());
        let at = (permit.on(), permit.op().now);
        self.store.write(|tx| Box::pin(delete_manifest(tx, at, reference, (self.audit(), &record)))).await
    }

    /// Takes a blob out of a repository. Others that have it keep it.
    pub async fn delete_blob(&self, permit: Permit<act::DeleteRepositoryTag>, digest: &Digest) -> Result<(), RegistryError> {
        let record = permit.success().with_detail(digest.to_string());
        let on = permit.on();
        self.store.write(|tx| Box::pin(delete_blob(tx, on, digest, (self.audit(), &record)))).await
    }
}

async fn delete_manifest(
    tx: &mut Tx<'_>,
    (on, now): (&OnRepository, Timestamp),
    reference: &Reference,
    (audit, record): (&Audit, &Record),
) -> Result<(), RegistryError> {
    let repository = repository(tx, on).await?;
    let gone = match reference {
        Reference::Tag(tag) => store::tag::delete(tx, repository, tag).await?,
        Reference::Digest(digest) => store::manifest::delete(tx, repository, digest, now).await?,
    };
    if !gone {
        return Err(RegistryError::ManifestUnknown);
    }
    Ok(audit::write(tx, audit, record).await?)
}

async fn delete_blob(tx: &mut Tx<'_>, on: &OnRepository, digest: &Digest, (audit, record): (&Audit, &Record)) -> Result<(), RegistryError> {
    let repository = repository(tx, on).await?;
    if !store::blob::unlink(tx, repository, digest).await? {
        return Err(RegistryError::BlobUnknown);
    }
    Ok(audit::write(tx, audit, record).await?)
}

/// The repository of this name.
pub(crate) async fn repository(tx: &mut Tx<'_>, on: &OnRepository) -> Result<RepositoryId, RegistryError> {
    let found: Result<_, StoreError> = store::repository::id_by_name(tx, on.instance.id, &on.name).await;
    found?.ok_or(RegistryError::NameUnknown)
}
