//! Pushing manifests: read, referred things present here, then one transaction for manifest, tags, referrer and audit.

use std::collections::BTreeMap;

use access::{Audit, Permit, Record, audit};
use bytes::Bytes;
use model::{Algorithm, Digest, MediaType, Reference, Tag, act};
use store::Tx;
use store::manifest::NewManifest;
use store::repository::Target;

use crate::document::{Document, digests};
use crate::protection::Guard;
use crate::push_target::Destination;
use crate::quota::fits;
use crate::{Registry, RegistryError};

/// The most tags that one push may set.
pub const MAX_TAGS: usize = 64;

/// A manifest that is kept.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Pushed {
    /// Its digest.
    pub digest: Digest,
    /// What it refers to as its subject (`OCI-Subject`).
    pub subject: Option<Digest>,
    /// The tags that now point at it (`OCI-Tag`).
    pub tags: Vec<Tag>,
}

/// A manifest that has been read, on its way into a repository.
struct Arriving<'a> {
    destination: Destination,
    document: Document,
    digest: Digest,
    content: &'a [u8],
    tags: Vec<Tag>,
    record: Record,
}

impl Registry {
    /// Keeps a manifest under its digest, and under the tags it was pushed as. Pushing the same again changes nothing.
    pub async fn put_manifest(
        &self,
        permit: Permit<act::PushRepository>,
        reference: &Reference,
        content_type: Option<&MediaType>,
        content: Bytes,
        tags: &[Tag],
    ) -> Result<Pushed, RegistryError> {
        if tags.len() > MAX_TAGS {
            return Err(RegistryError::ManifestInvalid { reason: format!("at most {MAX_TAGS} tags in one push") });
        }
        let document = Document::parse(content_type, &content)?;
        let digest = agreed_digest(reference, &content)?;
        let tags = named(reference, tags);
        let record = permit.success().with_detail(described(&digest, &tags));
        let arriving = Arriving { destination: self.destination(&permit), document, digest, content: &content, tags, record };
        let (on, now) = (&arriving.destination.on, arriving.destination.now());
        let kept = self.write_growing(on, now, |tx| Box::pin(arriving.keep(tx, self.audit()))).await;
        self.noting(&permit, kept).await?;
        self.settled(&arriving.destination).await;
        Ok(Pushed { digest, subject: arriving.document.subject, tags: arriving.tags })
    }
}

/// By digest: the content must be what it says. By tag: SHA-256.
fn agreed_digest(reference: &Reference, content: &[u8]) -> Result<Digest, RegistryError> {
    match reference {
        Reference::Tag(_) => Ok(Digest::of(Algorithm::Sha256, content)),
        Reference::Digest(asked) => match Digest::of(asked.algorithm(), content) {
            found if found == *asked => Ok(found),
            found => Err(RegistryError::DigestInvalid { found }),
        },
    }
}

fn named(reference: &Reference, tags: &[Tag]) -> Vec<Tag> {
    let first = match reference {
        Reference::Tag(tag) => Some(tag),
        Reference::Digest(_) => None,
    };
    let mut named: Vec<Tag> = Vec::with_capacity(tags.len() + 1);
    for tag in first.into_iter().chain(tags) {
        if !named.contains(tag) {
            named.push(tag.clone());
        }
    }
    named
}

fn described(digest: &Digest, tags: &[Tag]) -> String {
    tags.iter().fold(digest.to_string(), |text, tag| format!("{text} {tag}"))
}

impl Arriving<'_> {
    async fn keep(&self, tx: &mut Tx<'_>, audit: &Audit) -> Result<(), RegistryError> {
        let target = self.destination.ensure(tx).await?;
        let blobs = digests(&self.document.blobs);
        let manifests = digests(&self.document.manifests);
        self.check_references(tx, &target, &blobs, &manifests).await?;
        let now = self.destination.now();
        let image_size = self.image_size(tx, &target, &manifests).await?;
        self.check_protection(tx, &target).await?;
        let grown = store::manifest::insert(tx, target.id, &self.row(&blobs, &manifests, image_size), now).await?;
        fits(tx, &self.destination.on.name, grown).await?;
        for tag in &self.tags {
            store::tag::set(tx, target.id, tag, &self.digest, now).await?;
        }
        Ok(audit::write(tx, audit, &self.record).await?)
    }

    /// None of the tags is kept where it points.
    async fn check_protection(&self, tx: &mut Tx<'_>, target: &Target) -> Result<(), RegistryError> {
        if target.guarded && !self.tags.is_empty() {
            let guard = Guard::of(tx, &self.destination.on).await?;
            for tag in &self.tags {
                guard.may_point(tx, tag, &self.digest).await?;
            }
        }
        Ok(())
    }

    /// Everything that it is made of is in this repository, and as long as it says. A subject need not be there yet.
    async fn check_references(
        &self,
        tx: &mut Tx<'_>,
        target: &Target,
        blobs: &[Digest],
        manifests: &[Digest],
    ) -> Result<(), RegistryError> {
        let account = self.destination.on.instance.account;
        let mut there: BTreeMap<Digest, i64> = BTreeMap::new();
        there.extend(store::blob::touch(tx, account, target.id, blobs, self.destination.now()).await?);
        let mut missing: Vec<Digest> = blobs.iter().filter(|d| !there.contains_key(d)).copied().collect();
        // Something may be both, under one digest: each list is looked for in its own place.
        let children: BTreeMap<Digest, i64> = store::manifest::present(tx, target.id, manifests).await?.into_iter().collect();
        if !target.sparse_indexes {
            missing.extend(manifests.iter().filter(|d| !children.contains_key(d)));
        }
        if !missing.is_empty() {
            return Err(RegistryError::ManifestBlobUnknown { digests: missing });
        }
        there.extend(children);
        self.document.check_sizes(&there)
    }

    /// Its own bytes, those of its blobs (each once) and of the images of an index.
    async fn image_size(&self, tx: &mut Tx<'_>, target: &Target, manifests: &[Digest]) -> Result<i64, RegistryError> {
        let blobs: BTreeMap<_, _> = self.document.blobs.iter().map(|d| (d.digest, d.size)).collect();
        let own = i64::try_from(self.content.len()).unwrap_or(i64::MAX);
        let images = store::manifest::image_sizes(tx, target.id, manifests).await?;
        Ok(blobs.values().fold(own.saturating_add(images), |sum, size| sum.saturating_add(*size)))
    }

    fn row<'r>(&'r self, blobs: &'r [Digest], manifests: &'r [Digest], image_size: i64) -> NewManifest<'r> {
        NewManifest {
            digest: self.digest,
            media_type: &self.document.media_type,
            artifact_type: self.document.artifact_type.as_deref(),
            subject: self.document.subject,
            annotations: self.document.annotations.clone(),
            content: self.content,
            blobs,
            manifests,
            config: self.document.config,
            image_size,
        }
    }
}
