//! Errors as token clients read them: the registry's list for `GET`, RFC 6749 section 5.2 beside it for `POST`.

use access::Refusal;
use http::header::{ALLOW, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderValue, Method, StatusCode};
use identity::AuthError;
use kit::{Answer, BodyError, ComeAgain, Host, MalformedAuthorization, json};
use serde_json::json;
use tokens::TokenError;

/// Why there is no token.
#[derive(Debug)]
pub(crate) enum TokenDoorError {
    Auth(AuthError),
    /// Network rules let nobody in from there.
    Network(Refusal),
    /// A service that is neither this host nor a listed one.
    Service,
    Scope(String),
    Repeated(&'static str),
    Missing(&'static str),
    GrantType,
    Bad(&'static str),
    Body(BodyError),
    Method(&'static str),
    NotFound,
    Unavailable,
}

impl TokenDoorError {
    /// Status, the registry's code, the OAuth 2 code.
    fn parts(&self) -> (StatusCode, &'static str, &'static str) {
        match self {
            Self::Auth(AuthError::Invalid | AuthError::Expired | AuthError::Disabled | AuthError::Untrusted(_)) => {
                (StatusCode::UNAUTHORIZED, "UNAUTHORIZED", "invalid_grant")
            }
            Self::Auth(AuthError::LockedOut { .. } | AuthError::Throttled { .. } | AuthError::Busy) => {
                (StatusCode::TOO_MANY_REQUESTS, "TOOMANYREQUESTS", "temporarily_unavailable")
            }
            Self::Auth(AuthError::Unavailable) | Self::Unavailable => {
                (StatusCode::SERVICE_UNAVAILABLE, "UNAVAILABLE", "temporarily_unavailable")
            }
            Self::Network(_) => (StatusCode::FORBIDDEN, "DENIED", "access_denied"),
            Self::Scope(_) => (StatusCode::BAD_REQUEST, "BAD_REQUEST", "invalid_scope"),
            Self::GrantType => (StatusCode::BAD_REQUEST, "UNSUPPORTED", "unsupported_grant_type"),
            Self::Service | Self::Repeated(_) | Self::Missing(_) | Self::Bad(_) => {
                (StatusCode::BAD_REQUEST, "BAD_REQUEST", "invalid_request")
            }
            Self::Body(error) => (error.status(), "BAD_REQUEST", "invalid_request"),
            Self::Method(_) => (StatusCode::METHOD_NOT_ALLOWED, "UNSUPPORTED", "invalid_request"),
            Self::NotFound => (StatusCode::NOT_FOUND, "NOT_FOUND", "invalid_request"),
        }
    }

    fn message(&self) -> String {
        match self {
            Self::Auth(error) => error.to_string(),
            Self::Network(refusal) => refusal.to_string(),
            Self::Service => {
                "service: this server grants tokens for its own host (as your client names it) and for the services it is told of".into()
            }
            Self::Scope(problem) => problem.clone(),
            Self::Repeated(name) => format!("{name}: given more than once"),
            Self::Missing(name) => format!("{name}: required"),
            Self::GrantType => "grant_type: use password or refresh_token".into(),
            Self::Bad(problem) => (*problem).into(),
            Self::Body(error) => error.to_string(),
            Self::Method(_) => "this method does nothing here".into(),
            Self::NotFound => "there is nothing at this path".into(),
            Self::Unavailable => "tokens cannot be granted right now: try again".into(),
        }
    }

    /// As the client reads it.
    pub(crate) fn render(&self, method: &Method, host: &Host) -> Answer {
        let mut answer = self.bare(method);
        if answer.status() == StatusCode::UNAUTHORIZED
            && let Ok(challenge) = HeaderValue::try_from(format!("Basic realm=\"{}\"", host.as_str()))
        {
            answer.headers_mut().insert(WWW_AUTHENTICATE, challenge);
        }
        answer
    }

    /// The same without a challenge.
    pub(crate) fn bare(&self, method: &Method) -> Answer {
        let (status, code, oauth) = self.parts();
        let message = self.message();
        let errors = json!([{"code": code, "message": message, "detail": null}]);
        let body = if *method == Method::POST {
            json!({"error": oauth, "error_description": message, "errors": errors})
        } else {
            json!({"errors": errors})
        };
        let mut answer = json(status, &body);
        self.add_headers(&mut answer);
        answer
    }

    fn add_headers(&self, answer: &mut Answer) {
        let retry = match self {
            Self::Auth(AuthError::LockedOut { retry_after }) => Some(*retry_after),
            Self::Auth(AuthError::Throttled { retry_after_ms }) => Some(identity::retry_after(*retry_after_ms)),
            Self::Auth(AuthError::Busy | AuthError::Unavailable) | Self::Unavailable => Some(1),
            _ => None,
        };
        if let Some(seconds) = retry {
            answer.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        if let Self::Auth(AuthError::Throttled { retry_after_ms }) = self {
            answer.extensions_mut().insert(ComeAgain(*retry_after_ms));
        }
        if let Self::Method(allowed) = self {
            answer.headers_mut().insert(ALLOW, HeaderValue::from_static(allowed));
        }
    }
}

impl From<AuthError> for TokenDoorError {
    fn from(error: AuthError) -> Self {
        Self::Auth(error)
    }
}

impl From<Refusal> for TokenDoorError {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Unavailable => Self::Unavailable,
            refusal @ Refusal::Network(_) => Self::Network(refusal),
            // The owner was disabled between the login and the grant.
            Refusal::Unauthenticated
            | Refusal::InsufficientScope { .. }
            | Refusal::Denied { .. }
            | Refusal::Exceeds { .. }
            | Refusal::NotFound => Self::Auth(AuthError::Invalid),
        }
    }
}

impl From<TokenError> for TokenDoorError {
    fn from(error: TokenError) -> Self {
        match error {
            TokenError::Invalid | TokenError::Expired | TokenError::Lifetime => Self::Auth(AuthError::Invalid),
            TokenError::Store(_) | TokenError::Key => {
                tracing::error!(%error, "a token cannot be signed");
                Self::Unavailable
            }
        }
    }
}

impl From<MalformedAuthorization> for TokenDoorError {
    fn from(_: MalformedAuthorization) -> Self {
        Self::Auth(AuthError::Invalid)
    }
}

impl From<BodyError> for TokenDoorError {
    fn from(error: BodyError) -> Self {
        Self::Body(error)
    }
}
