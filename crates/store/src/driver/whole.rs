//! Whole tables, out and in, as a backup needs them: by the names that the database itself gives, so that no table is forgotten.

use std::fmt::Write as _;

use super::error::StoreError;
use super::tx::Tx;
use super::value::Value;
use crate::params;

/// What is called for every row.
pub type Each<'a> = &'a mut (dyn FnMut(Vec<Value>) -> Result<(), StoreError> + Send);

/// A table as it is in this database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// Its name.
    pub name: String,
    /// Its columns, in their order.
    pub columns: Vec<String>,
}

/// Parameters of one statement, at most; a statement has at least one row.
const WIDTH: usize = 400;

const SQLITE_TABLES: &str = "SELECT name FROM sqlite_master WHERE type = 'table' AND substr(name, 1, 7) <> 'sqlite_' ORDER BY name";
const POSTGRES_TABLES: &str = "SELECT CAST(table_name AS TEXT) FROM information_schema.tables \
                               WHERE table_schema = current_schema() AND table_type = 'BASE TABLE' ORDER BY 1";
const SQLITE_COLUMNS: &str = "SELECT name FROM pragma_table_info($1) ORDER BY cid";
const POSTGRES_COLUMNS: &str = "SELECT CAST(column_name AS TEXT) FROM information_schema.columns \
                                WHERE table_schema = current_schema() AND CAST(table_name AS TEXT) = $1 ORDER BY ordinal_position";
const SQLITE_REFERENCES: &str = "SELECT DISTINCT \"table\" FROM pragma_foreign_key_list($1)";
const POSTGRES_REFERENCES: &str = "SELECT DISTINCT CAST(far.relname AS TEXT) FROM pg_constraint k \
                                   JOIN pg_class near ON near.oid = k.conrelid JOIN pg_class far ON far.oid = k.confrelid \
                                   JOIN pg_namespace n ON n.oid = near.relnamespace \
                                   WHERE k.contype = 'f' AND n.nspname = current_schema() AND CAST(near.relname AS TEXT) = $1";

impl Tx<'_> {
    /// All tables, each behind those that it refers to.
    pub async fn tables(&mut self) -> Result<Vec<Table>, StoreError> {
        let mut waiting = Vec::new();
        for name in texts(self, self.either(SQLITE_TABLES, POSTGRES_TABLES), params![]).await? {
            let columns = texts(self, self.either(SQLITE_COLUMNS, POSTGRES_COLUMNS), params![&name]).await?;
            let mut references = texts(self, self.either(SQLITE_REFERENCES, POSTGRES_REFERENCES), params![&name]).await?;
            references.retain(|to| *to != name);
            waiting.push((Table { name, columns }, references));
        }
        ordered(waiting)
    }

    /// Gives every row of a table to `each`, in no order, its columns in the table's.
    pub async fn dump(&mut self, table: &Table, at_once: usize, each: Each<'_>) -> Result<(), StoreError> {
        let sql = format!("SELECT {} FROM {}", quoted_all(&table.columns), quoted(&table.name));
        self.walk(&format!("dump_{}", table.name), &sql, at_once, each).await
    }

    /// Writes rows into a table, each with a value for every one of its columns.
    pub async fn fill(&mut self, table: &Table, rows: &[Vec<Value>]) -> Result<(), StoreError> {
        let width = table.columns.len().max(1);
        for chunk in rows.chunks((WIDTH / width).max(1)) {
            let sql = insertion(table, chunk.len());
            self.execute_made(&sql, &chunk.concat()).await?;
        }
        Ok(())
    }

    /// Deletes every row of a table.
    pub async fn clear(&mut self, table: &Table) -> Result<(), StoreError> {
        self.execute_made(&format!("DELETE FROM {}", quoted(&table.name)), &[]).await?;
        Ok(())
    }
}

async fn texts(tx: &mut Tx<'_>, sql: &'static str, params: &[Value]) -> Result<Vec<String>, StoreError> {
    tx.rows(sql, params).await?.iter().map(|row| row.get(0)).collect()
}

/// Each table behind those that it refers to.
fn ordered(mut waiting: Vec<(Table, Vec<String>)>) -> Result<Vec<Table>, StoreError> {
    let mut done: Vec<Table> = Vec::with_capacity(waiting.len());
    while !waiting.is_empty() {
        let names: Vec<String> = waiting.iter().map(|(table, _)| table.name.clone()).collect();
        let (ready, later): (Vec<_>, Vec<_>) = waiting.into_iter().partition(|(_, to)| to.iter().all(|name| !names.contains(name)));
        if ready.is_empty() {
            return Err(StoreError::statement(format!("tables that refer to each other: {}", names.join(", "))));
        }
        done.extend(ready.into_iter().map(|(table, _)| table));
        waiting = later;
    }
    Ok(done)
}

fn insertion(table: &Table, rows: usize) -> String {
    let mut sql = format!("INSERT INTO {} ({}) VALUES ", quoted(&table.name), quoted_all(&table.columns));
    let width = table.columns.len();
    for row in 0..rows {
        let values: Vec<String> = (1..=width).map(|column| format!("${}", row * width + column)).collect();
        // Writing to a `String` cannot fail.
        let _ = write!(sql, "{}({})", if row > 0 { ", " } else { "" }, values.join(", "));
    }
    sql
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

fn quoted_all(names: &[String]) -> String {
    names.iter().map(|name| quoted(name)).collect::<Vec<_>>().join(", ")
}
