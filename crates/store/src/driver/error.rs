//! The one error of this crate: what a caller can do about it, never what the database said.

use std::path::PathBuf;

/// The private cause of an error; for the log, never for an answer.
pub type Cause = Box<dyn std::error::Error + Send + Sync>;

/// What went wrong in the store. The text of each is fit for the public; the cause is its `source()`.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The database is gone, full, busy or slow, or no connection was free in time. Try again later (503).
    #[error("the database is not available at the moment; try again later")]
    Unavailable(#[source] Cause),
    /// The change meets another one that stands.
    #[error("the change conflicts with what is stored")]
    Conflict {
        /// What it conflicts with.
        with: Conflict,
        /// What the database said.
        #[source]
        cause: Cause,
    },
    /// What is stored is not what this program stores.
    #[error("stored data is not as expected")]
    Corrupt(#[source] Cause),
    /// The database refused a statement, or a unit of work broke the driver's rules: a defect of the program.
    #[error("the database refused a statement")]
    Statement(#[source] Cause),
    /// A newer version of the program wrote this database.
    #[error("the database was written by {}; run that version or a newer one, or go back to a backup from before", newer(.version.as_deref(), *.found, *.known))]
    Newer {
        /// The highest migration in the database.
        found: i64,
        /// The highest migration of this program.
        known: i64,
        /// Which version applied it, if it is written down.
        version: Option<String>,
    },
    /// The schema is of an older version, and nobody has allowed to change it here.
    #[error("the schema of the database is {found}, and this version needs {known}; run `tidegate migrate` first")]
    Behind {
        /// The highest migration in the database.
        found: i64,
        /// The highest migration of this program.
        known: i64,
    },
    /// A migration does not go through. Nothing of it has happened; those before it have.
    #[error("migration {number} ({name}) does not go through, and nothing of it was changed")]
    Migration {
        /// Which one.
        number: i64,
        /// Its name.
        name: &'static str,
        /// What went wrong.
        #[source]
        cause: Box<StoreError>,
    },
    /// Another server holds the data directory.
    #[error("{} is in use by another server; stop it or choose another data directory", .0.display())]
    InUse(PathBuf),
    /// The data directory cannot be written.
    #[error("{} cannot be written; check its owner, its mode and the disk", path.display())]
    NotWritable {
        /// The directory.
        path: PathBuf,
        /// What the system said.
        #[source]
        cause: Cause,
    },
}

fn newer(version: Option<&str>, found: i64, known: i64) -> String {
    let who = version.map_or_else(|| "a newer version".to_owned(), |version| format!("Tidegate {version}"));
    format!("{who} (its schema is {found}; this is {}, which knows {known})", env!("CARGO_PKG_VERSION"))
}

/// What a change can conflict with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Conflict {
    /// A unique value is taken: `table(column, column)`, or the index's name when it is over an expression.
    Unique(String),
    /// A row that is referred to does not exist, or one that is deleted is still referred to.
    Reference,
    /// Other units of work kept changing the same rows until the tries were used up.
    Serialisation,
}

impl StoreError {
    /// Whether the unique value `index` is taken: `table(column, column)` as the schema orders its columns,
    /// or the name of an index over an expression.
    pub fn is_taken(&self, index: &str) -> bool {
        matches!(self, Self::Conflict { with: Conflict::Unique(taken), .. } if taken == index)
    }

    pub(crate) fn is_serialisation(&self) -> bool {
        matches!(self, Self::Conflict { with: Conflict::Serialisation, .. })
    }

    pub(crate) fn unavailable(cause: impl Into<Cause>) -> Self {
        Self::Unavailable(cause.into())
    }

    /// What is stored at `cause` (table and column) is not what this program stores.
    pub fn corrupt(cause: impl Into<Cause>) -> Self {
        Self::Corrupt(cause.into())
    }

    pub(crate) fn statement(cause: impl Into<Cause>) -> Self {
        Self::Statement(cause.into())
    }
}
