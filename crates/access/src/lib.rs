//! May you (a [`Permit`]), what may you see (a [`policy::Filter`]), what may a token carry (a [`Granted`]), write it down
//! ([`audit`]).
//!
//! What it is for: rights are decided here and nowhere else, from memory that follows the change feed. A use case takes a
//! permit, never a raw id, so that authorising one thing and acting on another cannot be written. What it may not do: know
//! a door, authenticate, change a right. Who has a say stands in `layers.rs`. To add an action: a line in `model::act`; nothing here changes.
#![deny(missing_docs)]

mod admin;
pub mod audit;
mod cidr;
mod decide;
mod delegation;
mod directory;
mod explain;
mod gather;
mod hosts;
mod layers;
mod meters;
mod networks;
mod operator;
mod owned;
mod owners;
mod permit;
mod reach;
mod rules;
mod shelf;
mod turns;
mod ways;

pub use admin::admin_rights;
pub use audit::{Audit, Frequent, Outcome, Record};
pub use cidr::{Cidr, CidrError};
pub use decide::Access;
pub use directory::{Attached, Directory, Listener, PrincipalRights, SessionRights};
pub use explain::{Proposed, Question};
pub use layers::{Explained, Layer};
pub use meters::{Decision, FeedMeters, Grant, Meters};
pub use networks::{NamedNetwork, Networks, NetworksError};
pub use operator::Operator;
pub use owners::Owners;
pub use permit::{Granted, Permit, Refusal};
/// What somebody may see, made by [`Access::visible`]: what a list takes in a permit's stead.
pub use policy::{Filter, NameRange};
pub use reach::LONGEST_CHAIN;
pub use rules::{Entered, NotLetIn, Rules};
pub use ways::Ways;
