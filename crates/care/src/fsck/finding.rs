//! What a check finds, and what there is to do about it.

use serde::Serialize;

/// Findings that are listed; more are counted.
const LISTED: usize = 1000;

/// What is wrong.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A blob's row names content that the storage does not have.
    BlobMissing,
    /// The content has another size than its row says.
    BlobSize,
    /// The content has another digest than its row says.
    BlobContent,
    /// A repository links a digest that its account does not have.
    LinkWithoutBlob,
    /// A manifest needs a blob that its repository does not have.
    ManifestIncomplete,
    /// A manifest has another digest or size than its row says.
    ManifestContent,
    /// Parts are written down of a manifest that is not there.
    ReferenceWithoutManifest,
    /// A tag points at a manifest that is not there.
    TagWithoutManifest,
    /// What a namespace holds is counted wrong.
    Count,
}

/// One thing that is wrong.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Finding {
    /// What it is.
    pub kind: Kind,
    /// Of what: a digest, an image, a namespace.
    pub what: String,
    /// What is wrong with it, and what to do.
    pub problem: String,
    /// Images that cannot be pulled whole because of it, the first twenty.
    pub images: Vec<String>,
    /// Was it mended?
    pub mended: bool,
}

/// How much was looked at.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug, Serialize)]
pub struct Looked {
    /// Blobs.
    pub blobs: u64,
    /// Their bytes, as their rows say.
    pub blob_bytes: u64,
    /// Pieces of content in the storage.
    pub objects: u64,
    /// Links of repositories to blobs.
    pub links: u64,
    /// Parts of manifests.
    pub references: u64,
    /// Tags.
    pub tags: u64,
    /// Manifests that were read.
    pub manifests: u64,
    /// Namespaces.
    pub namespaces: u64,
}

/// What is there and nobody needs: no fault, for the collection takes it when its time has come.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug, Serialize)]
pub struct Collectable {
    /// Blobs that no repository links.
    pub blobs: u64,
    /// Pieces of content without a row, older than the collection's grace.
    pub objects: u64,
    /// The bytes of both.
    pub bytes: u64,
}

/// What a check has found.
#[derive(Clone, Default, PartialEq, Eq, Debug, Serialize)]
pub struct Checkup {
    /// Is nothing wrong, or nothing any more?
    pub sound: bool,
    /// How many things were wrong.
    pub found: u64,
    /// How many of them were mended.
    pub mended: u64,
    /// How many are left.
    pub left: u64,
    /// How much was looked at.
    pub looked_at: Looked,
    /// What the collection takes.
    pub collectable: Collectable,
    /// Indexes without one of the manifests that they name. No fault: whoever deleted it wished it so.
    pub index_parts_missing: u64,
    /// What is wrong, the first thousand.
    pub findings: Vec<Finding>,
}

impl Checkup {
    pub(super) fn find(&mut self, finding: Finding) {
        self.found += 1;
        self.mended += u64::from(finding.mended);
        if self.findings.len() < LISTED {
            self.findings.push(finding);
        }
    }

    pub(super) fn end(mut self) -> Self {
        self.left = self.found - self.mended;
        self.sound = self.left == 0;
        self
    }
}

impl Finding {
    pub(super) fn new(kind: Kind, what: impl Into<String>, problem: impl Into<String>) -> Self {
        Self { kind, what: what.into(), problem: problem.into(), images: Vec::new(), mended: false }
    }

    pub(super) fn with_images(mut self, images: Vec<String>) -> Self {
        self.images = images;
        self
    }

    pub(super) fn mended(mut self, mended: bool) -> Self {
        self.mended = mended;
        self
    }
}
