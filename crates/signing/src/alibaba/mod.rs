//! Alibaba Cloud: which scheme a request uses, what it claims, and whether that holds.
//!
//! ```
//! # use signing::Headers;
//! # use signing::alibaba::{Claim, Request};
//! # fn door(query: &str, secret: &secrets::Plain, now: model::Timestamp) -> Result<(), Box<dyn std::error::Error>> {
//! let request = Request::read("GET", "/", query, Headers::default(), b"")?;
//! if let Some(claim) = Claim::of(&request)? {
//!     claim.in_time(now)?;
//!     // look up claim.access_key_id(), unseal its secret, then:
//!     claim.verify(&request, secret)?;
//!     // remember (access key, claim.nonce()); then act.
//! }
//! # Ok(()) }
//! ```

mod claim;
mod problem;
mod request;
mod scheme;
mod secret_values;
mod time;

pub mod roa;
pub mod v1;
pub mod v3;

pub use claim::Claim;
pub use problem::Problem;
pub use request::{Call, Request};
pub use scheme::Scheme;
pub use time::{WINDOW, in_time};
