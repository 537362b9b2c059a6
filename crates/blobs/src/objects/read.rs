//! Giving content out: one request a reading, its body passed on as it comes.

use std::fmt;
use std::ops::Range;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use futures_util::{Stream, TryStreamExt};
use model::{Algorithm, Digest, UploadId};
use object_store::{GetOptions, GetRange, ObjectStoreExt as _};

use super::Objects;
use super::failure::failure;
use crate::{BlobBody, BlobError, UploadState};

/// Content that is no larger is read whole when it is asked for.
const SMALL: u64 = 64 << 10;
/// How much is hashed in one job.
const HASHED_AT_ONCE: usize = 1 << 20;

impl Objects {
    pub(crate) async fn read(&self, key: UploadId, range: Range<u64>) -> Result<BlobBody, BlobError> {
        if range.is_empty() {
            return Ok(BlobBody::whole(Bytes::new()));
        }
        let options = GetOptions { range: Some(GetRange::Bounded(range.clone())), ..GetOptions::default() };
        let found = self.clients().objects.get_opts(&self.names().blob(key), options).await.map_err(|e| failure(&e))?;
        if found.range != range {
            return Err(BlobError::Damaged);
        }
        let rest = range.end - range.start;
        if rest > SMALL {
            return Ok(BlobBody::objects(Reading { stream: found.into_stream(), rest }));
        }
        let content = found.bytes().await.map_err(|e| failure(&e))?;
        if content.len() as u64 == rest { Ok(BlobBody::whole(content)) } else { Err(BlobError::Damaged) }
    }

    pub(crate) async fn digest_again(&self, key: UploadId, size: u64, algorithm: Algorithm) -> Result<Digest, BlobError> {
        let mut state = match algorithm {
            Algorithm::Sha256 => UploadState::new(),
            Algorithm::Sha512 => UploadState::with_sha512(),
        };
        if size == 0 {
            self.size(key).await?;
        }
        let mut body = self.read(key, 0..size).await?;
        let mut batch = Vec::new();
        let mut held = 0;
        while let Some(piece) = body.try_next().await? {
            held += piece.len();
            batch.push(piece);
            if held >= HASHED_AT_ONCE {
                state = self.hash(state, std::mem::take(&mut batch)).await?;
                held = 0;
            }
        }
        self.hash(state, batch).await?.digest(algorithm).ok_or(BlobError::Damaged)
    }

    async fn hash(&self, mut state: UploadState, batch: Vec<Bytes>) -> Result<UploadState, BlobError> {
        let work = move || {
            for piece in &batch {
                state.update(piece);
            }
            Ok(state)
        };
        self.jobs().run(work).await
    }

    pub(crate) async fn size(&self, key: UploadId) -> Result<u64, BlobError> {
        self.clients().objects.head(&self.names().blob(key)).await.map(|meta| meta.size).map_err(|e| failure(&e))
    }
}

/// A range of an object on its way out.
pub(crate) struct Reading {
    stream: futures_util::stream::BoxStream<'static, object_store::Result<Bytes>>,
    rest: u64,
}

impl fmt::Debug for Reading {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Reading").field(&self.rest).finish()
    }
}

impl Reading {
    pub(crate) fn len(&self) -> u64 {
        self.rest
    }

    pub(crate) fn poll_piece(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, BlobError>>> {
        if self.rest == 0 {
            return Poll::Ready(None);
        }
        let piece = match ready!(Pin::new(&mut self.stream).poll_next(cx)) {
            None => return Poll::Ready(Some(Err(BlobError::Damaged))),
            Some(Err(e)) => return Poll::Ready(Some(Err(failure(&e)))),
            Some(Ok(piece)) => piece,
        };
        match self.rest.checked_sub(piece.len() as u64) {
            None => Poll::Ready(Some(Err(BlobError::Damaged))),
            Some(rest) => {
                self.rest = rest;
                Poll::Ready(Some(Ok(piece)))
            }
        }
    }
}
