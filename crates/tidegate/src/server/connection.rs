//! One connection from its first byte to its last: TLS or not, HTTP/1.1 or HTTP/2, until it ends, rests too long or stalls.

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use kit::ObservedBody;
use kit::limits::{MAX_HEAD_BYTES, MAX_STREAMS};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};
use tokio::time::{sleep, timeout};

use super::activity::{Activity, Going, InFlight, Verdict, Watched};
use super::request::{Ends, serve};
use super::stop::Stop;
use super::tls::Tls;
use super::{App, Frame, Patience};

/// Read buffer of a connection: what an upload is read in.
const READ_BUFFER: usize = 256 * 1024;
/// How many times our own bound hyper lets pass, so that our 431 carries a request id; beyond that it is hyper's own, without.
const HEADROOM: usize = 2;
/// What a client may send ahead on one HTTP/2 stream, and on all of a connection.
const STREAM_WINDOW: u32 = 1024 * 1024;
const CONNECTION_WINDOW: u32 = 4 * 1024 * 1024;
/// Streams of one HTTP/2 connection that its client may have reset while they waited to be looked at, and that we may have reset
/// for its errors; one more ends the connection (CVE-2023-44487, CVE-2025-8671).
const RESET_BY_CLIENT: usize = 32;
const RESET_BY_US: usize = 256;
/// A silent HTTP/2 client is asked for a sign of life this often.
const PING: Duration = Duration::from_secs(20);

/// Serves one connection.
pub(super) async fn connection<A: App>(frame: Arc<Frame<A>>, socket: TcpStream, ends: Ends, tls: Option<Arc<Tls>>, stop: Stop) {
    // Without it small answers wait for the client's acknowledgement.
    let _ = socket.set_nodelay(true);
    let served = match tls {
        None => plain(frame, socket, ends, stop).await,
        Some(tls) => secure(frame, socket, ends, &tls, stop).await,
    };
    if let Err(error) = served {
        tracing::debug!(peer = %ends.peer.address, %error, "a connection ended before its first request");
    }
}

/// Serves one connection of the control socket.
pub(super) async fn local<A: App>(frame: Arc<Frame<A>>, socket: UnixStream, ends: Ends, stop: Stop) {
    drive(frame, socket, false, ends, stop).await;
}

async fn plain<A: App>(frame: Arc<Frame<A>>, socket: TcpStream, ends: Ends, stop: Stop) -> io::Result<()> {
    let is_http2 = tokio::select! {
        said = timeout(frame.patience.head, speaks_http2(&socket)) => said??,
        () = stop.asked() => return Ok(()),
    };
    drive(frame, socket, is_http2, ends, stop).await;
    Ok(())
}

async fn secure<A: App>(frame: Arc<Frame<A>>, socket: TcpStream, ends: Ends, tls: &Tls, stop: Stop) -> io::Result<()> {
    let stream = timeout(frame.patience.handshake, tls.acceptor().accept(socket)).await??;
    let is_http2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
    drive(frame, stream, is_http2, ends, stop).await;
    Ok(())
}

/// Does an HTTP/2 client speak first ("PRI * HTTP/2.0")? The bytes stay where they are.
async fn speaks_http2(socket: &TcpStream) -> io::Result<bool> {
    const PREFACE: &[u8] = b"PRI";
    let mut first = [0; PREFACE.len()];
    loop {
        let seen = socket.peek(&mut first).await?;
        let start = first.get(..seen).unwrap_or_default();
        if seen == 0 || seen == PREFACE.len() || !PREFACE.starts_with(start) {
            return Ok(start == PREFACE);
        }
        // A lone "P" or "PR" stays readable; the rest is under way.
        sleep(Duration::from_millis(5)).await;
    }
}

async fn drive<A: App, S>(frame: Arc<Frame<A>>, socket: S, is_http2: bool, ends: Ends, stop: Stop)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (activity, patience) = (Activity::new(), frame.patience);
    let io = TokioIo::new(Watched::new(socket, Arc::clone(&activity)));
    let watched = Arc::clone(&activity);
    let service = service_fn(move |request| {
        let (frame, in_flight) = (Arc::clone(&frame), watched.request());
        let shared = is_http2.then(|| Arc::clone(&watched));
        async move {
            let response = serve(frame, ends, request).await?;
            Ok::<_, Infallible>(response.map(|body| Held::new(body, in_flight, shared.map(|activity| activity.answer()))))
        }
    });
    if is_http2 {
        let connection = http2_builder().serve_connection(io, service);
        watch(connection, http2::Connection::graceful_shutdown, &activity, patience, stop).await;
    } else {
        let connection = http1_builder(patience).serve_connection(io, service);
        watch(connection, http1::Connection::graceful_shutdown, &activity, patience, stop).await;
    }
}

fn http1_builder(patience: Patience) -> http1::Builder {
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(patience.head).max_buf_size(READ_BUFFER);
    // `max_headers` stays at hyper's 100: another number costs an allocation a request. `pipeline_flush` stays off: with
    // bytes unread (a head too large, a body refused) it never sends the answer.
    builder.max_header_size(HEADROOM * MAX_HEAD_BYTES);
    // A client may close its sending half and still read.
    builder.half_close(true);
    builder
}

fn http2_builder() -> http2::Builder<TokioExecutor> {
    let mut builder = http2::Builder::new(TokioExecutor::new());
    builder.timer(TokioTimer::new()).keep_alive_interval(PING).keep_alive_timeout(PING).max_concurrent_streams(MAX_STREAMS);
    builder.max_header_list_size(u32::try_from(HEADROOM * MAX_HEAD_BYTES).unwrap_or(u32::MAX));
    builder.max_pending_accept_reset_streams(RESET_BY_CLIENT).max_local_error_reset_streams(RESET_BY_US);
    builder.initial_stream_window_size(STREAM_WINDOW).initial_connection_window_size(CONNECTION_WINDOW);
    builder
}

/// Polls a connection to its end; ends it where it rests or stalls, and lets it finish when the server stops.
async fn watch<C: Future>(connection: C, good_bye: impl Fn(Pin<&mut C>), activity: &Activity, patience: Patience, stop: Stop) {
    let mut connection = pin!(connection);
    let mut leaving = false;
    let mut look_again = patience.head.min(patience.stall);
    loop {
        tokio::select! {
            _ = connection.as_mut() => return,
            () = stop.asked(), if !leaving => {
                leaving = true;
                good_bye(connection.as_mut());
            }
            () = sleep(look_again) => match activity.verdict(&patience) {
                Verdict::Resting if !leaving => {
                    leaving = true;
                    good_bye(connection.as_mut());
                }
                Verdict::Stalled | Verdict::Resting => return,
                Verdict::Healthy(wait) => look_again = wait,
            }
        }
    }
}

/// An answer's body that keeps its request counted as under way.
struct Held {
    body: ObservedBody,
    /// On a connection that it shares with others.
    going: Option<Going>,
    _in_flight: InFlight,
}

impl Held {
    const fn new(body: ObservedBody, in_flight: InFlight, going: Option<Going>) -> Self {
        Self { body, going, _in_flight: in_flight }
    }
}

impl http_body::Body for Held {
    type Data = bytes::Bytes;
    type Error = io::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<http_body::Frame<bytes::Bytes>, io::Error>>> {
        let this = self.get_mut();
        // The connection asks for more once the client has taken what there was.
        this.going.iter().for_each(Going::goes_on);
        Pin::new(&mut this.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> http_body::SizeHint {
        self.body.size_hint()
    }
}
