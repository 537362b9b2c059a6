//! SQLite: readers in place, one writer that groups commits.
//!
//! A writing task takes the writer in turn, opens the group's transaction if none is open, runs its body in a savepoint
//! and leaves the group waiting to be told. The committer, a thread of its own, queues for the writer like everybody
//! else, so that all who queued before it are in the group; it commits once for all of them and tells them.
//! Bodies never wait on SQLite, so one poll finishes them.

use std::path::Path;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::task::{Context, Poll, Waker};
use std::thread::JoinHandle;
use std::time::Duration;

use rusqlite::Connection;
use rusqlite::config::DbConfig;
use tokio::runtime::{Handle, RuntimeFlavor};
use tokio::sync::{Mutex, MutexGuard};

use super::Durability;
use super::error::StoreError;
use super::lock::DirectoryLock;
use super::meters::Meters;
use super::tx::{Tx, Unit, Work, went_on};
pub(super) use statement::{batch, execute, rows, walk};
use writer::Writer;

mod statement;
mod writer;

const FILE: &str = "tidegate.db";
/// How long a statement waits for another process that has the database; it keeps its thread meanwhile.
const BUSY: Duration = Duration::from_secs(1);
/// How long a unit waits for its turn.
const PATIENCE: Duration = Duration::from_secs(5);
const STATEMENTS: usize = 512;
const SCANNERS: usize = 2;
/// More members than this are the next group's.
const GROUP: usize = 256;

#[derive(Debug)]
pub(super) struct Sqlite {
    readers: Vec<Mutex<Connection>>,
    scanners: Vec<Mutex<Connection>>,
    turn: AtomicUsize,
    writer: Arc<Mutex<Writer>>,
    commits: Arc<AtomicU64>,
    committer: Committer,
    meters: Meters,
    // Last, so that the files go, and the lock opens, after the connections have closed.
    _lock: Option<DirectoryLock>,
    _folder: Option<tempfile::TempDir>,
}

/// What a unit holds of SQLite: a connection, in turn.
#[derive(Debug)]
pub(super) enum Lease<'c> {
    Reader(MutexGuard<'c, Connection>),
    Writer(MutexGuard<'c, Writer>),
}

impl Lease<'_> {
    pub(super) fn connection(&self) -> &Connection {
        match self {
            Self::Reader(connection) => connection,
            Self::Writer(writer) => &writer.connection,
        }
    }
}

impl Sqlite {
    pub(super) fn open(directory: &Path, meters: &Meters) -> Result<Self, StoreError> {
        Self::start(directory, true, None, meters)
    }

    pub(super) fn temporary(meters: &Meters) -> Result<Self, StoreError> {
        let folder = tempfile::tempdir().map_err(StoreError::unavailable)?;
        let path = folder.path().to_owned();
        Self::start(&path, false, Some(folder), meters)
    }

    pub(super) fn is_in(directory: &Path) -> bool {
        directory.join(FILE).is_file()
    }

    /// Beside the server whose directory it is.
    pub(super) fn peek(directory: &Path, meters: &Meters) -> Result<Self, StoreError> {
        if !Self::is_in(directory) {
            return Err(StoreError::unavailable(format!("there is no {FILE} in {}", directory.display())));
        }
        Self::assemble(directory, true, (None, None), meters)
    }

    fn start(directory: &Path, syncs: bool, folder: Option<tempfile::TempDir>, meters: &Meters) -> Result<Self, StoreError> {
        Self::assemble(directory, syncs, (Some(DirectoryLock::acquire(directory)?), folder), meters)
    }

    fn assemble(
        directory: &Path,
        syncs: bool,
        (lock, folder): (Option<DirectoryLock>, Option<tempfile::TempDir>),
        meters: &Meters,
    ) -> Result<Self, StoreError> {
        let file = directory.join(FILE);
        let sync = if syncs { "FULL" } else { "OFF" };
        let commits = Arc::new(AtomicU64::new(0));
        let writer = Arc::new(Mutex::new(Writer::new(connect(&file, sync, false)?, syncs, Arc::clone(&commits), meters.clone())));
        let workers = std::thread::available_parallelism().map_or(2, usize::from);
        Ok(Self {
            readers: pool(&file, sync, workers + 2)?,
            scanners: pool(&file, sync, SCANNERS)?,
            turn: AtomicUsize::new(0),
            committer: Committer::start(Arc::clone(&writer))?,
            writer,
            commits,
            meters: meters.clone(),
            _lock: lock,
            _folder: folder,
        })
    }

    pub(super) fn commits(&self) -> u64 {
        self.commits.load(Ordering::Acquire)
    }

    pub(super) async fn read<'c, T, E>(&'c self, body: impl for<'t> Fn(&'t mut Tx<'c>) -> Work<'t, T, E> + Send + Sync) -> Result<T, E>
    where
        E: From<StoreError>,
    {
        let reader = self.lease(&self.readers).await?;
        snapshot(reader, &self.meters, &body)
    }

    pub(super) async fn scan<'c, T, E>(&'c self, body: impl for<'t> Fn(&'t mut Tx<'c>) -> Work<'t, T, E> + Send + Sync) -> Result<T, E>
    where
        E: From<StoreError>,
    {
        let scanner = self.lease(&self.scanners).await?;
        match Handle::current().runtime_flavor() {
            RuntimeFlavor::MultiThread => tokio::task::block_in_place(|| snapshot(scanner, &self.meters, &body)),
            _ => snapshot(scanner, &self.meters, &body),
        }
    }

    pub(super) async fn write<'c, T, E>(
        &'c self,
        durability: Durability,
        body: impl for<'t> Fn(&'t mut Tx<'c>) -> Work<'t, T, E> + Send + Sync,
    ) -> Result<T, E>
    where
        E: From<StoreError>,
    {
        let mut writer = self.enter().await?;
        self.meters.note(writer.begin_member(durability))?;
        let (lease, result) = run(Lease::Writer(writer), &self.meters, &body)?;
        let Lease::Writer(mut writer) = lease else { return result };
        let value = match result {
            Ok(value) => value,
            Err(error) => {
                writer.undo_member();
                return Err(error);
            }
        };
        let outcome = self.meters.note(writer.keep_member())?;
        drop(writer);
        self.committer.wake();
        let told = outcome.await.unwrap_or_else(|_| Err("the committer has stopped".to_owned()));
        self.meters.note(told.map_err(StoreError::unavailable))?;
        Ok(value)
    }

    /// Waits in turn for a group with room.
    async fn enter(&self) -> Result<MutexGuard<'_, Writer>, StoreError> {
        loop {
            let writer = in_time(&self.writer).await?;
            if writer.members() < GROUP {
                return Ok(writer);
            }
            drop(writer);
            tokio::task::yield_now().await;
        }
    }

    /// A free connection, else the next in turn.
    async fn lease<'c>(&'c self, pool: &'c [Mutex<Connection>]) -> Result<MutexGuard<'c, Connection>, StoreError> {
        let turn = self.turn.fetch_add(1, Ordering::Relaxed) % pool.len().max(1);
        let in_turn = pool.iter().cycle().skip(turn).take(pool.len());
        if let Some(free) = in_turn.clone().find_map(|connection| connection.try_lock().ok()) {
            return Ok(free);
        }
        match pool.get(turn) {
            Some(connection) => in_time(connection).await,
            None => Err(StoreError::unavailable("no connections")),
        }
    }
}

/// Its turn, or word that it takes too long: whoever is before it waits for another process.
async fn in_time<T>(connection: &Mutex<T>) -> Result<MutexGuard<'_, T>, StoreError> {
    if let Ok(free) = connection.try_lock() {
        return Ok(free);
    }
    let late = |_| StoreError::unavailable("the database is busy for too long");
    tokio::time::timeout(PATIENCE, connection.lock()).await.map_err(late)
}

/// Runs a body that only reads, over one snapshot.
fn snapshot<'c, T, E>(
    connection: MutexGuard<'c, Connection>,
    meters: &'c Meters,
    body: &impl for<'t> Fn(&'t mut Tx<'c>) -> Work<'t, T, E>,
) -> Result<T, E>
where
    E: From<StoreError>,
{
    if !connection.is_autocommit() {
        // A body panicked here before; its snapshot is stale.
        execute(&connection, "ROLLBACK", &[])?;
    }
    meters.note(execute(&connection, "BEGIN DEFERRED", &[]))?;
    let (lease, result) = run(Lease::Reader(connection), meters, body)?;
    if !lease.connection().is_autocommit() {
        execute(lease.connection(), "ROLLBACK", &[])?;
    }
    result
}

/// Polls a body to its end, which on SQLite is once.
fn run<'c, T, E>(
    lease: Lease<'c>,
    meters: &'c Meters,
    body: &impl for<'t> Fn(&'t mut Tx<'c>) -> Work<'t, T, E>,
) -> Result<(Lease<'c>, Result<T, E>), StoreError>
where
    E: From<StoreError>,
{
    let mut tx = Tx::new(Unit::Sqlite(lease), meters);
    let polled = body(&mut tx).as_mut().poll(&mut Context::from_waker(Waker::noop()));
    let (unit, failure) = tx.end();
    let result = match polled {
        Poll::Ready(Ok(_)) if failure.is_some() => Err(went_on().into()),
        Poll::Ready(result) => result,
        Poll::Pending => Err(StoreError::statement("a unit of work waited for something else").into()),
    };
    Ok((unit.into_sqlite()?, result))
}

fn pool(file: &Path, sync: &str, size: usize) -> Result<Vec<Mutex<Connection>>, StoreError> {
    (0..size).map(|_| connect(file, sync, true).map(Mutex::new)).collect()
}

fn connect(file: &Path, sync: &str, read_only: bool) -> Result<Connection, StoreError> {
    let connection = Connection::open(file).map_err(|error| statement::at_open(file, error))?;
    let setup = || -> rusqlite::Result<()> {
        connection.busy_timeout(BUSY)?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", sync)?;
        connection.pragma_update(None, "foreign_keys", true)?;
        connection.pragma_update(None, "trusted_schema", false)?;
        connection.pragma_update(None, "query_only", read_only)?;
        // Without it every binding of a parameter lets a statement be planned anew, by statistics that nobody gathers.
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
        connection.set_prepared_statement_cache_capacity(STATEMENTS);
        Ok(())
    };
    setup().map_err(|error| statement::at_open(file, error))?;
    Ok(connection)
}

/// The thread that commits groups; it ends, its work done, when the store does.
#[derive(Debug)]
struct Committer {
    bell: Option<mpsc::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Committer {
    fn start(writer: Arc<Mutex<Writer>>) -> Result<Self, StoreError> {
        let (bell, rings) = mpsc::channel();
        let work = move || {
            while rings.recv().is_ok() {
                writer.blocking_lock().commit_group();
            }
        };
        let thread = std::thread::Builder::new().name("sqlite-commit".to_owned()).spawn(work);
        Ok(Self { bell: Some(bell), thread: Some(thread.map_err(StoreError::unavailable)?) })
    }

    fn wake(&self) {
        if let Some(bell) = &self.bell {
            // It only fails when the thread is gone, which the member then hears from its outcome.
            let _ = bell.send(());
        }
    }
}

impl Drop for Committer {
    fn drop(&mut self) {
        self.bell = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
