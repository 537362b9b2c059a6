//! How a request is signed.

use super::{Problem, Request};

/// The ways to sign, as one request uses exactly one of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scheme {
    /// Parameter `Signature`: HMAC-SHA1 over the parameters.
    V1,
    /// `Authorization: ACS3-HMAC-SHA256 …`.
    V3,
    /// `Authorization: acs ID:SIGNATURE`.
    Roa,
    /// Nothing that claims a key. Only the calls that carry a proof of their own may be made so.
    Anonymous,
}

impl Scheme {
    /// The request's scheme; one that seems to use two is refused, and so are methods that are not spoken here.
    pub fn of(request: &Request<'_>) -> Result<Self, Problem> {
        if request.headers.get("x-acs-bearer-token")?.is_some() || !request.params.get("SignatureType").unwrap_or_default().is_empty() {
            return Err(Problem::Method("BEARERTOKEN"));
        }
        let signature = request.params.get("Signature");
        let scheme = match request.headers.get("authorization")? {
            None if signature.is_some() => return Ok(Self::V1),
            None if request.params.get("AccessKeyId").is_some() => return Err(Problem::Missing("Signature")),
            None => return Ok(Self::Anonymous),
            Some(authorization) => Self::of_authorization(authorization)?,
        };
        if signature.is_some() { Err(Problem::Contradiction("Signature")) } else { Ok(scheme) }
    }

    fn of_authorization(authorization: &str) -> Result<Self, Problem> {
        match authorization.split_once(' ').map(|(method, _)| method) {
            Some("ACS3-HMAC-SHA256") => Ok(Self::V3),
            Some("ACS3-HMAC-SM3") => Err(Problem::Method("ACS3-HMAC-SM3")),
            Some("ACS3-RSA-SHA256") => Err(Problem::Method("ACS3-RSA-SHA256")),
            Some("acs") => Ok(Self::Roa),
            Some(_) => Err(Problem::Method("of the Authorization header")),
            None => Err(Problem::Authorization),
        }
    }
}
