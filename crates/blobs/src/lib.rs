//! Content by storage key, over a directory or object storage.
//!
//! What it is for: to take uploads in as many pieces as a client likes while their digest runs, to say when content is
//! durable, and to give ranges of it back. A storage key is a [`model::UploadId`], unique to its upload: content is
//! written where it will stay and never renamed. A file is no blob by itself; the database row that maps (account,
//! digest) to the key makes it one, and a file that no row names is an abandoned upload.
//!
//! An upload, in the caller's words (`?` left out):
//! 1. `let mut upload = store.create(key)`, or `store.resume(key)` for a later piece. Either **claims** the key: nobody
//!    else can write under it until `upload` is dropped ([`BlobError::Busy`]).
//! 2. Only then read the stored [`UploadState`] ([`UploadState::new`] for a first piece), for whoever held the claim
//!    before may have moved it on.
//! 3. `let state = upload.append(state, body, limit)`. Store `state.to_bytes()`; any node can go on from there.
//! 4. Compare `state.digest(…)` with what the client says, then `upload.finish(&state)`. Only after that is the content
//!    durable; now write the row, and only now drop `upload`.
//!
//! Where the client says that a body is the last one, [`Upload::append_last`] takes the place of step 3, and nothing is
//! staged in between. Where a claim does not hold on other nodes ([`BlobStore::claims_everywhere`]), step 4 first compares
//! and sets the stored state: who loses there stops.
//!
//! What it may not do: know repositories, rights, SQL or HTTP; read a clock or the environment.
//!
//! Bounds: into a directory, an upload holds two buffers of 512 KiB at most, a reading four of 256 KiB; into object storage,
//! an upload holds 64 KiB, or up to five parts of 8 MiB (beyond 39 GiB: of 32 MiB) of the [`Options::parts`] that all have
//! together. No more than [`Options::jobs`] blocking jobs run at once, and none of them ever waits for a client.
//!
//! To add a back end: one module beside `directory`, one variant in each of the three enums of this file, and the
//! suite in `tests/suite.rs` run over it.
#![deny(missing_docs)]

mod body;
mod directory;
mod error;
mod gate;
mod jobs;
mod meters;
mod objects;
mod state;

use std::ops::Range;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::Stream;
use model::{Algorithm, Digest, Timestamp, UploadId};

pub use body::BlobBody;
use directory::{Directory, Files};
pub use error::{AppendCause, AppendError, BlobError, ObjectsError, OpenError};
use gate::Gate;
pub use gate::Turns;
pub use meters::{Fault, Meters, Method, Operation, Status};
use objects::Objects;
pub use objects::{ObjectProtocol, ObjectStorage};
pub use state::UploadState;

/// What may be chosen when a store is opened.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// How many blocking jobs (a write, a hash, a sync, a read that missed the page cache) may run at once.
    pub jobs: usize,
    /// How many parts of 8 MiB all uploads into object storage may hold in memory together.
    pub parts: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self { jobs: 64, parts: 64 }
    }
}

/// A place where content is kept. Cheap to clone; clones are the same place. Needs a tokio runtime around it.
#[derive(Clone, Debug)]
pub struct BlobStore {
    backend: Backend,
    meters: Meters,
    gate: Gate,
}

#[derive(Clone, Debug)]
enum Backend {
    Directory(Directory<Files>),
    Objects(Objects),
}

/// Something that is kept under a key, blob or abandoned upload: only the database knows which.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Stored {
    /// Its key.
    pub key: UploadId,
    /// Its size in bytes.
    pub size: u64,
    /// When it was last written to, by the clock of the storage.
    pub modified: Timestamp,
}

/// Something that an upload under way has left beside the content: only the database knows whether anybody goes on with it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Staged {
    /// The upload's key.
    pub key: UploadId,
    /// When something was staged for it last, by the clock of the storage.
    pub modified: Timestamp,
}

/// Where a client gets a blob by itself, for a while, without any other right. Not for a log.
pub struct PresignedUrl(String);

impl PresignedUrl {
    pub(crate) fn new(url: String) -> Self {
        Self(url)
    }

    /// For the answer's `Location`, and nothing else.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for PresignedUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PresignedUrl")
    }
}

impl BlobStore {
    /// Opens an object storage, and tries that it can be written and read. Needs rustls's crypto provider installed by nobody:
    /// it names its own.
    pub async fn open_objects(storage: &ObjectStorage, options: Options) -> Result<Self, ObjectsError> {
        let meters = Meters::default();
        let backend = Objects::open(storage, options, &meters).await.map(Backend::Objects)?;
        Ok(Self { backend, meters, gate: Gate::default() })
    }

    /// As [`open_objects`](Self::open_objects), for reading alone: nothing is tried, and nothing written.
    pub fn look_into_objects(storage: &ObjectStorage, options: Options) -> Result<Self, ObjectsError> {
        let meters = Meters::default();
        let backend = Objects::new(storage, options, &meters).map(Backend::Objects)?;
        Ok(Self { backend, meters, gate: Gate::default() })
    }

    /// As [`open`](Self::open), for reading alone: nothing is made or written. The folder must be one that was opened before.
    pub fn look_into(dir: &Path, options: Options) -> Result<Self, OpenError> {
        let backend = Directory::look_into(Files, dir, options).map(Backend::Directory)?;
        Ok(Self { backend, meters: Meters::default(), gate: Gate::default() })
    }

    /// Whether a claim keeps other nodes off too. Where it does not, nothing is spoilt that is finished, but two nodes may
    /// work on one upload: only the state that the database takes may be finished.
    pub fn claims_everywhere(&self) -> bool {
        matches!(self.backend, Backend::Directory(_))
    }

    /// From now on no content is finished or deleted before `turns` lets it; for tests. What was said first holds.
    pub fn take_turns(&self, turns: Arc<dyn Turns>) {
        self.gate.keep(turns);
    }

    /// What is counted of this store's work.
    pub const fn meters(&self) -> &Meters {
        &self.meters
    }

    /// Opens the folder `dir`, making it (mode 0700) where there is none, and tries that it can be written. Blocks: it
    /// is for the start of a program. Several nodes may share a folder whose file locks reach all of them.
    pub fn open(dir: &Path, options: Options) -> Result<Self, OpenError> {
        let backend = Directory::open(Files, dir, options).map(Backend::Directory)?;
        Ok(Self { backend, meters: Meters::default(), gate: Gate::default() })
    }

    /// Begins content under `key` and claims it. [`BlobError::Exists`] if there is any already. (Object storage finds out when
    /// the content is finished: keys are never used twice.)
    pub async fn create(&self, key: UploadId) -> Result<Upload, BlobError> {
        let work = async {
            match &self.backend {
                Backend::Directory(d) => d.create(key).await.map(Held::Directory),
                Backend::Objects(o) => o.create(key).map(Held::Objects),
            }
        };
        let held = self.meters.timed(Operation::Create, work).await?;
        Ok(Upload { held, meters: self.meters.clone(), gate: self.gate.clone() })
    }

    /// Claims what was begun under `key`. [`BlobError::Busy`] while another request has it, [`BlobError::Missing`] if
    /// there is nothing, as after a power cut before anything was durable. (Object storage says so when it is appended to.)
    pub async fn resume(&self, key: UploadId) -> Result<Upload, BlobError> {
        let work = async {
            match &self.backend {
                Backend::Directory(d) => d.resume(key).await.map(Held::Directory),
                Backend::Objects(o) => o.resume(key).map(Held::Objects),
            }
        };
        let held = self.meters.timed(Operation::Resume, work).await?;
        Ok(Upload { held, meters: self.meters.clone(), gate: self.gate.clone() })
    }

    /// The bytes `range` of the blob under `key`, whose size the caller knows from its row. A range past `size` is cut
    /// there. Content of 64 KiB or less is read here, in one piece.
    pub async fn read(&self, key: UploadId, size: u64, range: Range<u64>) -> Result<BlobBody, BlobError> {
        let end = range.end.min(size);
        let range = range.start.min(end)..end;
        self.meters.read.inc_by(range.end - range.start);
        let work = async {
            match &self.backend {
                Backend::Directory(d) => d.read(key, range).await,
                Backend::Objects(o) => o.read(key, range).await,
            }
        };
        self.meters.timed(Operation::Read, work).await
    }

    /// Reads the first `size` bytes under `key` again: for an algorithm that did not run during the upload.
    pub async fn digest_again(&self, key: UploadId, size: u64, algorithm: Algorithm) -> Result<Digest, BlobError> {
        let work = async {
            match &self.backend {
                Backend::Directory(d) => d.digest_again(key, size, algorithm).await,
                Backend::Objects(o) => o.digest_again(key, size, algorithm).await,
            }
        };
        self.meters.timed(Operation::Digest, work).await
    }

    /// Frees what is under `key`. Nothing there is no error, so that a deletion can be repeated. Readings that have
    /// begun go on. A power cut may bring the content back: it is found by [`list`](Self::list) again.
    pub async fn delete(&self, key: UploadId) -> Result<(), BlobError> {
        self.gate.pass().await;
        let work = async {
            match &self.backend {
                Backend::Directory(d) => d.delete(key).await,
                Backend::Objects(o) => o.delete(key).await,
            }
        };
        self.meters.timed(Operation::Delete, work).await
    }

    /// Ends the upload that `state` describes, and frees whatever it has brought, whole or not. Only for who has taken the
    /// upload's row away, or never wrote one.
    pub async fn discard(&self, key: UploadId, state: &UploadState) -> Result<(), BlobError> {
        let work = async {
            match &self.backend {
                Backend::Directory(d) => d.delete(key).await,
                Backend::Objects(o) => o.discard(key, state).await,
            }
        };
        self.meters.timed(Operation::Delete, work).await
    }

    /// A page of what uploads have staged beside the content, as [`list`](Self::list) pages. A directory stages nothing.
    pub async fn staged(&self, after: Option<UploadId>, at_most: usize) -> Result<Vec<Staged>, BlobError> {
        let work = async {
            match &self.backend {
                Backend::Directory(_) => Ok(Vec::new()),
                Backend::Objects(o) => o.staged(after, at_most).await,
            }
        };
        self.meters.timed(Operation::List, work).await
    }

    /// Frees what is staged for an upload that no row names.
    pub async fn clear_staged(&self, key: UploadId) -> Result<(), BlobError> {
        let work = async {
            match &self.backend {
                Backend::Directory(_) => Ok(()),
                Backend::Objects(o) => o.clear_staged(key).await,
            }
        };
        self.meters.timed(Operation::Delete, work).await
    }

    /// Where a client can get the content under `key` by itself for so long; none where it cannot. Nothing is asked of the
    /// storage: what is not there is found missing by the client.
    pub async fn location(&self, key: UploadId, lifetime: Duration) -> Result<Option<PresignedUrl>, BlobError> {
        match &self.backend {
            Backend::Directory(_) => Ok(None),
            Backend::Objects(o) => o.location(key, lifetime).await.map(Some),
        }
    }

    /// The size of what is under `key`, in bytes; [`BlobError::Missing`] if nothing is.
    pub async fn size(&self, key: UploadId) -> Result<u64, BlobError> {
        let work = async {
            match &self.backend {
                Backend::Directory(d) => d.size(key).await,
                Backend::Objects(o) => o.size(key).await,
            }
        };
        self.meters.timed(Operation::Size, work).await
    }

    /// A page of what is kept, in an order of the store's own: at most `at_most` (and at least one) that come `after`
    /// the last key of the page before. An empty page is the end.
    pub async fn list(&self, after: Option<UploadId>, at_most: usize) -> Result<Vec<Stored>, BlobError> {
        let work = async {
            match &self.backend {
                Backend::Directory(d) => d.list(after, at_most).await,
                Backend::Objects(o) => o.list(after, at_most).await,
            }
        };
        self.meters.timed(Operation::List, work).await
    }

    /// Whether the store can be written now: makes a small file and removes it, without waiting for the disk.
    pub async fn ping(&self) -> Result<(), BlobError> {
        let work = async {
            match &self.backend {
                Backend::Directory(d) => d.ping().await,
                Backend::Objects(o) => o.ping().await,
            }
        };
        self.meters.timed(Operation::Ping, work).await
    }
}

/// The claim on a key: whoever holds it is the only one who writes there. Dropped, it lets others resume.
#[derive(Debug)]
pub struct Upload {
    held: Held,
    meters: Meters,
    gate: Gate,
}

#[derive(Debug)]
enum Held {
    Directory(directory::Upload<Files>),
    Objects(objects::Upload),
}

impl Upload {
    /// Puts `body` behind what `state` describes (what a broken connection left beyond that is cut off first) while
    /// its digests run, until `body` ends. Stops before a byte that would make the content larger than `limit`.
    ///
    /// The state that comes back, in an error too, describes content that is on the disk: the caller may store it,
    /// and the client may go on at its offset. Dropped half-way, or failed by the store, it
    /// leaves the stored state good and `self` useless ([`BlobError::Busy`] ever after): resume again.
    pub async fn append<S, E>(&mut self, state: UploadState, body: S, limit: u64) -> Result<UploadState, AppendError<E>>
    where
        S: Stream<Item = Result<Bytes, E>>,
    {
        let before = state.offset();
        let done = match &mut self.held {
            Held::Directory(u) => u.append(state, body, limit).await,
            Held::Objects(u) => u.append(state, body, limit, false).await,
        };
        self.meters.appended(before, done)
    }

    /// The same for a body that nothing follows. The state that comes back, in an error too, may be given to
    /// [`finish`](Self::finish) or to another append of this claim; it must not be gone on from by anybody else, for part of
    /// the content may be in memory alone.
    pub async fn append_last<S, E>(&mut self, state: UploadState, body: S, limit: u64) -> Result<UploadState, AppendError<E>>
    where
        S: Stream<Item = Result<Bytes, E>>,
    {
        let before = state.offset();
        let done = match &mut self.held {
            Held::Directory(u) => u.append(state, body, limit).await,
            Held::Objects(u) => u.append(state, body, limit, true).await,
        };
        self.meters.appended(before, done)
    }

    /// Makes the content that `state` describes durable under its key, and says its SHA-256. Only after this may
    /// somebody be told that it is kept. Can be repeated.
    pub async fn finish(&mut self, state: &UploadState) -> Result<Digest, BlobError> {
        self.gate.pass().await;
        let work = async {
            match &mut self.held {
                Held::Directory(u) => u.finish(state).await,
                Held::Objects(u) => u.finish(state).await,
            }
        };
        self.meters.timed(Operation::Finish, work).await
    }
}
