//! A transaction on a pooled connection, and what PostgreSQL's errors mean.

use std::error::Error as _;
use std::fmt;
use std::future::Future;
use std::time::Duration;

use bytes::BytesMut;
use deadpool_postgres::{Client, Object};
use tokio_postgres::error::{DbError, SqlState};
use tokio_postgres::types::{IsNull, ToSql, Type};
use tokio_postgres::{Error, Statement};

use crate::driver::error::{Cause, Conflict, StoreError};
use crate::driver::row::Row;
use crate::driver::value::Value;
use crate::driver::whole::Each;

/// A transaction. Dropped before its end (the caller was cancelled, or a body panicked) it closes its connection:
/// the server then undoes it, and no other unit waits behind a statement that nobody listens to.
pub(in crate::driver) struct Session {
    client: Option<Client>,
    /// How long each statement is waited for. A server that hangs, or whose host is gone, never says that it timed out.
    patience: Option<Duration>,
}

/// How long the end of a unit that failed is waited for, before its connection is closed instead.
const ROLLBACK_PATIENCE: Duration = Duration::from_secs(1);

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").finish_non_exhaustive()
    }
}

impl Session {
    pub(super) async fn begin(client: Client, begin: &'static str, patience: Option<Duration>) -> Result<Self, StoreError> {
        let session = Self { client: Some(client), patience };
        session.batch(begin).await?;
        Ok(session)
    }

    /// Ends the transaction; the connection goes back to the pool when that worked.
    pub(super) async fn commit(mut self) -> Result<(), StoreError> {
        self.batch("COMMIT").await.inspect_err(|_| self.close())?;
        self.client = None;
        Ok(())
    }

    pub(super) async fn rollback(mut self) {
        self.patience = Some(ROLLBACK_PATIENCE);
        match self.batch("ROLLBACK").await {
            Ok(()) => self.client = None,
            Err(_) => self.close(),
        }
    }

    pub(in crate::driver) async fn execute(&self, sql: &str, params: &[Value]) -> Result<u64, StoreError> {
        let client = self.client()?;
        let statement = self.prepare(sql, params).await?;
        self.bounded(client.execute_raw(&statement, params)).await
    }

    pub(in crate::driver) async fn rows(&self, sql: &'static str, params: &[Value]) -> Result<Vec<Row>, StoreError> {
        let client = self.client()?;
        let statement = self.prepare(sql, params).await?;
        let params: Vec<&(dyn ToSql + Sync)> = params.iter().map(|value| value as _).collect();
        let rows = self.bounded(client.query(&statement, &params)).await?;
        rows.iter().map(|found| row(sql, found)).collect()
    }

    pub(in crate::driver) async fn batch(&self, sql: &str) -> Result<(), StoreError> {
        self.bounded(self.client()?.batch_execute(sql)).await
    }

    /// Gives every row of a statement to `each`, `at_once` fetched at a time through the cursor `name`.
    pub(in crate::driver) async fn walk(&self, name: &str, sql: &str, at_once: usize, each: Each<'_>) -> Result<(), StoreError> {
        let client = self.client()?;
        self.batch(&format!("DECLARE {name} NO SCROLL CURSOR FOR {sql}")).await?;
        let fetch = self.bounded(client.prepare(&format!("FETCH FORWARD {at_once} FROM {name}"))).await?;
        loop {
            let page = self.bounded(client.query(&fetch, &[])).await?;
            for found in &page {
                each(values(found).map_err(|error| StoreError::corrupt(format!("{error}: {name}")))?)?;
            }
            if page.len() < at_once {
                return self.batch(&format!("CLOSE {name}")).await;
            }
        }
    }

    async fn bounded<T>(&self, work: impl Future<Output = Result<T, Error>>) -> Result<T, StoreError> {
        let Some(patience) = self.patience else { return work.await.map_err(store_error) };
        let silent = |_| StoreError::unavailable("PostgreSQL did not answer in time");
        tokio::time::timeout(patience, work).await.map_err(silent)?.map_err(store_error)
    }

    async fn prepare(&self, sql: &str, params: &[Value]) -> Result<Statement, StoreError> {
        tracing::trace!(target: super::super::STATEMENTS, sql);
        let statement = self.bounded(self.client()?.prepare_cached(sql)).await?;
        let wanted = statement.params().len();
        if wanted == params.len() {
            return Ok(statement);
        }
        Err(StoreError::statement(format!("{} parameters instead of {wanted}: {sql}", params.len())))
    }

    fn client(&self) -> Result<&Client, StoreError> {
        self.client.as_ref().ok_or_else(|| StoreError::unavailable("the transaction has ended"))
    }

    fn close(&mut self) {
        if let Some(client) = self.client.take() {
            drop(Object::take(client));
        }
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.close();
    }
}

impl ToSql for Value {
    fn to_sql(&self, kind: &Type, out: &mut BytesMut) -> Result<IsNull, Cause> {
        match self {
            Self::Null => Ok(IsNull::Yes),
            Self::Int(number) if *kind == Type::INT8 => number.to_sql(kind, out),
            Self::Text(text) if *kind == Type::TEXT => text.to_sql(kind, out),
            Self::Bytes(bytes) if *kind == Type::BYTEA => bytes.to_sql(kind, out),
            _ => Err(format!("a parameter of type {kind} got another value").into()),
        }
    }

    fn accepts(kind: &Type) -> bool {
        matches!(*kind, Type::INT8 | Type::TEXT | Type::BYTEA)
    }

    tokio_postgres::types::to_sql_checked!();
}

fn row(sql: &'static str, found: &tokio_postgres::Row) -> Result<Row, StoreError> {
    Ok(Row::new(sql, values(found).map_err(|error| StoreError::corrupt(format!("{error}: {sql}")))?))
}

fn values(found: &tokio_postgres::Row) -> Result<Vec<Value>, Error> {
    let columns = found.columns().iter().enumerate();
    columns.map(|(index, column)| value(found, index, column.type_())).collect()
}

fn value(row: &tokio_postgres::Row, index: usize, kind: &Type) -> Result<Value, Error> {
    Ok(match *kind {
        Type::INT4 => Value::from(row.try_get::<_, Option<i32>>(index)?.map(i64::from)),
        Type::BOOL => Value::from(row.try_get::<_, Option<bool>>(index)?),
        Type::TEXT => Value::from(row.try_get::<_, Option<String>>(index)?),
        Type::BYTEA => Value::from(row.try_get::<_, Option<Vec<u8>>>(index)?),
        _ => Value::from(row.try_get::<_, Option<i64>>(index)?),
    })
}

fn store_error(error: Error) -> StoreError {
    let Some(refusal) = error.as_db_error() else {
        // A value that did not fit its parameter was never sent; all else is the connection's.
        let unsent = !error.is_closed() && error.source().is_some_and(|cause| !cause.is::<std::io::Error>());
        return if unsent { StoreError::statement(error) } else { StoreError::unavailable(error) };
    };
    if let Some(with) = conflict(refusal) {
        return StoreError::Conflict { with, cause: error.into() };
    }
    // Classes: connection, resources, operator (time-outs and shutdown too), system. The others: a standby cannot write; we were
    // too slow ourselves; a lock; how the transaction ended is not known; somebody took a right from our role.
    match refusal.code().code() {
        "25006" | "25P03" | "25P04" | "55P03" | "40003" | "42501" => StoreError::unavailable(error),
        code if ["08", "53", "57", "58", "3D", "28"].iter().any(|class| code.starts_with(class)) => StoreError::unavailable(error),
        code if code.starts_with("XX") => StoreError::corrupt(error),
        _ => StoreError::statement(error),
    }
}

/// Whether a table was not free in time.
pub(super) fn is_lock_timeout(error: &StoreError) -> bool {
    let cause = std::error::Error::source(error).and_then(|cause| cause.downcast_ref::<Error>());
    cause.and_then(Error::code) == Some(&SqlState::LOCK_NOT_AVAILABLE)
}

fn conflict(refusal: &DbError) -> Option<Conflict> {
    match *refusal.code() {
        SqlState::T_R_SERIALIZATION_FAILURE | SqlState::T_R_DEADLOCK_DETECTED => Some(Conflict::Serialisation),
        SqlState::UNIQUE_VIOLATION => Some(Conflict::Unique(index(refusal))),
        SqlState::FOREIGN_KEY_VIOLATION => Some(Conflict::Reference),
        _ => None,
    }
}

/// `Key (a, b)=(1, 2) already exists.` in table `t` is `t(a, b)`; over an expression it is the index's name.
fn index(refusal: &DbError) -> String {
    let name = refusal.constraint().unwrap_or_default();
    let detail = refusal.detail().unwrap_or_default();
    let columns = detail.split_once('(').and_then(|(_, rest)| rest.split_once(")=(")).map(|(columns, _)| columns);
    match (refusal.table(), columns) {
        (Some(table), Some(columns)) if !columns.contains('(') => format!("{table}({})", columns.replace('"', "")),
        _ => name.to_owned(),
    }
}
