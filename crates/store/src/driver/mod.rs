//! The thin driver: values, rows and units of work over SQLite and PostgreSQL. It alone knows which of the two runs.

mod error;
mod lock;
mod migrate;
mod postgres;
mod row;
mod sqlite;
mod store;
mod tx;
mod value;

pub use error::{Cause, Conflict, StoreError};
pub use lock::DirectoryLock;
pub use migrate::Migration;
pub use postgres::PostgresSettings;
pub use row::Row;
pub use store::{Database, Store};
pub use tx::{Tx, Work};
pub use value::{FromValue, Value};

/// How long after a unit of work has returned a power cut may still take it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Durability {
    /// Not at all.
    Full,
    /// For moments.
    Soon,
}
