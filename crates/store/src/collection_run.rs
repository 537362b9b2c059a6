//! Runs of the collection: each is walked in short steps by whichever node has the lease, and goes on where its row stands.

use model::Timestamp;

use crate::{Row, StoreError, Tx, params};

/// How many runs are remembered.
const REMEMBERED: i64 = 100;

/// What a run does at the moment, in this order.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Phase {
    /// Takes idle links away.
    Links,
    /// Condemns blobs that nobody links.
    Blobs,
    /// Condemns what lies in the storage and has no row.
    Strays,
    /// Deletes what has been condemned for long enough.
    Deletion,
}

impl Phase {
    /// Its word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Links => "links",
            Self::Blobs => "blobs",
            Self::Strays => "strays",
            Self::Deletion => "deletion",
        }
    }

    /// The phase of this word.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Links, Self::Blobs, Self::Strays, Self::Deletion].into_iter().find(|phase| phase.as_str() == text)
    }

    /// What comes after it.
    pub const fn next(self) -> Option<Self> {
        match self {
            Self::Links => Some(Self::Blobs),
            Self::Blobs => Some(Self::Strays),
            Self::Strays => Some(Self::Deletion),
            Self::Deletion => None,
        }
    }
}

/// What was done.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Tally {
    /// Links taken away.
    pub links: i64,
    /// Blobs condemned.
    pub blobs: i64,
    /// Their bytes.
    pub blob_bytes: i64,
    /// Pieces of content condemned that had no row.
    pub strays: i64,
    /// Their bytes.
    pub stray_bytes: i64,
    /// Pieces of content deleted.
    pub deleted: i64,
    /// Their bytes.
    pub deleted_bytes: i64,
}

/// How far a walk is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Place {
    /// What it does.
    pub phase: Phase,
    /// The last thing that the phase has done with: a number and more of its key.
    pub id: i64,
    /// See `id`.
    pub rest: Vec<u8>,
}

impl Place {
    /// Where a phase begins.
    pub const fn start_of(phase: Phase) -> Self {
        Self { phase, id: i64::MIN, rest: Vec::new() }
    }

    /// Is this where its phase begins?
    pub fn is_start(&self) -> bool {
        self.id == i64::MIN && self.rest.is_empty()
    }
}

/// A run.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Run {
    /// Its number: one more than the one before.
    pub number: i64,
    /// Was it asked for by somebody?
    pub asked: bool,
    /// Begun when.
    pub started: Timestamp,
    /// Done when.
    pub ended: Option<Timestamp>,
    /// How often its row has been written: who writes it on has read this.
    pub step: i64,
    /// How far it is.
    pub place: Place,
    /// What it has done.
    pub tally: Tally,
    /// Pieces of content that all runs together have deleted, and their bytes.
    pub total: (i64, i64),
}

fn phase(text: &str) -> Result<Phase, StoreError> {
    Phase::parse(text).ok_or_else(|| StoreError::corrupt("collection_run.phase"))
}

fn run(row: &Row) -> Result<Run, StoreError> {
    Ok(Run {
        number: row.get(0)?,
        asked: row.get(1)?,
        started: Timestamp::from_millis(row.get(2)?),
        ended: row.get::<Option<i64>>(3)?.map(Timestamp::from_millis),
        step: row.get(4)?,
        place: Place { phase: phase(&row.get::<String>(5)?)?, id: row.get(6)?, rest: row.get(7)? },
        tally: Tally {
            links: row.get(8)?,
            blobs: row.get(9)?,
            blob_bytes: row.get(10)?,
            strays: row.get(11)?,
            stray_bytes: row.get(12)?,
            deleted: row.get(13)?,
            deleted_bytes: row.get(14)?,
        },
        total: (row.get(15)?, row.get(16)?),
    })
}

/// The newest `limit` runs, newest first.
pub async fn newest(tx: &mut Tx<'_>, limit: i64) -> Result<Vec<Run>, StoreError> {
    let sql = "SELECT number, asked, started_ms, ended_ms, step, phase, place_id, place_rest, links, blobs, blob_bytes, strays, \
               stray_bytes, deleted, deleted_bytes, total_deleted, total_deleted_bytes FROM collection_run ORDER BY number DESC LIMIT $1";
    tx.rows(sql, params![limit]).await?.iter().map(run).collect()
}

/// The run that is under way, or a new one.
pub async fn begin(tx: &mut Tx<'_>, asked: bool, now: Timestamp) -> Result<Run, StoreError> {
    let last = newest(tx, 1).await?.pop();
    let (number, total) = match last {
        Some(last) if last.ended.is_none() => return Ok(last),
        Some(last) => (last.number + 1, last.total),
        None => (1, (0, 0)),
    };
    let sql = "INSERT INTO collection_run (number, asked, started_ms, step, phase, place_id, place_rest, links, blobs, blob_bytes, strays, \
               stray_bytes, deleted, deleted_bytes, total_deleted, total_deleted_bytes) \
               VALUES ($1, $2, $3, 0, $4, $5, $6, 0, 0, 0, 0, 0, 0, 0, $7, $8)";
    let run =
        Run { number, asked, started: now, ended: None, step: 0, place: Place::start_of(Phase::Links), tally: Tally::default(), total };
    let (place, of_all) = (&run.place, run.total);
    let values = params![number, asked, now.millis(), place.phase.as_str(), place.id, &*place.rest, of_all.0, of_all.1];
    tx.execute(sql, values).await?;
    tx.execute("DELETE FROM collection_run WHERE number <= $1", params![number - REMEMBERED]).await?;
    Ok(run)
}

/// Writes down how far a run is; its step is the one that was read. False: another node has gone on with it.
pub async fn save(tx: &mut Tx<'_>, run: &Run) -> Result<bool, StoreError> {
    let sql = "UPDATE collection_run SET ended_ms = $1, step = step + 1, phase = $2, place_id = $3, place_rest = $4, links = $5, \
               blobs = $6, blob_bytes = $7, strays = $8, stray_bytes = $9, deleted = $10, deleted_bytes = $11, total_deleted = $12, \
               total_deleted_bytes = $13 WHERE number = $14 AND step = $15 AND ended_ms IS NULL";
    let t = &run.tally;
    let values = params![
        run.ended.map(Timestamp::millis),
        run.place.phase.as_str(),
        run.place.id,
        &*run.place.rest,
        t.links,
        t.blobs,
        t.blob_bytes,
        t.strays,
        t.stray_bytes,
        t.deleted,
        t.deleted_bytes,
        run.total.0,
        run.total.1,
        run.number,
        run.step
    ];
    Ok(tx.execute(sql, values).await? == 1)
}
