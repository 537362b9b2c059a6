//! How far a long job is, for who waits for it.

/// A step of a job.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Progress<'a> {
    /// Rows of a table, so far.
    Rows {
        /// Which table.
        table: &'a str,
        /// How many.
        done: u64,
    },
    /// Blobs, so far.
    Blobs {
        /// What is done with them, as in "blobs copied".
        what: &'a str,
        /// How many.
        done: u64,
        /// Of how many; none: nobody has counted.
        of: Option<u64>,
        /// Their bytes.
        bytes: u64,
    },
    /// Something that went otherwise than it should, and harms nothing.
    Remark(&'a str),
}

/// Who is told. Called often: it decides what to show.
pub type Report<'a> = &'a (dyn Fn(Progress<'_>) + Send + Sync);
