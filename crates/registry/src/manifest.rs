//! Pulling manifests.

use access::{Frequent, Permit};
use bytes::Bytes;
use model::{Digest, MediaType, OnRepository, Reference, act};
use store::manifest::{self, Head};
use store::{StoreError, Tx};

use crate::protection::Protection;
use crate::{Registry, RegistryError};

/// A manifest with its bytes.
#[derive(Clone, Debug)]
pub struct ManifestFound {
    /// Its digest.
    pub digest: Digest,
    /// Its media type.
    pub media_type: MediaType,
    /// Its bytes, as they were pushed.
    pub content: Bytes,
}

/// A manifest without its bytes.
#[derive(Clone, Debug)]
pub struct ManifestHead {
    /// Its digest.
    pub digest: Digest,
    /// Its media type.
    pub media_type: MediaType,
    /// Bytes.
    pub size: u64,
}

impl Registry {
    /// Pulls a manifest, and notes that it was pulled. A client that has it already is served by [`Self::head_manifest`].
    pub async fn manifest(&self, permit: Permit<act::PullRepository>, reference: &Reference) -> Result<ManifestFound, RegistryError> {
        let found = self.find_manifest(permit.on(), reference).await;
        let head = self.noting(&permit, found).await?;
        let content = self.manifest_content(&head).await?;
        let digest = head.digest;
        self.pulls.note(head.repository, digest, permit.op().now);
        let record = || permit.success().with_detail(digest.to_string());
        self.audit().note_frequent(permit.op(), permit.by(), Frequent::Pull(digest), record).await;
        Ok(ManifestFound { digest, media_type: head.media_type, content })
    }

    /// What a manifest is, without its bytes: no pull.
    pub async fn head_manifest(&self, permit: &Permit<act::PullRepository>, reference: &Reference) -> Result<ManifestHead, RegistryError> {
        let head = self.find_manifest(permit.on(), reference).await?;
        let size = u64::try_from(head.size).unwrap_or_default();
        Ok(ManifestHead { digest: head.digest, media_type: head.media_type, size })
    }

    /// One indexed read, unless nothing has been committed since the last one: what is deleted is gone on every node.
    async fn find_manifest(&self, on: &OnRepository, reference: &Reference) -> Result<Head, RegistryError> {
        let key = (on.instance.id, on.name.clone(), reference.clone());
        let read = || self.store.read(|tx| Box::pin(find(tx, on, reference)));
        match self.heads.get_or_read(&self.store, key, read).await? {
            Some(head) if head.unreadable => Err(Protection::Unreadable.into()),
            Some(head) => Ok(head),
            None => Err(self.name_or(on, RegistryError::ManifestUnknown).await),
        }
    }

    async fn manifest_content(&self, head: &Head) -> Result<Bytes, RegistryError> {
        if let Some(content) = self.content_tally.note(self.contents.get(&head.digest)) {
            return Ok(content);
        }
        let read = self.store.read(|tx| Box::pin(manifest::content(tx, head.repository, &head.digest))).await?;
        let content = Bytes::from(read.ok_or(RegistryError::ManifestUnknown)?);
        self.contents.insert(head.digest, content.clone());
        Ok(content)
    }

    /// Why something was not found in a repository: because there is no repository, or else `otherwise`.
    pub(crate) async fn name_or(&self, on: &OnRepository, otherwise: RegistryError) -> RegistryError {
        match self.store.read(|tx| Box::pin(store::repository::id_by_name(tx, on.instance.id, &on.name))).await {
            Ok(Some(_)) => otherwise,
            Ok(None) => RegistryError::NameUnknown,
            Err(error) => StoreError::into(error),
        }
    }
}

async fn find(tx: &mut Tx<'_>, on: &OnRepository, reference: &Reference) -> Result<Option<Head>, StoreError> {
    match reference {
        Reference::Tag(tag) => manifest::by_tag(tx, on.instance.id, &on.name, tag).await,
        Reference::Digest(digest) => manifest::by_digest(tx, on.instance.id, &on.name, digest).await,
    }
}
