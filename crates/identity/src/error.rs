//! Why somebody is not believed, or a use case not done.

use access::Refusal;
use model::{Action, PrincipalKind};
use secrets::PasswordProblem;
use store::StoreError;
use tokens::TokenError;

/// Why what was presented opens nothing. Doors answer all but the last three alike: 401.
#[derive(Debug, thiserror::Error)]
pub enum AuthError {
    /// Unknown, wrong, or not for here: one answer for all of them.
    #[error("the user name or password is not right, or the token does not hold")]
    Invalid,
    /// The right secret, but its time is over. Said to nobody who does not hold it.
    #[error("this credential has expired")]
    Expired,
    /// The right secret, but it or its owner is disabled. Said to nobody who does not hold it.
    #[error("this credential or its user is disabled")]
    Disabled,
    /// A token of a trusted issuer, signed by it, that does not fit: which of its parts, and what was presented. Said to nobody who
    /// does not hold one.
    #[error("{0}")]
    Untrusted(Untrusted),
    /// Too many wrong passwords.
    #[error("too many wrong passwords: try again in {retry_after} seconds")]
    LockedOut {
        /// Seconds.
        retry_after: i64,
    },
    /// More requests than a caller may make.
    #[error("too many requests: try again in {} seconds", throttle::retry_after(*retry_after_ms))]
    Throttled {
        /// Milliseconds.
        retry_after_ms: i64,
    },
    /// More passwords to check than there is room to wait for.
    #[error("too many logins at once: try again in a moment")]
    Busy,
    /// The database does not answer, or this node has lost touch with it.
    #[error("logins cannot be checked right now: try again")]
    Unavailable,
}

/// Which part of a token of a trusted issuer does not fit.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TokenFault {
    /// Its time is over, or has not come.
    Time,
    /// Whom it is for.
    Audience,
    /// Whom it is about, or something else that it says.
    Claims,
}

/// A token of a trusted issuer that does not fit, in a sentence.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Untrusted {
    /// Which part.
    pub fault: TokenFault,
    /// The sentence.
    pub why: Box<str>,
}

impl std::fmt::Display for Untrusted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.why)
    }
}

impl From<StoreError> for AuthError {
    fn from(error: StoreError) -> Self {
        tracing::error!(%error, cause = ?std::error::Error::source(&error).map(ToString::to_string), "a login cannot be checked");
        Self::Unavailable
    }
}

impl From<TokenError> for AuthError {
    fn from(error: TokenError) -> Self {
        match error {
            TokenError::Invalid | TokenError::Lifetime => Self::Invalid,
            TokenError::Expired => Self::Expired,
            TokenError::Store(error) => error.into(),
            TokenError::Key => Self::Unavailable,
        }
    }
}

/// Why a use case was not done.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    /// There is no such thing in this account.
    #[error("there is no such {0}")]
    NotFound(&'static str),
    /// The name is taken.
    #[error("there is a {what} named {name} already")]
    Taken {
        /// The noun.
        what: &'static str,
        /// The name.
        name: String,
    },
    /// A value is not as it must be.
    #[error("{field}: {problem}")]
    Invalid {
        /// Which.
        field: &'static str,
        /// What is wrong, and what it should be.
        problem: String,
    },
    /// No more of these.
    #[error("no more than {max} {what}: delete one first")]
    Limit {
        /// The noun, plural.
        what: &'static str,
        /// How many.
        max: i64,
    },
    /// The change would have an effect that is seldom meant: say so to have it.
    #[error("{0}: say --force (`\"force\": true`) if that is meant")]
    NeedsForce(String),
    /// Something else needs it.
    #[error("{0}")]
    InUse(String),
    /// Something else has to go first.
    #[error("{}", .0.words())]
    Holds(Held),
    /// An integration has used it within the last day, and nobody has said that it may go all the same.
    #[error("its integration last used it at {last}: whatever runs with it will fail; say so again with force")]
    RecentlyUsed {
        /// When.
        last: model::Timestamp,
    },
    /// It is not the caller's to do, or to give.
    #[error("{0}")]
    Refused(#[from] Refusal),
    /// One's own password that was disabled: it is not one's own to put another in its place.
    #[error("this password is disabled: somebody who may {} has to enable it first", Action::UpdateAccessCredential.as_str())]
    Disabled,
    /// What was presented along with it opens nothing.
    #[error("{0}")]
    Unbelieved(AuthError),
    /// Too many passwords are being hashed.
    #[error("too many passwords are being set at once: try again in a moment")]
    Busy,
    /// The database does not answer.
    #[error("the database does not answer right now: try again")]
    Store(#[from] StoreError),
    /// The master key does not fit, or the cipher failed.
    #[error("the secret could not be sealed or opened")]
    Sealing,
}

/// What has to go first.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Held {
    /// Access keys.
    AccessKey,
    /// Policies that are attached to somebody of this kind.
    Policy(PrincipalKind),
    /// Groups that a user is in.
    Group,
    /// A group's members.
    Member,
    /// A sign-in password.
    LoginProfile,
    /// Versions of a policy that are not in force.
    Version,
    /// The version that is in force.
    InForce,
    /// Somebody of this kind, to whom a policy is attached.
    Holder(PrincipalKind),
    /// The account, which a policy guards.
    Account,
}

impl Held {
    const fn words(self) -> &'static str {
        match self {
            Self::AccessKey => "the user still has access keys: delete them first",
            Self::Policy(_) => "policies are still attached: detach them first",
            Self::Group => "the user is still in groups: take them out first",
            Self::Member => "users are still in the group: take them out first",
            Self::LoginProfile => "the user still has a sign-in password: delete it first",
            Self::Version => "the policy still has versions that are not in force: delete them first",
            Self::InForce => "this version is in force: choose another one first",
            Self::Holder(_) => "the policy is still attached: detach it first",
            Self::Account => "the policy still guards the account: detach it first",
        }
    }
}

impl From<PasswordProblem> for IdentityError {
    fn from(problem: PasswordProblem) -> Self {
        Self::Invalid { field: "password", problem: problem.to_string() }
    }
}

impl IdentityError {
    pub(crate) fn invalid(field: &'static str, problem: impl Into<String>) -> Self {
        Self::Invalid { field, problem: problem.into() }
    }
}
