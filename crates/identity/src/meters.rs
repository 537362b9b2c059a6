//! What is counted of logins, and of the queue in front of argon2id.

use meter::{Counter, Histogram, Scale, Table, label};

use crate::AuthError;

label! {
    /// How somebody says who they are.
    pub enum By as "by" {
        /// Not at all.
        Nothing "nothing",
        /// A user name and a password of any kind.
        Basic "basic",
        /// A bearer token.
        Bearer "bearer",
        /// A token of the management API.
        Manage "management_token",
        /// An access key or client secret, for such a token.
        Key "key",
        /// A sign-in password, for such a token.
        SignIn "sign_in",
        /// A refresh token.
        Refresh "refresh_token",
        /// A token of an issuer that is trusted.
        Workload "workload",
        /// A signature.
        Signature "signature",
    }
}

label! {
    /// What comes of it.
    pub enum Outcome as "outcome" {
        /// They are believed.
        Accepted "accepted",
        /// Unknown, wrong, or not for here.
        Invalid "invalid",
        /// Its time is over.
        Expired "expired",
        /// It or its owner is disabled.
        Disabled "disabled",
        /// A trusted issuer's, that does not fit.
        Untrusted "untrusted",
        /// Too many wrong passwords before.
        LockedOut "locked_out",
        /// Believed, and asking more often than a caller may.
        Throttled "throttled",
        /// More passwords than there is room to check.
        Busy "busy",
        /// It cannot be checked now.
        Unavailable "unavailable",
    }
}

/// The counters of the queue in front of argon2id. Clones count into the same.
#[derive(Clone, Debug)]
pub struct HashMeters {
    /// Jobs that found no room, or lost it to a network that had fewer.
    pub refused: Counter,
    /// How long jobs wait for their turn.
    pub waited: Histogram,
    /// How long one hash takes.
    pub worked: Histogram,
}

impl Default for HashMeters {
    fn default() -> Self {
        let seconds = || Histogram::new(Scale::SECONDS);
        Self { refused: Counter::default(), waited: seconds(), worked: seconds() }
    }
}

/// The counters of one [`crate::Identity`]. Clones count into the same.
#[derive(Clone, Default, Debug)]
pub struct Meters {
    /// Who came, and what came of it.
    pub logins: Table<(By, Outcome), Counter>,
    /// The queue.
    pub hashing: HashMeters,
}

impl Meters {
    /// Requests of callers who make too many.
    pub fn throttled(&self) -> u64 {
        let ways = [By::Basic, By::Bearer, By::Manage, By::Key, By::SignIn, By::Refresh, By::Workload, By::Signature];
        ways.into_iter().map(|by| self.logins.get((by, Outcome::Throttled))).sum()
    }
}

impl Outcome {
    pub(crate) const fn of(error: &AuthError) -> Self {
        match error {
            AuthError::Invalid => Self::Invalid,
            AuthError::Expired => Self::Expired,
            AuthError::Disabled => Self::Disabled,
            AuthError::Untrusted(_) => Self::Untrusted,
            AuthError::LockedOut { .. } => Self::LockedOut,
            AuthError::Throttled { .. } => Self::Throttled,
            AuthError::Busy => Self::Busy,
            AuthError::Unavailable => Self::Unavailable,
        }
    }
}
