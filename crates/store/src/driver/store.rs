//! The store: units of work over the database that was chosen at start.

use std::fmt;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use super::Durability;
use super::error::StoreError;
use super::meters::{Connections, Kind, Meters};
use super::migrate::{self, Applied, Migration, Schema};
use super::postgres::{Lane, Postgres, PostgresSettings};
use super::sqlite::Sqlite;
use super::tx::{Tx, Work};
use crate::params;

/// Where the rows live.
#[derive(Debug, Clone)]
pub enum Database {
    /// A SQLite database in a folder of its own that goes away with the store; for tests. Not durable.
    Memory,
    /// A SQLite database in this directory, which becomes this process's own.
    Directory(PathBuf),
    /// A PostgreSQL database, shared by any number of nodes.
    Postgres(PostgresSettings),
}

/// SQL over SQLite or PostgreSQL. Cheap to use from many tasks; held in an `Arc`.
#[derive(Debug)]
pub struct Store {
    backend: Backend,
    reads: AtomicU64,
    meters: Meters,
    turns: OnceLock<Arc<dyn Turns>>,
}

/// Who is asked before each unit of work begins: a test that tries every order of them.
pub trait Turns: Send + Sync + fmt::Debug {
    /// Returns when the unit of the task that asks may begin.
    fn turn(&self) -> Pin<Box<dyn Future<Output = ()> + Send + '_>>;
}

#[derive(Debug)]
enum Backend {
    Sqlite(Sqlite),
    Postgres(Postgres),
}

impl Store {
    /// Opens the database and brings its schema up to date.
    pub async fn open(database: &Database) -> Result<Self, StoreError> {
        Self::open_with(database, crate::MIGRATIONS).await
    }

    /// A store for tests, with the whole schema and nothing in it.
    pub async fn memory() -> Result<Self, StoreError> {
        Self::open(&Database::Memory).await
    }

    /// Opens a database whose schema is up to date, and changes nothing of it: [`StoreError::Behind`] when it is not.
    pub async fn open_as_it_is(database: &Database) -> Result<Self, StoreError> {
        let store = Self::connect(database)?;
        store.survey_of(crate::MIGRATIONS).await?.is_current()?;
        Ok(store)
    }

    /// Opens a database that is there to look into it, beside a server that may be using it. Nothing may be written that a server
    /// keeps in memory. Its schema is this program's own: [`StoreError::Behind`] or [`StoreError::Newer`] when it is not.
    pub async fn peek(database: &Database) -> Result<Self, StoreError> {
        let store = Self::connect_beside(database)?;
        store.survey_of(crate::MIGRATIONS).await?.is_current()?;
        Ok(store)
    }

    /// How far the schema of a database is, beside a server that may be using it. Changes nothing.
    pub async fn survey(database: &Database) -> Result<Schema, StoreError> {
        if let Database::Directory(directory) = database
            && !Sqlite::is_in(directory)
        {
            return Ok(Schema::none(crate::MIGRATIONS));
        }
        Self::connect_beside(database)?.survey_of(crate::MIGRATIONS).await
    }

    /// Opens the database with a schema of the caller's; for the driver's own tests.
    pub async fn open_with(database: &Database, migrations: &[Migration]) -> Result<Self, StoreError> {
        let store = Self::connect(database)?;
        // Who finds nothing to do needs no right to do it.
        if store.survey_of(migrations).await?.pending.is_empty() {
            return Ok(store);
        }
        while !store.step(migrations).await?.pending.is_empty() {}
        Ok(store)
    }

    async fn step(&self, migrations: &[Migration]) -> Result<Schema, StoreError> {
        match &self.backend {
            Backend::Sqlite(sqlite) => sqlite.write(Durability::Full, |tx| Box::pin(migrate::step(tx, migrations))).await,
            Backend::Postgres(postgres) => postgres.migrate(|tx| Box::pin(migrate::step(tx, migrations))).await,
        }
    }

    async fn survey_of(&self, migrations: &[Migration]) -> Result<Schema, StoreError> {
        self.scan(|tx| Box::pin(migrate::survey(tx, migrations))).await
    }

    fn connect(database: &Database) -> Result<Self, StoreError> {
        let meters = Meters::default();
        let backend = match database {
            Database::Memory => Backend::Sqlite(Sqlite::temporary(&meters)?),
            Database::Directory(directory) => Backend::Sqlite(Sqlite::open(directory, &meters)?),
            Database::Postgres(settings) => Backend::Postgres(Postgres::new(settings, &meters)?),
        };
        Ok(Self { backend, reads: AtomicU64::new(0), meters, turns: OnceLock::new() })
    }

    fn connect_beside(database: &Database) -> Result<Self, StoreError> {
        let Database::Directory(directory) = database else { return Self::connect(database) };
        let meters = Meters::default();
        Ok(Self { backend: Backend::Sqlite(Sqlite::peek(directory, &meters)?), reads: AtomicU64::new(0), meters, turns: OnceLock::new() })
    }

    /// Runs `body` over one snapshot of the database; it cannot change anything. For few rows by an index.
    pub async fn read<'c, T, E>(&'c self, body: impl for<'t> Fn(&'t mut Tx<'c>) -> Work<'t, T, E> + Send + Sync) -> Result<T, E>
    where
        T: Send,
        E: From<StoreError> + Send,
    {
        self.reads.fetch_add(1, Ordering::Relaxed);
        self.turn().await;
        match &self.backend {
            Backend::Sqlite(sqlite) => self.meters.timed(Kind::Read, Box::pin(sqlite.read(body))).await,
            Backend::Postgres(postgres) => self.meters.timed(Kind::Read, Box::pin(postgres.read(Lane::Queue, body))).await,
        }
    }

    /// As [`read`](Self::read), past all that wait for a connection: for what everything else depends on, and nothing that
    /// requests can make many of.
    pub async fn read_first<'c, T, E>(&'c self, body: impl for<'t> Fn(&'t mut Tx<'c>) -> Work<'t, T, E> + Send + Sync) -> Result<T, E>
    where
        T: Send,
        E: From<StoreError> + Send,
    {
        match &self.backend {
            Backend::Sqlite(_) => self.read(body).await,
            Backend::Postgres(postgres) => self.meters.timed(Kind::Read, Box::pin(postgres.read(Lane::First, body))).await,
        }
    }

    /// As [`read`](Self::read), for what walks many rows: on SQLite it runs on connections of its own, off the workers
    /// that answer requests.
    pub async fn scan<'c, T, E>(&'c self, body: impl for<'t> Fn(&'t mut Tx<'c>) -> Work<'t, T, E> + Send + Sync) -> Result<T, E>
    where
        T: Send,
        E: From<StoreError> + Send,
    {
        self.turn().await;
        match &self.backend {
            Backend::Sqlite(sqlite) => self.meters.timed(Kind::Scan, Box::pin(sqlite.scan(body))).await,
            Backend::Postgres(postgres) => self.meters.timed(Kind::Scan, Box::pin(postgres.read(Lane::Queue, body))).await,
        }
    }

    /// As [`scan`](Self::scan), for as long as it takes: a backup, a check of everything. On PostgreSQL the snapshot is one that a
    /// serial order of all changes explains, and no statement of it times out.
    pub async fn snapshot<'c, T, E>(&'c self, body: impl for<'t> Fn(&'t mut Tx<'c>) -> Work<'t, T, E> + Send + Sync) -> Result<T, E>
    where
        T: Send,
        E: From<StoreError> + Send,
    {
        match &self.backend {
            Backend::Sqlite(sqlite) => self.meters.timed(Kind::Scan, Box::pin(sqlite.scan(body))).await,
            Backend::Postgres(postgres) => self.meters.timed(Kind::Scan, Box::pin(postgres.snapshot(body))).await,
        }
    }

    /// The steps of the schema that this database has taken.
    pub async fn applied(&self) -> Result<Vec<Applied>, StoreError> {
        self.read(|tx| Box::pin(migrate::applied(tx))).await
    }

    /// Runs `body` as one unit of work, serialisable, and returns when it is durable. An `Err` of the body undoes it.
    ///
    /// The body may run more than once: what it does besides its statements must be harmless. It waits for nothing but
    /// its statements. A caller that is cancelled while it waits leaves the unit either whole or undone.
    pub async fn write<'c, T, E>(&'c self, body: impl for<'t> Fn(&'t mut Tx<'c>) -> Work<'t, T, E> + Send + Sync) -> Result<T, E>
    where
        T: Send,
        E: From<StoreError> + Send,
    {
        self.write_as(Durability::Full, None, body).await
    }

    /// As [`write`](Self::write), and seen by all when it returns, but durable only soon: a power cut may take it, whole. The
    /// end of the process does not. For what acknowledges nothing that has to last.
    pub async fn write_soon<'c, T, E>(&'c self, body: impl for<'t> Fn(&'t mut Tx<'c>) -> Work<'t, T, E> + Send + Sync) -> Result<T, E>
    where
        T: Send,
        E: From<StoreError> + Send,
    {
        self.write_as(Durability::Soon, None, body).await
    }

    /// As [`write`](Self::write), but on PostgreSQL over a snapshot (REPEATABLE READ): two units that change the same row
    /// still meet, but what this one reads makes nobody else run again. For a job that guards what it changes by a row of
    /// its own, beside requests that must not wait for it.
    pub async fn write_apart<'c, T, E>(&'c self, body: impl for<'t> Fn(&'t mut Tx<'c>) -> Work<'t, T, E> + Send + Sync) -> Result<T, E>
    where
        T: Send,
        E: From<StoreError> + Send,
    {
        self.write_as(Durability::Apart, None, body).await
    }

    /// As [`write`](Self::write), for units that all change the rows of one thing, named by `turn`: where units meet and are run
    /// again (PostgreSQL), those of this process go one after another instead. Where there is one writer they do anyway.
    pub async fn write_in_turn<'c, T, E>(
        &'c self,
        turn: u64,
        body: impl for<'t> Fn(&'t mut Tx<'c>) -> Work<'t, T, E> + Send + Sync,
    ) -> Result<T, E>
    where
        T: Send,
        E: From<StoreError> + Send,
    {
        self.write_as(Durability::Full, Some(turn), body).await
    }

    async fn write_as<'c, T, E>(
        &'c self,
        durability: Durability,
        thing: Option<u64>,
        body: impl for<'t> Fn(&'t mut Tx<'c>) -> Work<'t, T, E> + Send + Sync,
    ) -> Result<T, E>
    where
        T: Send,
        E: From<StoreError> + Send,
    {
        self.turn().await;
        let kind = match durability {
            Durability::Full => Kind::Write,
            Durability::Soon => Kind::WriteSoon,
            Durability::Apart => Kind::WriteApart,
        };
        match &self.backend {
            Backend::Sqlite(sqlite) => self.meters.timed(kind, Box::pin(sqlite.write(durability.of_one_writer(), body))).await,
            Backend::Postgres(postgres) => self.meters.timed(kind, Box::pin(postgres.write(durability, thing, body))).await,
        }
    }

    /// What is counted of this store's work.
    pub const fn meters(&self) -> &Meters {
        &self.meters
    }

    /// The connections to PostgreSQL; SQLite has none.
    pub fn connections(&self) -> Option<Connections> {
        match &self.backend {
            Backend::Sqlite(_) => None,
            Backend::Postgres(postgres) => Some(postgres.connections()),
        }
    }

    /// From now on no unit of work begins before `turns` lets it; for tests. What was said first holds.
    pub fn take_turns(&self, turns: Arc<dyn Turns>) {
        drop(self.turns.set(turns));
    }

    async fn turn(&self) {
        if let Some(turns) = self.turns.get() {
            turns.turn().await;
        }
    }

    /// How often [`read`](Self::read) has been called: what a request costs is held to a number in tests.
    pub fn reads(&self) -> u64 {
        self.reads.load(Ordering::Relaxed)
    }

    /// How often the database has been committed to, where this process alone commits to it: while the number stays, so
    /// does everything that was read after it was asked for. None where others commit too (PostgreSQL).
    pub fn commits(&self) -> Option<u64> {
        match &self.backend {
            Backend::Sqlite(sqlite) => Some(sqlite.commits()),
            Backend::Postgres(_) => None,
        }
    }

    /// Whether the database answers.
    pub async fn ping(&self) -> Result<(), StoreError> {
        self.read_first(|tx| {
            Box::pin(async move {
                tx.row("SELECT 1", params![]).await?;
                Ok(())
            })
        })
        .await
    }

    /// `sqlite` or `postgres`; for the log alone.
    pub fn backend_name(&self) -> &'static str {
        match self.backend {
            Backend::Sqlite(_) => "sqlite",
            Backend::Postgres(_) => "postgres",
        }
    }
}
