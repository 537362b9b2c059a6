//! Errors as the clouds' clients read them. What the floors below say comes as a [`Failure`]; each family of products has one
//! exhaustive match an enum to status and code.

mod cr;
mod ram;

use std::borrow::Cow;

use access::Refusal;
use http::StatusCode;
use identity::{AuthError, IdentityError, SignedError};
use kit::BodyError;
use registry::RegistryError;
use store::StoreError;
use tokens::TokenError;

use crate::product::Product;
use crate::shapes::Object;

/// What is wrong with a parameter.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Fault {
    /// It does not read.
    Format,
    /// It is too long or too short.
    Length,
    /// It has characters that it may not have.
    InvalidChars,
}

/// An error on its way out.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Problem {
    pub(crate) status: StatusCode,
    pub(crate) code: Cow<'static, str>,
    pub(crate) message: String,
    /// Is it an outcome of the product's business, in its answer's own shape (`IsSuccess` false)?
    pub(crate) business: bool,
    pub(crate) denied: Option<Object>,
    pub(crate) retry_after_ms: Option<i64>,
    /// The code is the name of a parameter, which each product spells its own way.
    pub(crate) invalid: Option<Fault>,
}

/// Why a handler has no answer: a problem that it knows how to spell, or what a floor below says.
#[derive(Debug)]
pub(crate) enum Failure {
    Problem(Box<Problem>),
    Refused(Refusal),
    Identity(IdentityError),
    Registry(RegistryError),
    Token(TokenError),
}

impl Problem {
    pub(crate) fn new(status: u16, code: impl Into<Cow<'static, str>>, message: impl Into<String>) -> Self {
        Self {
            status: StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST),
            code: code.into(),
            message: message.into(),
            business: false,
            denied: None,
            retry_after_ms: None,
            invalid: None,
        }
    }

    /// An outcome of cr's business: HTTP 200 with `IsSuccess` false, as its metadata lists them and its helpers ask for them.
    pub(crate) fn business(code: impl Into<Cow<'static, str>>, message: impl Into<String>) -> Self {
        Self { business: true, ..Self::new(200, code, message) }
    }

    /// A parameter that must be there.
    pub(crate) fn missing(name: &str) -> Self {
        Self::new(400, format!("Missing{}", plain(name)), format!("{name} is mandatory for this action."))
    }

    /// A parameter that is not as it must be: its code is spelled when the product is known.
    pub(crate) fn invalid(name: impl Into<Cow<'static, str>>, fault: Fault, wanted: impl std::fmt::Display) -> Self {
        let name = name.into();
        let message = format!("The specified parameter {name} is not valid: {wanted}.");
        Self { invalid: Some(fault), ..Self::new(400, name, message) }
    }

    /// A request that is wrong as a whole.
    pub(crate) fn malformed(problem: &str) -> Self {
        Self::new(400, "InvalidParameter", format!("The request cannot be read: {problem}."))
    }

    /// The caller may not. The action that is missing is told with it.
    pub(crate) fn no_permission(message: impl Into<String>) -> Self {
        Self::new(403, "NoPermission", message)
    }

    fn internal(cause: &(dyn std::error::Error + 'static)) -> Self {
        tracing::error!(error = %cause, cause = ?cause.source().map(ToString::to_string), "a request of the Alibaba Cloud APIs failed");
        Self::new(500, "InternalError", "The request processing has failed due to some unknown error; the server's log says why.")
    }

    /// More requests than a key, a caller or an address may make.
    pub(crate) fn throttled(retry_after_ms: i64) -> Self {
        let problem = Self::new(400, "Throttling.User", "Request was denied due to user flow control.");
        Self { retry_after_ms: Some(retry_after_ms), ..problem }
    }

    fn unavailable() -> Self {
        Self { retry_after_ms: Some(1000), ..Self::new(503, "ServiceUnavailable", "The request cannot be processed right now: try again.") }
    }

    /// An action of the product that this server does not do.
    pub(crate) fn not_supported(product: Product, action: &str) -> Self {
        let message = format!("{action} is not supported by this server.");
        match product {
            Product::Cr => Self { status: StatusCode::BAD_REQUEST, ..Self::business("NOT_SUPPORTED", message) },
            Product::Sts | Product::Ram | Product::Ims => Self::new(400, "NotSupported", message),
        }
    }

    /// The same as `product` spells it.
    fn spelled(self, product: Product) -> Self {
        let Some(fault) = self.invalid else { return self };
        let name = plain(&self.code);
        let code = match product {
            Product::Cr => format!("Invalid{name}"),
            Product::Sts => format!("InvalidParameter.{name}"),
            Product::Ram | Product::Ims => format!("InvalidParameter.{name}.{fault:?}"),
        };
        Self { code: code.into(), invalid: None, ..self }
    }
}

/// `Tag.1.Key` in a code is `Tag`.
fn plain(name: &str) -> &str {
    name.split('.').next().unwrap_or(name)
}

impl Failure {
    /// As `product` spells it.
    pub(crate) fn spelled(self, product: Product) -> Problem {
        let problem = match (self, product) {
            (Self::Problem(problem), _) => *problem,
            (Self::Refused(refusal), _) => refused(&refusal),
            (Self::Identity(error), Product::Cr) => cr::identity(error),
            (Self::Identity(error), Product::Sts | Product::Ram | Product::Ims) => ram::identity(error),
            (Self::Registry(error), _) => cr::registry(&error),
            (Self::Token(error), _) => token(error),
        };
        problem.spelled(product)
    }
}

impl From<Problem> for Failure {
    fn from(problem: Problem) -> Self {
        Self::Problem(Box::new(problem))
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<IdentityError> for Failure {
    fn from(error: IdentityError) -> Self {
        match error {
            IdentityError::Refused(refusal) => Self::Refused(refusal),
            error => Self::Identity(error),
        }
    }
}

impl From<RegistryError> for Failure {
    fn from(error: RegistryError) -> Self {
        Self::Registry(error)
    }
}

impl From<TokenError> for Failure {
    fn from(error: TokenError) -> Self {
        Self::Token(error)
    }
}

/// A refusal is spelled alike in all products: RAM decides for all of them.
fn refused(refusal: &Refusal) -> Problem {
    match refusal {
        Refusal::Unauthenticated => signed(SignedError::Inactive),
        Refusal::Denied { action, resource } | Refusal::InsufficientScope { action, resource } => Problem::no_permission(format!(
            "You are not authorized to do this action. You should be authorized by RAM. Action: {}. Resource: {resource}.",
            action.as_str()
        )),
        // Whoever grants gives at most what they hold: no policy of theirs denies the action itself.
        Refusal::Exceeds { .. } => Problem::no_permission(format!("You are not authorized to do this action: {refusal}.")),
        // Nothing is hidden behind this at this door: rights are asked for by name, and then it is not there.
        Refusal::NotFound => Problem::no_permission("You are not authorized to do this action. You should be authorized by RAM."),
        Refusal::Network(_) => Problem::new(403, "Forbidden.SourceIp", format!("{refusal}.")),
        Refusal::Unavailable => Problem::unavailable(),
    }
}

/// Why a signed request is nobody's.
pub(crate) fn signed(error: SignedError) -> Problem {
    match error {
        SignedError::UnknownKey => Problem::new(404, "InvalidAccessKeyId.NotFound", "Specified access key is not found."),
        SignedError::Inactive => Problem::new(400, "InvalidAccessKeyId.Inactive", "Specified access key is disabled."),
        // Whoever renders it knows what was signed; the colon has to be there.
        SignedError::WrongSignature => signature_mismatch(""),
        SignedError::OutOfTime => Problem::new(400, "InvalidTimeStamp.Expired", "Specified time stamp or date value is expired."),
        SignedError::NonceUsed => Problem::new(400, "SignatureNonceUsed", "Specified signature nonce was used already."),
        SignedError::NonceMalformed => Problem::new(400, "InvalidSignatureNonce", "A signature nonce has 1 to 256 bytes."),
        SignedError::TokenMissing => Problem::missing("SecurityToken"),
        SignedError::TokenMalformed => Problem::new(400, "InvalidSecurityToken.Malformed", "Specified SecurityToken is malformed."),
        SignedError::TokenExpired => Problem::new(400, "InvalidSecurityToken.Expired", "Specified SecurityToken is expired."),
        SignedError::TokenMismatch => {
            Problem::new(400, "InvalidSecurityToken.MismatchWithAccessKey", "Specified SecurityToken mismatch with the AccessKey.")
        }
        SignedError::Throttled { retry_after_ms } => Problem::throttled(retry_after_ms),
        SignedError::Unavailable => Problem::unavailable(),
    }
}

/// Clients split the message at its colon, and tell a wrong secret from a wrong string to sign by what follows.
pub(crate) fn signature_mismatch(string_to_sign: &str) -> Problem {
    let message = format!("Specified signature is not matched with our calculation. server string to sign is:{string_to_sign}");
    Problem::new(400, "SignatureDoesNotMatch", message)
}

fn token(error: TokenError) -> Problem {
    match error {
        TokenError::Lifetime => Problem::invalid("ExpiresInHours", Fault::Format, "a whole number from 1 to 24"),
        TokenError::Store(error) => store(&error),
        TokenError::Invalid | TokenError::Expired | TokenError::Key => Problem::internal(&error),
    }
}

fn store(error: &StoreError) -> Problem {
    match error {
        StoreError::Unavailable(_) => {
            tracing::error!(%error, cause = ?std::error::Error::source(error).map(ToString::to_string), "the database does not answer");
            Problem::unavailable()
        }
        StoreError::Conflict { .. } => {
            Problem::new(409, "OperationConflict", "Somebody else changed the same thing: look again, then try again.")
        }
        // Corrupt rows, refused statements, files that are not ours: nothing a caller can mend.
        _ => Problem::internal(error),
    }
}

/// What was presented along with a request opens nothing.
fn unbelieved(error: &AuthError) -> Problem {
    match error {
        AuthError::Invalid | AuthError::Untrusted(_) => Problem::new(400, "AuthenticationFail.NoPermission", format!("{error}.")),
        AuthError::Expired | AuthError::Disabled => Problem::no_permission(format!("{error}.")),
        AuthError::LockedOut { .. } => Problem::new(400, "Throttling.User", "Request was denied due to user flow control."),
        AuthError::Throttled { retry_after_ms } => Problem::throttled(*retry_after_ms),
        AuthError::Busy | AuthError::Unavailable => Problem::unavailable(),
    }
}

impl From<BodyError> for Problem {
    fn from(error: BodyError) -> Self {
        Self::new(error.status().as_u16(), "InvalidParameter", format!("{error}."))
    }
}
