//! What is counted of decisions, and of how soon changes are in force here.

use meter::{Counter, Histogram, Scale, Table, label};

use crate::Refusal;

label! {
    /// What was decided, or why not.
    pub enum Decision as "decision" {
        /// Yes.
        Allowed "allowed",
        /// Who asks has to log in first.
        Unauthenticated "unauthenticated",
        /// The token's scopes do not carry it.
        InsufficientScope "insufficient_scope",
        /// No.
        Denied "denied",
        /// More would be given than the giver holds.
        Exceeds "exceeds",
        /// As if it were not there.
        NotFound "not_found",
        /// Network rules.
        Network "network",
        /// It cannot be decided now.
        Unavailable "unavailable",
    }
}

label! {
    /// What comes of a scope that a token request asks for.
    pub enum Grant as "outcome" {
        /// All that was asked.
        Granted "granted",
        /// Some of it.
        Narrowed "narrowed",
        /// Nothing.
        Refused "refused",
    }
}

/// The counters of one [`crate::Access`]. Clones count into the same.
#[derive(Clone, Default, Debug)]
pub struct Meters {
    /// Decisions about rights, and requests that network rules have turned away.
    pub decisions: Table<(Decision,), Counter>,
    /// Scopes that were asked for.
    pub scopes: Table<(Grant,), Counter>,
}

/// The counters of one [`crate::Directory`]. Clones count into the same.
#[derive(Clone, Debug)]
pub struct FeedMeters {
    /// From when a change began to be made to when it was applied here.
    pub applied: Histogram,
    /// How often the feed had a gap, and everything was read again.
    pub gaps: Counter,
}

impl Default for FeedMeters {
    fn default() -> Self {
        Self { applied: Histogram::new(Scale::SECONDS), gaps: Counter::default() }
    }
}

impl Meters {
    pub(crate) fn decided<T>(&self, said: Result<T, Refusal>) -> Result<T, Refusal> {
        let decision = said.as_ref().map_or_else(Decision::of, |_| Decision::Allowed);
        self.decisions.count((decision,));
        said
    }

    /// Of a scope, so many of its actions were allowed.
    pub(crate) fn granted(&self, allowed: usize, asked: usize) {
        let outcome = match allowed {
            0 => Grant::Refused,
            _ if allowed < asked => Grant::Narrowed,
            _ => Grant::Granted,
        };
        self.scopes.count((outcome,));
    }
}

impl Decision {
    const fn of(refusal: &Refusal) -> Self {
        match refusal {
            Refusal::Unauthenticated => Self::Unauthenticated,
            Refusal::InsufficientScope { .. } => Self::InsufficientScope,
            Refusal::Denied { .. } => Self::Denied,
            Refusal::Exceeds { .. } => Self::Exceeds,
            Refusal::NotFound => Self::NotFound,
            Refusal::Network(_) => Self::Network,
            Refusal::Unavailable => Self::Unavailable,
        }
    }
}
