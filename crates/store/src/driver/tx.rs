//! A unit of work as its body sees it: statements, and nothing of which database runs them.

use std::pin::Pin;

use super::error::StoreError;
use super::meters::Meters;
use super::postgres;
use super::row::Row;
use super::sqlite;
use super::value::Value;
use super::whole::Each;

/// What a body returns: `Box::pin(async move { … })`.
///
/// Boxed, because only a named type can promise `Send` for every lifetime of `Tx`; with `AsyncFn` bodies no caller
/// could be spawned (`docs/decisions/0001-sql-driver.md`).
pub type Work<'t, T, E> = Pin<Box<dyn Future<Output = Result<T, E>> + Send + 't>>;

/// A unit of work under way. All of its statements happen, or none.
///
/// After a statement has failed the unit is over: later statements fail, and it is rolled back whatever its body returns.
#[derive(Debug)]
pub struct Tx<'c> {
    unit: Unit<'c>,
    failure: Option<Failure>,
    meters: &'c Meters,
}

#[derive(Debug)]
pub(super) enum Unit<'c> {
    Sqlite(sqlite::Lease<'c>),
    Postgres(Box<postgres::Session>),
}

/// Why a unit cannot be committed any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Failure {
    /// It met another unit; run again it may pass.
    Serialisation,
    Other,
}

impl<'c> Tx<'c> {
    pub(super) fn new(unit: Unit<'c>, meters: &'c Meters) -> Self {
        Self { unit, failure: None, meters }
    }

    pub(super) fn end(self) -> (Unit<'c>, Option<Failure>) {
        (self.unit, self.failure)
    }

    /// Runs a statement that returns no rows; how many rows it changed.
    pub async fn execute(&mut self, sql: &'static str, params: &[Value]) -> Result<u64, StoreError> {
        self.check()?;
        let result = match &mut self.unit {
            Unit::Sqlite(lease) => sqlite::execute(lease.connection(), sql, params),
            Unit::Postgres(session) => session.execute(sql, params).await,
        };
        self.note(result)
    }

    /// Runs a statement and reads all its rows. The statement bounds their number (`LIMIT`).
    pub async fn rows(&mut self, sql: &'static str, params: &[Value]) -> Result<Vec<Row>, StoreError> {
        self.check()?;
        let result = match &mut self.unit {
            Unit::Sqlite(lease) => sqlite::rows(lease.connection(), sql, params, usize::MAX),
            Unit::Postgres(session) => session.rows(sql, params).await,
        };
        self.note(result)
    }

    /// Runs a statement that has at most one row. [`StoreError::Statement`] when there are more.
    pub async fn row(&mut self, sql: &'static str, params: &[Value]) -> Result<Option<Row>, StoreError> {
        self.check()?;
        let result = match &mut self.unit {
            Unit::Sqlite(lease) => sqlite::rows(lease.connection(), sql, params, 2),
            Unit::Postgres(session) => session.rows(sql, params).await,
        };
        let result = result.and_then(|mut rows| match rows.len() {
            0 | 1 => Ok(rows.pop()),
            _ => Err(StoreError::statement(format!("more than one row: {sql}"))),
        });
        self.note(result)
    }

    /// Runs a statement that has exactly one row.
    pub async fn one(&mut self, sql: &'static str, params: &[Value]) -> Result<Row, StoreError> {
        self.row(sql, params).await?.ok_or_else(|| StoreError::statement(format!("no row: {sql}")))
    }

    /// The statement for the database that runs, where one text cannot serve both.
    pub fn either(&self, sqlite: &'static str, postgres: &'static str) -> &'static str {
        match self.unit {
            Unit::Sqlite(_) => sqlite,
            Unit::Postgres(_) => postgres,
        }
    }

    /// Gives every row of a statement without parameters to `each`, without ever holding more than `at_once` of them. `name` is
    /// an identifier, different for each statement of a unit. For what nobody could hold whole.
    pub async fn walk(&mut self, name: &str, sql: &str, at_once: usize, each: Each<'_>) -> Result<(), StoreError> {
        self.check()?;
        let result = match &mut self.unit {
            Unit::Sqlite(lease) => sqlite::walk(lease.connection(), sql, each),
            Unit::Postgres(session) => session.walk(name, sql, at_once, each).await,
        };
        self.note(result)
    }

    /// As [`execute`](Self::execute), for a statement that was put together from the schema's own names.
    pub(super) async fn execute_made(&mut self, sql: &str, params: &[Value]) -> Result<u64, StoreError> {
        self.check()?;
        let result = match &mut self.unit {
            Unit::Sqlite(lease) => sqlite::execute(lease.connection(), sql, params),
            Unit::Postgres(session) => session.execute(sql, params).await,
        };
        self.note(result)
    }

    /// Runs many statements without parameters, for migrations.
    pub(super) async fn batch(&mut self, sql: &str) -> Result<(), StoreError> {
        self.check()?;
        let result = match &mut self.unit {
            Unit::Sqlite(lease) => sqlite::batch(lease.connection(), sql),
            Unit::Postgres(session) => session.batch(sql).await,
        };
        self.note(result)
    }

    fn check(&self) -> Result<(), StoreError> {
        match self.failure {
            None => Ok(()),
            Some(_) => Err(went_on()),
        }
    }

    fn note<T>(&mut self, result: Result<T, StoreError>) -> Result<T, StoreError> {
        let result = self.meters.note(result);
        if let Err(error) = &result {
            let again = error.is_serialisation();
            self.failure = Some(if again { Failure::Serialisation } else { Failure::Other });
        }
        result
    }
}

const FOREIGN: &str = "a unit of work of the other database";

impl<'c> Unit<'c> {
    pub(super) fn into_sqlite(self) -> Result<sqlite::Lease<'c>, StoreError> {
        match self {
            Self::Sqlite(lease) => Ok(lease),
            Self::Postgres(_) => Err(StoreError::statement(FOREIGN)),
        }
    }

    pub(super) fn into_postgres(self) -> Result<postgres::Session, StoreError> {
        match self {
            Self::Postgres(session) => Ok(*session),
            Self::Sqlite(_) => Err(StoreError::statement(FOREIGN)),
        }
    }
}

/// A body went on, or returned success, after one of its statements had failed.
pub(super) fn went_on() -> StoreError {
    StoreError::statement("a unit of work went on after a failed statement")
}
