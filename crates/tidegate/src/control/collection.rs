//! The collection as the control socket tells of it: the shapes, and the desk's use cases.

use model::{Op, Timestamp};
use registry::{CollectionStatus, CollectionTally, Doer, Phase, Place, Run, Waiting};
use serde::{Deserialize, Serialize};

use super::{ControlError, Desk};

/// What has gone, or would go.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default, Debug)]
pub(crate) struct TallyRow {
    /// Of repositories to blobs.
    pub(crate) links_removed: i64,
    pub(crate) blobs_condemned: i64,
    pub(crate) blob_bytes_condemned: i64,
    /// Content without a row.
    pub(crate) strays_condemned: i64,
    pub(crate) stray_bytes_condemned: i64,
    /// Content that lies there no more.
    pub(crate) objects_deleted: i64,
    pub(crate) bytes_freed: i64,
}

/// A run.
#[derive(Clone, Serialize, Deserialize, Debug)]
pub(crate) struct RunRow {
    pub(crate) run: i64,
    /// Did somebody ask for it?
    pub(crate) asked: bool,
    pub(crate) started_at: Timestamp,
    pub(crate) ended_at: Option<Timestamp>,
    /// What it does at the moment; none: it has ended.
    pub(crate) phase: Option<String>,
    /// How often its row has been written: from there another node goes on.
    pub(crate) steps: i64,
    /// Who walks it; none: it has ended, or waits for somebody.
    pub(crate) node_id: Option<String>,
    pub(crate) host: Option<String>,
    #[serde(flatten)]
    pub(crate) tally: TallyRow,
}

/// A run that was asked for.
#[derive(Clone, Serialize, Deserialize, Debug)]
pub(crate) struct BegunRow {
    /// Was it under way already?
    pub(crate) joined: bool,
    #[serde(flatten)]
    pub(crate) run: RunRow,
}

/// What the collection has done, and has before it.
#[derive(Clone, Serialize, Deserialize, Debug)]
pub(crate) struct CollectionRow {
    /// Does the server that answers begin runs by itself?
    pub(crate) enabled: bool,
    pub(crate) every_seconds: i64,
    pub(crate) grace_seconds: i64,
    pub(crate) delete_after_seconds: i64,
    /// When the next run begins by itself, while none is under way.
    pub(crate) next_at: Option<Timestamp>,
    pub(crate) running: Option<RunRow>,
    pub(crate) last: Option<RunRow>,
    /// Condemned, and not deleted yet.
    pub(crate) objects_waiting: i64,
    pub(crate) bytes_waiting: i64,
    pub(crate) waiting_since: Option<Timestamp>,
    /// By all runs together.
    pub(crate) objects_deleted: i64,
    pub(crate) bytes_freed: i64,
}

/// How far a preview is.
#[derive(Clone, Serialize, Deserialize, Debug)]
#[serde(deny_unknown_fields)]
pub(crate) struct PlaceRow {
    phase: String,
    id: i64,
    rest: Vec<u8>,
}

/// Where a preview goes on; none: it begins.
#[derive(Clone, Serialize, Deserialize, Default, Debug)]
#[serde(deny_unknown_fields)]
pub(crate) struct PreviewAsk {
    pub(super) place: Option<PlaceRow>,
}

/// A part of a preview.
#[derive(Clone, Serialize, Deserialize, Debug)]
pub(crate) struct PreviewRow {
    #[serde(flatten)]
    pub(super) tally: TallyRow,
    /// None: that was all.
    pub(super) next: Option<PlaceRow>,
}

impl TallyRow {
    pub(super) const fn and(self, more: Self) -> Self {
        Self {
            links_removed: self.links_removed + more.links_removed,
            blobs_condemned: self.blobs_condemned + more.blobs_condemned,
            blob_bytes_condemned: self.blob_bytes_condemned + more.blob_bytes_condemned,
            strays_condemned: self.strays_condemned + more.strays_condemned,
            stray_bytes_condemned: self.stray_bytes_condemned + more.stray_bytes_condemned,
            objects_deleted: self.objects_deleted + more.objects_deleted,
            bytes_freed: self.bytes_freed + more.bytes_freed,
        }
    }
}

impl From<CollectionTally> for TallyRow {
    fn from(tally: CollectionTally) -> Self {
        Self {
            links_removed: tally.links,
            blobs_condemned: tally.blobs,
            blob_bytes_condemned: tally.blob_bytes,
            strays_condemned: tally.strays,
            stray_bytes_condemned: tally.stray_bytes,
            objects_deleted: tally.deleted,
            bytes_freed: tally.deleted_bytes,
        }
    }
}

impl From<Place> for PlaceRow {
    fn from(place: Place) -> Self {
        Self { phase: place.phase.as_str().to_owned(), id: place.id, rest: place.rest }
    }
}

impl PlaceRow {
    fn read(self) -> Result<Place, ControlError> {
        let phase = Phase::parse(&self.phase).ok_or_else(|| refused("invalid_request", "there is no such place"))?;
        Ok(Place { phase, id: self.id, rest: self.rest })
    }
}

fn refused(code: &str, message: &str) -> ControlError {
    ControlError::Refused { code: code.to_owned(), message: message.to_owned() }
}

fn row(run: &Run, by: Option<Doer>) -> RunRow {
    let by = by.filter(|_| run.ended.is_none());
    RunRow {
        run: run.number,
        asked: run.asked,
        started_at: run.started,
        ended_at: run.ended,
        phase: run.ended.is_none().then(|| run.place.phase.as_str().to_owned()),
        steps: run.step,
        host: by.as_ref().and_then(|doer| doer.host.clone()),
        node_id: by.map(|doer| doer.node),
        tally: run.tally.into(),
    }
}

impl Desk {
    /// Begins a run, unless one is under way.
    pub(crate) async fn begin_collection(&self, op: &Op) -> Result<BegunRow, ControlError> {
        let begun = self.registry.begin_collection(self.operator(op)).await?;
        self.collector.look();
        tracing::info!(run = begun.run.number, joined = begun.joined, "somebody asked for a collection");
        Ok(BegunRow { joined: begun.joined, run: row(&begun.run, None) })
    }

    /// How far a run is.
    pub(crate) async fn collection_run(&self, number: i64) -> Result<RunRow, ControlError> {
        let found = self.registry.collection_run(number).await?;
        found.map(|(run, by)| row(&run, by)).ok_or_else(|| refused("not_found", "there is no such run of the collection any more"))
    }

    /// What the collection has done, and has before it.
    pub(crate) async fn collection(&self) -> Result<CollectionRow, ControlError> {
        let status = self.registry.collection_status().await?;
        let (objects_deleted, bytes_freed) = status.total();
        let CollectionStatus { running, by, last, waiting: Waiting { blobs, bytes, oldest } } = status;
        let config = self.collector.config;
        let next = last.as_ref().filter(|_| config.enabled && running.is_none()).map(|last| last.started.plus(config.every));
        Ok(CollectionRow {
            enabled: config.enabled,
            every_seconds: config.every.0,
            grace_seconds: config.times.grace.0,
            delete_after_seconds: config.times.delete_after.0,
            next_at: next,
            running: running.map(|run| row(&run, by)),
            last: last.map(|run| row(&run, None)),
            objects_waiting: blobs,
            bytes_waiting: bytes,
            waiting_since: oldest,
            objects_deleted,
            bytes_freed,
        })
    }

    /// A part of what a run would do now.
    pub(crate) async fn preview_collection(&self, op: &Op, ask: PreviewAsk) -> Result<PreviewRow, ControlError> {
        let place = ask.place.map(PlaceRow::read).transpose()?;
        let part = self.registry.preview_collection(&self.operator(op), place).await?;
        Ok(PreviewRow { tally: part.tally.into(), next: part.next.map(PlaceRow::from) })
    }
}
