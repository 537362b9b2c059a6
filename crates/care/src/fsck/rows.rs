//! Rows against rows: links, parts of manifests, tags; and manifests against their own digests.

use std::collections::BTreeSet;

use model::{Digest, RepositoryId};
use store::check::{self, LinkSeen, ManifestSeen, Place, Reference, ReferenceSeen, TagSeen};
use store::{Store, StoreError};

use super::finding::{Checkup, Finding, Kind};
use super::mend::{Mending, images, place};
use crate::CareError;
use crate::progress::{Progress, Report};

/// Rows of a page; of manifests, which may have 4 MiB, fewer.
const PAGE: i64 = 500;
const MANIFESTS: i64 = 8;

/// Every link of a repository to a blob.
pub(super) async fn links(store: &Store, mending: Option<&Mending<'_>>, into: &mut Checkup, report: Report<'_>) -> Result<(), CareError> {
    let mut after = (i64::MIN, Vec::new());
    loop {
        let (id, digest) = (after.0, &*after.1);
        let page: Vec<LinkSeen> = store.scan(|tx| Box::pin(check::links(tx, (id, digest), PAGE))).await?;
        let Some(last) = page.last() else { return Ok(()) };
        after = (last.repository.as_i64(), last.digest.as_bytes().to_vec());
        for link in page.iter().filter(|link| !link.has_blob) {
            link_without_blob(store, mending, link, into).await?;
        }
        into.looked_at.links += page.len() as u64;
        report(Progress::Rows { table: "links", done: into.looked_at.links });
    }
}

async fn link_without_blob(store: &Store, mending: Option<&Mending<'_>>, link: &LinkSeen, into: &mut Checkup) -> Result<(), StoreError> {
    let LinkSeen { repository, digest, .. } = *link;
    let Some(place) = place(store, repository).await? else { return Ok(()) };
    let what = format!("{}@{digest}", place.name);
    let (at, text) = (&place, &format!("{what}: a link to a blob that the account does not have is taken away"));
    let mended = match mending {
        None => false,
        Some(mending) => {
            let gone = store.write(|tx| {
                Box::pin(async move {
                    let gone = check::drop_link(tx, repository, &digest).await?;
                    if gone {
                        mending.write(tx, at.account, text).await?;
                    }
                    Ok::<_, StoreError>(gone)
                })
            });
            gone.await?
        }
    };
    let next = if mended { "the link is gone: push it again if an image needs it" } else { "say --repair, which takes the link away" };
    let problem = format!("the repository links a blob that its account does not have; {next}");
    into.find(Finding::new(Kind::LinkWithoutBlob, what, problem).mended(mended));
    Ok(())
}

/// Everything that manifests are made of. An image that needs several blobs is named once.
pub(super) async fn references(
    store: &Store,
    mending: Option<&Mending<'_>>,
    into: &mut Checkup,
    report: Report<'_>,
) -> Result<(), CareError> {
    let mut after = (i64::MIN, Vec::new(), Vec::new());
    let mut wrong: Option<Wrong> = None;
    loop {
        let (id, parent, child) = (after.0, &*after.1, &*after.2);
        let page: Vec<ReferenceSeen> = store.scan(|tx| Box::pin(check::references(tx, (id, parent, child), PAGE))).await?;
        let Some(last) = page.last() else { break };
        after = (last.repository.as_i64(), last.parent.as_bytes().to_vec(), last.child.as_bytes().to_vec());
        into.looked_at.references += page.len() as u64;
        into.index_parts_missing += page.iter().filter(|one| one.is == Reference::NoManifest).count() as u64;
        for one in page.iter().filter(|one| matches!(one.is, Reference::NoParent | Reference::NoBlob)) {
            if let Some(done) = Wrong::add(&mut wrong, one) {
                done.tell(store, mending, into).await?;
            }
        }
        report(Progress::Rows { table: "parts of manifests", done: into.looked_at.references });
    }
    match wrong {
        Some(last) => Ok(last.tell(store, mending, into).await?),
        None => Ok(()),
    }
}

/// A manifest with something wrong, and the blobs that it lacks.
struct Wrong {
    repository: RepositoryId,
    manifest: Digest,
    is_there: bool,
    lacks: BTreeSet<Digest>,
}

impl Wrong {
    /// Adds what was seen; if it is of another manifest, the one before is whole.
    fn add(under_way: &mut Option<Self>, seen: &ReferenceSeen) -> Option<Self> {
        let before = under_way.take_if(|wrong| (wrong.repository, wrong.manifest) != (seen.repository, seen.parent));
        let is_there = seen.is != Reference::NoParent;
        let wrong = under_way.get_or_insert(Self { repository: seen.repository, manifest: seen.parent, is_there, lacks: BTreeSet::new() });
        wrong.lacks.insert(seen.child);
        before
    }

    async fn tell(self, store: &Store, mending: Option<&Mending<'_>>, into: &mut Checkup) -> Result<(), StoreError> {
        let Some(place) = place(store, self.repository).await? else { return Ok(()) };
        let finding = if self.is_there { self.incomplete(store, &place).await? } else { self.of_nobody(store, &place, mending).await? };
        into.find(finding);
        Ok(())
    }

    async fn incomplete(self, store: &Store, place: &Place) -> Result<Finding, StoreError> {
        let lacks: Vec<String> = self.lacks.iter().take(5).map(Digest::to_string).collect();
        let more = self.lacks.len().saturating_sub(lacks.len());
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        let problem = format!("the repository does not have {}{more}; push the image again, or delete it", lacks.join(", "));
        let images = images(store, place, (self.repository, &self.manifest)).await?;
        Ok(Finding::new(Kind::ManifestIncomplete, format!("{}@{}", place.name, self.manifest), problem).with_images(images))
    }

    async fn of_nobody(self, store: &Store, place: &Place, mending: Option<&Mending<'_>>) -> Result<Finding, StoreError> {
        let what = format!("{}@{}", place.name, self.manifest);
        let (repository, manifest) = (self.repository, &self.manifest);
        let text = &format!("{what}: parts of a manifest that is not there are taken away");
        let gone = match mending {
            None => 0,
            Some(mending) => {
                let gone = store.write(|tx| {
                    Box::pin(async move {
                        let gone = check::drop_references(tx, repository, manifest).await?;
                        if gone > 0 {
                            mending.write(tx, place.account, text).await?;
                        }
                        Ok::<_, StoreError>(gone)
                    })
                });
                gone.await?
            }
        };
        let next = if gone > 0 { "they are gone" } else { "say --repair, which takes them away: until then their blobs are kept" };
        let problem = format!("parts are written down of a manifest that is not there; {next}");
        Ok(Finding::new(Kind::ReferenceWithoutManifest, what, problem).mended(gone > 0))
    }
}

/// Every tag.
pub(super) async fn tags(store: &Store, mending: Option<&Mending<'_>>, into: &mut Checkup, report: Report<'_>) -> Result<(), CareError> {
    let mut after = (i64::MIN, String::new());
    loop {
        let (id, name) = (after.0, &*after.1);
        let page: Vec<TagSeen> = store.scan(|tx| Box::pin(check::tags(tx, (id, name), PAGE))).await?;
        let Some(last) = page.last() else { return Ok(()) };
        after = (last.repository.as_i64(), last.name.clone());
        for tag in page.iter().filter(|tag| !tag.has_manifest) {
            tag_without_manifest(store, mending, tag, into).await?;
        }
        into.looked_at.tags += page.len() as u64;
        report(Progress::Rows { table: "tags", done: into.looked_at.tags });
    }
}

async fn tag_without_manifest(store: &Store, mending: Option<&Mending<'_>>, tag: &TagSeen, into: &mut Checkup) -> Result<(), StoreError> {
    let Some(place) = place(store, tag.repository).await? else { return Ok(()) };
    let (at, text) = (&place, &format!("{}:{} is taken away: its manifest {} is not there", place.name, tag.name, tag.digest));
    let mended = match mending {
        None => false,
        Some(mending) => {
            let gone = store.write(|tx| {
                Box::pin(async move {
                    let gone = check::drop_tag(tx, tag.repository, &tag.name, &tag.digest).await?;
                    if gone {
                        mending.write(tx, at.account, text).await?;
                    }
                    Ok::<_, StoreError>(gone)
                })
            });
            gone.await?
        }
    };
    let next = if mended { "the tag is gone" } else { "say --repair, which takes the tag away" };
    let problem = format!("its manifest {} is not there; {next}, and push the image again", tag.digest);
    into.find(Finding::new(Kind::TagWithoutManifest, format!("{}:{}", place.name, tag.name), problem).mended(mended));
    Ok(())
}

/// Every manifest's bytes against its digest.
pub(super) async fn manifests(store: &Store, into: &mut Checkup, report: Report<'_>) -> Result<(), CareError> {
    let mut after = (i64::MIN, Vec::new());
    loop {
        let (id, digest) = (after.0, &*after.1);
        let page: Vec<ManifestSeen> = store.scan(|tx| Box::pin(check::manifests(tx, (id, digest), MANIFESTS))).await?;
        let Some(last) = page.last() else { return Ok(()) };
        after = (last.repository.as_i64(), last.digest.as_bytes().to_vec());
        for manifest in page.iter().filter(|manifest| !is_whole(manifest)) {
            let Some(place) = place(store, manifest.repository).await? else { continue };
            let images = images(store, &place, (manifest.repository, &manifest.digest)).await?;
            let problem = "its bytes are not those of its digest; restore the database from a backup, or delete the image by its digest \
                           and push it again";
            let what = format!("{}@{}", place.name, manifest.digest);
            into.find(Finding::new(Kind::ManifestContent, what, problem).with_images(images));
        }
        into.looked_at.manifests += page.len() as u64;
        report(Progress::Rows { table: "manifests", done: into.looked_at.manifests });
    }
}

fn is_whole(manifest: &ManifestSeen) -> bool {
    let size = i64::try_from(manifest.content.len()).unwrap_or(i64::MAX);
    size == manifest.size && Digest::of(manifest.digest.algorithm(), &manifest.content) == manifest.digest
}
