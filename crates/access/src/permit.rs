//! What `access` hands out: proofs that something may be done.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use model::{Action, ActionKind, Caller, Op, Resource, Scopes, Target};
use policy::{Uncovered, Why};
use store::StoreError;

/// The proof that `caller` may do `A` to one thing. Made by [`crate::Access`] alone, bound to that thing, used once.
///
/// A forged permit does not compile:
///
/// ```compile_fail,E0624
/// # fn forge(op: model::Op, caller: model::Caller, on: model::OnAccount) {
/// let forged = access::Permit::<model::act::ListUsers>::new(op, caller, on);
/// # }
/// ```
///
/// Nor does one that is used twice:
///
/// ```compile_fail,E0382
/// # fn act(permit: access::Permit<model::act::ListUsers>) {}
/// # fn twice(permit: access::Permit<model::act::ListUsers>) {
/// act(permit);
/// act(permit);
/// # }
/// ```
///
/// Nor one for another action:
///
/// ```compile_fail,E0308
/// # fn list(permit: access::Permit<model::act::ListUsers>) {}
/// # fn other(permit: access::Permit<model::act::ListPolicies>) {
/// list(permit);
/// # }
/// ```
pub struct Permit<A: ActionKind> {
    on: A::On,
    by: Caller,
    op: Op,
}

impl<A: ActionKind> Permit<A> {
    pub(crate) const fn new(op: Op, by: Caller, on: A::On) -> Self {
        Self { on, by, op }
    }

    /// What it may be done to.
    pub const fn on(&self) -> &A::On {
        &self.on
    }

    /// Who may.
    pub const fn by(&self) -> &Caller {
        &self.by
    }

    /// In which request.
    pub const fn op(&self) -> &Op {
        &self.op
    }

    /// What.
    pub const fn action(&self) -> Action {
        A::ACTION
    }

    /// The record of its success, to be written in the change's own transaction.
    pub fn success(&self) -> crate::Record {
        crate::Record::new(&self.op, &self.by, A::ACTION.as_str(), &self.on.resource(), crate::Outcome::Success)
    }
}

impl<A: ActionKind> Permit<A> {
    /// The record of a refusal by something besides the caller's own rights.
    pub fn denied(&self, why: impl Into<Arc<str>>) -> crate::Record {
        crate::Record::new(&self.op, &self.by, A::ACTION.as_str(), &self.on.resource(), crate::Outcome::Denied).with_detail(why)
    }
}

impl<A: ActionKind> fmt::Debug for Permit<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Permit({} on {})", A::ACTION.as_str(), self.on.resource())
    }
}

/// What a bearer token may carry: of what was asked, what is allowed now. Made by [`crate::Access::narrow`] alone.
#[derive(Clone, Debug)]
pub struct Granted {
    scopes: Scopes,
    by: Caller,
}

impl Granted {
    pub(crate) const fn new(by: Caller, scopes: Scopes) -> Self {
        Self { scopes, by }
    }

    /// The scopes: an upper bound, since rights are decided again at each request.
    pub const fn scopes(&self) -> &Scopes {
        &self.scopes
    }

    /// To whom.
    pub const fn by(&self) -> &Caller {
        &self.by
    }
}

/// Why something may not be done. Doors spell these in their own codes, with one exhaustive match each.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Refusal {
    /// Nobody has said who they are, or what they presented holds no longer: log in.
    #[error("authentication required")]
    Unauthenticated,
    /// A bearer token that does not carry this: ask for another token.
    #[error("the token does not carry {} on {resource}", action.as_str())]
    InsufficientScope {
        /// What is missing.
        action: Action,
        /// On what.
        resource: Resource,
    },
    /// Known, but not allowed.
    #[error("{} on {resource} is not allowed", action.as_str())]
    Denied {
        /// What is missing.
        action: Action,
        /// On what.
        resource: Resource,
    },
    /// Whoever grants gives at most what they hold.
    #[error("this would give {} on {resource}{}, {why}", action.as_str(), by_role(through.as_deref()))]
    Exceeds {
        /// What would be given.
        action: Action,
        /// On which resources, as the document spells them.
        resource: Box<str>,
        /// The role that whoever is given it can assume, and that holds it; none: it is given itself.
        through: Option<Box<str>>,
        /// What is in the way.
        why: Why,
    },
    /// What the caller may not see answers as what does not exist.
    #[error("there is no such thing, or you may not see it")]
    NotFound,
    /// The network rules of the instance let nobody in from this address. (The words are a cloud's, which its clients know.)
    #[error("client with IP '{0}' is not allowed access")]
    Network(IpAddr),
    /// Rights cannot be decided now: the database does not answer, or the change feed is stale.
    #[error("rights cannot be decided right now: try again")]
    Unavailable,
}

fn by_role(through: Option<&str>) -> String {
    through.map(|role| format!(" by way of role/{role}")).unwrap_or_default()
}

impl From<Uncovered> for Refusal {
    fn from(missing: Uncovered) -> Self {
        Self::Exceeds { action: missing.action, resource: missing.resource.into(), through: None, why: missing.why }
    }
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        tracing::error!(error = %error, cause = ?std::error::Error::source(&error).map(ToString::to_string), "rights cannot be decided");
        Self::Unavailable
    }
}
