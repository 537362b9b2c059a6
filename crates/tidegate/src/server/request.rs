//! The frame around one request: context, first checks, the app, what follows its answer.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures_util::FutureExt as _;
use http::header::RETRY_AFTER;
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Response, StatusCode, Version};
use hyper::body::Incoming;
use kit::limits::{MAX_HEAD_BYTES, MAX_HEADERS, MAX_REQUESTS_IN_FLIGHT, MAX_TARGET_BYTES};
use kit::{Answer, Host, HostError, Observed, ObservedBody, Peer, Request, RequestBody, host_of, problem};
use model::Op;

use super::{App, Frame};

/// Both ends of a connection.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ends {
    pub(super) peer: Peer,
    pub(super) local: SocketAddr,
}

/// Answers one request. Whatever happens there is an answer, with a request id.
pub(super) async fn serve<A: App>(
    frame: Arc<Frame<A>>,
    ends: Ends,
    request: http::Request<Incoming>,
) -> Result<Response<ObservedBody>, Infallible> {
    let (head, body) = request.into_parts();
    let op = frame.edge.op(ends.peer, &head);
    let door = frame.app.door(&head);
    let observed = Observed::begin(op.clone(), &head, door, frame.log, Arc::clone(&frame.metrics));
    let answer = match admit(&frame, &head, ends.local) {
        Ok(_) if let Some(refused) = frame.too_often(&op, &head) => refused,
        Ok(host) => {
            let request = Request { op, host, head, body: RequestBody::Incoming(body) };
            AssertUnwindSafe(frame.app.answer(request)).catch_unwind().await.unwrap_or_else(|_| defect())
        }
        Err(refused) => refused.answer(),
    };
    if answer.status() == StatusCode::TOO_MANY_REQUESTS {
        frame.hold_back().await;
    }
    Ok(observed.answered(answer))
}

impl<A: App> Frame<A> {
    /// The answer to one request too many from its address.
    fn too_often(&self, op: &Op, head: &Parts) -> Option<Answer> {
        let wait_ms = self.limit.as_ref()?.take(op).err()?;
        self.app.too_often(op, head, wait_ms)
    }
}

impl<A> Frame<A> {
    /// Whoever is told to come back later is told so late, as far as there is room to wait.
    async fn hold_back(&self) {
        if let Ok(_room) = self.held_back.try_acquire() {
            tokio::time::sleep(self.patience.hold_back).await;
        }
    }
}

/// Why a request reaches no door.
enum Refused {
    Overloaded,
    TargetTooLong,
    HeadTooLarge,
    Host(HostError),
}

/// What holds for every door.
fn admit<A>(frame: &Frame<A>, head: &Parts, local: SocketAddr) -> Result<Host, Refused> {
    if usize::try_from(frame.metrics.in_flight.get()).is_ok_and(|n| n > MAX_REQUESTS_IN_FLIGHT) {
        return Err(Refused::Overloaded);
    }
    let target = head.uri.path_and_query().map_or(0, |target| target.as_str().len());
    if target > MAX_TARGET_BYTES {
        return Err(Refused::TargetTooLong);
    }
    if head.headers.len() > MAX_HEADERS || target + size(&head.headers) > MAX_HEAD_BYTES {
        return Err(Refused::HeadTooLarge);
    }
    host(head, local).map_err(Refused::Host)
}

impl Refused {
    fn answer(self) -> Answer {
        match self {
            Self::Overloaded => overloaded(),
            Self::TargetTooLong => problem(StatusCode::URI_TOO_LONG, "URI_TOO_LONG", "The path is too long."),
            Self::HeadTooLarge => {
                problem(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, "HEADERS_TOO_LARGE", "The request's headers are too large.")
            }
            Self::Host(error) => problem(StatusCode::BAD_REQUEST, "BAD_HOST", &format!("{error}.")),
        }
    }
}

/// HTTP/1.0 needs no host; whoever sends none (a load balancer's health check) means the address it called.
fn host(head: &Parts, local: SocketAddr) -> Result<Host, HostError> {
    match host_of(head) {
        Err(HostError::Missing) if head.version <= Version::HTTP_10 => Host::parse(&local.to_string()),
        found => found,
    }
}

fn size(headers: &HeaderMap) -> usize {
    headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 4).sum()
}

fn overloaded() -> Answer {
    let mut answer = problem(StatusCode::SERVICE_UNAVAILABLE, "OVERLOADED", "Too many requests are under way; try again.");
    answer.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
    answer
}

/// A handler panicked; the panic hook has logged where.
fn defect() -> Answer {
    problem(StatusCode::INTERNAL_SERVER_ERROR, "INTERNAL", "The server has a defect; its log says where.")
}
