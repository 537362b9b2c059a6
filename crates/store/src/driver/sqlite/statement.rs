//! Statements on a SQLite connection, and what its errors mean.

use std::path::Path;

use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{CachedStatement, Connection, Error, ErrorCode, Statement, StatementStatus, ToSql, ffi};

use crate::driver::error::{Conflict, StoreError};
use crate::driver::row::Row;
use crate::driver::value::Value;
use crate::driver::whole::Each;

pub(in crate::driver) fn execute(connection: &Connection, sql: &str, params: &[Value]) -> Result<u64, StoreError> {
    let run = || {
        let mut statement = prepare(connection, sql, params)?;
        let changed = statement.raw_execute();
        told(sql, &statement);
        changed
    };
    run().map(|changed| changed as u64).map_err(store_error)
}

pub(in crate::driver) fn rows(connection: &Connection, sql: &'static str, params: &[Value], limit: usize) -> Result<Vec<Row>, StoreError> {
    let read = || {
        let mut statement = prepare(connection, sql, params)?;
        let width = statement.column_count();
        let mut answer = statement.raw_query();
        let mut rows = Vec::new();
        while rows.len() < limit {
            let Some(row) = answer.next()? else { break };
            let values: Result<Vec<_>, Error> = (0..width).map(|index| row.get_ref(index).map(value)).collect();
            rows.push(values?);
        }
        drop(answer);
        told(sql, &statement);
        Ok(rows)
    };
    let rows = read().map_err(store_error)?;
    rows.into_iter().map(|values| complete(sql, values)).collect()
}

/// Gives every row of a statement to `each`, as it is read.
pub(in crate::driver) fn walk(connection: &Connection, sql: &str, each: Each<'_>) -> Result<(), StoreError> {
    let mut statement = prepare(connection, sql, &[]).map_err(store_error)?;
    let width = statement.column_count();
    let mut answer = statement.raw_query();
    while let Some(row) = answer.next().map_err(store_error)? {
        let values: Result<Vec<_>, Error> = (0..width).map(|index| row.get_ref(index).map(value)).collect();
        let values: Option<Vec<Value>> = values.map_err(store_error)?.into_iter().collect();
        each(values.ok_or_else(|| StoreError::corrupt(format!("a value of an unknown type: {sql}")))?)?;
    }
    Ok(())
}

/// Says at the finest level of the log what a statement did, never with which parameters: tests hold requests to a number of steps.
fn told(sql: &str, statement: &Statement<'_>) {
    tracing::trace!(
        target: super::super::STATEMENTS,
        sql,
        steps = statement.reset_status(StatementStatus::VmStep),
        scanned = statement.reset_status(StatementStatus::FullscanStep),
        sorts = statement.reset_status(StatementStatus::Sort),
    );
}

pub(in crate::driver) fn batch(connection: &Connection, sql: &str) -> Result<(), StoreError> {
    connection.execute_batch(sql).map_err(store_error)
}

fn prepare<'c>(connection: &'c Connection, sql: &str, params: &[Value]) -> Result<CachedStatement<'c>, Error> {
    let mut statement = connection.prepare_cached(sql)?;
    let wanted = statement.parameter_count();
    if wanted != params.len() {
        return Err(Error::InvalidParameterCount(params.len(), wanted));
    }
    for (number, value) in (1..).zip(params) {
        debug_assert_eq!(
            statement.parameter_name(number),
            Some(format!("${number}").as_str()),
            "SQLite numbers parameters by first appearance: {sql}"
        );
        statement.raw_bind_parameter(number, value)?;
    }
    Ok(statement)
}

impl ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Null => ValueRef::Null,
            Self::Int(number) => ValueRef::Integer(*number),
            Self::Text(text) => ValueRef::Text(text.as_bytes()),
            Self::Bytes(bytes) => ValueRef::Blob(bytes),
        }))
    }
}

/// `None`: a value that no column of ours can hold.
fn value(found: ValueRef<'_>) -> Option<Value> {
    match found {
        ValueRef::Null => Some(Value::Null),
        ValueRef::Integer(number) => Some(Value::Int(number)),
        ValueRef::Text(text) => std::str::from_utf8(text).ok().map(Value::from),
        ValueRef::Blob(bytes) => Some(Value::from(bytes)),
        ValueRef::Real(_) => None,
    }
}

fn complete(sql: &'static str, values: Vec<Option<Value>>) -> Result<Row, StoreError> {
    let values: Option<Vec<Value>> = values.into_iter().collect();
    let values = values.ok_or_else(|| StoreError::corrupt(format!("a value of an unknown type: {sql}")))?;
    Ok(Row::new(sql, values))
}

fn store_error(error: Error) -> StoreError {
    let Error::SqliteFailure(failure, message) = &error else {
        return StoreError::statement(error);
    };
    if let Some(with) = conflict(failure.extended_code, message.as_deref()) {
        return StoreError::Conflict { with, cause: error.into() };
    }
    match failure.code {
        ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => StoreError::corrupt(error),
        ErrorCode::DatabaseBusy
        | ErrorCode::DatabaseLocked
        | ErrorCode::DiskFull
        | ErrorCode::SystemIoFailure
        | ErrorCode::CannotOpen
        | ErrorCode::OutOfMemory
        | ErrorCode::OperationInterrupted
        | ErrorCode::FileLockingProtocolFailed
        | ErrorCode::PermissionDenied => StoreError::unavailable(error),
        ErrorCode::ReadOnly if failure.extended_code != ffi::SQLITE_READONLY => StoreError::unavailable(error),
        _ => StoreError::statement(error),
    }
}

fn conflict(code: i32, message: Option<&str>) -> Option<Conflict> {
    match code {
        ffi::SQLITE_CONSTRAINT_UNIQUE | ffi::SQLITE_CONSTRAINT_PRIMARYKEY | ffi::SQLITE_CONSTRAINT_ROWID => {
            Some(Conflict::Unique(index(message.unwrap_or_default())))
        }
        ffi::SQLITE_CONSTRAINT_FOREIGNKEY => Some(Conflict::Reference),
        _ => None,
    }
}

/// `UNIQUE constraint failed: t.a, t.b` is `t(a, b)`; `UNIQUE constraint failed: index 'i'` is `i`.
fn index(message: &str) -> String {
    let list = message.rsplit_once(": ").map_or(message, |(_, list)| list);
    if let Some(name) = list.strip_prefix("index '") {
        return name.trim_end_matches('\'').to_owned();
    }
    let columns: Vec<_> = list.split(", ").filter_map(|column| column.split_once('.')).collect();
    let names: Vec<_> = columns.iter().map(|(_, name)| *name).collect();
    let table = columns.first().map_or(list, |(table, _)| *table);
    format!("{table}({})", names.join(", "))
}

/// At start, a file that cannot be opened or written is its directory's fault.
pub(super) fn at_open(file: &Path, error: Error) -> StoreError {
    let code = error.sqlite_error_code();
    let refused = matches!(code, Some(ErrorCode::CannotOpen | ErrorCode::ReadOnly | ErrorCode::PermissionDenied | ErrorCode::DiskFull));
    if refused {
        let path = file.parent().unwrap_or(file).to_owned();
        return StoreError::NotWritable { path, cause: error.into() };
    }
    store_error(error)
}
