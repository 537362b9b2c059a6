//! Why the registry did not do what was asked. The texts are for the public, the causes for the log.

use model::{Digest, NamespaceName, RepositoryName};
use store::StoreError;

/// What went wrong. Doors spell each in their own codes, with one exhaustive match.
#[derive(Debug, thiserror::Error)]
pub enum RegistryError {
    /// There is no repository (in the management API also: no namespace) of this name.
    #[error("there is nothing of this name here")]
    NameUnknown,
    /// A push into a namespace that does not exist, at an instance that makes none by itself.
    #[error("namespace {0} does not exist, and pushing does not create it here: create it first")]
    NamespaceUnknown(NamespaceName),
    /// A push into a repository that does not exist, in a namespace that makes none by itself.
    #[error("repository {0} does not exist, and pushing does not create it here: create it first")]
    RepositoryUnknown(RepositoryName),
    /// The repository has no such manifest or tag.
    #[error("the repository has no such manifest or tag")]
    ManifestUnknown,
    /// The repository has no such blob.
    #[error("the repository has no such blob")]
    BlobUnknown,
    /// The repository has no such upload of this caller's.
    #[error("there is no such upload: begin another one")]
    UploadUnknown,
    /// The content is not what its digest says.
    #[error("the content's digest is {found}, not the one it came under")]
    DigestInvalid {
        /// What it is.
        found: Digest,
    },
    /// A chunk does not begin where the upload stands.
    #[error("the chunk does not begin where the upload stands, at byte {offset}")]
    RangeInvalid {
        /// Where the upload stands.
        offset: u64,
    },
    /// None of the bytes asked for exist.
    #[error("the blob has {size} bytes: none of those asked for exist")]
    RangeUnsatisfiable {
        /// The blob's size.
        size: u64,
    },
    /// The document is no manifest that can be kept.
    #[error("the manifest cannot be kept: {reason}")]
    ManifestInvalid {
        /// What is wrong with it.
        reason: String,
    },
    /// The manifest refers to what the repository does not have.
    #[error("the manifest refers to {} that this repository does not have: push them first", count(digests.len()))]
    ManifestBlobUnknown {
        /// What is missing, at most as many as a manifest may have.
        digests: Vec<Digest>,
    },
    /// More bytes than are taken.
    #[error("too large: at most {limit} bytes")]
    TooLarge {
        /// What is taken at most.
        limit: u64,
    },
    /// Something of that name exists already.
    #[error("something of this name exists already")]
    Exists,
    /// The instance has as many of these as it may have.
    #[error("the instance has {max} {what}, and may not have more: delete one first")]
    Limit {
        /// The noun, plural.
        what: &'static str,
        /// How many.
        max: u32,
    },
    /// The namespace may not hold so many bytes.
    #[error(
        "namespace {namespace} is full: it may hold {most} bytes and holds {held}{}; delete images there, or have its quota raised",
        more(*needed)
    )]
    Quota {
        /// The namespace.
        namespace: NamespaceName,
        /// What it may hold, in bytes.
        most: i64,
        /// What it holds.
        held: i64,
        /// How much more was to be added; 0: nobody knows yet.
        needed: i64,
    },
    /// The namespace has as many repositories as it may have.
    #[error("namespace {namespace} has {most} repositories, and may not have more: delete one first, or have its quota raised")]
    RepositoryQuota {
        /// The namespace.
        namespace: NamespaceName,
        /// What it may have.
        most: i64,
    },
    /// A rule of retention says nothing, or more than it may.
    #[error("{reason}")]
    RuleInvalid {
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A namespace that still has repositories cannot be deleted.
    #[error("the namespace still has repositories: delete them first")]
    NotEmpty,
    /// It is kept as it is: immutable, or locked.
    #[error("{0}")]
    Protected(crate::Protection),
    /// Somebody else is writing the same thing at this moment.
    #[error("somebody else is changing this at the moment: try again")]
    Conflict,
    /// The client's body ended early; what had arrived is kept.
    #[error("the body ended early: what has arrived is kept")]
    Interrupted(#[source] std::io::Error),
    /// No room is left.
    #[error("the registry has no room left")]
    Full(#[source] Cause),
    /// The database or the content's place does not answer. Try again later.
    #[error("the registry cannot do this at the moment: try again")]
    Unavailable(#[source] Cause),
    /// What is stored is not what was stored, or a defect of the program.
    #[error("the registry has failed")]
    Broken(#[source] Cause),
}

/// The private cause of an error; for the log, never for an answer.
pub type Cause = Box<dyn std::error::Error + Send + Sync>;

fn count(n: usize) -> String {
    if n == 1 { "one thing".into() } else { format!("{n} things") }
}

fn more(needed: i64) -> String {
    if needed == 0 { String::new() } else { format!(", and this needs {needed} more") }
}

impl From<StoreError> for RegistryError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Unavailable(_) => Self::Unavailable(Box::new(error)),
            StoreError::Conflict { .. } => Self::Conflict,
            _ => Self::Broken(Box::new(error)),
        }
    }
}
