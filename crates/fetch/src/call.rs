//! What is asked, and on which terms.

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderName, HeaderValue, Method};

use crate::{Reach, Trust, Url};

/// One request.
#[derive(Clone)]
pub struct Call {
    pub(crate) method: Method,
    pub(crate) url: Url,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Call {
    /// `GET`.
    pub fn get(url: Url) -> Self {
        Self { method: Method::GET, url, headers: HeaderMap::new(), body: Bytes::new() }
    }

    /// `POST` of a body.
    pub fn post(url: Url, content_type: &'static str, body: impl Into<Bytes>) -> Self {
        let headers = HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static(content_type))]);
        Self { method: Method::POST, url, headers, body: body.into() }
    }

    /// The same with a header more. A redirect to another origin leaves them all behind.
    #[must_use]
    pub fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.insert(name, value);
        self
    }
}

/// Without headers and body, which may be secret.
impl fmt::Debug for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {:?}", self.method, self.url)
    }
}

/// What is done about a redirect.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Redirects {
    /// It is an error.
    Refuse,
    /// A `GET` follows so many, each judged as the first address was, never from https to http. Other methods: an error.
    Follow(u8),
}

/// On which terms something is fetched. Without a word of one's own: the public internet over its public authorities, ten
/// seconds, 1 MiB, no redirects.
#[derive(Clone, Debug)]
pub struct Terms {
    /// How far it may reach.
    pub reach: Reach,
    /// Whose certificates are believed.
    pub trust: Trust,
    /// How long all of it may take, resolving and redirects included; waiting for a place among other calls, as long again.
    pub time: Duration,
    /// The longest answer, in bytes of its body.
    pub bytes: usize,
    /// What is done about a redirect.
    pub redirects: Redirects,
}

impl Default for Terms {
    fn default() -> Self {
        Self { reach: Reach::Public, trust: Trust::Public, time: Duration::from_secs(10), bytes: 1024 * 1024, redirects: Redirects::Refuse }
    }
}
