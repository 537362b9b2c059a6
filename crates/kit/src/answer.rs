//! Answers: a response with a body of three kinds.

use std::fmt;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_util::{Stream, TryStreamExt as _};
use http::header::{CONTENT_TYPE, HeaderValue};
use http::{Response, StatusCode};
use http_body::{Frame, SizeHint};
use http_body_util::BodyDataStream;
use serde::Serialize;

/// What a door returns.
pub type Answer = Response<Body>;

/// Beside an answer 429 whose request was one too many and has done nothing: in so many milliseconds it may be asked again.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ComeAgain(pub i64);

/// Pieces of a streamed body.
pub type BodyStream = Pin<Box<dyn Stream<Item = io::Result<Bytes>> + Send>>;

/// An answer's body.
#[derive(Default)]
pub enum Body {
    /// Nothing.
    #[default]
    Empty,
    /// From memory.
    Full(Bytes),
    /// Piece by piece. With a length, a stream that yields another number of bytes is cut off as an error, so that no
    /// client takes a part for the whole.
    Stream {
        /// The pieces.
        stream: BodyStream,
        /// Bytes still to come, where known.
        left: Option<u64>,
    },
}

impl Body {
    /// A body of `length` bytes that come piece by piece.
    pub fn stream(length: u64, pieces: impl Stream<Item = io::Result<Bytes>> + Send + 'static) -> Self {
        Self::Stream { stream: Box::pin(pieces), left: Some(length) }
    }

    /// The body of a router's response (trailers are left out).
    pub fn wrap<B>(body: B) -> Self
    where
        B: http_body::Body<Data = Bytes> + Send + 'static,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let left = body.size_hint().exact();
        if left == Some(0) {
            return Self::Empty;
        }
        Self::Stream { stream: Box::pin(BodyDataStream::new(body).map_err(io::Error::other)), left }
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("Empty"),
            Self::Full(bytes) => write!(f, "Full({} bytes)", bytes.len()),
            Self::Stream { left, .. } => write!(f, "Stream({left:?} bytes)"),
        }
    }
}

impl<T: Into<Bytes>> From<T> for Body {
    fn from(bytes: T) -> Self {
        let bytes = bytes.into();
        if bytes.is_empty() { Self::Empty } else { Self::Full(bytes) }
    }
}

impl http_body::Body for Body {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        let body = self.get_mut();
        match body {
            Self::Empty => Poll::Ready(None),
            Self::Full(_) => match std::mem::take(body) {
                Self::Full(bytes) => Poll::Ready(Some(Ok(Frame::data(bytes)))),
                _ => Poll::Ready(None),
            },
            Self::Stream { stream, left } => stream.as_mut().poll_next(cx).map(|next| count(next, left)),
        }
    }

    fn is_end_stream(&self) -> bool {
        matches!(self, Self::Empty | Self::Stream { left: Some(0), .. })
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Empty => SizeHint::with_exact(0),
            Self::Full(bytes) => SizeHint::with_exact(bytes.len() as u64),
            Self::Stream { left: Some(left), .. } => SizeHint::with_exact(*left),
            Self::Stream { left: None, .. } => SizeHint::default(),
        }
    }
}

/// Holds a stream to the length it promised.
fn count(next: Option<io::Result<Bytes>>, left: &mut Option<u64>) -> Option<io::Result<Frame<Bytes>>> {
    let Some(left) = left else { return next.map(|piece| piece.map(Frame::data)) };
    match next {
        Some(Ok(piece)) => match left.checked_sub(piece.len() as u64) {
            Some(rest) => {
                *left = rest;
                Some(Ok(Frame::data(piece)))
            }
            None => Some(Err(io::Error::other("the content is longer than announced"))),
        },
        Some(Err(error)) => Some(Err(error)),
        None if *left == 0 => None,
        None => Some(Err(io::ErrorKind::UnexpectedEof.into())),
    }
}

/// An answer without a body.
pub fn empty(status: StatusCode) -> Answer {
    let mut answer = Answer::new(Body::Empty);
    *answer.status_mut() = status;
    answer
}

/// An answer in plain text.
pub fn text(status: StatusCode, content: impl Into<Bytes>) -> Answer {
    typed(status, "text/plain; charset=utf-8", content.into())
}

/// An answer in JSON. What cannot be serialised is a 500 without content.
pub fn json(status: StatusCode, content: &impl Serialize) -> Answer {
    match serde_json::to_vec(content) {
        Ok(bytes) => typed(status, "application/json", bytes.into()),
        Err(error) => {
            tracing::error!(%error, "an answer could not be serialised");
            empty(StatusCode::INTERNAL_SERVER_ERROR)
        }
    }
}

/// The answer when no door has been reached, or one has failed: `{"error":{"code","message"}}`.
pub fn problem(status: StatusCode, code: &str, message: &str) -> Answer {
    json(status, &serde_json::json!({"error": {"code": code, "message": message}}))
}

fn typed(status: StatusCode, media_type: &'static str, content: Bytes) -> Answer {
    let mut answer = empty(status);
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
    *answer.body_mut() = content.into();
    answer
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::stream;
    use http_body_util::BodyExt as _;

    async fn read(length: u64, pieces: &[&'static str]) -> Option<Bytes> {
        let pieces: Vec<_> = pieces.iter().map(|p| Ok(Bytes::from_static(p.as_bytes()))).collect();
        Body::stream(length, stream::iter(pieces)).collect().await.ok().map(http_body_util::Collected::to_bytes)
    }

    #[tokio::test]
    async fn a_stream_is_held_to_its_length() {
        assert_eq!(read(5, &["ab", "cde"]).await.as_deref(), Some(&b"abcde"[..]));
        assert_eq!(read(6, &["ab", "cde"]).await, None);
        assert_eq!(read(4, &["ab", "cde"]).await, None);
        assert_eq!(read(0, &[]).await.as_deref(), Some(&b""[..]));
    }

    #[tokio::test]
    async fn json_says_what_it_is() {
        let answer = problem(StatusCode::NOT_FOUND, "NOT_FOUND", "no such path");
        assert_eq!(answer.headers()[CONTENT_TYPE], "application/json");
        let bytes = answer.into_body().collect().await.unwrap().to_bytes();
        assert_eq!(bytes, r#"{"error":{"code":"NOT_FOUND","message":"no such path"}}"#);
    }

    #[tokio::test]
    async fn a_routers_body_is_taken_over() {
        let body = Body::wrap(http_body_util::Full::new(Bytes::from_static(b"abc")));
        assert_eq!(http_body::Body::size_hint(&body).exact(), Some(3));
        assert_eq!(body.collect().await.unwrap().to_bytes(), "abc");
    }
}
