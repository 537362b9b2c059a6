//! Which path belongs to which door. One listener serves all; a further one, where set, serves the operator.

use std::sync::Arc;

use access::{Access, Entered};
use door_alibaba::Alibaba;
use door_manage::Manage;
use door_oci::DoorOci;
use door_token::DoorToken;
use http::header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::request::Parts;
use http::{HeaderValue, StatusCode};
use identity::{At, AuthError, Identity, Presented, retry_after};
use kit::{Answer, Authorization, ComeAgain, Metrics, Request, Seen, authorization, problem, text};
use model::{Caller, Op, act};
use secrets::Plain;

use crate::config::Config;
use crate::health::{Health, not_found};
use crate::house::House;
use crate::server::App;

/// The doors of the main listener.
pub(crate) struct Doors {
    health: Arc<Health>,
    metrics: Arc<Metrics>,
    access: Arc<Access>,
    identity: Arc<Identity>,
    token: DoorToken,
    manage: Manage,
    alibaba: Alibaba,
    oci: DoorOci,
}

impl Doors {
    /// The doors over a house.
    pub(crate) fn new(house: &House, config: &Config, health: Arc<Health>, metrics: Arc<Metrics>) -> Self {
        let token = DoorToken::new(Arc::clone(&house.identity), config.services.clone());
        let external = config.external_url.as_deref();
        let oci = DoorOci::new(Arc::clone(&house.identity), Arc::clone(&house.registry), external);
        let manage = Manage::new(Arc::clone(&house.identity), Arc::clone(&house.registry), Arc::clone(&house.trail));
        let alibaba = Alibaba::new(Arc::clone(&house.identity), Arc::clone(&house.registry), config.alibaba.clone());
        let (access, identity) = (Arc::clone(&house.access), Arc::clone(&house.identity));
        Self { health, metrics, access, identity, token, manage, alibaba, oci }
    }

    /// `/metrics` on the main listener: for whoever may read them (`cr:ReadMetrics`), by Basic or a management token.
    async fn metrics(&self, request: &Request) -> Answer {
        let instance = match self.access.enter(&request.op, &request.host.name()).await {
            Ok(Some(instance)) => instance,
            Err(refusal @ access::Refusal::Network(_)) => return problem(StatusCode::FORBIDDEN, "DENIED", &refusal.to_string()),
            Ok(None) | Err(_) => return unavailable(),
        };
        let caller = match self.caller(request, &instance).await {
            Ok(caller) => caller,
            Err(AuthError::Unavailable | AuthError::Busy) => return unavailable(),
            Err(AuthError::Throttled { retry_after_ms }) => return too_often(retry_after_ms),
            Err(AuthError::Invalid | AuthError::Expired | AuthError::Disabled | AuthError::Untrusted(_) | AuthError::LockedOut { .. }) => {
                return login_wanted();
            }
        };
        match self.access.admit::<act::ReadMetrics>(&request.op, &caller, (*instance.on).clone()).await {
            Ok(_permit) => exposition(&self.metrics),
            Err(access::Refusal::Unavailable) => unavailable(),
            Err(access::Refusal::Unauthenticated) => login_wanted(),
            Err(_) => problem(StatusCode::FORBIDDEN, "DENIED", "This needs cr:ReadMetrics."),
        }
    }

    async fn caller(&self, request: &Request, instance: &Entered) -> Result<Caller, AuthError> {
        let registry = At::Registry { instance, service: request.host.as_str() };
        let plain = |secret: &str| Plain::new(secret.to_owned()).map_err(|_| AuthError::Invalid);
        let (presented, at) = match authorization(request.headers()).map_err(|_| AuthError::Invalid)? {
            Authorization::None => return Err(AuthError::Invalid),
            Authorization::Bearer(token) => (Presented::Bearer(plain(&token)?), At::Management { instance }),
            Authorization::Basic { username, password } => (Presented::Basic { username, password: plain(&password)? }, registry),
        };
        self.identity.authenticate(&request.op, presented, at).await
    }
}

fn unavailable() -> Answer {
    let mut answer = problem(StatusCode::SERVICE_UNAVAILABLE, "UNAVAILABLE", "Try again in a moment.");
    answer.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
    answer
}

fn too_often(wait_ms: i64) -> Answer {
    let mut answer = problem(StatusCode::TOO_MANY_REQUESTS, "TOOMANYREQUESTS", "Too many requests: try again later.");
    answer.headers_mut().insert(RETRY_AFTER, HeaderValue::from(retry_after(wait_ms)));
    answer.extensions_mut().insert(ComeAgain(wait_ms));
    answer
}

fn login_wanted() -> Answer {
    let mut answer = problem(StatusCode::UNAUTHORIZED, "UNAUTHORIZED", "Log in with a user that may cr:ReadMetrics.");
    answer.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Basic realm=\"tidegate\""));
    answer
}

/// A door, by its name in the log and the metrics.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Door {
    Health,
    Ready,
    Metrics,
    Oci,
    Token,
    Manage,
    WellKnown,
    Alibaba,
    AlibabaTokens,
    None,
}

impl Door {
    /// By the raw path: nothing is decoded, folded or forgiven. At the root, by what a cloud's API puts into headers and query.
    fn of(head: &Parts) -> Self {
        match head.uri.path() {
            "/" if door_alibaba::is_meant(head) => Self::Alibaba,
            path => Self::of_path(path),
        }
    }

    fn of_path(path: &str) -> Self {
        match path {
            "/tokens" => Self::AlibabaTokens,
            "/healthz" => Self::Health,
            "/readyz" => Self::Ready,
            "/metrics" => Self::Metrics,
            "/token" => Self::Token,
            "/v2" => Self::Oci,
            _ if path.starts_with("/v2/") => Self::Oci,
            _ if path.starts_with("/api/v1/") => Self::Manage,
            _ if path.starts_with("/.well-known/") => Self::WellKnown,
            _ => Self::None,
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Health | Self::Ready => "health",
            Self::Metrics => "metrics",
            Self::Oci => "oci",
            Self::Token => "token",
            Self::Manage => "manage",
            Self::WellKnown => "well-known",
            Self::Alibaba | Self::AlibabaTokens => "alibaba",
            Self::None => "none",
        }
    }
}

/// The operations of the health and metrics doors.
const ALIVE: &str = "healthz";
const READY: &str = "readyz";
const METRICS: &str = "metrics";

/// Every door with each of its operations, as log and metrics have them.
pub(crate) fn operations() -> Vec<(&'static str, &'static str)> {
    let own = [("health", ALIVE), ("health", READY), ("metrics", METRICS), ("admin", ALIVE), ("admin", READY), ("admin", METRICS)];
    let of = |door: Door, names: &mut dyn Iterator<Item = &'static str>| names.map(|name| (door.name(), name)).collect::<Vec<_>>();
    let mut all = own.to_vec();
    all.extend(of(Door::Oci, &mut door_oci::operation_names()));
    all.extend(of(Door::Token, &mut door_token::operation_names()));
    all.extend(of(Door::WellKnown, &mut door_token::operation_names()));
    all.extend(of(Door::Manage, &mut door_manage::operation_names()));
    all.extend(of(Door::Alibaba, &mut door_alibaba::operation_names()));
    all.extend([(Door::None.name(), "none"), ("control", "none")]);
    all
}

/// The answer of an operation that has no door of its own to say so.
fn seen(operation: &'static str, mut answer: Answer) -> Answer {
    answer.extensions_mut().insert(Seen { operation: Some(operation), principal: None });
    answer
}

impl App for Doors {
    fn door(&self, head: &Parts) -> &'static str {
        Door::of(head).name()
    }

    /// Pulls run in place; what is rarer has a box of its own, or each request would carry the room it needs.
    async fn answer(&self, request: Request) -> Answer {
        match Door::of(&request.head) {
            Door::Health => seen(ALIVE, Health::alive(request.method())),
            Door::Ready => seen(READY, Box::pin(self.health.ready(request.method())).await),
            Door::Metrics => seen(METRICS, Box::pin(self.metrics(&request)).await),
            Door::Token | Door::WellKnown => Box::pin(self.token.answer(request)).await,
            Door::Manage => Box::pin(self.manage.answer(request)).await,
            Door::Alibaba => Box::pin(self.alibaba.answer(request)).await.unwrap_or_else(not_found),
            Door::AlibabaTokens => Box::pin(self.alibaba.answer_tokens(request)).await,
            Door::Oci => self.oci.answer(request).await,
            Door::None => not_found(),
        }
    }

    /// As each door spells it. Whether the server lives is answered however often it is asked.
    fn too_often(&self, op: &Op, head: &Parts, wait_ms: i64) -> Option<Answer> {
        Some(match Door::of(head) {
            Door::Health | Door::Ready => return None,
            Door::Oci => door_oci::too_often(wait_ms),
            Door::Token | Door::WellKnown => door_token::too_often(&head.method, wait_ms),
            Door::Manage => door_manage::too_often(op, wait_ms),
            Door::Alibaba | Door::AlibabaTokens => door_alibaba::too_often(op, wait_ms),
            Door::Metrics | Door::None => too_often(wait_ms),
        })
    }
}

/// The doors of the admin listener: no authentication, so nothing that names a tenant.
pub(crate) struct AdminDoors {
    pub(crate) health: Arc<Health>,
    pub(crate) metrics: Arc<Metrics>,
}

impl App for AdminDoors {
    fn door(&self, _head: &Parts) -> &'static str {
        "admin"
    }

    async fn answer(&self, request: Request) -> Answer {
        match Door::of(&request.head) {
            Door::Health => seen(ALIVE, Health::alive(request.method())),
            Door::Ready => seen(READY, self.health.ready(request.method()).await),
            Door::Metrics => seen(METRICS, exposition(&self.metrics)),
            _ => not_found(),
        }
    }
}

/// `/metrics` for whoever may read it.
fn exposition(metrics: &Metrics) -> Answer {
    const OPEN_METRICS: HeaderValue = HeaderValue::from_static("application/openmetrics-text; version=1.0.0; charset=utf-8");
    let mut answer = text(StatusCode::OK, metrics.exposition());
    answer.headers_mut().insert(CONTENT_TYPE, OPEN_METRICS);
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(uri: &str) -> Door {
        Door::of(&http::Request::builder().uri(uri).body(()).unwrap().into_parts().0)
    }

    #[test]
    fn the_root_belongs_to_whoever_is_asked_for() {
        assert_eq!(of("/?Action=GetInstance"), Door::Alibaba);
        assert_eq!(of("/?Action=GetInstance&SecretId=x"), Door::None);
    }

    #[test]
    fn paths_belong_to_doors_by_their_raw_bytes() {
        for (path, want) in [
            ("/v2/", Door::Oci),
            ("/v2", Door::Oci),
            ("/v2/a/manifests/b", Door::Oci),
            ("/v2x", Door::None),
            ("/V2/", Door::None),
            ("//v2/", Door::None),
            ("/%762/", Door::None),
            ("/token", Door::Token),
            ("/token/", Door::None),
            ("/tokens", Door::AlibabaTokens),
            ("/tokens/", Door::None),
            ("/api/v1/users", Door::Manage),
            ("/.well-known/jwks.json", Door::WellKnown),
            ("/healthz", Door::Health),
            ("/", Door::None),
        ] {
            assert_eq!(of(path), want, "{path}");
        }
    }
}
