//! `GET /tokens` of Personal Edition (2016-06-07): the one call that old scripts make in its style. Its JSON is in lower case.

use http::Method;
use kit::{Answer, Request, Seen};
use model::{CredentialKind, OnAccount, Op, act};
use signing::alibaba;

use crate::Alibaba;
use crate::errors::{Failure, Problem};
use crate::product::Product;
use crate::shapes::{self, Format, Object};
use crate::signature::headers;

const VERSION: &str = "2016-06-07";
/// The call's name in log and metrics.
pub(crate) const NAME: &str = "GetPersonalToken";

impl Alibaba {
    /// Answers a request to `/tokens`.
    pub async fn answer_tokens(&self, request: Request) -> Answer {
        let op = request.op.clone();
        let mut seen = Seen { operation: Some(NAME), principal: None };
        let mut answer = match self.token(request, &mut seen).await {
            Ok(object) => shapes::answer(&op, http::StatusCode::OK, Format::Json, "", &object),
            Err(failure) => failed(&op, failure.spelled(Product::Cr)),
        };
        answer.extensions_mut().insert(seen);
        answer
    }

    async fn token(&self, request: Request, seen: &mut Seen) -> Result<Object, Failure> {
        if *request.method() != Method::GET {
            return Err(Problem::new(400, "UnsupportedHTTPMethod", "This http method is not supported.").into());
        }
        let received = self.receive(request).await?;
        let (head, op) = (&received.head, &received.op);
        let query = head.uri.query().unwrap_or_default();
        let read = alibaba::Request::read("GET", head.uri.path(), query, headers(head, &received.host), &received.body);
        let read = read.map_err(Problem::from)?;
        let scheme = alibaba::Scheme::of(&read).map_err(Problem::from)?;
        if read.call(scheme).map_err(Problem::from)?.version != VERSION {
            return Err(Problem::new(400, "InvalidVersion", "Specified parameter Version is not valid.").into());
        }
        let caller = self.caller(&received, &read).await?;
        let known = caller.known().ok_or(access::Refusal::Unauthenticated)?;
        seen.principal = Some(known.principal);
        let access = self.identity.access();
        let permit = access.admit::<act::GetAuthorizationToken>(op, &caller, OnAccount(known.account)).await?;
        let session = known.ends.filter(|_| known.credential.kind == CredentialKind::Session);
        let life = session.map(|end| crate::operations::rest(op.now, end));
        access.audit().note(permit.success()).await;
        let made = self.identity.tokens().issue_login_token(permit, life, None).await?;
        let data = Object::new()
            .with("authorizationToken", made.password.reveal())
            .with("tempUserName", made.username)
            .with("expireDate", made.expires.millis());
        Ok(Object::new().with("data", data).with("requestId", shapes::request_id(op)))
    }
}

fn failed(op: &Op, problem: Problem) -> Answer {
    let object = Object::new().with("code", &*problem.code).with("message", problem.message).with("requestId", shapes::request_id(op));
    shapes::answer(op, problem.status, Format::Json, "", &object)
}
