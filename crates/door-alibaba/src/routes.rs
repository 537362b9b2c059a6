//! From a request to its action and back: the one place that reads bodies, authenticates and renders errors.

use access::{Entered, Refusal};
use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::request::Parts;
use http::{HeaderMap, Method};
use kit::{Answer, Host, Request, Seen, read_body};
use model::{Action, Caller, Known, Op, PrincipalKind, Resource};
use signing::alibaba::{self, Claim, Scheme};

use crate::Alibaba;
use crate::call::Call;
use crate::errors::{Failure, Problem};
use crate::operations::{Found, Needs, Operation, find};
use crate::parameters::Parameters;
use crate::product::Product;
use crate::shapes::{self, Format, Object};
use crate::signature::headers;

/// The largest body, read before its signature is looked at.
const MAX_BODY: usize = 1024 * 1024;

/// A request that was let in, read whole.
pub(crate) struct Received {
    pub(crate) op: Op,
    pub(crate) host: Host,
    pub(crate) head: Parts,
    pub(crate) body: Bytes,
    pub(crate) entered: Entered,
}

/// What is known of a request so far, for its answer.
struct Said {
    format: Format,
    product: Product,
    action: String,
    operation: Option<&'static Operation>,
    caller: Caller,
}

/// Does a request to `/` speak one of these APIs? By its headers or query; a form may yet turn out to be nobody's.
pub fn is_meant(head: &Parts) -> bool {
    let has = |name: &str| head.headers.contains_key(name);
    if has("x-tc-action") || has("x-tc-version") {
        return false;
    }
    let query = head.uri.query().unwrap_or_default();
    let named = |wanted: &str| query.split('&').any(|pair| pair.split('=').next() == Some(wanted));
    let by_query = (named("Action") || named("AccessKeyId") || named("Signature")) && !named("SecretId");
    has("x-acs-action")
        || has("x-acs-version")
        || is_signed(&head.headers)
        || by_query
        || (head.method == Method::POST && is_form(&head.headers))
}

fn is_signed(headers: &HeaderMap) -> bool {
    let said = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
    said.starts_with("ACS3-") || said.starts_with("acs ")
}

fn is_form(headers: &HeaderMap) -> bool {
    let said = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    said.split(';').next().is_some_and(|essence| essence.trim().eq_ignore_ascii_case("application/x-www-form-urlencoded"))
}

impl Alibaba {
    /// Answers a request to `/`; none: it is not this door's.
    pub async fn answer(&self, request: Request) -> Option<Answer> {
        let (op, host) = (request.op.clone(), request.host.as_str().to_owned());
        let mut said =
            Said { format: Format::default(), product: Product::Cr, action: String::new(), operation: None, caller: Caller::anonymous() };
        let mut answer = match self.done(request, &mut said).await {
            Ok(Some(fields)) => {
                let bare = said.operation.is_some_and(|operation| operation.bare);
                shapes::done(&op, said.format, said.product, &said.action, bare, fields)
            }
            Ok(None) => return None,
            Err(failure) => {
                let problem = self.problem(&op, &said, failure).await;
                shapes::failed(&op, said.format, &said.action, &host, problem)
            }
        };
        let principal = said.caller.known().map(|known| known.principal);
        answer.extensions_mut().insert(Seen { operation: said.operation.map(|operation| operation.name), principal });
        Some(answer)
    }

    /// Lets a request in, by the network rules of the instance that its host chooses, and reads its body.
    pub(crate) async fn receive(&self, request: Request) -> Result<Received, Failure> {
        let Request { op, host, head, body } = request;
        let entered = self.identity.access().enter(&op, &host.name()).await?.ok_or(Refusal::Unavailable)?;
        let body = read_body(body, MAX_BODY).await.map_err(Problem::from)?;
        Ok(Received { op, host, head, body, entered })
    }

    async fn done(&self, request: Request, said: &mut Said) -> Result<Option<Object>, Failure> {
        if !matches!(*request.method(), Method::GET | Method::POST) {
            return Err(Problem::new(400, "UnsupportedHTTPMethod", "This http method is not supported.").into());
        }
        let received = self.receive(request).await?;
        let Received { op, host, head, body, .. } = &received;
        let query = head.uri.query().unwrap_or_default();
        let read = alibaba::Request::read(head.method.as_str(), "/", query, headers(head, host), body).map_err(Problem::from)?;
        if is_nobodys(&read) {
            return Ok(None);
        }
        said.format = format(&read)?;
        let scheme = Scheme::of(&read).map_err(Problem::from)?;
        let asked = read.call(scheme).map_err(Problem::from)?;
        said.action = asked.action.map(named).transpose()?.unwrap_or_default();
        said.product = self.product(asked.version, host)?;
        let parameters = Parameters::of(read.params())?;
        let found = find(said.product, &said.action);
        if matches!(found, Found::Unknown) {
            return Err(unknown_action().into());
        }
        let anonymous = matches!(&found, Found::Done(operation) if matches!(operation.needs, Needs::Nothing(_)));
        if !anonymous {
            said.caller = self.caller(&received, &read).await?;
        }
        let operation = match found {
            Found::Done(operation) => operation,
            Found::NotSupported(name) => return Err(Problem::not_supported(said.product, name).into()),
            Found::Unknown => return Err(unknown_action().into()),
        };
        said.operation = Some(operation);
        if let Some(missing) = operation.required.iter().find(|name| !parameters.has(name)) {
            return Err(Problem::missing(missing).into());
        }
        let (op, caller) = (op.clone(), said.caller.clone());
        let (host, entered) = (host.clone(), received.entered.on.id);
        (operation.handle)(Call { door: self.clone(), op, host, entered, parameters, operation, caller }).await.map(Some)
    }

    /// By the version of its API; a host that is one product's does not answer for another.
    fn product(&self, version: &str, host: &Host) -> Result<Product, Problem> {
        let product = Product::of_version(version);
        let at = Product::of_host(&host.name(), &self.settings.suffixes);
        let fits = product.filter(|product| at.is_none_or(|at| at == *product));
        fits.ok_or_else(|| Problem::new(400, "InvalidVersion", "Specified parameter Version is not valid."))
    }

    /// Who signed, if they may make one more request.
    pub(crate) async fn caller(&self, received: &Received, read: &alibaba::Request<'_>) -> Result<Caller, Failure> {
        let Some(claim) = Claim::of(read).map_err(Problem::from)? else { return Err(Problem::missing("AccessKeyId").into()) };
        let caller = self.signer(&received.op, &received.entered, read, &claim).await?;
        if let Some(known) = caller.known() {
            self.throttle.take(&known.credential.id, received.op.now).map_err(Problem::throttled)?;
        }
        Ok(caller)
    }

    /// A failure as the client reads it. Whoever may not is told what to show to somebody who may say why.
    async fn problem(&self, op: &Op, said: &Said, failure: Failure) -> Problem {
        let denied = match &failure {
            Failure::Refused(Refusal::Denied { action, resource }) => self.denied(op, &said.caller, *action, resource).await,
            _ => None,
        };
        Problem { denied, ..failure.spelled(said.product) }
    }

    async fn denied(&self, op: &Op, caller: &Caller, action: Action, resource: &Resource) -> Option<Object> {
        let known = caller.known()?;
        let diagnosis = self.identity.diagnose(op, caller, action, resource).await.ok()??;
        let (kind, name) = principal(known);
        let why = if diagnosis.explicit_deny { "ExplicitDeny" } else { "ImplicitDeny" };
        let sealed = self.identity.seal_diagnosis(known.account, &diagnosis).ok();
        let detail = Object::new()
            .with("PolicyType", "AccountLevelIdentityBasedPolicy")
            .with("AuthPrincipalType", kind)
            .with("AuthPrincipalOwnerId", known.account.to_string())
            .with("AuthPrincipalDisplayName", name)
            .with("AuthAction", action.as_str())
            .with("NoPermissionType", why);
        Some(detail.maybe("EncodedDiagnosticMessage", sealed))
    }
}

/// A form that was sent to `/` and is none of ours.
fn is_nobodys(read: &alibaba::Request<'_>) -> bool {
    let has = |name: &str| read.params().get(name).is_some();
    let header = |name: &str| !matches!(read.headers().get(name), Ok(None));
    let ours = has("Action") || has("AccessKeyId") || has("Signature");
    !(ours || header("x-acs-action") || header("x-acs-version") || header("authorization")) || has("SecretId")
}

fn format(read: &alibaba::Request<'_>) -> Result<Format, Problem> {
    let Some(text) = read.params().get("Format").filter(|text| !text.is_empty()) else { return Ok(Format::default()) };
    Format::parse(text).ok_or_else(|| Problem::new(400, "InvalidParameter.Format", "Specified parameter format is not valid."))
}

/// An action's name, which goes into answers.
fn named(action: &str) -> Result<String, Problem> {
    let fits = action.len() <= 64 && action.bytes().all(|b| b.is_ascii_alphanumeric());
    if fits { Ok(action.to_owned()) } else { Err(unknown_action()) }
}

fn unknown_action() -> Problem {
    Problem::new(404, "InvalidAction.NotFound", "Specified api is not found, please check your url and method.")
}

/// What RAM calls a kind of principal, and what it shows of one.
fn principal(known: &Known) -> (&'static str, String) {
    match known.kind {
        PrincipalKind::Root => ("Account", known.account.to_string()),
        PrincipalKind::Role => ("AssumedRoleUser", known.name.replacen('/', ":", 1)),
        PrincipalKind::User | PrincipalKind::ServiceAccount | PrincipalKind::Group | PrincipalKind::Admin => {
            ("SubUser", known.principal.to_string())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn meant(method: &str, uri: &str, headers: &[(&str, &str)]) -> bool {
        let request = headers.iter().fold(http::Request::builder().method(method).uri(uri), |r, (name, value)| r.header(*name, *value));
        is_meant(&request.body(()).unwrap().into_parts().0)
    }

    #[test]
    fn the_root_is_this_door_s_where_a_request_says_so() {
        let form = ("content-type", "application/x-www-form-urlencoded; charset=utf-8");
        assert!(meant("GET", "/?Action=GetInstance&Version=2018-12-01", &[]));
        assert!(meant("POST", "/", &[("x-acs-action", "GetInstance")]));
        assert!(meant("POST", "/?InstanceId=x", &[("authorization", "ACS3-HMAC-SHA256 Credential=x")]));
        assert!(meant("POST", "/", &[form]));
        for (method, uri, headers) in [
            ("GET", "/", &[][..]),
            ("GET", "/?action=x", &[]),
            ("GET", "/", &[form]),
            ("GET", "/", &[("authorization", "Basic x")]),
            ("POST", "/", &[form, ("x-tc-action", "DescribeInstances")]),
            ("GET", "/?Action=DescribeInstances&SecretId=x", &[]),
        ] {
            assert!(!meant(method, uri, headers), "{method} {uri}");
        }
    }
}
