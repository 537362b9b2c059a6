//! One step of a run: a page is looked at, and what goes of it goes in one short transaction that asks again.

use blobs::BlobError;
use futures_util::{StreamExt as _, stream};
use meter::Stopwatch;
use model::{Digest, RepositoryId, Seconds, Timestamp, UploadId};
use store::collection::{self, BlobSeen, Due};
use store::collection_run::{self, Phase, Place, Run, Tally};
use store::{StoreError, Tx};

use super::{Collection, Failed, Taken, Walked};
use crate::{Registry, RegistryError};

/// Rows or keys that one step looks at.
pub(super) const SEEN: i64 = 256;
/// Things that one step changes: what a writer waits for is bounded by them.
pub(super) const CHANGED: usize = 64;
/// Pieces of content that are deleted side by side.
const AT_ONCE: usize = 8;
/// How long a walk goes on in memory before it writes down where it stands.
const UNSAVED: Seconds = Seconds(1);
/// How long a deleted key is remembered: longer than any upload may last.
const REMEMBERED: Seconds = Seconds::days(7);
/// Deleted keys that one step forgets.
const FORGOTTEN: i64 = 256;

/// A run as this node walks it: it may be a moment ahead of its row.
#[derive(Clone, Debug)]
pub struct Collecting {
    run: Run,
    saved: Timestamp,
    /// Things that the next step changes at most.
    most: usize,
}

impl Collecting {
    pub(super) const fn new(run: Run, now: Timestamp) -> Self {
        Self { run, saved: now, most: CHANGED }
    }

    /// The next step changes fewer things, so that it meets fewer pushes. False: it is down to one.
    const fn narrow(&mut self) -> bool {
        let narrower = self.most > 1;
        self.most = self.most.div_ceil(4);
        narrower
    }

    /// How far it is.
    pub const fn run(&self) -> &Run {
        &self.run
    }
}

/// What a step has come to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Step {
    /// The run goes on.
    On,
    /// The run has ended.
    Ended,
    /// Another node has gone on with the run since, and nothing was changed.
    Overtaken,
}

/// Why the transaction of a step is undone.
enum Undone {
    Overtaken,
    Failed(StoreError),
}

impl From<StoreError> for Undone {
    fn from(error: StoreError) -> Self {
        Self::Failed(error)
    }
}

/// Something that goes.
#[derive(Clone, Copy, Debug)]
pub(super) enum Gone {
    Link { repository: RepositoryId, digest: Digest },
    Blob(BlobSeen),
    Stray { key: UploadId, size: i64 },
    Deleted(Due),
}

/// What a page has shown.
pub(super) struct Page {
    pub(super) gone: Vec<Gone>,
    /// The last thing that is done with then; none: the phase is over.
    pub(super) last: Option<Place>,
}

/// When things are as old as they must be, and how many of them a step changes.
#[derive(Clone, Copy)]
pub(super) struct Bounds {
    before: Timestamp,
    condemned_until: Timestamp,
    most: usize,
}

impl Bounds {
    pub(super) const fn at(now: Timestamp, collection: Collection, most: usize) -> Self {
        Self { before: collection.before(now), condemned_until: collection.condemned_until(now), most }
    }
}

impl Registry {
    /// Goes one step on. One that has met pushes at every try changed nothing, and the next one tries fewer things.
    pub async fn collect_step(&self, collecting: &mut Collecting, now: Timestamp) -> Result<Step, RegistryError> {
        let (watch, phase) = (Stopwatch::start(), collecting.run.place.phase);
        let done = self.step(collecting, now).await;
        self.collection_meters.steps.took((Walked::of(phase),), watch.elapsed());
        if done.is_err() {
            self.collection_meters.failed.count((Failed::Step,));
        }
        done
    }

    async fn step(&self, collecting: &mut Collecting, now: Timestamp) -> Result<Step, RegistryError> {
        let (run, bounds) = (&collecting.run, Bounds::at(now, self.collection, collecting.most));
        let page = self.page(&run.place, bounds, false).await?;
        let gone = match run.place.phase {
            Phase::Deletion => self.delete_content(page.gone).await?,
            _ => page.gone,
        };
        let mut next = run.clone();
        match page.last {
            Some(last) => next.place = last,
            None => end_phase(&mut next, now),
        }
        if gone.is_empty() && next.place.phase == run.place.phase && next.ended.is_none() && now < collecting.saved.plus(UNSAVED) {
            collecting.run = next;
            return Ok(Step::On);
        }
        let (written, went) = match self.store.write(|tx| Box::pin(write(tx, &next, &gone, (bounds, now)))).await {
            Ok(written) => written,
            Err(Undone::Overtaken) => return Ok(Step::Overtaken),
            // It has met pushes at every try, or took too long.
            Err(Undone::Failed(StoreError::Conflict { .. } | StoreError::Unavailable(_))) if collecting.narrow() => {
                self.collection_meters.failed.count((Failed::Step,));
                return Ok(Step::On);
            }
            Err(Undone::Failed(error)) => return Err(error.into()),
        };
        for one in &went {
            self.collection_meters.gone(one);
        }
        // What was too many a moment ago is tried again little by little.
        *collecting = Collecting { most: (collecting.most + 1).min(CHANGED), ..Collecting::new(written, now) };
        Ok(if collecting.run.ended.is_some() { Step::Ended } else { Step::On })
    }

    /// A page of a phase. `dry`: as if everything idle had gone before.
    pub(super) async fn page(&self, place: &Place, bounds: Bounds, dry: bool) -> Result<Page, RegistryError> {
        Ok(match place.phase {
            Phase::Links => self.idle_links(place, bounds).await?,
            Phase::Blobs => self.unlinked_blobs(place, bounds, dry).await?,
            Phase::Strays => return self.strays(place, bounds).await,
            Phase::Deletion => self.due(place, bounds).await?,
        })
    }

    async fn idle_links(&self, place: &Place, bounds: Bounds) -> Result<Page, StoreError> {
        let after = (place.id, &*place.rest);
        let seen = self.store.scan(|tx| Box::pin(collection::links(tx, after, bounds.before, SEEN))).await?;
        Ok(cut(&seen, (SEEN, bounds.most), Phase::Links, |link| {
            let gone = link.idle.then_some(Gone::Link { repository: link.repository, digest: link.digest });
            (gone, link.repository.as_i64(), link.digest.as_bytes().to_vec())
        }))
    }

    async fn unlinked_blobs(&self, place: &Place, bounds: Bounds, dry: bool) -> Result<Page, StoreError> {
        let after = (place.id, &*place.rest);
        let seen = if dry {
            self.store.scan(|tx| Box::pin(collection::blobs_without_idle(tx, after, bounds.before, SEEN))).await?
        } else {
            self.store.scan(|tx| Box::pin(collection::blobs(tx, after, SEEN))).await?
        };
        Ok(cut(&seen, (SEEN, bounds.most), Phase::Blobs, |blob| {
            let gone = (!blob.needed).then_some(Gone::Blob(*blob));
            (gone, blob.account.as_i64(), blob.digest.as_bytes().to_vec())
        }))
    }

    async fn strays(&self, place: &Place, bounds: Bounds) -> Result<Page, RegistryError> {
        let after = (!place.is_start()).then(|| UploadId::from_i64(place.id));
        let listed = self.blobs.list(after, usize::try_from(SEEN).unwrap_or(1)).await?;
        let old: Vec<UploadId> = listed.iter().filter(|one| one.modified < bounds.before).map(|one| one.key).collect();
        let unnamed = self.store.scan(|tx| Box::pin(collection::unnamed(tx, &old))).await?;
        Ok(cut(&listed, (SEEN, bounds.most), Phase::Strays, |one| {
            let size = i64::try_from(one.size).unwrap_or(i64::MAX);
            let gone = unnamed.contains(&one.key).then_some(Gone::Stray { key: one.key, size });
            (gone, one.key.as_i64(), Vec::new())
        }))
    }

    async fn due(&self, place: &Place, bounds: Bounds) -> Result<Page, StoreError> {
        let after = (place.id, <[u8; 8]>::try_from(&*place.rest).map_or(i64::MIN, i64::from_be_bytes));
        let limit = i64::try_from(CHANGED).unwrap_or(1);
        if self.store.read(|tx| Box::pin(store::hold::stands(tx))).await? {
            // A backup may still copy it: the next run deletes it.
            return Ok(Page { gone: Vec::new(), last: None });
        }
        let due = self.store.scan(|tx| Box::pin(collection::due(tx, after, bounds.condemned_until, limit))).await?;
        Ok(cut(&due, (limit, bounds.most), Phase::Deletion, |one| {
            (Some(Gone::Deleted(*one)), one.since.millis(), one.key.as_i64().to_be_bytes().to_vec())
        }))
    }

    /// Deletes content, and tells which of it is gone. What does not go is tried again by the next run; if nothing goes, and the
    /// storage does not answer, by the next step.
    async fn delete_content(&self, due: Vec<Gone>) -> Result<Vec<Gone>, RegistryError> {
        let asked = due.len();
        let keys = due.into_iter().filter_map(|gone| if let Gone::Deleted(one) = gone { Some(one) } else { None });
        let deletions = keys.map(|one| async move { (one, self.blobs.delete(one.key).await) });
        let answers: Vec<(Due, Result<(), BlobError>)> = stream::iter(deletions).buffer_unordered(AT_ONCE).collect().await;
        let (mut gone, mut stays) = (Vec::with_capacity(asked), None);
        for (one, answer) in answers {
            match answer {
                Ok(()) => gone.push(Gone::Deleted(one)),
                Err(error) => {
                    self.collection_meters.failed.count((Failed::Content,));
                    stays = Some((one.key, error));
                }
            }
        }
        match stays {
            Some((_, error)) if gone.is_empty() && self.blobs.ping().await.is_err() => return Err(error.into()),
            Some((key, error)) => tracing::warn!(%key, %error, stay = asked - gone.len(), "content that nothing names stays for now"),
            None => {}
        }
        Ok(gone)
    }
}

fn end_phase(run: &mut Run, now: Timestamp) {
    match run.place.phase.next() {
        Some(phase) => run.place = Place::start_of(phase),
        None => run.ended = Some(now),
    }
}

/// As much of a page of at most `limit` as one step changes: `most` things. `read` says of each thing what goes, and where the walk stands after
/// it. A page with room left is the phase's last.
fn cut<T>(seen: &[T], (limit, most): (i64, usize), phase: Phase, read: impl Fn(&T) -> (Option<Gone>, i64, Vec<u8>)) -> Page {
    let mut page = Page { gone: Vec::new(), last: None };
    for (done, one) in seen.iter().enumerate() {
        let (gone, id, rest) = read(one);
        page.gone.extend(gone);
        if page.gone.len() == most && done + 1 < seen.len() {
            page.last = Some(Place { phase, id, rest });
            return page;
        }
        page.last = Some(Place { phase, id, rest });
    }
    page.last = page.last.filter(|_| usize::try_from(limit).is_ok_and(|limit| seen.len() >= limit));
    page
}

/// What goes and where the run stands then, together. Answers what has gone of it.
async fn write(tx: &mut Tx<'_>, run: &Run, gone: &[Gone], (bounds, now): (Bounds, Timestamp)) -> Result<(Run, Vec<Gone>), Undone> {
    let (mut run, mut went) = (run.clone(), Vec::with_capacity(gone.len()));
    for together in gone.chunk_by(Gone::goes_with) {
        went.extend(go(tx, together, bounds, now).await?);
    }
    for one in &went {
        one.count(&mut run.tally);
        if let Gone::Deleted(due) = one {
            run.total = (run.total.0 + 1, run.total.1.saturating_add(due.size));
        }
    }
    if run.place.phase == Phase::Deletion {
        // More than the step deletes: so that what is remembered shrinks too.
        collection::forget_deleted(tx, now.plus(Seconds(-REMEMBERED.0)), FORGOTTEN).await?;
    }
    if !collection_run::save(tx, &run).await? {
        return Err(Undone::Overtaken);
    }
    run.step += 1;
    Ok((run, went))
}

/// Those of them go for which that is still right, and are told; the others are needed again, or gone. All [go with](Gone::goes_with) each other.
async fn go(tx: &mut Tx<'_>, together: &[Gone], bounds: Bounds, now: Timestamp) -> Result<Vec<Gone>, StoreError> {
    let digests: Vec<Digest> = together.iter().filter_map(Gone::digest).collect();
    let content: Vec<(UploadId, i64)> = together.iter().filter_map(Gone::content).collect();
    let keys: Vec<UploadId> = content.iter().map(|(key, _)| *key).collect();
    let (digests, keys) = match together.first() {
        None => return Ok(Vec::new()),
        Some(Gone::Link { repository, .. }) => (collection::remove_links(tx, *repository, &digests, bounds.before).await?, Vec::new()),
        Some(Gone::Blob(blob)) => (collection::remove_blobs(tx, blob.account, &digests, now).await?, Vec::new()),
        Some(Gone::Stray { .. }) => (Vec::new(), collection::condemn(tx, &content, now).await?),
        Some(Gone::Deleted(_)) => (Vec::new(), collection::deleted(tx, &keys, now).await?),
    };
    let went = |one: &&Gone| {
        one.digest().is_some_and(|digest| digests.contains(&digest)) || one.content().is_some_and(|(key, _)| keys.contains(&key))
    };
    Ok(together.iter().filter(went).copied().collect())
}

impl Gone {
    /// May both go by the same statements?
    fn goes_with(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Link { repository: one, .. }, Self::Link { repository: other, .. }) => one == other,
            (Self::Blob(one), Self::Blob(other)) => one.account == other.account,
            (Self::Stray { .. }, Self::Stray { .. }) | (Self::Deleted(_), Self::Deleted(_)) => true,
            _ => false,
        }
    }

    /// Which link or blob it is.
    const fn digest(&self) -> Option<Digest> {
        match self {
            Self::Link { digest, .. } | Self::Blob(BlobSeen { digest, .. }) => Some(*digest),
            Self::Stray { .. } | Self::Deleted(_) => None,
        }
    }

    /// Which content it is that nothing names, and its bytes.
    const fn content(&self) -> Option<(UploadId, i64)> {
        match self {
            Self::Stray { key, size } | Self::Deleted(Due { key, size, .. }) => Some((*key, *size)),
            Self::Link { .. } | Self::Blob(_) => None,
        }
    }

    pub(super) const fn label(&self) -> Taken {
        match self {
            Self::Link { .. } => Taken::Link,
            Self::Blob(_) => Taken::Blob,
            Self::Stray { .. } => Taken::Stray,
            Self::Deleted(_) => Taken::Content,
        }
    }

    pub(super) const fn count(&self, tally: &mut Tally) {
        match self {
            Self::Link { .. } => tally.links += 1,
            Self::Blob(blob) => {
                tally.blobs += 1;
                tally.blob_bytes = tally.blob_bytes.saturating_add(blob.size);
            }
            Self::Stray { size, .. } => {
                tally.strays += 1;
                tally.stray_bytes = tally.stray_bytes.saturating_add(*size);
            }
            Self::Deleted(due) => {
                tally.deleted += 1;
                tally.deleted_bytes = tally.deleted_bytes.saturating_add(due.size);
            }
        }
    }
}
