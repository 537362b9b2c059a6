//! What can go wrong, each with what to do next.

use std::fmt;
use std::io;
use std::path::PathBuf;

use client::ClientError;

/// A place in a file that is not what it should be.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Problem {
    /// The file, `-` for standard input.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// The document in the file, from 1; none: before any was read.
    pub document: Option<usize>,
    /// The field: `spec.policies[2]`; empty: the document as a whole.
    pub field: String,
    /// What is wrong with it.
    pub problem: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.line)?;
        if let Some(number) = self.document {
            write!(f, ": document {number}")?;
        }
        if !self.field.is_empty() {
            write!(f, ": {}", self.field)?;
        }
        write!(f, ": {}", self.problem)
    }
}

/// Why documents were not applied or written.
#[derive(Debug, thiserror::Error)]
pub enum Trouble {
    /// A document is wrong. Nothing was changed.
    #[error("{0}")]
    Document(Box<Problem>),
    /// A file cannot be read or written.
    #[error("{}: {cause}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        cause: io::Error,
    },
    /// It would do more than was asked for. Nothing was changed.
    #[error("{0}")]
    Unsafe(String),
    /// The server, or the way to it.
    #[error(transparent)]
    Client(#[from] ClientError),
}

impl Trouble {
    pub(crate) fn file(path: impl Into<PathBuf>, cause: io::Error) -> Self {
        Self::File { path: path.into(), cause }
    }
}

/// A read that answers 404 found nothing.
pub(crate) fn found<T>(read: Result<T, ClientError>) -> Result<Option<T>, ClientError> {
    match read {
        Ok(found) => Ok(Some(found)),
        Err(ClientError::Refused { status: 404, .. }) => Ok(None),
        Err(error) => Err(error),
    }
}
