//! The store: units of work over the database that was chosen at start.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};

use super::Durability;
use super::error::StoreError;
use super::migrate::{self, Applied, Migration};
use super::postgres::{Postgres, PostgresSettings};
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

    /// Opens a database that is there to look into it, beside a server that may be using it. Nothing may be written that a server
    /// keeps in memory.
    pub fn peek(database: &Database) -> Result<Self, StoreError> {
        let backend = match database {
            Database::Memory => Backend::Sqlite(Sqlite::temporary()?),
            Database::Directory(directory) => Backend::Sqlite(Sqlite::peek(directory)?),
            Database::Postgres(settings) => Backend::Postgres(Postgres::new(settings)?),
        };
        Ok(Self { backend, reads: AtomicU64::new(0) })
    }

    /// Opens the database with a schema of the caller's; for the driver's own tests.
    pub async fn open_with(database: &Database, migrations: &[Migration]) -> Result<Self, StoreError> {
        let backend = match database {
            Database::Memory => Backend::Sqlite(Sqlite::temporary()?),
            Database::Directory(directory) => Backend::Sqlite(Sqlite::open(directory)?),
            Database::Postgres(settings) => Backend::Postgres(Postgres::new(settings)?),
        };
        match &backend {
            Backend::Sqlite(sqlite) => sqlite.write(Durability::Full, |tx| Box::pin(migrate::migrate(tx, migrations))).await?,
            Backend::Postgres(postgres) => postgres.migrate(|tx| Box::pin(migrate::migrate(tx, migrations))).await?,
        }
        Ok(Self { backend, reads: AtomicU64::new(0) })
    }

    /// Runs `body` over one snapshot of the database; it cannot change anything. For few rows by an index.
    pub async fn read<'c, T, E>(&'c self, body: impl for<'t> Fn(&'t mut Tx<'c>) -> Work<'t, T, E> + Send + Sync) -> Result<T, E>
    where
        T: Send,
        E: From<StoreError> + Send,
    {
        self.reads.fetch_add(1, Ordering::Relaxed);
        match &self.backend {
            Backend::Sqlite(sqlite) => Box::pin(sqlite.read(body)).await,
            Backend::Postgres(postgres) => Box::pin(postgres.read(body)).await,
        }
    }

    /// As [`read`](Self::read), for what walks many rows: on SQLite it runs on connections of its own, off the workers
    /// that answer requests.
    pub async fn scan<'c, T, E>(&'c self, body: impl for<'t> Fn(&'t mut Tx<'c>) -> Work<'t, T, E> + Send + Sync) -> Result<T, E>
    where
        T: Send,
        E: From<StoreError> + Send,
    {
        match &self.backend {
            Backend::Sqlite(sqlite) => Box::pin(sqlite.scan(body)).await,
            Backend::Postgres(postgres) => Box::pin(postgres.read(body)).await,
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
            Backend::Sqlite(sqlite) => Box::pin(sqlite.scan(body)).await,
            Backend::Postgres(postgres) => Box::pin(postgres.snapshot(body)).await,
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
        self.write_with(Durability::Full, body).await
    }

    /// As [`write`](Self::write), and seen by all when it returns, but durable only soon: a power cut may take it, whole. The
    /// end of the process does not. For what acknowledges nothing that has to last.
    pub async fn write_soon<'c, T, E>(&'c self, body: impl for<'t> Fn(&'t mut Tx<'c>) -> Work<'t, T, E> + Send + Sync) -> Result<T, E>
    where
        T: Send,
        E: From<StoreError> + Send,
    {
        self.write_with(Durability::Soon, body).await
    }

    /// As [`write`](Self::write), but on PostgreSQL over a snapshot (REPEATABLE READ): two units that change the same row
    /// still meet, but what this one reads makes nobody else run again. For a job that guards what it changes by a row of
    /// its own, beside requests that must not wait for it.
    pub async fn write_apart<'c, T, E>(&'c self, body: impl for<'t> Fn(&'t mut Tx<'c>) -> Work<'t, T, E> + Send + Sync) -> Result<T, E>
    where
        T: Send,
        E: From<StoreError> + Send,
    {
        self.write_with(Durability::Apart, body).await
    }

    async fn write_with<'c, T, E>(
        &'c self,
        durability: Durability,
        body: impl for<'t> Fn(&'t mut Tx<'c>) -> Work<'t, T, E> + Send + Sync,
    ) -> Result<T, E>
    where
        T: Send,
        E: From<StoreError> + Send,
    {
        match &self.backend {
            Backend::Sqlite(sqlite) => Box::pin(sqlite.write(durability.of_one_writer(), body)).await,
            Backend::Postgres(postgres) => Box::pin(postgres.write(durability, body)).await,
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
        self.read(|tx| {
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
