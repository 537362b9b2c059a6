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
    /// The key was changed a short while ago.
    #[error("the key that signs the audit trail was changed less than a day ago")]
    TooSoon,
    /// So many days are not kept here.
    #[error("this server keeps audit trails for {least} to {most} days")]
    Days {
        /// At the least so many.
        least: i64,
        /// At the most.
        most: i64,
    },
    /// Another node seals at the same moment.
    #[error("another node has sealed the same records")]
    Overtaken,
}
