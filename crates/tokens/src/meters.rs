//! What is counted of tokens.

use meter::{Counter, Table, Tally, label};

use crate::Kind;

label! {
    /// What kind of token.
    pub enum Issued as "kind" {
        /// For registry requests.
        Bearer "bearer",
        /// A temporary password.
        Login "login",
        /// Exchanged for bearer tokens.
        Refresh "refresh",
        /// For the management API.
        Manage "management",
    }
}

impl From<Kind> for Issued {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Bearer => Self::Bearer,
            Kind::Login => Self::Login,
            Kind::Refresh => Self::Refresh,
            Kind::Manage => Self::Manage,
        }
    }
}

/// The counters of one [`crate::Tokens`]. Clones count into the same.
#[derive(Clone, Default, Debug)]
pub struct Meters {
    /// Tokens that were signed.
    pub issued: Table<(Issued,), Counter>,
    /// How often a presented token's signature was known.
    pub verified: Tally,
}
