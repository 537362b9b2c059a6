//! Taking a body in: parts go out while the next one is received, and digests run beside both.

use std::collections::BTreeMap;
use std::fmt;
use std::pin::{Pin, pin};
use std::time::Duration;

use bytes::Bytes;
use futures_util::{Stream, StreamExt};
use model::{Algorithm, Digest, UploadId};
use object_store::multipart::PartId;
use object_store::{ObjectStoreExt as _, PutMode, PutPayload};
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::failure::{busy, failure, is_conflict};
use super::name::TailName;
use super::part::Part;
use super::progress::{INLINE, MAX_PARTS, Progress, Tail, part_size};
use super::{Claim, Objects};
use crate::jobs::{Started, join};
use crate::{AppendCause, AppendError, BlobError, UploadState};

/// How many parts of one upload are on their way at once, besides the one that is being received.
const IN_FLIGHT: usize = 4;
/// How long is waited before a write that met another change at its place is tried again.
const CONFLICTS: [Duration; 3] = [Duration::from_millis(30), Duration::from_millis(150), Duration::from_millis(600)];

/// A claimed key.
pub(crate) struct Upload {
    objects: Objects,
    claim: Claim,
    /// Whether an append runs or was left in the middle.
    appending: bool,
    /// The tail of the state with this name: it need not be read back.
    held: Option<(TailName, Part)>,
    /// The state that `finish` has done with.
    finished: Option<TailName>,
}

impl fmt::Debug for Upload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Upload").field(&self.claim.key()).finish()
    }
}

impl Upload {
    pub(super) fn new(objects: Objects, claim: Claim) -> Self {
        Self { objects, claim, appending: false, held: None, finished: None }
    }

    /// With `last`, the tail stays in memory.
    pub(crate) async fn append<S, E>(&mut self, state: UploadState, body: S, limit: u64, last: bool) -> Result<UploadState, AppendError<E>>
    where
        S: Stream<Item = Result<Bytes, E>>,
    {
        let given = state.clone();
        match self.take_in(state, pin!(body), limit, last).await {
            Ok((state, None)) => Ok(state),
            Ok((state, Some(cause))) => Err(AppendError { state: Box::new(state), cause }),
            Err(e) => Err(AppendError { state: Box::new(given), cause: AppendCause::Store(e) }),
        }
    }

    async fn take_in<S, E>(
        &mut self,
        state: UploadState,
        mut body: Pin<&mut S>,
        limit: u64,
        last: bool,
    ) -> Result<(UploadState, Option<AppendCause<E>>), BlobError>
    where
        S: Stream<Item = Result<Bytes, E>>,
    {
        if self.appending {
            return Err(BlobError::Busy);
        }
        self.appending = true;
        let mut room = limit.saturating_sub(state.offset());
        let mut run = self.begin(state).await?;
        let stopped = loop {
            let frame = match body.next().await {
                None => break None,
                Some(Err(e)) => break Some(AppendCause::Body(e)),
                Some(Ok(frame)) => frame,
            };
            match room.checked_sub(frame.len() as u64) {
                None => break Some(AppendCause::TooLarge),
                Some(rest) => room = rest,
            }
            run.take(frame).await?;
        };
        let state = self.end(run, last).await?;
        self.appending = false;
        Ok((state, stopped))
    }

    async fn begin(&mut self, mut state: UploadState) -> Result<Run, BlobError> {
        let before = TailName::of(&state);
        let progress = state.take_progress();
        let part = self.tail(&before, &progress).await?;
        let (objects, key, next) = (self.objects.clone(), self.claim.key(), progress.parts.len());
        Ok(Run {
            objects,
            key,
            before,
            progress,
            part,
            next,
            state: Some(state),
            hashing: None,
            sending: JoinSet::new(),
            sent: BTreeMap::new(),
        })
    }

    /// What came after the last full part of a state, from memory, from the state, or read back.
    async fn tail(&mut self, name: &TailName, progress: &Progress) -> Result<Part, BlobError> {
        let size = part_size(progress.parts.len());
        let len = name.offset.checked_sub(progress.tail_start()).filter(|len| *len < size).ok_or(BlobError::Damaged)?;
        if let Some((_, part)) = self.held.take_if(|(held, _)| held == name) {
            return Ok(part);
        }
        let content = match &progress.tail {
            Tail::None => Bytes::new(),
            Tail::Inline(content) => content.clone(),
            Tail::Staged => self.objects.get(&self.objects.names().tail(self.claim.key(), name)).await?,
            Tail::Held => return Err(BlobError::Missing),
        };
        if content.len() as u64 != len {
            return Err(BlobError::Damaged);
        }
        if content.is_empty() { Ok(Part::default()) } else { Part::seen(&self.objects, size, content).await }
    }

    /// Waits for everything that is on its way, and puts the tail where it is durable, or keeps it for what comes next.
    async fn end(&mut self, run: Run, last: bool) -> Result<UploadState, BlobError> {
        let (before, key) = (run.before, run.key);
        let (mut state, mut progress, mut part) = run.settle().await?;
        let name = TailName::of(&state);
        if name == before && progress.tail != Tail::Held {
            // Nothing came: the same state again, to the byte.
            self.held = Some((name, part));
            state.set_progress(progress);
            return Ok(state);
        }
        let (was, older) = (std::mem::take(&mut progress.tail), std::mem::take(&mut progress.stale));
        // Whoever gives a state with a durable tail has stored it: nobody goes back behind it.
        let stored = was != Tail::Held;
        progress.tail = match part.len() {
            0 => Tail::None,
            _ if last => Tail::Held,
            _ => self.stage(key, &name, &mut part).await?,
        };
        if stored {
            self.objects.forget(older.iter().map(|tail| self.objects.names().tail(key, tail)).collect());
            progress.stale = if was == Tail::Staged { vec![before] } else { Vec::new() };
        } else {
            progress.stale = older;
        }
        self.held = Some((name, part));
        state.set_progress(progress);
        Ok(state)
    }

    async fn stage(&self, key: UploadId, name: &TailName, part: &mut Part) -> Result<Tail, BlobError> {
        if part.len() <= INLINE as u64 {
            return Ok(Tail::Inline(part.whole()));
        }
        self.objects.put(&self.objects.names().tail(key, name), part.payload(), PutMode::Overwrite).await?;
        Ok(Tail::Staged)
    }

    pub(crate) async fn finish(&mut self, state: &UploadState) -> Result<Digest, BlobError> {
        let name = TailName::of(state);
        if self.appending {
            return Err(BlobError::Busy);
        }
        if self.finished != Some(name) {
            let mut progress = state.progress().cloned().unwrap_or_default();
            let part = self.tail(&name, &progress).await?;
            match self.make_whole(&mut progress, part).await {
                Ok(()) => {}
                // By an earlier try, whose answer was lost, or by another node: it has to be this very content.
                Err(BlobError::Exists | BlobError::Missing) => self.expect(state).await?,
                Err(error) => return Err(error),
            }
            self.finished = Some(name);
            self.objects.forget(self.objects.names_of(self.claim.key(), state.offset(), &name, &progress));
        }
        Ok(state.sha256())
    }

    /// Puts the content under its key: nothing that is there already is replaced.
    async fn make_whole(&self, progress: &mut Progress, mut part: Part) -> Result<(), BlobError> {
        let (objects, key) = (&self.objects, self.claim.key());
        let path = objects.names().blob(key);
        let Some(id) = &progress.multipart else {
            return objects.put(&path, part.payload(), PutMode::Create).await;
        };
        if part.len() > 0 {
            let index = progress.parts.len();
            let sent = objects.clients().parts.put_part(&path, id, index, part.payload()).await.map_err(|e| failure(&e))?;
            progress.parts.push(sent.content_id);
        }
        let parts = progress.parts.iter().map(|part| PartId { content_id: part.clone() }).collect();
        objects.clients().parts.complete_multipart(&path, id, parts).await.map(drop).map_err(|e| failure(&e))
    }

    /// The content that lies there is what `state` describes; else there is none for this upload.
    async fn expect(&self, state: &UploadState) -> Result<(), BlobError> {
        let key = self.claim.key();
        if self.objects.size(key).await? != state.offset() {
            return Err(BlobError::Missing);
        }
        let found = self.objects.digest_again(key, state.offset(), Algorithm::Sha256).await?;
        if found == state.sha256() { Ok(()) } else { Err(BlobError::Missing) }
    }
}

/// One append under way.
struct Run {
    objects: Objects,
    key: UploadId,
    /// The name of the state that it began with.
    before: TailName,
    progress: Progress,
    part: Part,
    /// The number of that part.
    next: usize,
    /// `None` while a job has it.
    state: Option<UploadState>,
    hashing: Option<Started<UploadState>>,
    sending: JoinSet<Result<(usize, String), BlobError>>,
    sent: BTreeMap<usize, String>,
}

impl Run {
    async fn take(&mut self, mut frame: Bytes) -> Result<(), BlobError> {
        while !frame.is_empty() {
            let size = part_size(self.next);
            self.part.fill(&self.objects, size, &mut frame).await?;
            if self.part.len() == size {
                self.send().await?;
            }
        }
        Ok(())
    }

    /// Sends the part that is full, and begins the next one.
    async fn send(&mut self) -> Result<(), BlobError> {
        if self.next + 1 >= MAX_PARTS {
            return Err(busy("an upload of too many parts"));
        }
        let mut part = std::mem::take(&mut self.part);
        self.hash(&mut part).await?;
        let id = self.multipart().await?;
        while self.sending.len() >= IN_FLIGHT {
            self.one_is_sent().await?;
        }
        let (objects, path, index) = (self.objects.clone(), self.objects.names().blob(self.key), self.next);
        self.sending.spawn(async move {
            let payload: PutPayload = part.payload();
            let sent = objects.clients().parts.put_part(&path, &id, index, payload).await.map_err(|e| failure(&e))?;
            // Its memory is free now.
            drop(part);
            Ok((index, sent.content_id))
        });
        self.next += 1;
        Ok(())
    }

    /// The multipart upload, begun before its first part. A note of it is written first: who finds the note can end it.
    async fn multipart(&mut self) -> Result<String, BlobError> {
        if let Some(id) = &self.progress.multipart {
            return Ok(id.clone());
        }
        let path = self.objects.names().blob(self.key);
        let id = self.objects.clients().parts.create_multipart(&path).await.map_err(|e| failure(&e))?;
        let note = PutPayload::from(id.clone().into_bytes());
        self.objects.put(&self.objects.names().multipart(self.key, &id), note, PutMode::Overwrite).await?;
        self.progress.multipart = Some(id.clone());
        Ok(id)
    }

    /// Lets the digests run over what is new in a part.
    async fn hash(&mut self, part: &mut Part) -> Result<(), BlobError> {
        let mut state = self.hashed().await?;
        let unseen = part.unseen();
        let work = move || {
            for block in &unseen {
                state.update(block);
            }
            Ok(state)
        };
        self.hashing = Some(self.objects.jobs().start(work).await?);
        Ok(())
    }

    async fn hashed(&mut self) -> Result<UploadState, BlobError> {
        match self.hashing.take() {
            Some(job) => join(job).await,
            None => self.state.take().ok_or(BlobError::Busy),
        }
    }

    async fn one_is_sent(&mut self) -> Result<(), BlobError> {
        if let Some(sent) = self.sending.join_next().await {
            let (index, tag) = sent.map_err(|_| busy("a task ended"))??;
            self.sent.insert(index, tag);
        }
        Ok(())
    }

    /// Waits for the digests and the parts that are on their way.
    async fn settle(mut self) -> Result<(UploadState, Progress, Part), BlobError> {
        let mut part = std::mem::take(&mut self.part);
        self.hash(&mut part).await?;
        while !self.sending.is_empty() {
            self.one_is_sent().await?;
        }
        let state = self.hashed().await?;
        self.progress.parts.extend(std::mem::take(&mut self.sent).into_values());
        Ok((state, self.progress, part))
    }
}

impl Objects {
    /// Writes a small object.
    pub(super) async fn put(&self, path: &object_store::path::Path, content: PutPayload, mode: PutMode) -> Result<(), BlobError> {
        for pause in CONFLICTS {
            match self.clients().objects.put_opts(path, content.clone(), mode.clone().into()).await {
                Ok(_) => return Ok(()),
                Err(error) if is_conflict(&error) => sleep(pause).await,
                Err(error) => return Err(failure(&error)),
            }
        }
        let put = self.clients().objects.put_opts(path, content, mode.into()).await;
        put.map(drop).map_err(|e| failure(&e))
    }

    /// Reads a small object.
    pub(super) async fn get(&self, path: &object_store::path::Path) -> Result<Bytes, BlobError> {
        let found = self.clients().objects.get(path).await.map_err(|e| failure(&e))?;
        found.bytes().await.map_err(|e| failure(&e))
    }
}
