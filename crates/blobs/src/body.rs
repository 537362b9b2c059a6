//! Content on its way out.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_util::Stream;

use crate::BlobError;
use crate::directory::{Files, Reading};
use crate::objects;

/// A range of a blob, as a stream of pieces. Ends after exactly [`len`](Self::len) bytes or with an error.
#[derive(Debug)]
pub struct BlobBody(Content);

#[derive(Debug)]
enum Content {
    Whole(Bytes),
    Directory(Reading<Files>),
    Objects(objects::Reading),
}

impl BlobBody {
    /// Bytes that somebody has in memory.
    pub fn whole(content: Bytes) -> Self {
        Self(Content::Whole(content))
    }

    pub(crate) fn directory(reading: Reading<Files>) -> Self {
        Self(Content::Directory(reading))
    }

    pub(crate) fn objects(reading: objects::Reading) -> Self {
        Self(Content::Objects(reading))
    }

    /// The bytes that are still to come, if they are in memory; else the stream.
    pub fn into_whole(self) -> Result<Bytes, Self> {
        match self.0 {
            Content::Whole(content) => Ok(content),
            Content::Directory(_) | Content::Objects(_) => Err(self),
        }
    }

    /// How many bytes are still to come.
    pub fn len(&self) -> u64 {
        match &self.0 {
            Content::Whole(content) => content.len() as u64,
            Content::Directory(reading) => reading.len(),
            Content::Objects(reading) => reading.len(),
        }
    }

    /// Whether nothing is still to come.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Stream for BlobBody {
    type Item = Result<Bytes, BlobError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        match &mut self.0 {
            Content::Whole(content) if content.is_empty() => Poll::Ready(None),
            Content::Whole(content) => Poll::Ready(Some(Ok(std::mem::take(content)))),
            Content::Directory(reading) => reading.poll_piece(cx),
            Content::Objects(reading) => reading.poll_piece(cx),
        }
    }
}
