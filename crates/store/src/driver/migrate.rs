//! Migrations: one text for both databases, forward only, under a lock, refused when the database is newer.
//!
//! Columns are `BIGINT`, `BYTEA` or `TEXT`. The only rewriting: `BIGINT PRIMARY KEY` becomes `INTEGER PRIMARY KEY` on
//! SQLite (the row's own number), and ` TEXT` becomes ` TEXT COLLATE "C"` on PostgreSQL (bytes' order on both).
//!
//! An empty database gets all of them in one transaction. One that is in use gets each in a transaction of its own, so that
//! no table is locked for longer than its own change takes; what a migration waits for at most is `lock_timeout`.

use sha2::{Digest, Sha256};

use super::error::StoreError;
use super::tx::Tx;
use crate::params;

/// One step of the schema: `migrations/NNNN_name.sql`.
#[derive(Debug, Clone, Copy)]
pub struct Migration {
    /// Counted from 1, without gaps.
    pub number: i64,
    /// What it does, as in its file name.
    pub name: &'static str,
    /// Its text, as in its file; it never changes once released.
    pub sql: &'static str,
}

/// A step that a database has taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Applied {
    /// Its number.
    pub number: i64,
    /// Its name.
    pub name: String,
    /// SHA-256 of its text, in hexadecimal.
    pub checksum: String,
}

/// How far the schema of a database has come, as this program sees it.
#[derive(Debug, Clone)]
pub struct Schema {
    /// The last migration that was applied; 0 where there is none.
    pub applied: i64,
    /// The last that this program knows.
    pub known: i64,
    /// Which version of the program applied the last one, as far as it is written down.
    pub version: Option<String>,
    /// What this program would apply, in order.
    pub pending: Vec<Migration>,
}

impl Schema {
    /// Of a database that is not there yet.
    pub(super) fn none(migrations: &[Migration]) -> Self {
        Self { applied: 0, known: last(migrations), version: None, pending: migrations.to_vec() }
    }

    /// [`StoreError::Behind`] while anything is pending.
    pub(super) fn is_current(&self) -> Result<(), StoreError> {
        if self.pending.is_empty() { Ok(()) } else { Err(StoreError::Behind { found: self.applied, known: self.known }) }
    }
}

const TABLE: &str = "CREATE TABLE IF NOT EXISTS migration (
    number BIGINT PRIMARY KEY, name TEXT NOT NULL, checksum TEXT NOT NULL, version TEXT)";
const ADD_VERSION: &str = "ALTER TABLE migration ADD COLUMN version TEXT";
const VERSION: &str = env!("CARGO_PKG_VERSION");
/// Any number will do, as long as every version uses the same. Whoever waits for a table that a request or a dump holds makes
/// every later request wait behind it: not for long, then, and again (`postgres::migrate`).
const LOCK: &str = "SET LOCAL statement_timeout = 0; SELECT pg_advisory_xact_lock(7291663814); SET LOCAL lock_timeout = '2s'";

/// Reads how far the schema is, and changes nothing. [`StoreError::Newer`] when it is further than `migrations`.
pub(super) async fn survey(tx: &mut Tx<'_>, migrations: &[Migration]) -> Result<Schema, StoreError> {
    let table = tx.either("SELECT 1 FROM sqlite_master WHERE name = 'migration'", "SELECT 1 WHERE to_regclass('migration') IS NOT NULL");
    if tx.row(table, params![]).await?.is_none() {
        return Ok(Schema::none(migrations));
    }
    let all = if has_version(tx).await? {
        "SELECT number, checksum, version FROM migration ORDER BY number"
    } else {
        "SELECT number, checksum, NULL FROM migration ORDER BY number"
    };
    let rows = tx.rows(all, params![]).await?;
    let (known, mut applied, mut version) = (last(migrations), 0, None);
    for row in &rows {
        (applied, version) = (row.get(0)?, row.get(2)?);
        check(applied, &row.get::<String>(1)?, migrations)?;
    }
    if applied > known {
        return Err(StoreError::Newer { found: applied, known, version });
    }
    Ok(Schema { applied, known, version, pending: migrations.iter().filter(|one| one.number > applied).copied().collect() })
}

async fn has_version(tx: &mut Tx<'_>) -> Result<bool, StoreError> {
    let column = tx.either(
        "SELECT 1 FROM pragma_table_info('migration') WHERE name = 'version'",
        "SELECT 1 FROM pg_attribute WHERE attrelid = to_regclass('migration') AND attname = 'version'",
    );
    Ok(tx.row(column, params![]).await?.is_some())
}

/// Applies the next migration, all of them to an empty database. Returns what is pending then.
pub(super) async fn step(tx: &mut Tx<'_>, migrations: &[Migration]) -> Result<Schema, StoreError> {
    let lock = tx.either("", LOCK);
    tx.batch(lock).await?;
    tx.batch(&dialect(tx, TABLE)).await?;
    if !has_version(tx).await? {
        tx.batch(&dialect(tx, ADD_VERSION)).await?;
    }
    let mut schema = survey(tx, migrations).await?;
    let count = if schema.applied == 0 { schema.pending.len() } else { 1 };
    for migration in schema.pending.drain(..count.min(schema.pending.len())) {
        apply(tx, &migration).await.map_err(|cause| refused(&migration, cause))?;
        schema.applied = migration.number;
    }
    Ok(schema)
}

fn last(migrations: &[Migration]) -> i64 {
    migrations.last().map_or(0, |last| last.number)
}

fn check(found: i64, checksum: &str, migrations: &[Migration]) -> Result<(), StoreError> {
    match migrations.iter().find(|migration| migration.number == found) {
        Some(migration) if migration.checksum() != checksum => {
            Err(StoreError::corrupt(format!("migration {found} is not the one that was applied")))
        }
        _ => Ok(()),
    }
}

/// That the database is busy is no defect of the migration.
fn refused(migration: &Migration, cause: StoreError) -> StoreError {
    match cause {
        cause @ (StoreError::Unavailable(_) | StoreError::Conflict { .. }) => cause,
        cause => StoreError::Migration { number: migration.number, name: migration.name, cause: Box::new(cause) },
    }
}

async fn apply(tx: &mut Tx<'_>, migration: &Migration) -> Result<(), StoreError> {
    let sql = dialect(tx, migration.sql);
    tx.batch(&sql).await?;
    let values = params![migration.number, migration.name, migration.checksum(), VERSION];
    tx.execute("INSERT INTO migration (number, name, checksum, version) VALUES ($1, $2, $3, $4)", values).await?;
    Ok(())
}

fn dialect(tx: &Tx<'_>, sql: &str) -> String {
    match tx.either("sqlite", "postgres") {
        "sqlite" => sql.replace("BIGINT PRIMARY KEY", "INTEGER PRIMARY KEY"),
        _ => sql.replace(" TEXT", " TEXT COLLATE \"C\""),
    }
}

/// What a database's schema is, step by step.
pub(super) async fn applied(tx: &mut Tx<'_>) -> Result<Vec<Applied>, StoreError> {
    let rows = tx.rows("SELECT number, name, checksum FROM migration ORDER BY number", params![]).await?;
    rows.iter().map(|row| Ok(Applied { number: row.get(0)?, name: row.get(1)?, checksum: row.get(2)? })).collect()
}

impl Migration {
    /// SHA-256 of its text, in hexadecimal: a step that was taken is known by it.
    pub fn checksum(&self) -> String {
        hex::encode(Sha256::digest(self.sql))
    }
}
