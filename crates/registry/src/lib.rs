//! What is kept: namespaces, repositories, manifests, blobs, uploads, tags, referrers, as the OCI distribution specification
//! 1.1 knows them.
//!
//! What it is for: each use case is a method of [`Registry`] that takes a permit and plain values and gives plain values back.
//! A change, its audit record and what other nodes must hear are one transaction. What it may not do: see a header, know who
//! the caller is beyond the permit, decide a right. To add a use case: a method in the module of its noun, its statements in
//! `store`'s module of the same noun, its story in `tests/`.

mod blob;
mod catalog;
mod collection;
mod delete;
mod document;
mod error;
#[cfg(fuzzing)]
pub mod fuzzing;
mod locks;
mod manifest;
mod namespace;
mod protection;
mod push_target;
mod put_manifest;
mod quota;
mod references;
mod referrers;
mod repository;
mod retention;
mod sound;
mod tag;
mod tag_rules;
mod upload;
mod upload_session;
mod visible;
mod window;

use std::sync::Arc;

use access::{Access, Audit};
use blobs::BlobStore;
use bytes::Bytes;
use meter::Tally;
use model::{Digest, InstanceId, Reference, RepositoryName, Timestamp};
use quick_cache::Weighter;
use quick_cache::sync::Cache;
use store::blob::Linked;
use store::manifest::Head;
use store::{Recent, Store};

pub use blob::{BlobFound, ByteRange, Redirects};
pub use blobs::{BlobBody, PresignedUrl};
pub use catalog::Page;
pub use collection::{
    Begun, COLLECTION_JOB, Collecting, Collection, CollectionMeters, CollectionStatus, Doer, Failed, Preview, Step, Taken, Walked,
};
pub use error::{Cause, RegistryError};
pub use locks::{ImageProtection, LockChanges};
pub use manifest::{ManifestFound, ManifestHead};
pub use namespace::{NamespaceChanges, NewNamespace};
pub use protection::Protection;
pub use put_manifest::{MAX_TAGS, Pushed};
pub use quota::InstanceUsage;
pub use references::{Behind, Holding, ImageReference, Relation};
pub use referrers::Referrers;
pub use repository::{Immutability, ImmutabilityChange, NewRepository, RepositoryChanges};
pub use retention::{
    KeptRule, MAX_DAYS, MAX_ITEMS, MAX_NEWEST, MAX_RULES, NamespaceRetention, RetentionItem, RetentionRule, RetentionRun,
    Schedule as RetentionSchedule, Tended,
};
pub use store::collection::Waiting;
pub use store::collection_run::{Phase, Place, Run, Tally as CollectionTally};
pub use store::namespace::{Namespace, Settings as NamespaceSettings};
pub use store::quota::{Held, Listed as NamespaceQuota, Quota};
pub use store::repository::Repository;
pub use store::tag::Tagged;
pub use store::tag_rule::{TagRule, Terms};
pub use store::usage::Usage;
pub use tag_rules::{MAX_TAG_RULES, TermsChanges};
pub use visible::{Cursors, LOOKED_AT, Visible};
pub use window::{Counted, REACH, RepositoriesNamed, Window};

/// The largest manifest that is taken, in bytes.
pub const MAX_MANIFEST: usize = document::MAX_BYTES;

/// References and blobs that are remembered until the next commit.
const REMEMBERED: usize = 8192;

/// What may be chosen when a registry is opened.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// The largest blob, in bytes.
    pub blob: u64,
    /// Memory for the bytes of manifests and small blobs.
    pub content_cache: u64,
    /// The most namespaces in one instance.
    pub namespaces: u32,
    /// The most repositories in one instance.
    pub repositories: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self { blob: 1 << 37, content_cache: 32 << 20, namespaces: 10_000, repositories: 100_000 }
    }
}

/// Everything that is kept for instances. Held in an `Arc`.
pub struct Registry {
    store: Arc<Store>,
    blobs: BlobStore,
    access: Arc<Access>,
    random: Box<dyn Fn() -> u64 + Send + Sync>,
    cursors: Cursors,
    limits: Limits,
    redirects: Redirects,
    collection: Collection,
    collection_meters: CollectionMeters,
    /// The bytes of manifests and small blobs by digest. They never change, and nobody gets them without the repository's own
    /// row.
    contents: Cache<Digest, Bytes, Bytesized>,
    content_tally: Tally,
    /// What repositories' references and blobs are now.
    heads: Recent<(InstanceId, RepositoryName, Reference), Head>,
    links: Recent<(InstanceId, RepositoryName, Digest), Linked>,
    /// Which namespaces have a quota.
    bounded: quota::Bounded,
    pulls: retention::Pulls,
}

impl std::fmt::Debug for Registry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Registry").finish_non_exhaustive()
    }
}

/// Weighs content by what it holds in memory.
#[derive(Clone, Copy)]
struct Bytesized;

impl Weighter<Digest, Bytes> for Bytesized {
    fn weight(&self, _: &Digest, content: &Bytes) -> u64 {
        content.len() as u64 + 256
    }
}

impl Registry {
    /// Over a store and a place for content. `random` gives 64 bits of a cryptographically secure source.
    pub fn new(
        store: Arc<Store>,
        blobs: BlobStore,
        access: Arc<Access>,
        random: impl Fn() -> u64 + Send + Sync + 'static,
        cursors: Cursors,
        limits: Limits,
    ) -> Self {
        let contents = Cache::with_weighter(8192, limits.content_cache, Bytesized);
        let (heads, links) = (Recent::new(REMEMBERED), Recent::new(REMEMBERED));
        let (random, redirects, bounded) = (Box::new(random), Redirects::Off, quota::Bounded::new());
        let (content_tally, pulls, collection) = (Tally::default(), retention::Pulls::new(), Collection::default());
        let collection_meters = CollectionMeters::default();
        Self {
            store,
            blobs,
            access,
            random,
            cursors,
            limits,
            redirects,
            collection,
            collection_meters,
            contents,
            content_tally,
            heads,
            links,
            bounded,
            pulls,
        }
    }

    /// The same, redirecting blobs to object storage for whom `redirects` says.
    #[must_use]
    pub fn redirecting(self, redirects: Redirects) -> Self {
        Self { redirects, ..self }
    }

    /// The same, collecting what nothing needs after such times.
    #[must_use]
    pub fn collecting(self, collection: Collection) -> Self {
        Self { collection, ..self }
    }

    /// What this node has collected.
    pub const fn collection_meters(&self) -> &CollectionMeters {
        &self.collection_meters
    }

    /// How often each memory was asked and had the answer.
    pub fn tallies(&self) -> [(&'static str, &Tally); 3] {
        [("contents", &self.content_tally), ("references", self.heads.tally()), ("blobs", self.links.tally())]
    }

    /// Bytes of manifests and small blobs in memory.
    pub fn content_bytes(&self) -> u64 {
        self.contents.weight()
    }

    fn audit(&self) -> &Audit {
        self.access.audit()
    }

    /// Lets a change of what is public be in force on this node before anybody is answered.
    async fn in_force(&self, now: Timestamp) {
        self.access.directory().follow_own(now).await;
    }
}
