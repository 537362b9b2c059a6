//! What can go wrong, told apart by what a caller does next.

use std::io;
use std::path::PathBuf;

use rustix::io::Errno;

use crate::UploadState;

/// Why a store could not do what it was asked. The text is public; the cause behind it is for the log.
#[derive(Debug, thiserror::Error)]
pub enum BlobError {
    /// Nothing is kept under this key.
    #[error("nothing is stored under this key")]
    Missing,
    /// Something is kept under this key already.
    #[error("something is stored under this key already")]
    Exists,
    /// Another request is writing under this key; or this claim was left in the middle of writing.
    #[error("another request is writing to this upload")]
    Busy,
    /// The storage has no room, or this program's share of it is used up.
    #[error("the blob storage is full")]
    Full,
    /// There is less content, or a state that fits it less, than the database says.
    #[error("the stored content does not match its record")]
    Damaged,
    /// The storage does not answer as it should.
    #[error("the blob storage is unavailable")]
    Unavailable(#[source] io::Error),
}

impl From<io::Error> for BlobError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::NotFound => Self::Missing,
            io::ErrorKind::AlreadyExists => Self::Exists,
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge => Self::Full,
            io::ErrorKind::UnexpectedEof => Self::Damaged,
            _ => Self::Unavailable(error),
        }
    }
}

impl From<Errno> for BlobError {
    fn from(error: Errno) -> Self {
        io::Error::from(error).into()
    }
}

/// Why a folder cannot be used. For the one who starts the program: it names the folder.
#[derive(Debug, thiserror::Error)]
#[error("cannot keep blobs in {}: {source}; choose a folder that this user may write to", path.display())]
pub struct OpenError {
    /// The folder.
    pub path: PathBuf,
    /// What the operating system says.
    pub source: io::Error,
}

/// Why an object storage cannot be used. For the one who starts the program: no secret of the settings is repeated.
#[derive(Debug, thiserror::Error)]
pub enum ObjectsError {
    /// The settings make no client.
    #[error("{0}")]
    Settings(String),
    /// The storage does not do what is needed.
    #[error("{storage} cannot be used: {problem}")]
    Unusable {
        /// Which one.
        storage: String,
        /// What it answers.
        problem: String,
    },
}

/// Why a body was not appended whole; `E` is the body's own error.
#[derive(Debug, thiserror::Error)]
#[error("the upload stopped after {} bytes", state.offset())]
pub struct AppendError<E> {
    /// What is kept: may be stored, and gone on from. After a store's failure it is the state that `append` was given.
    pub state: Box<UploadState>,
    /// What stopped it.
    pub cause: AppendCause<E>,
}

/// What stopped an append.
#[derive(Debug)]
pub enum AppendCause<E> {
    /// The body broke off.
    Body(E),
    /// The content would be larger than the limit.
    TooLarge,
    /// The store failed.
    Store(BlobError),
}
