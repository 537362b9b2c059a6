//! Every error of the floors below, spelled as status and code. One exhaustive match an enum.

use access::Refusal;
use api::{ErrorAnswer, ErrorDetail};
use http::header::{CACHE_CONTROL, HeaderName, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderValue, StatusCode};
use identity::{AuthError, IdentityError};
use kit::{Answer, BodyError, json};
use model::{NameError, Op};
use registry::RegistryError;
use store::StoreError;
use tokens::TokenError;
use trail::TrailError;

/// An error on its way out.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Problem {
    pub(crate) status: StatusCode,
    pub(crate) code: &'static str,
    pub(crate) message: String,
    pub(crate) field: Option<String>,
    pub(crate) retry_after: Option<i64>,
}

impl Problem {
    pub(crate) fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into(), field: None, retry_after: None }
    }

    /// A field or parameter that is not as it must be.
    pub(crate) fn invalid(field: &str, problem: impl std::fmt::Display) -> Self {
        let message = format!("{field}: {problem}");
        Self { field: Some(field.to_owned()), ..Self::new(StatusCode::BAD_REQUEST, "invalid_request", message) }
    }

    /// A request that is wrong as a whole.
    pub(crate) fn malformed(problem: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "invalid_request", problem)
    }

    /// A name that is none.
    pub(crate) fn name(field: &'static str) -> impl FnOnce(NameError) -> Self {
        move |error| Self::invalid(field, error.rule)
    }

    /// Absent, or not to be seen: the same answer.
    pub(crate) fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", "there is no such thing, or you may not see it")
    }

    pub(crate) fn unauthenticated(message: impl Into<String>) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "unauthenticated", message)
    }

    fn unavailable(message: impl Into<String>) -> Self {
        Self { retry_after: Some(1), ..Self::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", message) }
    }

    /// What only the log may know.
    pub(crate) fn internal(cause: &(dyn std::error::Error + 'static)) -> Self {
        tracing::error!(error = %cause, cause = ?cause.source().map(ToString::to_string), "a request of the management API failed");
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "the server has failed; its log says why, under this request's id")
    }

    /// The answer.
    pub(crate) fn answer(self, op: &Op) -> Answer {
        let error =
            ErrorDetail { code: self.code.to_owned(), message: self.message, request_id: op.request_id.to_string(), field: self.field };
        let mut answer = json(self.status, &ErrorAnswer { error });
        if self.status == StatusCode::UNAUTHORIZED {
            set(&mut answer, WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"tidegate\""));
        }
        finish(&mut answer, self.retry_after);
        answer
    }
}

/// Headers that every answer carries: it may hold secrets, so nobody keeps it.
pub(crate) fn finish(answer: &mut Answer, retry_after: Option<i64>) {
    set(answer, CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Some(seconds) = retry_after {
        set(answer, RETRY_AFTER, HeaderValue::from(seconds));
    }
}

fn set(answer: &mut Answer, name: HeaderName, value: HeaderValue) {
    answer.headers_mut().insert(name, value);
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        let message = refusal.to_string();
        match refusal {
            Refusal::Unauthenticated => Self::unauthenticated(message),
            Refusal::InsufficientScope { .. } | Refusal::Denied { .. } | Refusal::Exceeds { .. } | Refusal::Network(_) => {
                Self::new(StatusCode::FORBIDDEN, "denied", message)
            }
            Refusal::NotFound => Self::not_found(),
            Refusal::Unavailable => Self::unavailable(message),
        }
    }
}

impl From<AuthError> for Problem {
    fn from(error: AuthError) -> Self {
        let message = error.to_string();
        match error {
            AuthError::Invalid => {
                Self::unauthenticated("the token is missing, wrong or no longer valid: fetch one at /api/v1/oauth2/token")
            }
            AuthError::Expired | AuthError::Disabled | AuthError::Untrusted(_) => Self::unauthenticated(message),
            AuthError::LockedOut { retry_after } => {
                Self { retry_after: Some(retry_after), ..Self::new(StatusCode::TOO_MANY_REQUESTS, "too_many_requests", message) }
            }
            AuthError::Throttled { retry_after_ms } => {
                let retry_after = Some(identity::retry_after(retry_after_ms));
                Self { retry_after, ..Self::new(StatusCode::TOO_MANY_REQUESTS, "too_many_requests", message) }
            }
            AuthError::Busy | AuthError::Unavailable => Self::unavailable(message),
        }
    }
}

impl From<IdentityError> for Problem {
    fn from(error: IdentityError) -> Self {
        let message = error.to_string();
        match error {
            // The same words whether it is absent or hidden.
            IdentityError::NotFound(_) => Self::not_found(),
            IdentityError::Taken { .. } => Self::new(StatusCode::CONFLICT, "already_exists", message),
            IdentityError::Invalid { field, problem } => Self::invalid(field, problem),
            IdentityError::Limit { .. } => Self::new(StatusCode::CONFLICT, "limit_exceeded", message),
            IdentityError::RecentlyUsed { .. } => Self::new(StatusCode::CONFLICT, "recently_used", message),
            IdentityError::NeedsForce(_) => Self::new(StatusCode::CONFLICT, "needs_force", message),
            IdentityError::InUse(_) | IdentityError::Holds(_) => Self::new(StatusCode::CONFLICT, "in_use", message),
            IdentityError::Refused(refusal) => refusal.into(),
            IdentityError::Disabled => Self::new(StatusCode::FORBIDDEN, "denied", message),
            IdentityError::Unbelieved(error) => error.into(),
            IdentityError::Busy => Self::unavailable(message),
            IdentityError::Store(error) => error.into(),
            IdentityError::Sealing => Self::internal(&error),
        }
    }
}

impl From<TrailError> for Problem {
    fn from(error: TrailError) -> Self {
        match error {
            TrailError::Store(error) => error.into(),
            TrailError::TooSoon => Self::new(StatusCode::CONFLICT, "conflict", error.to_string()),
            TrailError::Days { .. } => Self::invalid("days", error),
            TrailError::Key | TrailError::Overtaken => Self::internal(&error),
        }
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Unavailable(_) => {
                tracing::error!(error = %error, cause = ?std::error::Error::source(&error).map(ToString::to_string), "the database does not answer");
                Self::unavailable("the database does not answer right now: try again")
            }
            StoreError::Conflict { .. } => {
                Self::new(StatusCode::CONFLICT, "conflict", "somebody else changed the same thing: look again, then try again")
            }
            // Corrupt rows, refused statements, files that are not ours: nothing a caller can mend.
            _ => Self::internal(&error),
        }
    }
}

impl From<RegistryError> for Problem {
    fn from(error: RegistryError) -> Self {
        let message = error.to_string();
        match error {
            RegistryError::NameUnknown
            | RegistryError::NamespaceUnknown(_)
            | RegistryError::RepositoryUnknown(_)
            | RegistryError::ManifestUnknown
            | RegistryError::BlobUnknown
            | RegistryError::UploadUnknown => Self::not_found(),
            RegistryError::Exists => Self::new(StatusCode::CONFLICT, "already_exists", message),
            RegistryError::Limit { .. } | RegistryError::Quota { .. } | RegistryError::RepositoryQuota { .. } => {
                Self::new(StatusCode::CONFLICT, "limit_exceeded", message)
            }
            RegistryError::Protected(_) => Self::new(StatusCode::CONFLICT, "protected", message),
            RegistryError::NotEmpty => Self::new(StatusCode::CONFLICT, "in_use", message),
            RegistryError::Conflict => Self::new(StatusCode::CONFLICT, "conflict", message),
            RegistryError::TooLarge { .. } => Self::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", message),
            RegistryError::DigestInvalid { .. }
            | RegistryError::RangeInvalid { .. }
            | RegistryError::RangeUnsatisfiable { .. }
            | RegistryError::ManifestInvalid { .. }
            | RegistryError::RuleInvalid { .. }
            | RegistryError::ManifestBlobUnknown { .. }
            | RegistryError::Interrupted(_) => Self::malformed(message),
            RegistryError::Full(_) | RegistryError::Unavailable(_) => Self::unavailable(message),
            RegistryError::Broken(_) => Self::internal(&error),
        }
    }
}

impl From<TokenError> for Problem {
    fn from(error: TokenError) -> Self {
        match error {
            TokenError::Lifetime => Self::invalid("expires_in", &error),
            TokenError::Store(error) => error.into(),
            TokenError::Invalid | TokenError::Expired | TokenError::Key => Self::internal(&error),
        }
    }
}

impl From<BodyError> for Problem {
    fn from(error: BodyError) -> Self {
        Self::new(error.status(), "invalid_request", error.to_string())
    }
}
