//! Why a request's signature cannot even be checked.

use crate::{HeaderProblem, ParamsProblem};

/// The door maps each to a code. None of them carries anything of the request but the names that this crate knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// A parameter is not there, by its name as a parameter, also where it is a header: `MissingTimestamp`, `MissingSignature`, …
    #[error("{0} is mandatory for this action.")]
    Missing(&'static str),
    /// A parameter has a value that it cannot have (too long, not printable), by its name.
    #[error("Specified {0} is not valid.")]
    Invalid(&'static str),
    /// One name twice among the parameters, or a header that counts twice.
    #[error("A parameter or header is there more than once.")]
    Repeated,
    /// Parameters or headers that are not text, broken escapes, too many of them.
    #[error("The parameters are not well formed.")]
    Malformed,
    /// Two places say different things about this: `Action`, `Version`, `Signature`, `AccessKeyId`.
    #[error("The request says two things about {0}.")]
    Contradiction(&'static str),
    /// A signature method that is not spoken here, by its name where it is a known one: `ACS3-HMAC-SM3`, `ACS3-RSA-SHA256`, `BEARERTOKEN`.
    #[error("Signature method {0} is not supported.")]
    Method(&'static str),
    /// Not `1.0`.
    #[error("Specified signature version is not valid.")]
    SignatureVersion,
    /// The `Authorization` header is not of its scheme's form.
    #[error("The Authorization header does not conform to its scheme.")]
    Authorization,
    /// This header is not among the signed ones, or a signed one is not there.
    #[error("The header {0} has to be there and signed.")]
    Unsigned(&'static str),
    /// `x-acs-content-sha256` is not the hash of the body that came.
    #[error("x-acs-content-sha256 is not the hash of the body.")]
    BodyHash,
    /// A body that the scheme does not sign.
    #[error("The body is not covered by the signature.")]
    UnsignedBody,
    /// The time is not of the scheme's format.
    #[error("Specified time stamp or date value is not well formatted.")]
    TimeFormat,
    /// More than fifteen minutes off the server's clock, either way.
    #[error("Specified time stamp or date value is expired.")]
    Expired,
}

impl From<ParamsProblem> for Problem {
    fn from(problem: ParamsProblem) -> Self {
        match problem {
            ParamsProblem::Repeated => Self::Repeated,
            ParamsProblem::Malformed | ParamsProblem::TooMany => Self::Malformed,
        }
    }
}

impl From<HeaderProblem> for Problem {
    fn from(problem: HeaderProblem) -> Self {
        match problem {
            HeaderProblem::Repeated => Self::Repeated,
            HeaderProblem::NotText => Self::Malformed,
        }
    }
}
