//! The thin driver: values, rows and units of work over SQLite and PostgreSQL. It alone knows which of the two runs.

mod error;
mod lock;
mod meters;
mod migrate;
mod postgres;
mod row;
mod sqlite;
mod store;
mod tx;
mod value;
mod whole;

pub use error::{Cause, Conflict, StoreError};
pub use lock::DirectoryLock;
pub use meters::{Connections, Fault, Kind, Meters};
pub use migrate::{Applied, Migration, Schema};
pub use postgres::PostgresSettings;
pub use row::Row;
pub use store::{Database, Store, Turns};
pub use tx::{Tx, Work};
pub use value::{FromValue, Value};
pub use whole::{Each, Table};

/// Where the log tells of each statement, at its finest level.
const STATEMENTS: &str = "store::statement";

/// How long after a unit of work has returned a power cut may still take it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Durability {
    /// Not at all.
    Full,
    /// For moments.
    Soon,
    /// Not at all, and reading makes nobody else run again. The same as `Full` where there is one writer.
    Apart,
}

impl Durability {
    /// What it comes to where writers never meet.
    const fn of_one_writer(self) -> Self {
        match self {
            Self::Apart => Self::Full,
            other => other,
        }
    }
}
