//! The Docker token service and the keys it signs with: `/token` and `/.well-known/jwks.json`.
//!
//! What it is for: translating the Docker token specification ("Docker Registry v2 authentication") and its OAuth 2 form into
//! use cases, and back. What it may not do: hold a rule, see SQL, know another door. To add an operation: a row in
//! [`operations::OPERATIONS`], a function in `routes`.

mod errors;
#[cfg(fuzzing)]
pub mod fuzzing;
pub mod operations;
mod routes;
mod shapes;

use std::sync::Arc;

use http::Method;
use identity::{AuthError, Identity};
use kit::{Answer, Request, Seen};

use crate::errors::TokenDoorError;

/// The answer to one request too many from an address.
pub fn too_often(method: &Method, retry_after_ms: i64) -> Answer {
    TokenDoorError::Auth(AuthError::Throttled { retry_after_ms }).bare(method)
}

/// The names of all operations, as log and metrics have them.
pub fn operation_names() -> impl Iterator<Item = &'static str> {
    operations::OPERATIONS.iter().map(|operation| operation.name)
}

/// The door.
#[derive(Clone, Debug)]
pub struct DoorToken {
    identity: Arc<Identity>,
    /// Further registries that tokens may be asked for.
    services: Arc<[String]>,
}

impl DoorToken {
    /// A door over `identity`; `services` are audiences other than the host itself.
    pub fn new(identity: Arc<Identity>, services: Vec<String>) -> Self {
        Self { identity, services: services.into() }
    }

    /// Answers a request to `/token` or below `/.well-known/`.
    pub async fn answer(&self, request: Request) -> Answer {
        let (method, path) = (request.method().clone(), request.path().to_owned());
        let host = request.host.clone();
        let (operation, answer) = match (&method, &*path) {
            (&Method::GET | &Method::HEAD, "/token") => (Some("get_token"), self.get_token(request).await),
            (&Method::POST, "/token") => (Some("post_token"), self.post_token(request).await),
            (&Method::GET | &Method::HEAD, "/.well-known/jwks.json") => (Some("list_keys"), self.keys(request).await),
            (_, "/token") => (None, Err(TokenDoorError::Method("GET, POST"))),
            (_, "/.well-known/jwks.json") => (None, Err(TokenDoorError::Method("GET"))),
            _ => (None, Err(TokenDoorError::NotFound)),
        };
        let mut answer = answer.unwrap_or_else(|error| error.render(&method, &host));
        answer.extensions_mut().get_or_insert_default::<Seen>().operation = operation;
        answer
    }
}
