//! The frame around one request: context, first checks, the app, what follows its answer.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use http::header::{CONNECTION, RETRY_AFTER};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode, Version};
use http_body::Body as _;
use hyper::body::Incoming;
use kit::limits::{MAX_HEAD_BYTES, MAX_HEADERS, MAX_REQUESTS_IN_FLIGHT, MAX_TARGET_BYTES};
use kit::{Answer, ComeAgain, Host, HostError, Observed, ObservedBody, Peer, Request, RequestBody, host_of, problem};
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
    let is_http1 = head.version < Version::HTTP_2;
    let op = frame.edge.op(ends.peer, &head);
    let door = frame.app.door(&head);
    let observed = Observed::begin(op.clone(), &head, door, frame.log, Arc::clone(&frame.metrics));
    let mut answer = frame.answer_in_turn(op, head, body, ends.local).await;
    if answer.status() == StatusCode::TOO_MANY_REQUESTS {
        frame.hold_back().await;
    }
    // What the client asks next it asks on a new connection, and so of another server. (On HTTP/2 the stop itself says so.)
    if is_http1 && frame.leaving.has_begun() {
        answer.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    }
    Ok(observed.answered(answer))
}

impl<A: App> Frame<A> {
    /// Where it is one too many and brings nothing that is gone, it waits for its turn and is asked again from the start: whoever may
    /// not any more is told so. As long and as far as there is room to wait; then its answer is 429.
    async fn answer_in_turn(&self, op: Op, head: Parts, body: Incoming, local: SocketAddr) -> Answer {
        let again = (self.limits && body.is_end_stream()).then(|| copy(&head));
        let mut answer = self.answer((op.clone(), head, RequestBody::Incoming(body)), local, true).await;
        let Some(head) = again else { return answer };
        let mut left = self.patience.turn;
        while let Some(wait) = turn_of(&answer).filter(|wait| *wait <= left)
            && let Ok(room) = self.turns.try_acquire()
        {
            // Who had a turn at the address, and none of the caller's, has paid at the address.
            let at_address = answer.extensions().get::<AtAddress>().is_some();
            tokio::time::sleep(wait).await;
            drop(room);
            left = left.saturating_sub(wait);
            answer = self.answer((self.edge.later(&op), copy(&head), RequestBody::empty()), local, at_address).await;
        }
        answer
    }

    /// `at_address`: it counts against the limit of its address.
    async fn answer(&self, (op, head, body): (Op, Parts, RequestBody), local: SocketAddr, at_address: bool) -> Answer {
        match admit(self, &head, local) {
            Ok(_) if at_address && let Some(refused) = self.too_often(&op, &head) => refused,
            Ok(host) => {
                let request = Request { op, host, head, body };
                AssertUnwindSafe(self.app.answer(request)).catch_unwind().await.unwrap_or_else(|_| defect())
            }
            Err(refused) => refused.answer(),
        }
    }

    /// The answer to one request too many from its address.
    fn too_often(&self, op: &Op, head: &Parts) -> Option<Answer> {
        let limit = self.limit.as_ref()?;
        let sends = matches!(head.method, Method::PATCH | Method::PUT) && head.uri.path().starts_with("/v2/");
        let wait_ms = if sends { limit.take_on_credit(op) } else { limit.take(op) }.err()?;
        let mut answer = self.app.too_often(op, head, wait_ms)?;
        answer.extensions_mut().insert(ComeAgain(wait_ms));
        answer.extensions_mut().insert(AtAddress);
        Some(answer)
    }
}

/// The limit that an answer 429 speaks of is its address's.
#[derive(Clone, Copy)]
struct AtAddress;

/// When a request that was one too many has its turn. Clouds' clients, which are told in other ways, wait by themselves.
fn turn_of(answer: &Answer) -> Option<Duration> {
    let ComeAgain(millis) = answer.extensions().get().copied()?;
    let soon = Duration::from_millis(u64::try_from(millis).unwrap_or_default().max(1));
    (answer.status() == StatusCode::TOO_MANY_REQUESTS).then_some(soon)
}

fn copy(head: &Parts) -> Parts {
    let (mut copy, ()) = http::Request::new(()).into_parts();
    (copy.method, copy.uri, copy.version) = (head.method.clone(), head.uri.clone(), head.version);
    (copy.headers, copy.extensions) = (head.headers.clone(), head.extensions.clone());
    copy
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
