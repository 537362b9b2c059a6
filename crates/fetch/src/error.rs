//! Why nothing was fetched.

use std::net::IpAddr;

/// Why nothing was fetched. The texts name hosts and addresses: they are for whoever may configure the target, not for
/// strangers. No text carries a header or a body.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum FetchError {
    /// Not an address that can be fetched from.
    #[error("invalid address: {0}")]
    Url(&'static str),
    /// The certificates of an own authority cannot be used.
    #[error("invalid certificates: {0}")]
    Certificates(String),
    /// The host has no address, or the resolver does not answer.
    #[error("{host} has no address that can be found")]
    Unresolved {
        /// The host.
        host: String,
    },
    /// The host has an address that may not be reached.
    #[error("{host} has the address {address}, which is internal; it must be allowed before it is reached")]
    Internal {
        /// The host.
        host: String,
        /// The address.
        address: IpAddr,
    },
    /// Plain HTTP is for internal addresses alone.
    #[error("plain http is not spoken to {host} unless internal addresses are allowed; use https")]
    Plain {
        /// The host.
        host: String,
    },
    /// Nobody answers there.
    #[error("{host} cannot be reached: {problem}")]
    Unreachable {
        /// The host.
        host: String,
        /// What happened.
        problem: String,
    },
    /// Its certificate is not trusted, or no TLS can be agreed on.
    #[error("{host} cannot be trusted: {problem}")]
    Untrusted {
        /// The host.
        host: String,
        /// What happened.
        problem: String,
    },
    /// What came back is not HTTP, or it broke off.
    #[error("{host} does not answer properly: {problem}")]
    Broken {
        /// The host.
        host: String,
        /// What happened.
        problem: String,
    },
    /// The answer is longer than was allowed.
    #[error("{host} answers more than {limit} bytes")]
    TooLarge {
        /// The host.
        host: String,
        /// The bound.
        limit: usize,
    },
    /// It took too long.
    #[error("{host} did not answer in time")]
    TimedOut {
        /// The host.
        host: String,
    },
    /// A redirect that is not followed.
    #[error("{host} redirects {problem}")]
    Redirected {
        /// The host.
        host: String,
        /// Why it was not followed.
        problem: &'static str,
    },
    /// As much is being fetched as may be at once.
    #[error("too much is being fetched at once")]
    Busy,
}
