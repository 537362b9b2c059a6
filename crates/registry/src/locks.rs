//! Locks of repositories, tags and manifests as things to set, and what keeps an image.

use access::{Audit, Permit, Record, audit};
use model::{Digest, Lock, Locks, OnRepository, Reference, Tag, act};
use store::protection;
use store::repository::Repository;
use store::{StoreError, Tx};

use crate::protection::{Guard, Protection};
use crate::{Registry, RegistryError};

/// A tag, or a manifest by its digest, and what keeps it as it is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ImageProtection {
    /// The tag, if it was asked for by tag.
    pub tag: Option<Tag>,
    /// The manifest.
    pub digest: Digest,
    /// What the tag (or else the manifest) is locked against.
    pub locks: Locks,
    /// Why it cannot be deleted, if it cannot.
    pub kept_by: Option<Protection>,
}

/// Locks to set, and then locks to take away.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct LockChanges {
    /// These are set.
    pub lock: Locks,
    /// These are taken away.
    pub unlock: Locks,
}

impl LockChanges {
    const fn apply(self, to: Locks) -> Locks {
        to.changed(self.lock, self.unlock)
    }

    /// For the record: `+write -read`.
    fn described(self) -> String {
        let words = |sign: char, locks: Locks| locks.iter().map(move |lock: Lock| format!("{sign}{lock}"));
        words('+', self.lock).chain(words('-', self.unlock)).collect::<Vec<_>>().join(" ")
    }
}

impl Registry {
    /// Locks a repository, or unlocks it.
    pub async fn lock_repository(&self, permit: Permit<act::LockRepository>, changes: LockChanges) -> Result<Repository, RegistryError> {
        let (on, record) = (permit.on(), permit.success().with_detail(changes.described()));
        self.store.write(|tx| Box::pin(lock_repository(tx, on, changes, (self.audit(), &record)))).await
    }

    /// Locks a tag or a manifest, or unlocks it.
    pub async fn lock_image(
        &self,
        permit: Permit<act::LockRepository>,
        image: &Reference,
        changes: LockChanges,
    ) -> Result<ImageProtection, RegistryError> {
        let (on, record) = (permit.on(), permit.success().with_detail(format!("{image} {}", changes.described())));
        self.store.write(|tx| Box::pin(lock_image(tx, (on, image), changes, (self.audit(), &record)))).await
    }

    /// What keeps a tag or a manifest as it is.
    pub async fn show_image_protection(
        &self,
        permit: Permit<act::ListRepositoryTag>,
        image: &Reference,
    ) -> Result<ImageProtection, RegistryError> {
        let on = permit.on();
        self.store.scan(|tx| Box::pin(show(tx, on, image))).await
    }
}

async fn lock_repository(
    tx: &mut Tx<'_>,
    on: &OnRepository,
    changes: LockChanges,
    (audit, record): (&Audit, &Record),
) -> Result<Repository, RegistryError> {
    let mut repository = crate::repository::find(tx, on).await?;
    repository.locks = changes.apply(repository.locks);
    protection::lock_repository(tx, repository.id, repository.locks).await?;
    audit::write(tx, audit, record).await?;
    Ok(repository)
}

async fn lock_image(
    tx: &mut Tx<'_>,
    (on, image): (&OnRepository, &Reference),
    changes: LockChanges,
    (audit, record): (&Audit, &Record),
) -> Result<ImageProtection, RegistryError> {
    let repository = crate::delete::repository(tx, on).await?;
    match image {
        Reference::Tag(tag) => {
            let there = protection::tag(tx, repository, tag).await?.ok_or(RegistryError::ManifestUnknown)?;
            protection::lock_tag(tx, repository, tag, changes.apply(there.locks)).await?;
        }
        Reference::Digest(digest) => {
            let there = protection::manifest(tx, repository, digest).await?.ok_or(RegistryError::ManifestUnknown)?;
            protection::lock_manifest(tx, repository, digest, changes.apply(there)).await?;
        }
    }
    audit::write(tx, audit, record).await?;
    show(tx, on, image).await
}

async fn show(tx: &mut Tx<'_>, on: &OnRepository, image: &Reference) -> Result<ImageProtection, RegistryError> {
    let guard = Guard::of(tx, on).await?;
    match image {
        Reference::Tag(tag) => {
            let there = protection::tag(tx, guard.id, tag).await?.ok_or(RegistryError::ManifestUnknown)?;
            let kept_by = kept_by(guard.may_remove_tag(tx, tag).await)?;
            Ok(ImageProtection { tag: Some(tag.clone()), digest: there.digest, locks: there.locks, kept_by })
        }
        Reference::Digest(digest) => {
            let found: Result<_, StoreError> = protection::manifest(tx, guard.id, digest).await;
            let locks = found?.ok_or(RegistryError::ManifestUnknown)?;
            let kept_by = kept_by(guard.may_remove_manifest(tx, digest).await)?;
            Ok(ImageProtection { tag: None, digest: *digest, locks, kept_by })
        }
    }
}

fn kept_by(decided: Result<(), RegistryError>) -> Result<Option<Protection>, RegistryError> {
    match decided {
        Ok(()) => Ok(None),
        Err(RegistryError::Protected(protection)) => Ok(Some(protection)),
        Err(error) => Err(error),
    }
}
