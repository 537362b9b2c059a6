//! Migrations: one text for both databases, forward only, under a lock, refused when the database is newer.
//!
//! Columns are `BIGINT`, `BYTEA` or `TEXT`. The only rewriting: `BIGINT PRIMARY KEY` becomes `INTEGER PRIMARY KEY` on
//! SQLite (the row's own number), and ` TEXT` becomes ` TEXT COLLATE "C"` on PostgreSQL (bytes' order on both).

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

const TABLE: &str = "CREATE TABLE IF NOT EXISTS migration (
    number BIGINT PRIMARY KEY, name TEXT NOT NULL, checksum TEXT NOT NULL)";
/// Any number will do, as long as every version uses the same.
const LOCK: &str = "SET LOCAL statement_timeout = 0; SELECT pg_advisory_xact_lock(7291663814)";

/// Brings the schema up to `migrations`, in the unit of work `tx`.
pub(super) async fn migrate(tx: &mut Tx<'_>, migrations: &[Migration]) -> Result<(), StoreError> {
    let lock = tx.either("", LOCK);
    tx.batch(lock).await?;
    tx.batch(&dialect(tx, TABLE)).await?;
    let applied = tx.rows("SELECT number, checksum FROM migration ORDER BY number", params![]).await?;
    let known = migrations.last().map_or(0, |last| last.number);
    for row in &applied {
        check(row.get(0)?, &row.get::<String>(1)?, migrations, known)?;
    }
    for migration in migrations.iter().skip(applied.len()) {
        apply(tx, migration).await?;
    }
    Ok(())
}

fn check(found: i64, checksum: &str, migrations: &[Migration], known: i64) -> Result<(), StoreError> {
    let Some(migration) = migrations.iter().find(|migration| migration.number == found) else {
        return Err(StoreError::Newer { found, known });
    };
    if migration.checksum() == checksum {
        return Ok(());
    }
    Err(StoreError::corrupt(format!("migration {found} is not the one that was applied")))
}

async fn apply(tx: &mut Tx<'_>, migration: &Migration) -> Result<(), StoreError> {
    let sql = dialect(tx, migration.sql);
    tx.batch(&sql).await?;
    let values = params![migration.number, migration.name, migration.checksum()];
    tx.execute("INSERT INTO migration (number, name, checksum) VALUES ($1, $2, $3)", values).await?;
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
