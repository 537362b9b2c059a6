//! A sink at the other end of HTTP: batches by POST, each acknowledged by its status.

use std::time::Duration;

use api::AuditRecord;
use chain::Format;
use fetch::{Call, FetchError, Fetcher, Reach, Terms, Trust, Url};
use http::header::{AUTHORIZATION, RETRY_AFTER, USER_AGENT};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use zeroize::Zeroizing;

use crate::deliver::{ANSWER_WITHIN, RefusalKind, Refused, Sink};

/// The name under which it is remembered how far the sink has come.
const NAME: &str = "http";
/// Which records a batch holds, so that a receiver knows one that comes again.
const BATCH: HeaderName = HeaderName::from_static("x-tidegate-batch");
const AGENT: HeaderValue = HeaderValue::from_static(concat!("tidegate/", env!("CARGO_PKG_VERSION")));
/// What is read of an answer.
const MAX_ANSWER: usize = 64 * 1024;

/// Where and how records are delivered.
#[derive(Debug)]
pub struct SinkSettings<'a> {
    /// `https://HOST/PATH`; `http` only where internal addresses are allowed.
    pub url: String,
    /// How records are written.
    pub format: Format,
    /// Sent as `Authorization: Bearer`.
    pub token: Option<Zeroizing<String>>,
    /// Authorities in PEM, instead of the public ones.
    pub ca: Option<&'a str>,
    /// Whether it may be at an internal address.
    pub internal: bool,
}

/// Settings that make no sink.
#[derive(Debug, thiserror::Error)]
pub enum SinkError {
    /// The address or the authorities.
    #[error(transparent)]
    Fetch(#[from] FetchError),
    /// A token that no header can carry.
    #[error("the token is not printable ASCII")]
    Token,
}

/// A sink over HTTP.
pub struct HttpSink {
    fetcher: Fetcher,
    url: Url,
    format: Format,
    authorization: Option<HeaderValue>,
    terms: Terms,
}

impl std::fmt::Debug for HttpSink {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HttpSink").field("format", &self.format).finish_non_exhaustive()
    }
}

impl HttpSink {
    /// Nothing is sent yet.
    pub fn new(settings: SinkSettings<'_>) -> Result<Self, SinkError> {
        let trust = settings.ca.map_or(Ok(Trust::Public), Trust::own)?;
        let reach = if settings.internal { Reach::Internal } else { Reach::Public };
        let terms = Terms { reach, trust, time: ANSWER_WITHIN, bytes: MAX_ANSWER, ..Terms::default() };
        let authorization = settings.token.map(|token| bearer(&token)).transpose()?;
        Ok(Self { fetcher: Fetcher::new()?, url: Url::parse(&settings.url)?, format: settings.format, authorization, terms })
    }

    fn call(&self, account: &str, records: &[AuditRecord]) -> Call {
        let call = Call::post(self.url.clone(), self.format.content_type(), self.format.body(records)).with_header(USER_AGENT, AGENT);
        let call = match &self.authorization {
            Some(authorization) => call.with_header(AUTHORIZATION, authorization.clone()),
            None => call,
        };
        let (first, last) = (records.first().map_or(0, AuditRecord::sequence), records.last().map_or(0, AuditRecord::sequence));
        match HeaderValue::from_str(&format!("{account}/{first}-{last}")) {
            Ok(batch) => call.with_header(BATCH, batch),
            Err(_) => call,
        }
    }
}

fn bearer(token: &str) -> Result<HeaderValue, SinkError> {
    let text = Zeroizing::new(format!("Bearer {token}"));
    let mut value = HeaderValue::from_str(&text).map_err(|_| SinkError::Token)?;
    value.set_sensitive(true);
    Ok(value)
}

impl Sink for HttpSink {
    fn name(&self) -> &str {
        NAME
    }

    async fn take(&self, account: &str, records: &[AuditRecord]) -> Result<(), Refused> {
        let answer = self.fetcher.send(self.call(account, records), &self.terms).await;
        match answer {
            Ok(answer) if answer.status().is_success() => Ok(()),
            Ok(answer) => Err(Refused {
                why: format!("it answers with status {}", answer.status().as_u16()),
                retry_after: retry_after(answer.headers()),
                kind: kind(answer.status()),
            }),
            Err(error) => Err(Refused { why: error.to_string(), retry_after: None, kind: RefusalKind::Unreachable }),
        }
    }
}

const fn kind(status: StatusCode) -> RefusalKind {
    match status.as_u16() {
        413 => RefusalKind::TooLarge,
        400..=499 => RefusalKind::Rejected,
        500..=599 => RefusalKind::Failed,
        _ => RefusalKind::Redirect,
    }
}

/// `Retry-After` in seconds (RFC 9110 section 10.2.3).
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    headers.get(RETRY_AFTER)?.to_str().ok()?.parse().ok().map(Duration::from_secs)
}
