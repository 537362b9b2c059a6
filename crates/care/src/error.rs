//! Why something could not be looked after. The texts are for who runs the command: what happened, what to do next.

use std::io;
use std::path::{Path, PathBuf};

use blobs::BlobError;
use model::UploadId;
use store::StoreError;

/// What went wrong.
#[derive(Debug, thiserror::Error)]
pub enum CareError {
    /// The database did not do what it was asked.
    #[error("{}", with_cause(.0))]
    Store(#[from] StoreError),
    /// The store of blobs did not do what it was asked.
    #[error("blob {key:?}: {error}")]
    Blobs {
        /// Under which storage key.
        key: UploadId,
        /// What it said.
        error: BlobError,
    },
    /// The store of blobs cannot be listed.
    #[error("the store of blobs cannot be listed: {0}")]
    Listing(BlobError),
    /// A file or folder of a backup cannot be used.
    #[error("{} cannot be used: {cause}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// What the system says.
        cause: io::Error,
    },
    /// A backup is not as it was made.
    #[error("the backup is damaged: {piece}: {problem}")]
    Damaged {
        /// Which piece of it.
        piece: String,
        /// How.
        problem: String,
    },
    /// What was asked for is refused; the text says why and what to do.
    #[error("{0}")]
    Refused(String),
}

/// What the database itself said: who runs the command holds the database.
fn with_cause(error: &StoreError) -> String {
    match std::error::Error::source(error) {
        Some(cause) => format!("{error} ({cause})"),
        None => error.to_string(),
    }
}

impl CareError {
    pub(crate) fn file(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |cause| Self::File { path, cause }
    }

    pub(crate) fn damaged(piece: impl Into<String>, problem: &(impl ToString + ?Sized)) -> Self {
        Self::Damaged { piece: piece.into(), problem: problem.to_string() }
    }

    pub(crate) fn refused(text: impl Into<String>) -> Self {
        Self::Refused(text.into())
    }
}
