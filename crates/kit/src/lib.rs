//! What every door needs: the request with its context, bounds on what a stranger sends, answers, the request log, metrics.
//!
//! What it is for: whatever two doors would otherwise write twice about HTTP itself. What it may not do: hold a rule of the
//! product, speak one protocol (no OCI error shape, no cloud's XML), open a socket, read a clock or the environment. To add
//! to it: only what at least two doors use, one file a matter, with its bound as a constant in [`limits`].
//!
//! A request comes in as [`Request`]: [`Edge`] has read who is at the other end, [`Host`] the name that was asked for. A door
//! reads it with [`read_body`] or [`RequestBody::into_upload`] and [`authorization()`], and returns an [`Answer`].

mod answer;
mod authorization;
mod edge;
mod forwarded;
mod host;
pub mod limits;
mod metrics;
mod needs;
mod request;
mod request_body;
mod request_log;

pub use answer::{Answer, Body, BodyStream, ComeAgain, empty, json, problem, text};
pub use authorization::{Authorization, MalformedAuthorization, authorization};
pub use edge::{Edge, Peer, REQUEST_ID, Randomness};
pub use forwarded::ForwardedHeader;
pub use host::{Host, HostError, host_of};
pub use metrics::{HttpMetrics, MetricKind, Metrics};
pub use needs::Needs;
pub use request::Request;
pub use request_body::{BodyError, RequestBody, Upload, read_body};
pub use request_log::{LogRequests, Observed, ObservedBody, Seen};
