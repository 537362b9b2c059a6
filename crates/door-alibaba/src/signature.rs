//! Who signed a request: from what `signing` reads in it to a caller.

use access::Entered;
use http::header::HOST;
use http::request::Parts;
use identity::{Signed, SignedError};
use kit::Host;
use model::{Caller, Op};
use secrets::Plain;
use signing::Headers;
use signing::alibaba::{self, Claim};

use crate::Alibaba;
use crate::errors::{Problem, signature_mismatch, signed};

/// The headers as signatures cover them. On HTTP/2 the host is not among them.
pub(crate) fn headers<'h>(head: &'h Parts, host: &'h Host) -> Headers<'h> {
    let host = (!head.headers.contains_key(HOST)).then(|| (HOST.as_str(), host.as_str().as_bytes()));
    Headers::new(head.headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes())).chain(host))
}

impl Alibaba {
    /// Whose key signed the request.
    pub(crate) async fn signer(
        &self,
        op: &Op,
        entered: &Entered,
        request: &alibaba::Request<'_>,
        claim: &Claim<'_>,
    ) -> Result<Caller, Problem> {
        claim.in_time(op.now)?;
        let token = claim.security_token().map(|token| Plain::new(token.to_owned())).transpose();
        let token = token.map_err(|_| signed(SignedError::TokenMalformed))?;
        let said =
            Signed { access_key_id: claim.access_key_id(), security_token: token.as_ref(), nonce: claim.nonce(), at: claim.signed_at() };
        let mut ours = None;
        let verify = |secret: &Plain| match claim.verify(request, secret) {
            Ok(()) => true,
            Err(mismatch) => {
                ours = Some(mismatch);
                false
            }
        };
        let answer = self.identity.authenticate_signed(op, entered, said, verify).await;
        answer.map_err(|error| match (error, ours) {
            (SignedError::WrongSignature, Some(ours)) => signature_mismatch(ours.signed_by_server()),
            (error, _) => signed(error),
        })
    }
}

/// Why a signature cannot even be checked.
impl From<alibaba::Problem> for Problem {
    fn from(problem: alibaba::Problem) -> Self {
        use alibaba::Problem as P;
        let message = problem.to_string();
        match problem {
            P::Missing(name) => Self::missing(name),
            P::Invalid(name) | P::Contradiction(name) => Self::new(400, format!("Invalid{name}"), message),
            P::Repeated | P::Malformed => Self::new(400, "InvalidParameter", message),
            P::Method(_) => Self::new(400, "InvalidSignatureMethod", format!("Specified signature method is not valid. {message}")),
            P::SignatureVersion => Self::new(400, "InvalidSignatureVersion", message),
            P::Authorization | P::Unsigned(_) | P::UnsignedBody => {
                Self::new(400, "IncompleteSignature", format!("The request signature does not conform to Aliyun standards. {message}"))
            }
            P::BodyHash => signature_mismatch("(x-acs-content-sha256 is not the hash of the body that came)"),
            P::TimeFormat => Self::new(400, "InvalidTimeStamp.Format", message),
            P::Expired => signed(SignedError::OutOfTime),
        }
    }
}
