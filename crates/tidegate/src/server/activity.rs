//! What moves on a connection: seen at the socket, whichever protocol speaks on it.

use std::future::Future as _;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep};

use super::Patience;

/// One connection's movements, in milliseconds since it began.
#[derive(Debug)]
pub(super) struct Activity {
    began: Instant,
    moved: AtomicU64,
    asked: AtomicU64,
    in_flight: AtomicU32,
    /// When each answer on HTTP/2 last went on. There one can stand still while others, or mere signs of life, move.
    answers: Mutex<Vec<Arc<AtomicU64>>>,
}

/// What to do with a connection.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Verdict {
    /// Look again after so long.
    Healthy(Duration),
    /// Nothing was asked for long: tell the client good-bye.
    Resting,
    /// A request is under way and nothing of it moves: cut.
    Stalled,
}

impl Activity {
    pub(super) fn new() -> Arc<Self> {
        let (moved, asked) = (AtomicU64::new(0), AtomicU64::new(0));
        Arc::new(Self { began: Instant::now(), moved, asked, in_flight: AtomicU32::new(0), answers: Mutex::default() })
    }

    fn now(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    fn since(&self, moment: &AtomicU64) -> Duration {
        Duration::from_millis(self.now().saturating_sub(moment.load(Ordering::Relaxed)))
    }

    /// A request begins; it ends when the guard is dropped.
    pub(super) fn request(self: &Arc<Self>) -> InFlight {
        self.in_flight.fetch_add(1, Ordering::Relaxed);
        self.asked.store(self.now(), Ordering::Relaxed);
        InFlight(Arc::clone(self))
    }

    /// An answer that shares its connection begins; it ends when the guard is dropped.
    pub(super) fn answer(self: &Arc<Self>) -> Going {
        let went_on = Arc::new(AtomicU64::new(self.now()));
        self.answers.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::clone(&went_on));
        Going { activity: Arc::clone(self), went_on }
    }

    /// How long the slowest of those answers has stood still.
    fn slowest_answer(&self) -> Duration {
        let answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        answers.iter().map(|went_on| self.since(went_on)).max().unwrap_or_default()
    }

    pub(super) fn verdict(&self, patience: &Patience) -> Verdict {
        let (still, rest) = (self.since(&self.moved).max(self.slowest_answer()), self.since(&self.asked));
        if still >= patience.stall {
            Verdict::Stalled
        } else if self.in_flight.load(Ordering::Relaxed) == 0 && rest >= patience.head {
            Verdict::Resting
        } else {
            let wait = patience.stall.saturating_sub(still).min(patience.head.saturating_sub(rest));
            Verdict::Healthy(if wait.is_zero() { patience.head.min(patience.stall) } else { wait })
        }
    }
}

/// A request under way.
#[derive(Debug)]
pub(super) struct InFlight(Arc<Activity>);

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.asked.store(self.0.now(), Ordering::Relaxed);
        self.0.in_flight.fetch_sub(1, Ordering::Relaxed);
    }
}

/// An answer on its way to a client that takes it at its own speed.
#[derive(Debug)]
pub(super) struct Going {
    activity: Arc<Activity>,
    went_on: Arc<AtomicU64>,
}

impl Going {
    pub(super) fn goes_on(&self) {
        self.went_on.store(self.activity.now(), Ordering::Relaxed);
    }
}

impl Drop for Going {
    fn drop(&mut self) {
        let mut answers = self.activity.answers.lock().unwrap_or_else(PoisonError::into_inner);
        answers.retain(|other| !Arc::ptr_eq(other, &self.went_on));
    }
}

/// How long a closed connection goes on to take in what the client still sends. Closed with bytes unread, the kernel resets
/// it, and the client loses the answer that told it to stop (a refused upload's 401).
const LINGER: Duration = Duration::from_secs(2);
/// What is taken in at a time.
const DISCARD: usize = 8 * 1024;

/// A socket whose every moved byte is seen.
#[derive(Debug)]
pub(super) struct Watched<S> {
    socket: S,
    activity: Arc<Activity>,
    /// Set once our half is closed.
    linger: Option<Pin<Box<Sleep>>>,
}

impl<S> Watched<S> {
    pub(super) const fn new(socket: S, activity: Arc<Activity>) -> Self {
        Self { socket, activity, linger: None }
    }

    fn saw(&self, bytes: usize) {
        if bytes > 0 {
            self.activity.moved.store(self.activity.now(), Ordering::Relaxed);
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Watched<S> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buffer.filled().len();
        ready!(Pin::new(&mut this.socket).poll_read(cx, buffer))?;
        this.saw(buffer.filled().len() - before);
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Watched<S> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = ready!(Pin::new(&mut this.socket).poll_write(cx, bytes))?;
        this.saw(written);
        Poll::Ready(Ok(written))
    }

    fn poll_write_vectored(self: Pin<&mut Self>, cx: &mut Context<'_>, slices: &[IoSlice<'_>]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = ready!(Pin::new(&mut this.socket).poll_write_vectored(cx, slices))?;
        this.saw(written);
        Poll::Ready(Ok(written))
    }

    fn is_write_vectored(&self) -> bool {
        self.socket.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().socket).poll_flush(cx)
    }

    /// Closes our half, then takes in the client's rest until it closes too, or for [`LINGER`].
    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.linger.is_none() {
            ready!(Pin::new(&mut this.socket).poll_shutdown(cx))?;
        }
        let linger = this.linger.get_or_insert_with(|| Box::pin(sleep(LINGER)));
        if linger.as_mut().poll(cx).is_ready() {
            return Poll::Ready(Ok(()));
        }
        discard(&mut this.socket, cx)
    }
}

/// Ready when the client has closed, or gone.
fn discard(socket: &mut (impl AsyncRead + Unpin), cx: &mut Context<'_>) -> Poll<io::Result<()>> {
    let mut space = [0; DISCARD];
    loop {
        let mut buffer = ReadBuf::new(&mut space);
        let read = ready!(Pin::new(&mut *socket).poll_read(cx, &mut buffer));
        if read.is_err() || buffer.filled().is_empty() {
            return Poll::Ready(Ok(()));
        }
    }
}
