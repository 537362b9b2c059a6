//! Why a token is not issued or does not hold.

use store::StoreError;

/// Why a token is not issued, or does not hold.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// Not a token of ours, changed, of another kind, for somebody else, from the future, or by a key that is gone.
    #[error("the token is not valid")]
    Invalid,
    /// It was valid.
    #[error("the token has expired")]
    Expired,
    /// A lifetime outside of what may be asked for.
    #[error("a login token lives for 15 minutes to 24 hours")]
    Lifetime,
    /// The database does not answer.
    #[error("the key ring cannot be read right now")]
    Store(#[from] StoreError),
    /// A key does not open or does not sign: the master key is not the one it was sealed under.
    #[error("the signing key cannot be used: is this the master key it was sealed under?")]
    Key,
}
