//! One line a request, written when its answer's last byte has left (or its client has): who, what, how it ended. Never a
//! query string, never a header but the user agent.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::request::Parts;
use http::{HeaderValue, Method, Response, StatusCode, Uri};
use http_body::{Frame, SizeHint};
use meter::Stopwatch;
use model::{Op, PrincipalId};

use crate::limits::MAX_LOGGED_PATH_BYTES;
use crate::{Answer, Body, HttpMetrics, REQUEST_ID};

/// The status of a request whose client left before there was an answer; never sent.
const CLIENT_LEFT: u16 = 499;

/// Which requests are logged.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum LogRequests {
    /// All.
    #[default]
    All,
    /// Those that ended with a status of 400 or more, or were cut off.
    Errors,
    /// None.
    Off,
}

/// Put into an answer's extensions by a door that knows what was asked, and who asked, for the log line and the metrics.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Seen {
    /// The operation, by the name that its door has declared; none: no operation of the door's.
    pub operation: Option<&'static str>,
    /// Who asked.
    pub principal: Option<PrincipalId>,
}

/// One request under observation. Dropped unanswered, it is logged as one whose client left.
#[derive(Debug)]
pub struct Observed {
    op: Op,
    method: Method,
    uri: Uri,
    door: &'static str,
    log: LogRequests,
    metrics: Arc<HttpMetrics>,
    began: Stopwatch,
    status: u16,
    seen: Seen,
    bytes: u64,
    whole: bool,
    /// Counted as under way.
    under_way: bool,
}

impl Observed {
    /// Begins to observe.
    pub fn begin(op: Op, head: &Parts, door: &'static str, log: LogRequests, metrics: Arc<HttpMetrics>) -> Self {
        metrics.in_flight.inc();
        let (method, uri) = (head.method.clone(), head.uri.clone());
        let began = Stopwatch::start();
        Self {
            op,
            method,
            uri,
            door,
            log,
            metrics,
            began,
            status: CLIENT_LEFT,
            seen: Seen::default(),
            bytes: 0,
            whole: false,
            under_way: true,
        }
    }

    /// Gives the answer its request id and follows its body to the end.
    pub fn answered(mut self, answer: Answer) -> Response<ObservedBody> {
        self.status = answer.status().as_u16();
        self.seen = answer.extensions().get::<Seen>().copied().unwrap_or_default();
        // A HEAD request's answer, 204 and 304 have no body to wait for.
        self.whole = self.method == Method::HEAD || http_body::Body::is_end_stream(answer.body()) || is_bodiless(answer.status());
        // Nothing works on an answer from memory any more. When its client takes it is the client's own affair: clients that
        // take none of theirs must not use up the places of others.
        if !matches!(answer.body(), Body::Stream { .. }) {
            self.is_done();
        }
        let id = HeaderValue::try_from(self.op.request_id.to_string());
        let mut response = answer.map(|body| ObservedBody { body, observed: self });
        if let Ok(id) = id {
            response.headers_mut().insert(REQUEST_ID, id);
        }
        response
    }

    fn is_done(&mut self) {
        if std::mem::take(&mut self.under_way) {
            self.metrics.in_flight.dec();
        }
    }

    fn is_logged(&self) -> bool {
        match self.log {
            LogRequests::All => true,
            LogRequests::Errors => self.status >= 400 || !self.whole,
            LogRequests::Off => false,
        }
    }

    fn log(&self, seconds: f64) {
        let path = self.uri.path();
        let path = path.get(..path.floor_char_boundary(MAX_LOGGED_PATH_BYTES)).unwrap_or("");
        tracing::info!(
            target: "tidegate::request",
            request_id = %self.op.request_id,
            door = self.door,
            operation = self.seen.operation,
            method = self.method.as_str(),
            path,
            status = self.status,
            bytes = self.bytes,
            ms = (seconds * 1e6).round() / 1e3,
            cut_off = (!self.whole).then_some(true),
            source_ip = %self.op.source_ip,
            principal = self.seen.principal.map(tracing::field::display),
            user_agent = self.op.user_agent.as_deref(),
        );
    }
}

const fn is_bodiless(status: StatusCode) -> bool {
    matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED)
}

impl Drop for Observed {
    fn drop(&mut self) {
        let elapsed = self.began.elapsed();
        self.is_done();
        self.metrics.answered((self.door, self.seen.operation), self.status, self.bytes, elapsed);
        if self.is_logged() {
            self.log(elapsed.as_secs_f64());
        }
    }
}

/// An answer's body on its way out.
#[derive(Debug)]
pub struct ObservedBody {
    body: Body,
    observed: Observed,
}

impl http_body::Body for ObservedBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        let this = self.get_mut();
        let polled = Pin::new(&mut this.body).poll_frame(cx);
        match &polled {
            Poll::Ready(Some(Ok(frame))) => {
                this.observed.bytes += frame.data_ref().map_or(0, |data| data.len() as u64);
                this.observed.whole = http_body::Body::is_end_stream(&this.body);
            }
            Poll::Ready(None) => this.observed.whole = true,
            Poll::Ready(Some(Err(error))) => {
                tracing::warn!(request_id = %this.observed.op.request_id, %error, "an answer's body could not be read");
            }
            Poll::Pending => {}
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        http_body::Body::is_end_stream(&self.body)
    }

    fn size_hint(&self) -> SizeHint {
        http_body::Body::size_hint(&self.body)
    }
}
