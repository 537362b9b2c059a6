//! A request as a door sees it.

use std::fmt;

use http::request::Parts;
use http::{HeaderMap, Method};
use model::Op;

use crate::{Host, RequestBody};

/// One request: who asks, at which host, what. `Debug` shows no header and no query: secrets travel there.
pub struct Request {
    /// Its context.
    pub op: Op,
    /// The host that was asked for.
    pub host: Host,
    /// Method, target, headers.
    pub head: Parts,
    /// What has not been read yet.
    pub body: RequestBody,
}

impl Request {
    /// The raw path: nothing is decoded or folded.
    pub fn path(&self) -> &str {
        self.head.uri.path()
    }

    /// The raw query without its question mark; empty if there is none.
    pub fn query(&self) -> &str {
        self.head.uri.query().unwrap_or("")
    }

    /// The method.
    pub fn method(&self) -> &Method {
        &self.head.method
    }

    /// The headers.
    pub fn headers(&self) -> &HeaderMap {
        &self.head.headers
    }

    /// The same request for a router of the `http` types; context and host stand in its extensions.
    pub fn into_http(mut self) -> http::Request<RequestBody> {
        self.head.extensions.insert(self.op);
        self.head.extensions.insert(self.host);
        http::Request::from_parts(self.head, self.body)
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("request_id", &self.op.request_id)
            .field("host", &self.host)
            .field("method", self.method())
            .field("path", &self.path())
            .finish_non_exhaustive()
    }
}
