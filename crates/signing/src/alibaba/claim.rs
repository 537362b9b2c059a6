//! What a signed request says of itself.

use model::Timestamp;
use secrets::Plain;

use super::{Problem, Request, Scheme, roa, time, v1, v3};
use crate::Mismatch;

/// Who signed, when, and the signature: well formed, but not yet believed.
#[derive(Clone, Copy)]
pub struct Claim<'r> {
    pub(super) scheme: Scheme,
    pub(super) access_key_id: &'r str,
    pub(super) security_token: Option<&'r str>,
    pub(super) nonce: Option<&'r str>,
    pub(super) signed_at: Timestamp,
    pub(super) proof: Proof<'r>,
}

/// A signature and, under V3, what it says it covers.
#[derive(Clone, Copy)]
pub(super) struct Proof<'r> {
    pub(super) signature: &'r str,
    pub(super) signed_headers: &'r str,
}

impl std::fmt::Debug for Claim<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Claim").field("scheme", &self.scheme).field("access_key_id", &self.access_key_id).finish_non_exhaustive()
    }
}

/// The most characters of an access key id or a nonce.
const MAX_NAME: usize = 256;

/// A value that can be looked up and remembered: printable ASCII of bounded length.
pub(super) fn known<'r>(name: &'static str, value: &'r str) -> Result<&'r str, Problem> {
    let fits = value.len() <= MAX_NAME && value.bytes().all(|byte| byte.is_ascii_graphic());
    if value.is_empty() {
        return Err(Problem::Missing(name));
    }
    if fits { Ok(value) } else { Err(Problem::Invalid(name)) }
}

impl<'r> Claim<'r> {
    /// Reads it; none if the request is anonymous.
    pub fn of(request: &'r Request<'_>) -> Result<Option<Self>, Problem> {
        match Scheme::of(request)? {
            Scheme::V1 => v1::claim(request).map(Some),
            Scheme::V3 => v3::claim(request).map(Some),
            Scheme::Roa => roa::claim(request).map(Some),
            Scheme::Anonymous => request.body_is_parameters().map(|()| None),
        }
    }

    /// By which scheme it is signed.
    pub fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// Whose secret is to be looked up; at most 256 printable characters.
    pub fn access_key_id(&self) -> &'r str {
        self.access_key_id
    }

    /// The token of a temporary key, which the signature covers.
    pub fn security_token(&self) -> Option<&'r str> {
        self.security_token
    }

    /// To be remembered with the access key for twice [`WINDOW`](super::WINDOW); at most 256 printable characters. Only ROA's clients may come without one.
    pub fn nonce(&self) -> Option<&'r str> {
        self.nonce
    }

    /// When it says it was signed.
    pub fn signed_at(&self) -> Timestamp {
        self.signed_at
    }

    /// Whether it was signed within [`WINDOW`](super::WINDOW) of `now`.
    pub fn in_time(&self, now: Timestamp) -> Result<(), Problem> {
        time::in_time(self.signed_at, now)
    }

    /// Whether the secret makes this signature over the request that the claim was read from. Takes the same time wherever they differ.
    pub fn verify(&self, request: &Request<'_>, secret: &Plain) -> Result<(), Mismatch> {
        match self.scheme {
            Scheme::V1 => v1::verify(secret, request, self.proof.signature),
            Scheme::V3 => v3::verify(secret, request, self.proof),
            Scheme::Roa => roa::verify(secret, request, self.proof.signature),
            Scheme::Anonymous => Err(Mismatch::echoing(String::new())),
        }
    }
}
