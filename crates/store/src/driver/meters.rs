//! What the driver counts of its own work.

use meter::{Counter, Histogram, Scale, Stopwatch, Table, label};

use super::error::{Conflict, StoreError};

label! {
    /// How a unit of work runs.
    pub enum Kind as "kind" {
        /// Few rows by an index, over a snapshot.
        Read "read",
        /// Many rows.
        Scan "scan",
        /// A change that is durable when it is answered.
        Write "write",
        /// A change that is durable soon.
        WriteSoon "write_soon",
        /// A job's change, beside requests.
        WriteApart "write_apart",
    }
}

label! {
    /// What went wrong, in the driver's terms. A conflict is a caller's: a name that is taken.
    pub enum Fault as "error" {
        /// The database is gone, full, busy or slow.
        Unavailable "unavailable",
        /// A unique value is taken, or something is still referred to.
        Conflict "conflict",
        /// Two units met; the later one runs again.
        Serialisation "serialisation",
        /// A statement was refused: a defect.
        Statement "statement",
        /// What is stored is not as expected.
        Corrupt "corrupt",
        /// The rest: directories and versions, at the start.
        Other "other",
    }
}

/// The counters of one store. Clones count into the same.
#[derive(Clone, Debug)]
pub struct Meters {
    /// How long units of work take, with their waiting.
    pub units: Table<(Kind,), Histogram>,
    /// What statements, commits and connections have failed with.
    pub faults: Table<(Fault,), Counter>,
    /// Units that one commit of SQLite makes durable.
    pub group_members: Histogram,
    /// How long such a commit takes.
    pub group_commits: Histogram,
}

impl Default for Meters {
    fn default() -> Self {
        Self {
            units: Table::of(|| Histogram::new(Scale::SHORT_SECONDS)),
            faults: Table::default(),
            group_members: Histogram::new(Scale::MEMBERS),
            group_commits: Histogram::new(Scale::SHORT_SECONDS),
        }
    }
}

impl Meters {
    /// Counts a failure on its way out.
    pub(super) fn note<T>(&self, result: Result<T, StoreError>) -> Result<T, StoreError> {
        result.inspect_err(|error| self.faults.count((Fault::of(error),)))
    }

    /// Counts how long a unit of work took.
    pub(super) async fn timed<T>(&self, kind: Kind, unit: impl Future<Output = T>) -> T {
        let watch = Stopwatch::start();
        let done = unit.await;
        self.units.took((kind,), watch.elapsed());
        done
    }
}

impl Fault {
    const fn of(error: &StoreError) -> Self {
        match error {
            StoreError::Unavailable(_) => Self::Unavailable,
            StoreError::Conflict { with: Conflict::Serialisation, .. } => Self::Serialisation,
            StoreError::Conflict { .. } => Self::Conflict,
            StoreError::Statement(_) => Self::Statement,
            StoreError::Corrupt(_) => Self::Corrupt,
            StoreError::Newer { .. }
            | StoreError::Behind { .. }
            | StoreError::Migration { .. }
            | StoreError::InUse(_)
            | StoreError::NotWritable { .. } => Self::Other,
        }
    }
}

/// Connections of a pool.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Connections {
    /// At work.
    pub in_use: usize,
    /// Open, and free.
    pub idle: usize,
    /// Units of work that wait for one.
    pub waiting: usize,
}
