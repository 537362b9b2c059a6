//! How this door spells the errors of the floors below: one exhaustive match each.

use std::error::Error;

use access::Refusal;
use http::StatusCode;
use http::header::{CONTENT_RANGE, HeaderValue, LOCATION, RANGE, RETRY_AFTER, WWW_AUTHENTICATE};
use identity::AuthError;
use kit::BodyError;
use model::{Action, Op, Resource};
use registry::RegistryError;
use serde_json::json;

use super::{Asked, Code, Failure, Refused, Scheme};
use crate::shapes::received;

/// Digests that an error lists at most.
const MAX_LISTED: usize = 100;

impl Refused {
    /// As this request is answered.
    pub(crate) fn spell(self, asked: &Asked<'_>) -> Failure {
        match self {
            Self::Request(failure) => failure,
            Self::Auth(error) => asked.unbelieved(&error),
            Self::Access(refusal) => asked.refused(&refusal),
            Self::Body(error) => body(error),
            Self::Registry(error) => asked.undone(error),
        }
    }
}

impl Asked<'_> {
    fn unauthorized(&self, message: String, error: Option<&str>) -> Failure {
        let failure = Failure::new(Code::Unauthorized, message);
        match self.challenge(error) {
            Some(challenge) => failure.with_header(WWW_AUTHENTICATE, challenge),
            None => failure,
        }
    }

    fn unbelieved(&self, error: &AuthError) -> Failure {
        let text = error.to_string();
        match error {
            AuthError::Invalid | AuthError::Expired | AuthError::Disabled | AuthError::Untrusted(_) => {
                self.unauthorized(text, (self.scheme == Scheme::Bearer).then_some("invalid_token"))
            }
            AuthError::LockedOut { retry_after } => {
                Failure::new(Code::TooManyRequests, text).with_header(RETRY_AFTER, HeaderValue::from((*retry_after).max(1)))
            }
            AuthError::Throttled { retry_after_ms } => Failure::too_often(*retry_after_ms),
            AuthError::Busy => Failure::new(Code::TooManyRequests, text).soon(),
            AuthError::Unavailable => Failure::new(Code::Unavailable, text).soon(),
        }
    }

    fn refused(&self, refusal: &Refusal) -> Failure {
        let text = refusal.to_string();
        match refusal {
            // A token that was given to nobody in particular is a token without the scope.
            Refusal::Unauthenticated => self.unauthorized(text, (self.scheme == Scheme::Bearer).then_some("insufficient_scope")),
            Refusal::InsufficientScope { action, resource } => {
                self.unauthorized(text, Some("insufficient_scope")).with_detail(missing(*action, resource))
            }
            Refusal::Denied { action, resource } => Failure::new(Code::Denied, text).with_detail(missing(*action, resource)),
            Refusal::Exceeds { .. } | Refusal::Network(_) => Failure::new(Code::Denied, text),
            Refusal::NotFound => Failure::new(Code::NameUnknown, text),
            Refusal::Unavailable => Failure::new(Code::Unavailable, text).soon(),
        }
    }

    fn undone(&self, error: RegistryError) -> Failure {
        let text = error.to_string();
        match error {
            RegistryError::NameUnknown | RegistryError::NamespaceUnknown(_) | RegistryError::RepositoryUnknown(_) => {
                Failure::new(Code::NameUnknown, text)
            }
            RegistryError::ManifestUnknown => Failure::new(Code::ManifestUnknown, text),
            RegistryError::BlobUnknown => Failure::new(Code::BlobUnknown, text),
            RegistryError::UploadUnknown => Failure::new(Code::BlobUploadUnknown, text),
            RegistryError::DigestInvalid { found } => {
                Failure::new(Code::DigestInvalid, text).with_detail(json!({"found": found.to_string()}))
            }
            RegistryError::RangeInvalid { offset } => self.out_of_order(text, offset),
            RegistryError::RangeUnsatisfiable { size } => {
                Failure::new(Code::RangeInvalid, text).with_made_header(CONTENT_RANGE, format!("bytes */{size}"))
            }
            RegistryError::ManifestInvalid { .. } | RegistryError::RuleInvalid { .. } => Failure::new(Code::ManifestInvalid, text),
            RegistryError::ManifestBlobUnknown { digests } => {
                let listed: Vec<_> = digests.iter().take(MAX_LISTED).map(ToString::to_string).collect();
                Failure::new(Code::ManifestBlobUnknown, text).with_detail(json!({"digests": listed}))
            }
            RegistryError::TooLarge { .. } => Failure::new(Code::SizeInvalid, text).with_status(StatusCode::PAYLOAD_TOO_LARGE),
            // Like a quota of bytes at other registries: trying again does not help.
            RegistryError::Limit { .. } | RegistryError::Quota { .. } | RegistryError::RepositoryQuota { .. } => {
                Failure::new(Code::Denied, text).with_status(StatusCode::FORBIDDEN)
            }
            // 403 DENIED: clients print its message and do not try again (docs/protection.md).
            RegistryError::Protected(_) => Failure::new(Code::Denied, text),
            RegistryError::Exists | RegistryError::NotEmpty => Failure::new(Code::Denied, text).with_status(StatusCode::CONFLICT),
            RegistryError::Conflict => Failure::new(Code::Unavailable, text).soon(),
            RegistryError::Interrupted(cause) => interrupted(text, &cause),
            // Clients try 503 again, and not 507; room may be made by then.
            RegistryError::Full(cause) | RegistryError::Unavailable(cause) => {
                log(self.op, &text, &*cause);
                Failure::new(Code::Unavailable, text).soon()
            }
            RegistryError::Broken(cause) => {
                log(self.op, &text, &*cause);
                Failure::new(Code::Unknown, text)
            }
        }
    }

    /// Says where the upload stands, so that the client can go on from there.
    fn out_of_order(&self, text: String, offset: u64) -> Failure {
        Failure::new(Code::BlobUploadInvalid, text)
            .with_status(StatusCode::RANGE_NOT_SATISFIABLE)
            .with_made_header(LOCATION, format!("{}{}", self.external_url.unwrap_or_default(), self.path))
            .with_made_header(RANGE, received(offset))
    }
}

fn missing(action: Action, resource: &Resource) -> serde_json::Value {
    json!({"action": action.as_str(), "resource": resource.to_string()})
}

fn body(error: BodyError) -> Failure {
    match error {
        BodyError::TooLarge => Failure::new(Code::SizeInvalid, error.to_string()),
        BodyError::TooSlow | BodyError::Broken => Failure::new(Code::BlobUploadInvalid, error.to_string()),
    }
    .with_status(error.status())
}

/// A body that stopped: slow ones are told so.
fn interrupted(text: String, cause: &std::io::Error) -> Failure {
    let body = cause.get_ref().and_then(|inner| inner.downcast_ref::<BodyError>());
    Failure::new(Code::BlobUploadInvalid, text).with_status(body.map_or(StatusCode::BAD_REQUEST, |b| b.status()))
}

fn log(op: &Op, text: &str, cause: &(dyn Error + Send + Sync + 'static)) {
    let deeper = cause.source().map(ToString::to_string);
    tracing::error!(request_id = %op.request_id, %cause, deeper, "{text}");
}
