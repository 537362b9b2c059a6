//! Taking a body in: while one batch is received, the one before is written and hashed, each in a job of its own.

use std::fmt;
use std::pin::{Pin, pin};
use std::sync::Arc;

use bytes::{Buf, Bytes};
use futures_util::{Stream, StreamExt};
use model::{Digest, UploadId};

use super::disk::Disk;
use super::{Directory, shard_of};
use crate::jobs::{Started, join};
use crate::{AppendCause, AppendError, BlobError, UploadState};

/// The first batch of a body: one that fits into it needs one job. Each next batch may be twice as large.
const FIRST_BATCH: usize = 64 << 10;
const LARGEST_BATCH: usize = 512 << 10;
/// After so many bytes the disk is told to begin with them, so that the sync at the end has little left to wait for.
const WRITE_OUT: u64 = 32 << 20;

/// A claimed file. The lock is the file's: it lasts until the last job that writes to it has ended, too.
pub(crate) struct Upload<D: Disk> {
    dir: Directory<D>,
    key: UploadId,
    file: Arc<D::File>,
    /// Whether an append runs or was left in the middle.
    appending: bool,
    /// Whether nothing was written since the last sync of the file.
    synced: bool,
}

impl<D: Disk> fmt::Debug for Upload<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Upload").field(&self.key).finish()
    }
}

impl<D: Disk> Upload<D> {
    pub(super) fn new(dir: Directory<D>, key: UploadId, file: D::File) -> Self {
        Self { dir, key, file: Arc::new(file), appending: false, synced: false }
    }

    pub(crate) async fn append<S, E>(&mut self, state: UploadState, body: S, limit: u64) -> Result<UploadState, AppendError<E>>
    where
        S: Stream<Item = Result<Bytes, E>>,
    {
        let given = state.clone();
        match self.take_in(state, pin!(body), limit).await {
            Ok((state, None)) => Ok(state),
            Ok((state, Some(cause))) => Err(AppendError { state: Box::new(state), cause }),
            Err(e) => Err(AppendError { state: Box::new(given), cause: AppendCause::Store(e) }),
        }
    }

    async fn take_in<S, E>(
        &mut self,
        state: UploadState,
        body: Pin<&mut S>,
        limit: u64,
    ) -> Result<(UploadState, Option<AppendCause<E>>), BlobError>
    where
        S: Stream<Item = Result<Bytes, E>>,
    {
        if self.appending {
            return Err(BlobError::Busy);
        }
        self.appending = true;
        let mut source = Source { room: limit.saturating_sub(state.offset()), body, rest: Bytes::new() };
        let mut pipeline = Pipeline::new(self, state);
        self.synced = false;
        let mut size = FIRST_BATCH;
        let stopped = loop {
            let mut batch = pipeline.buffer(size);
            let stopped = source.fill(&mut batch, size).await;
            match stopped {
                None => pipeline.push(batch).await?,
                Some(stopped) => break (pipeline.last(batch).await?, stopped.err()),
            }
            size = (size * 2).min(LARGEST_BATCH);
        };
        self.synced = true;
        self.appending = false;
        Ok(stopped)
    }

    pub(crate) async fn finish(&mut self, state: &UploadState) -> Result<Digest, BlobError> {
        if self.appending {
            return Err(BlobError::Busy);
        }
        let (file, size, synced) = (Arc::clone(&self.file), state.offset(), self.synced);
        let shard = shard_of(self.key);
        self.dir.run(move |dir| dir.make_durable(&file, size, synced, shard)).await?;
        self.synced = true;
        Ok(state.sha256())
    }
}

impl<D: Disk> Directory<D> {
    fn make_durable(&self, file: &D::File, size: u64, synced: bool, shard: u16) -> Result<(), BlobError> {
        match self.disk.measure(file)? {
            (_, false) => return Err(BlobError::Missing),
            (there, _) if there < size => return Err(BlobError::Damaged),
            // Left by a connection that broke after the state was stored.
            (there, _) if there > size => self.disk.truncate(file, size)?,
            _ if synced => return Ok(self.disk.sync_dir(&self.shard(shard))?),
            _ => {}
        }
        self.disk.sync_file(file)?;
        Ok(self.disk.sync_dir(&self.shard(shard))?)
    }

    /// Cuts off what a broken connection left beyond `size`.
    fn cut(&self, file: &D::File, size: u64) -> Result<(), BlobError> {
        match self.disk.measure(file)? {
            (_, false) => Err(BlobError::Missing),
            (there, _) if there < size => Err(BlobError::Damaged),
            (there, _) if there > size => Ok(self.disk.truncate(file, size)?),
            _ => Ok(()),
        }
    }
}

/// A body as batches. Frames are copied into them: a frame of a few bytes may keep a large buffer of its connection
/// alive, so holding frames would bound nothing.
struct Source<'a, S> {
    body: Pin<&'a mut S>,
    rest: Bytes,
    room: u64,
}

impl<S, E> Source<'_, S>
where
    S: Stream<Item = Result<Bytes, E>>,
{
    /// Fills `batch` up to `size` bytes. `Some` if nothing comes after it, with the reason if that is not the end.
    async fn fill(&mut self, batch: &mut Vec<u8>, size: usize) -> Option<Result<(), AppendCause<E>>> {
        loop {
            let taken = self.rest.split_to(self.rest.len().min(size - batch.len()));
            batch.extend_from_slice(&taken);
            if batch.len() == size {
                return None;
            }
            let frame = match self.body.next().await {
                None => return Some(Ok(())),
                Some(Err(e)) => return Some(Err(AppendCause::Body(e))),
                Some(Ok(frame)) => frame,
            };
            let Some(room) = self.room.checked_sub(frame.remaining() as u64) else {
                return Some(Err(AppendCause::TooLarge));
            };
            (self.room, self.rest) = (room, frame);
        }
    }
}

/// The jobs of one append. Two buffers at most: one that is filled, one that is written and hashed.
struct Pipeline<D: Disk> {
    dir: Directory<D>,
    file: Arc<D::File>,
    /// `None` while a hashing job has it.
    state: Option<UploadState>,
    /// Where the next batch goes.
    offset: u64,
    running: Option<(Started<()>, Started<UploadState>)>,
    spare: Option<Arc<Vec<u8>>>,
    /// A sync that goes on beside everything else, and where the next one is due.
    writing_out: Option<Started<()>>,
    write_out_at: u64,
    /// Whether what lies beyond the offset was cut off.
    cut: bool,
}

impl<D: Disk> Pipeline<D> {
    fn new(upload: &Upload<D>, state: UploadState) -> Self {
        let (dir, file, offset) = (upload.dir.clone(), Arc::clone(&upload.file), state.offset());
        let write_out_at = offset + WRITE_OUT;
        Self { dir, file, state: Some(state), offset, running: None, spare: None, writing_out: None, write_out_at, cut: false }
    }

    /// A buffer for the next batch: the one that the jobs are done with, if there is one.
    fn buffer(&mut self, size: usize) -> Vec<u8> {
        let mut buffer = self.spare.take().and_then(Arc::into_inner).unwrap_or_default();
        buffer.clear();
        buffer.reserve(size.min(FIRST_BATCH));
        buffer
    }

    /// Waits for the batch before, then starts to write and hash this one.
    async fn push(&mut self, batch: Vec<u8>) -> Result<(), BlobError> {
        let mut state = self.settle().await?;
        self.write_out().await?;
        let batch = Arc::new(batch);
        let write = self.write_job(&batch);
        self.offset += batch.len() as u64;
        let writing = self.dir.jobs.start(write).await?;
        let hashed = Arc::clone(&batch);
        let hash = move || {
            state.update(&hashed);
            Ok(state)
        };
        let hashing = self.dir.jobs.start(hash).await?;
        self.running = Some((writing, hashing));
        self.spare = Some(batch);
        Ok(())
    }

    /// Starts to sync what was written since the last time, if that is much and the last time is over.
    async fn write_out(&mut self) -> Result<(), BlobError> {
        if self.offset < self.write_out_at || self.writing_out.as_ref().is_some_and(|job| !job.is_finished()) {
            return Ok(());
        }
        if let Some(job) = self.writing_out.take() {
            join(job).await?;
        }
        let (dir, file) = (self.dir.clone(), Arc::clone(&self.file));
        self.writing_out = Some(self.dir.jobs.start(move || Ok(dir.disk.sync_file(&file)?)).await?);
        self.write_out_at = self.offset + WRITE_OUT;
        Ok(())
    }

    fn write_job(&mut self, batch: &Arc<Vec<u8>>) -> impl FnOnce() -> Result<(), BlobError> + Send + 'static {
        let (dir, file, batch, offset) = (self.dir.clone(), Arc::clone(&self.file), Arc::clone(batch), self.offset);
        let cut = std::mem::replace(&mut self.cut, true);
        move || {
            if !cut {
                dir.cut(&file, offset)?;
            }
            Ok(dir.disk.write_at(&file, &batch, offset)?)
        }
    }

    /// Waits for the jobs that run, both of them also when the first fails: nothing may write after this.
    async fn settle(&mut self) -> Result<UploadState, BlobError> {
        let Some((writing, hashing)) = self.running.take() else {
            return self.state.take().ok_or(BlobError::Busy);
        };
        let (written, hashed) = (join(writing).await, join(hashing).await);
        written.and(hashed)
    }

    /// Writes and hashes the last batch, and waits until the whole file is on the storage, in one job.
    async fn last(&mut self, batch: Vec<u8>) -> Result<UploadState, BlobError> {
        let mut state = self.settle().await?;
        if let Some(job) = self.writing_out.take() {
            join(job).await?;
        }
        let batch = Arc::new(batch);
        let (dir, file, write) = (self.dir.clone(), Arc::clone(&self.file), self.write_job(&batch));
        self.dir
            .jobs
            .run(move || {
                write()?;
                state.update(&batch);
                dir.disk.sync_file(&file)?;
                Ok(state)
            })
            .await
    }
}
