//! Tags as things to manage.

use access::{Audit, Permit, Record, audit};
use model::{Digest, OnRepository, Tag, Timestamp, act};
use store::Tx;
use store::tag::{self, Tagged};

use crate::catalog::{Page, one_more, page_size, printable};
use crate::delete::repository;
use crate::protection::Guard;
use crate::{Registry, RegistryError};

/// Whether a tag that is pointed at a manifest is there before.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Before {
    Absent,
    Present,
}

impl Registry {
    /// A repository's tags by name, behind `after`, at most `n`, with what they point at.
    pub async fn list_tags(
        &self,
        permit: Permit<act::ListRepositoryTag>,
        n: Option<usize>,
        after: Option<&str>,
    ) -> Result<Page<Tagged>, RegistryError> {
        let (on, n, after) = (permit.on(), page_size(n), printable(after));
        let read = self.store.read(|tx| Box::pin(list(tx, on, after, one_more(n)))).await?;
        Ok(Page::of(read, n))
    }

    /// A tag with what it points at.
    pub async fn show_tag(&self, permit: Permit<act::ListRepositoryTag>, tag: &Tag) -> Result<Tagged, RegistryError> {
        let on = permit.on();
        self.store.read(|tx| Box::pin(show(tx, on, tag))).await
    }

    /// Points a new tag at a manifest that is there.
    pub async fn create_tag(&self, permit: Permit<act::CreateRepositoryTag>, tag: &Tag, digest: &Digest) -> Result<Tagged, RegistryError> {
        let record = permit.success().with_detail(format!("{tag} {digest}"));
        let point = Point { on: permit.on(), tag, digest, before: Before::Absent, now: permit.op().now };
        let pointed = self.store.write(|tx| Box::pin(point.write(tx, self.audit(), &record))).await;
        self.noting(&permit, pointed).await
    }

    /// Points a new tag at what another one of the repository points at.
    pub async fn copy_tag(&self, permit: Permit<act::CreateRepositoryTag>, from: &Tag, tag: &Tag) -> Result<Tagged, RegistryError> {
        let record = &permit.success().with_detail(format!("{tag} as {from}"));
        let (on, now) = (permit.on(), permit.op().now);
        let copied = self
            .store
            .write(|tx| {
                Box::pin(async move {
                    let digest = show(tx, on, from).await?.digest;
                    let point = Point { on, tag, digest: &digest, before: Before::Absent, now };
                    point.write(tx, self.audit(), record).await
                })
            })
            .await;
        self.noting(&permit, copied).await
    }

    /// Points a tag at another manifest that is there.
    pub async fn update_tag(&self, permit: Permit<act::UpdateRepositoryTag>, tag: &Tag, digest: &Digest) -> Result<Tagged, RegistryError> {
        let record = permit.success().with_detail(format!("{tag} {digest}"));
        let point = Point { on: permit.on(), tag, digest, before: Before::Present, now: permit.op().now };
        let pointed = self.store.write(|tx| Box::pin(point.write(tx, self.audit(), &record))).await;
        self.noting(&permit, pointed).await
    }

    /// Deletes a tag; its manifest stays.
    pub async fn delete_tag(&self, permit: Permit<act::DeleteRepositoryTag>, tag: &Tag) -> Result<(), RegistryError> {
        self.delete_manifest(permit, &model::Reference::Tag(tag.clone())).await
    }
}

async fn list(tx: &mut Tx<'_>, on: &OnRepository, after: &str, limit: i64) -> Result<Vec<Tagged>, RegistryError> {
    let repository = repository(tx, on).await?;
    Ok(tag::list(tx, repository, after, limit).await?)
}

async fn show(tx: &mut Tx<'_>, on: &OnRepository, tag: &Tag) -> Result<Tagged, RegistryError> {
    let repository = repository(tx, on).await?;
    tag::find(tx, repository, tag).await?.ok_or(RegistryError::ManifestUnknown)
}

/// A tag, on its way to point at a manifest.
struct Point<'a> {
    on: &'a OnRepository,
    tag: &'a Tag,
    digest: &'a Digest,
    before: Before,
    now: Timestamp,
}

impl Point<'_> {
    async fn write(&self, tx: &mut Tx<'_>, audit: &Audit, record: &Record) -> Result<Tagged, RegistryError> {
        let guard = Guard::of(tx, self.on).await?;
        let repository = guard.id;
        if !store::manifest::exists(tx, repository, self.digest).await? {
            return Err(RegistryError::ManifestUnknown);
        }
        match (tag::find(tx, repository, self.tag).await?, self.before) {
            (Some(_), Before::Absent) => return Err(RegistryError::Exists),
            (None, Before::Present) => return Err(RegistryError::ManifestUnknown),
            (Some(_), Before::Present) | (None, Before::Absent) => {}
        }
        guard.may_point(tx, self.tag, self.digest).await?;
        tag::set(tx, repository, self.tag, self.digest, self.now).await?;
        audit::write(tx, audit, record).await?;
        tag::find(tx, repository, self.tag).await?.ok_or(RegistryError::Conflict)
    }
}
