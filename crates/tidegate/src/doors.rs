//! Which path belongs to which door. One listener serves all; a further one, where set, serves the operator.

use std::sync::Arc;

use http::header::CONTENT_TYPE;
use http::{HeaderValue, StatusCode};
use kit::{Answer, Metrics, Request, text};

use crate::health::{Health, not_found};
use crate::server::App;

/// The doors of the main listener.
pub(crate) struct Doors {
    pub(crate) health: Arc<Health>,
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
    None,
}

impl Door {
    /// By the raw path: nothing is decoded, folded or forgiven.
    fn of(path: &str) -> Self {
        match path {
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
            Self::None => "none",
        }
    }
}

impl App for Doors {
    fn door(&self, path: &str) -> &'static str {
        Door::of(path).name()
    }

    async fn answer(&self, request: Request) -> Answer {
        match Door::of(request.path()) {
            Door::Health => Health::alive(request.method()),
            Door::Ready => self.health.ready(request.method()).await,
            Door::Metrics | Door::Oci | Door::Token | Door::Manage | Door::WellKnown | Door::None => not_found(),
        }
    }
}

/// The doors of the admin listener: no authentication, so nothing that names a tenant.
pub(crate) struct AdminDoors {
    pub(crate) health: Arc<Health>,
    pub(crate) metrics: Arc<Metrics>,
}

impl App for AdminDoors {
    fn door(&self, _path: &str) -> &'static str {
        "admin"
    }

    async fn answer(&self, request: Request) -> Answer {
        match Door::of(request.path()) {
            Door::Health => Health::alive(request.method()),
            Door::Ready => self.health.ready(request.method()).await,
            Door::Metrics => exposition(&self.metrics),
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
            ("/tokens", Door::None),
            ("/api/v1/users", Door::Manage),
            ("/.well-known/jwks.json", Door::WellKnown),
            ("/healthz", Door::Health),
            ("/", Door::None),
        ] {
            assert_eq!(Door::of(path), want, "{path}");
        }
    }
}
