//! The bounds on what one request or connection can make the server hold or wait for. All are documented in
//! `docs/configuration.md`.

use std::time::Duration;

/// Bytes of a request's head (line and headers) that are answered; more is 431.
pub const MAX_HEAD_BYTES: usize = 32 * 1024;
/// Headers of a request that are answered; more is 431.
pub const MAX_HEADERS: usize = 64;
/// Bytes of a request's path and query; more is 414.
pub const MAX_TARGET_BYTES: usize = 16 * 1024;
/// Bytes of an `Authorization` header.
pub const MAX_AUTHORIZATION_BYTES: usize = 16 * 1024;
/// Bytes of a `Host` header: a DNS name and a port.
pub const MAX_HOST_BYTES: usize = 255 + 6;
/// Bytes of a user agent that are kept.
pub const MAX_USER_AGENT_BYTES: usize = 256;
/// Bytes of a path that the request log shows.
pub const MAX_LOGGED_PATH_BYTES: usize = 512;
/// Elements of a forwarding header that are looked at, from the right.
pub const MAX_FORWARDED_HOPS: usize = 32;
/// How long a body that is read whole may take.
pub const BODY_TIMEOUT: Duration = Duration::from_mins(1);
/// How long an upload may stand still.
pub const UPLOAD_IDLE_TIMEOUT: Duration = Duration::from_secs(30);
/// How long a request's head may take, and how long a connection may rest between two requests.
pub const HEAD_TIMEOUT: Duration = Duration::from_mins(1);
/// How long a TLS handshake may take.
pub const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a connection with a request under way may move no byte in either direction.
pub const STALL_TIMEOUT: Duration = Duration::from_mins(2);
/// How long an answer 429 is held back: a flood of wrong passwords, which is answered so, then leaves the processors to others.
pub const HOLD_BACK: Duration = Duration::from_millis(250);
/// Answers that are held back at once; further ones go out without delay.
pub const MAX_HELD_BACK: usize = 512;
/// How long a request that is one too many waits for its turn at most. The help of `limits.requests_per_second_per_caller` says it.
pub const TURN: Duration = Duration::from_secs(8);
/// Requests that wait for their turn at once; further ones are told so. Of one caller no more than come in that time.
pub const MAX_TURNS: usize = 512;
/// Requests side by side on one HTTP/2 connection.
pub const MAX_STREAMS: u32 = 128;
/// Requests side by side in the whole server; more are 503 with `Retry-After`.
pub const MAX_REQUESTS_IN_FLIGHT: usize = 8192;
