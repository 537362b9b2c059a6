//! Listeners, connections, the frame around each request, and the graceful stop.

mod accept;
mod activity;
mod connection;
mod limit;
mod listen;
mod local;
mod request;
mod run;
mod stop;
#[cfg(test)]
mod tests;
mod tls;

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use http::request::Parts;
use kit::{Answer, Edge, HttpMetrics, LogRequests, Request, limits};
use model::Op;
use tokio::sync::Semaphore;

pub(crate) use limit::AddressLimit;
pub(crate) use run::run;
pub(crate) use stop::{Leaving, Stop};
pub(crate) use tls::{Tls, certificates, install_crypto_provider};

/// What answers the requests of a listener.
pub(crate) trait App: Send + Sync + 'static {
    /// The name of the door that a request belongs to, for log and metrics: one of a few, whatever a client sends.
    fn door(&self, head: &Parts) -> &'static str;

    /// Answers.
    fn answer(&self, request: Request) -> impl Future<Output = Answer> + Send;

    /// The answer to one of too many requests from an address, with the milliseconds after which there is room; none: this
    /// one is answered all the same.
    fn too_often(&self, _op: &Op, _head: &Parts, _wait_ms: i64) -> Option<Answer> {
        None
    }
}

/// Several listeners may have one app.
impl<T: App> App for Arc<T> {
    fn door(&self, head: &Parts) -> &'static str {
        self.as_ref().door(head)
    }

    fn answer(&self, request: Request) -> impl Future<Output = Answer> + Send {
        self.as_ref().answer(request)
    }

    fn too_often(&self, op: &Op, head: &Parts, wait_ms: i64) -> Option<Answer> {
        self.as_ref().too_often(op, head, wait_ms)
    }
}

/// What the requests of a listener share.
pub(crate) struct Frame<A> {
    pub(crate) app: A,
    pub(crate) edge: Edge,
    pub(crate) log: LogRequests,
    pub(crate) metrics: Arc<HttpMetrics>,
    pub(crate) patience: Patience,
    /// How many requests may come from one address; none: any number.
    pub(crate) limit: Option<Arc<AddressLimit>>,
    /// Whether there is a limit of any kind.
    pub(crate) limits: bool,
    /// Room for answers that are held back.
    pub(crate) held_back: Semaphore,
    /// Room for requests that wait for their turn.
    pub(crate) turns: Semaphore,
    pub(crate) leaving: Leaving,
}

/// How long connections are waited for; tests have less of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Patience {
    pub(crate) handshake: Duration,
    pub(crate) head: Duration,
    pub(crate) stall: Duration,
    pub(crate) hold_back: Duration,
    pub(crate) turn: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            handshake: limits::HANDSHAKE_TIMEOUT,
            head: limits::HEAD_TIMEOUT,
            stall: limits::STALL_TIMEOUT,
            hold_back: limits::HOLD_BACK,
            turn: limits::TURN,
        }
    }
}
