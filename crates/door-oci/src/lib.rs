//! `/v2/`: the OCI distribution specification 1.1, and the Docker Registry HTTP API V2 where clients rely on it.
//!
//! What it is for: it turns requests into use cases of `registry`, and their results and errors into the specification's
//! answers. What it may not do: hold a rule of the product, see SQL, know another door. To add an operation: a row in
//! `operations::OPERATIONS` that names its right, an arm in `Call::act`, a handler of four steps (parse, admit, act,
//! render; who asks has been settled before), its shape, and a line in `docs/registry.md`.
//!
//! Paths are split from the right of their raw bytes: nothing is decoded, folded or forgiven, so that no spelling of a path
//! reaches a decision that its canonical spelling does not.

mod errors;
#[cfg(fuzzing)]
pub mod fuzzing;
mod operations;
mod routes;
mod shapes;

use std::sync::Arc;

use access::Entered;
use http::header::AUTHORIZATION;
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue};
use identity::{At, AuthError, Identity, Presented};
use kit::{Answer, Authorization, Host, Request, Seen, authorization};
use model::{Caller, OnInstance, Op};
use registry::Registry;
use secrets::Plain;

use crate::errors::{Asked, Code, Failure, Refused, Scheme};
use crate::operations::{Call, Declared};
pub use crate::operations::{operation_names, operations};
use crate::routes::{Route, route};

/// The answer to one request too many from an address.
pub fn too_often(wait_ms: i64) -> Answer {
    let mut answer = Failure::too_often(wait_ms).answer();
    answer.headers_mut().insert(API_VERSION, VERSION_2);
    answer
}

const API_VERSION: HeaderName = HeaderName::from_static("docker-distribution-api-version");
const VERSION_2: HeaderValue = HeaderValue::from_static("registry/2.0");

/// The door at `/v2/`.
#[derive(Debug)]
pub struct DoorOci {
    identity: Arc<Identity>,
    registry: Arc<Registry>,
    /// What stands before `/token` and `/v2/` in realms and Locations; none: what the client itself named.
    external_url: Option<Box<str>>,
}

impl DoorOci {
    /// A door over these use cases. `external_url`: `https://registry.example`, if the server is not reached as clients name it.
    pub fn new(identity: Arc<Identity>, registry: Arc<Registry>, external_url: Option<&str>) -> Self {
        Self { identity, registry, external_url: external_url.map(|url| url.trim_end_matches('/').into()) }
    }

    /// Answers a request for `/v2` or anything below it.
    pub async fn answer(&self, request: Request) -> Answer {
        let mut answer = self.answer_within(request).await;
        answer.headers_mut().insert(API_VERSION, VERSION_2);
        answer
    }

    async fn answer_within(&self, request: Request) -> Answer {
        let Request { op, host, head, body } = request;
        let Some(route) = route(head.uri.path()) else { return Failure::no_route().answer() };
        let declared = match operations::find(route.place, &head.method) {
            Ok(declared) => declared,
            Err(allow) => return Failure::wrong_method(allow).answer(),
        };
        let visit = Visit { door: self, op: &op, host: &host, head: &head, route, declared };
        let (scheme, caller) = visit.authenticate().await;
        let known = caller.as_ref().ok().and_then(|(caller, _)| caller.known());
        let seen = Seen { operation: Some(declared.operation.name()), principal: known.map(|known| known.principal) };
        let outcome = match caller {
            Ok((caller, instance)) => visit.call(caller, instance).act(body).await,
            Err(refused) => Err(refused),
        };
        let mut answer = outcome.unwrap_or_else(|refused| refused.spell(&visit.asked(scheme)).answer());
        answer.extensions_mut().insert(seen);
        answer
    }
}

/// A request whose path and method are known.
struct Visit<'r> {
    door: &'r DoorOci,
    op: &'r Op,
    host: &'r Host,
    head: &'r Parts,
    route: Route<'r>,
    declared: &'static Declared,
}

impl<'r> Visit<'r> {
    /// Who asks, at which instance.
    async fn authenticate(&self) -> (Scheme, Result<(Caller, Arc<OnInstance>), Refused>) {
        let presented = match self.enter().await {
            Ok(instance) => presented(&self.head.headers).map(|presented| (instance, presented)),
            Err(refused) => Err(refused),
        };
        match presented {
            Ok((instance, presented)) => (Scheme::of(&presented), self.identify(instance, presented).await),
            Err(refused) => (Scheme::Nothing, Err(refused)),
        }
    }

    /// The instance that the host name chooses, before anything is asked of who comes.
    async fn enter(&self) -> Result<Entered, Refused> {
        let entered = self.door.identity.access().enter(self.op, &self.host.name()).await?;
        entered.ok_or_else(|| Failure::no_instance().into())
    }

    async fn identify(&self, instance: Entered, presented: Presented) -> Result<(Caller, Arc<OnInstance>), Refused> {
        let at = At::Registry { instance: &instance, service: self.host.as_str() };
        let caller = self.door.identity.authenticate(self.op, presented, at).await?;
        Ok((caller, Arc::clone(&instance.on)))
    }

    fn call(&self, caller: Caller, instance: Arc<OnInstance>) -> Call<'r> {
        Call { door: self.door, op: self.op, head: self.head, route: self.route, operation: self.declared.operation, caller, instance }
    }

    fn asked(&self, scheme: Scheme) -> Asked<'_> {
        Asked {
            op: self.op,
            host: self.host,
            external_url: self.door.external_url.as_deref(),
            path: self.head.uri.path(),
            query: self.head.uri.query().unwrap_or_default(),
            name: self.route.name,
            right: self.declared.right,
            scheme,
        }
    }
}

/// What a request presents. What cannot be read is a wrong credential like any other; two headers are no request.
fn presented(headers: &HeaderMap) -> Result<Presented, Refused> {
    if headers.get_all(AUTHORIZATION).iter().nth(1).is_some() {
        return Err(Failure::new(Code::Unauthorized, "there is more than one Authorization header")
            .with_status(http::StatusCode::BAD_REQUEST)
            .into());
    }
    let plain = |text: &mut String| Plain::new(std::mem::take(text)).map_err(|_| AuthError::Invalid);
    Ok(match authorization(headers).map_err(|_| AuthError::Invalid)? {
        Authorization::None => Presented::Nothing,
        Authorization::Basic { username, mut password } => Presented::Basic { username, password: plain(&mut password)? },
        Authorization::Bearer(mut token) => Presented::Bearer(plain(&mut token)?),
    })
}
