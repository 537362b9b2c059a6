//! Outgoing HTTP that cannot be turned against the network it stands in.
//!
//! What it is for: fetching an issuer's keys, delivering audit events and webhooks, from and to addresses that somebody
//! with a right typed in. A host name is resolved first, **every** address it has is judged ([`Reach`]), and the connection
//! goes to one of the very addresses that were judged, so that a name which answers differently the next time gains nothing.
//! Each call is bounded in time (resolving included), in bytes, in headers and in redirects, each of which is judged anew.
//! What it may not do: know why something is fetched, keep a connection or a cookie, read a proxy from the environment, try
//! again. To add a kind of address that must not be reached: a line in `address.rs`, and one in its test.
//!
//! ```no_run
//! # async fn example() -> Result<(), fetch::FetchError> {
//! let fetcher = fetch::Fetcher::new()?;
//! let call = fetch::Call::get(fetch::Url::parse("https://issuer.example/.well-known/openid-configuration")?);
//! let answer = fetcher.send(call, &fetch::Terms::default()).await?;
//! # drop(answer); Ok(()) }
//! ```
#![deny(missing_docs)]

mod address;
mod call;
mod connect;
mod error;
mod fetcher;
mod trust;
mod url;

#[cfg(test)]
mod tests;

pub use address::Reach;
pub use call::{Call, Redirects, Terms};
pub use error::FetchError;
pub use fetcher::{Fetcher, Looked, Lookup};
pub use trust::{OwnTrust, Trust};
pub use url::Url;
