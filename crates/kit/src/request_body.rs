//! Request bodies, bounded in size and time.

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::StatusCode;
use http_body::{Body as _, Frame, SizeHint};
use tokio::time::timeout;

use crate::limits::{BODY_TIMEOUT, UPLOAD_IDLE_TIMEOUT};

/// What a request carries: from a connection, or (in tests and for internal calls) from memory.
#[derive(Debug)]
pub enum RequestBody {
    /// From a connection.
    Incoming(hyper::body::Incoming),
    /// From memory; `None` once read.
    Full(Option<Bytes>),
}

/// Why a body could not be read.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum BodyError {
    /// More than this operation takes.
    #[error("the request body is too large")]
    TooLarge,
    /// It came too slowly.
    #[error("the request body came too slowly")]
    TooSlow,
    /// It ended early, or its framing is wrong.
    #[error("the request body ended early or is malformed")]
    Broken,
}

impl BodyError {
    /// 413, 408 or 400.
    pub const fn status(self) -> StatusCode {
        match self {
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::TooSlow => StatusCode::REQUEST_TIMEOUT,
            Self::Broken => StatusCode::BAD_REQUEST,
        }
    }
}

impl RequestBody {
    /// No body.
    pub const fn empty() -> Self {
        Self::Full(None)
    }

    /// Its length, where the client declared one.
    pub fn declared_length(&self) -> Option<u64> {
        self.size_hint().exact()
    }

    /// For reading piece by piece, without a bound on the whole.
    pub const fn into_upload(self) -> Upload {
        Upload { body: self, idle: UPLOAD_IDLE_TIMEOUT }
    }

    /// The next piece of data; trailers are passed over.
    async fn next(&mut self) -> Option<Result<Bytes, BodyError>> {
        loop {
            let frame = poll_fn(|cx| Pin::new(&mut *self).poll_frame(cx)).await?;
            match frame.map(Frame::into_data) {
                Ok(Ok(data)) => return Some(Ok(data)),
                Ok(Err(_trailers)) => {}
                Err(_) => return Some(Err(BodyError::Broken)),
            }
        }
    }
}

impl From<Bytes> for RequestBody {
    fn from(bytes: Bytes) -> Self {
        Self::Full(Some(bytes))
    }
}

impl http_body::Body for RequestBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        match self.get_mut() {
            Self::Incoming(body) => Pin::new(body).poll_frame(cx).map_err(io::Error::other),
            Self::Full(bytes) => Poll::Ready(bytes.take().map(|b| Ok(Frame::data(b)))),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Incoming(body) => body.is_end_stream(),
            Self::Full(bytes) => bytes.is_none(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Incoming(body) => body.size_hint(),
            Self::Full(bytes) => SizeHint::with_exact(bytes.as_ref().map_or(0, |b| b.len() as u64)),
        }
    }
}

/// Reads a whole body of at most `max` bytes, within [`BODY_TIMEOUT`]. A declared length above `max` is refused unread.
pub async fn read_body(body: RequestBody, max: usize) -> Result<Bytes, BodyError> {
    if body.size_hint().lower() > max as u64 {
        return Err(BodyError::TooLarge);
    }
    timeout(BODY_TIMEOUT, collect(body, max)).await.unwrap_or(Err(BodyError::TooSlow))
}

async fn collect(mut body: RequestBody, max: usize) -> Result<Bytes, BodyError> {
    let first = body.next().await.transpose()?.unwrap_or_default();
    if first.len() > max {
        return Err(BodyError::TooLarge);
    }
    if body.is_end_stream() {
        return Ok(first);
    }
    let mut whole = BytesMut::from(first);
    while let Some(piece) = body.next().await.transpose()? {
        if whole.len() + piece.len() > max {
            return Err(BodyError::TooLarge);
        }
        whole.extend_from_slice(&piece);
    }
    Ok(whole.freeze())
}

/// A body read piece by piece; standing still too long is an error.
#[derive(Debug)]
pub struct Upload {
    body: RequestBody,
    idle: Duration,
}

impl Upload {
    /// The next piece; `None` at the end.
    pub async fn next(&mut self) -> Option<Result<Bytes, BodyError>> {
        timeout(self.idle, self.body.next()).await.unwrap_or(Some(Err(BodyError::TooSlow)))
    }

    /// The length, where the client declared one.
    pub fn declared_length(&self) -> Option<u64> {
        self.body.declared_length()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_body_is_read_up_to_its_bound() {
        let body = || RequestBody::from(Bytes::from_static(b"12345"));
        assert_eq!(read_body(body(), 5).await, Ok(Bytes::from_static(b"12345")));
        assert_eq!(read_body(body(), 4).await, Err(BodyError::TooLarge));
        assert_eq!(read_body(RequestBody::empty(), 0).await, Ok(Bytes::new()));
    }

    #[tokio::test]
    async fn an_upload_ends_with_none() {
        let mut upload = RequestBody::from(Bytes::from_static(b"x")).into_upload();
        assert_eq!(upload.declared_length(), Some(1));
        assert_eq!(upload.next().await, Some(Ok(Bytes::from_static(b"x"))));
        assert_eq!(upload.next().await, None);
    }
}
