//! Giving content out: from the page cache at once, without leaving the worker; through a job when that misses.

use std::fmt;
use std::ops::Range;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::{Bytes, BytesMut};
use model::{Algorithm, Digest, UploadId};

use super::Directory;
use super::disk::{Disk, Files};
use crate::{BlobBody, BlobError, UploadState};

/// Content that is no larger is read whole when it is asked for.
const SMALL: u64 = 64 << 10;
/// How much of larger content is read at a time.
const PIECE: usize = 256 << 10;
/// How many pieces a reading keeps, to use them again when the connection has sent them.
const KEPT: usize = 4;
/// How much one job hashes before it lets others have their turn.
const HASHED_AT_ONCE: u64 = 8 << 20;

impl Directory<Files> {
    pub(crate) async fn read(&self, key: UploadId, range: Range<u64>) -> Result<BlobBody, BlobError> {
        if range.end - range.start <= SMALL {
            return self.read_whole(key, range).await.map(BlobBody::whole);
        }
        let file = self.open_for_reading(key).await?;
        Ok(BlobBody::directory(Reading::new(self.clone(), file, range)))
    }
}

impl<D: Disk> Directory<D> {
    async fn open_for_reading(&self, key: UploadId) -> Result<Arc<D::File>, BlobError> {
        match self.disk.open_now(&self.path(key)) {
            Ok(file) => Ok(Arc::new(file)),
            Err(_) => self.run(move |dir| Ok(Arc::new(dir.disk.open_to_read(&dir.path(key))?))).await,
        }
    }

    pub(super) async fn read_whole(&self, key: UploadId, range: Range<u64>) -> Result<Bytes, BlobError> {
        let file = self.open_for_reading(key).await?;
        let mut content = vec![0; usize::try_from(range.end - range.start).unwrap_or_default()];
        let there = self.disk.read_now(&file, &mut content, range.start).unwrap_or_default();
        if there == content.len() {
            return Ok(content.into());
        }
        self.run(move |dir| {
            dir.read_exact_at(&file, &mut content, range.start)?;
            Ok(content.into())
        })
        .await
    }

    fn read_exact_at(&self, file: &D::File, into: &mut [u8], offset: u64) -> Result<(), BlobError> {
        let mut done = 0;
        while let Some(rest) = into.get_mut(done..).filter(|rest| !rest.is_empty()) {
            match self.disk.read_at(file, rest, offset + done as u64)? {
                0 => return Err(BlobError::Damaged),
                n => done += n,
            }
        }
        Ok(())
    }

    pub(crate) async fn digest_again(&self, key: UploadId, size: u64, algorithm: Algorithm) -> Result<Digest, BlobError> {
        let file = self.open_for_reading(key).await?;
        let mut state = match algorithm {
            Algorithm::Sha256 => UploadState::new(),
            Algorithm::Sha512 => UploadState::with_sha512(),
        };
        while state.offset() < size {
            let (file, until) = (Arc::clone(&file), size.min(state.offset() + HASHED_AT_ONCE));
            state = self.run(move |dir| dir.hash_until(&file, state, until)).await?;
        }
        state.digest(algorithm).ok_or(BlobError::Damaged)
    }

    fn hash_until(&self, file: &D::File, mut state: UploadState, until: u64) -> Result<UploadState, BlobError> {
        let mut buffer = vec![0; PIECE];
        while state.offset() < until {
            let want = usize::try_from(until - state.offset()).unwrap_or(PIECE).min(PIECE);
            let piece = buffer.get_mut(..want).unwrap_or_default();
            self.read_exact_at(file, piece, state.offset())?;
            state.update(piece);
        }
        Ok(state)
    }
}

type Missed = Pin<Box<dyn Future<Output = Result<Bytes, BlobError>> + Send>>;

/// A range of a file on its way out.
pub(crate) struct Reading<D: Disk> {
    dir: Directory<D>,
    file: Arc<D::File>,
    range: Range<u64>,
    /// Pieces given out, oldest first.
    given: Vec<Bytes>,
    /// A job that reads what was not in the page cache.
    missed: Option<Missed>,
}

impl<D: Disk> fmt::Debug for Reading<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Reading").field(&self.range).finish()
    }
}

impl<D: Disk> Reading<D> {
    pub(super) fn new(dir: Directory<D>, file: Arc<D::File>, range: Range<u64>) -> Self {
        Self { dir, file, range, given: Vec::new(), missed: None }
    }

    pub(crate) fn len(&self) -> u64 {
        self.range.end - self.range.start
    }

    pub(crate) fn poll_piece(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, BlobError>>> {
        if self.missed.is_none() {
            let want = usize::try_from(self.len()).unwrap_or(PIECE).min(PIECE);
            if want == 0 {
                return Poll::Ready(None);
            }
            let mut buffer = self.buffer();
            buffer.resize(PIECE, 0);
            let room = buffer.get_mut(..want).unwrap_or_default();
            match self.dir.disk.read_now(&self.file, room, self.range.start) {
                Ok(n) if n > 0 => return Poll::Ready(Some(Ok(self.give(buffer, n)))),
                _ => self.missed = Some(self.read_in_job(buffer, want)),
            }
        }
        let Some(missed) = &mut self.missed else { return Poll::Ready(None) };
        let read = ready!(missed.as_mut().poll(cx));
        self.missed = None;
        Poll::Ready(Some(read.inspect(|piece| self.range.start += piece.len() as u64)))
    }

    fn give(&mut self, buffer: BytesMut, n: usize) -> Bytes {
        let whole = buffer.freeze();
        let piece = whole.slice(..n);
        self.given.push(whole);
        self.range.start += n as u64;
        piece
    }

    /// The oldest piece, if it has been sent; else a new one. A piece is never given up before it is sent.
    fn buffer(&mut self) -> BytesMut {
        if self.given.first().is_some_and(Bytes::is_unique) {
            return self.given.remove(0).try_into_mut().unwrap_or_default();
        }
        if self.given.len() >= KEPT {
            self.given.remove(0);
        }
        BytesMut::new()
    }

    fn read_in_job(&self, mut buffer: BytesMut, want: usize) -> Missed {
        let (dir, file, start) = (self.dir.clone(), Arc::clone(&self.file), self.range.start);
        Box::pin(async move {
            buffer.truncate(want);
            dir.run(move |dir| {
                dir.read_exact_at(&file, &mut buffer, start)?;
                Ok(buffer.freeze())
            })
            .await
        })
    }
}
