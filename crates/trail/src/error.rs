//! Why the trail cannot be sealed or read.

use store::StoreError;

/// Why the trail cannot be sealed or read.
#[derive(Debug, thiserror::Error)]
pub enum TrailError {
    /// The database does not answer.
    #[error("the audit trail cannot be read or written right now: try again")]
    Store(#[from] StoreError),
    /// A key does not open or does not sign: the master key is not the one it was sealed under.
    #[error("the audit trail's signing key cannot be used: is this the master key it was sealed under?")]
    Key,
    /// Another node seals at the same moment.
    #[error("another node has sealed the same records")]
    Overtaken,
}
