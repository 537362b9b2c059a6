//! The desk's door behind the control socket: HTTP/1.1 with JSON, for the commands of this program and nobody else.

use std::sync::Arc;

use http::{Method, StatusCode};
use identity::IdentityError;
use kit::{Answer, Request, json, problem, read_body};
use serde::de::DeserializeOwned;

use super::Desk;
use crate::health::Health;
use crate::server::App;

/// The largest body.
const MAX_BODY: usize = 64 * 1024;

/// What is not as it must be, by name.
pub(super) const READINESS: &str = "/readiness";

/// The door.
pub(crate) struct ControlDoor {
    pub(crate) desk: Desk,
    pub(crate) health: Arc<Health>,
}

impl App for ControlDoor {
    fn door(&self, _head: &http::request::Parts) -> &'static str {
        "control"
    }

    async fn answer(&self, request: Request) -> Answer {
        match self.act(request).await {
            Ok(answer) => answer,
            Err(No::Body(why)) => problem(StatusCode::BAD_REQUEST, "invalid_request", why),
            Err(No::Route) => problem(StatusCode::NOT_FOUND, "no_route", "the server does not know this: it is of another version"),
            Err(No::Identity(error)) => refused(&error),
        }
    }
}

enum No {
    Body(&'static str),
    Route,
    Identity(IdentityError),
}

impl From<IdentityError> for No {
    fn from(error: IdentityError) -> Self {
        Self::Identity(error)
    }
}

impl ControlDoor {
    async fn act(&self, request: Request) -> Result<Answer, No> {
        let Request { op, head, body, .. } = request;
        let body = read_body(body, MAX_BODY).await.map_err(|_| No::Body("the body cannot be read"))?;
        let (path, desk) = (head.uri.path(), &self.desk);
        if (&head.method, path) == (&Method::GET, READINESS) {
            return Ok(json(StatusCode::OK, &self.health.failing().await));
        }
        if (&head.method, path) == (&Method::POST, "/network-resets") {
            return Ok(json(StatusCode::OK, &desk.reset_network(&op, read(&body)?).await?));
        }
        if (&head.method, path) == (&Method::GET, "/nodes") {
            return Ok(json(StatusCode::OK, &desk.nodes(&op).await?));
        }
        match (&head.method, path.strip_prefix("/accounts").unwrap_or_default()) {
            (&Method::GET, "") if path == "/accounts" => {
                let after = head.uri.query().and_then(|query| query.strip_prefix("after=")).map_or(Ok(0), str::parse);
                Ok(json(StatusCode::OK, &desk.list(&op, after.map_err(|_| No::Body("after: an id"))?).await?))
            }
            (&Method::POST, "/preparations") => Ok(json(StatusCode::OK, &desk.prepare(&op, read(&body)?).await?)),
            (&Method::PUT, rest) => {
                let preparation = rest.strip_prefix("/preparations/").ok_or(No::Route)?;
                Ok(json(StatusCode::CREATED, &desk.create(&op, preparation).await?))
            }
            (&Method::PATCH, rest) => {
                let account = rest.strip_prefix('/').ok_or(No::Route)?;
                Ok(json(StatusCode::OK, &desk.update(&op, account, read(&body)?).await?))
            }
            _ => Err(No::Route),
        }
    }
}

fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, No> {
    serde_json::from_slice(body).map_err(|_| No::Body("the body has another shape"))
}

fn refused(error: &IdentityError) -> Answer {
    let (status, code) = code(error);
    problem(status, code, &error.to_string())
}

/// Every error of the use cases, as status and code.
pub(super) fn code(error: &IdentityError) -> (StatusCode, &'static str) {
    match error {
        IdentityError::NotFound(_) => (StatusCode::NOT_FOUND, "not_found"),
        IdentityError::Taken { .. } => (StatusCode::CONFLICT, "already_exists"),
        IdentityError::Invalid { .. } => (StatusCode::BAD_REQUEST, "invalid_request"),
        IdentityError::Limit { .. } => (StatusCode::CONFLICT, "limit_exceeded"),
        IdentityError::InUse(_) | IdentityError::Holds(_) | IdentityError::NeedsForce(_) | IdentityError::RecentlyUsed { .. } => {
            (StatusCode::CONFLICT, "in_use")
        }
        IdentityError::Refused(_) | IdentityError::Disabled | IdentityError::Unbelieved(_) => (StatusCode::FORBIDDEN, "denied"),
        IdentityError::Busy | IdentityError::Store(_) => (StatusCode::SERVICE_UNAVAILABLE, "unavailable"),
        IdentityError::Sealing => (StatusCode::INTERNAL_SERVER_ERROR, "internal"),
    }
}
