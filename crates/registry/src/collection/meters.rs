//! What the collection counts of its own work, on the node that does it.

use meter::{Counter, Histogram, Scale, Table, label};
use store::collection_run::Phase;

use super::step::Gone;

label! {
    /// The phases of a run.
    pub enum Walked as "phase" {
        /// Idle links are taken away.
        Links "links",
        /// Blobs that nobody links are condemned.
        Blobs "blobs",
        /// Content without a row is condemned.
        Strays "strays",
        /// What has been condemned for long enough is deleted.
        Deletion "deletion",
    }
}

label! {
    /// What goes.
    pub enum Taken as "thing" {
        /// A repository's link to a blob.
        Link "link",
        /// A blob's row: its content is condemned.
        Blob "blob",
        /// Content without a row: condemned.
        Stray "stray",
        /// Content: deleted.
        Content "content",
    }
}

label! {
    /// What does not go as it should; it is tried again.
    pub enum Failed as "what" {
        /// A step: the database or the storage did not answer.
        Step "step",
        /// A piece of content, which the storage did not delete.
        Content "content",
    }
}

/// The counters of one node. Clones count into the same.
#[derive(Clone, Debug)]
pub struct CollectionMeters {
    /// How long steps take.
    pub steps: Table<(Walked,), Histogram>,
    /// What has gone.
    pub taken: Table<(Taken,), Counter>,
    /// Bytes of the content that was deleted.
    pub freed: Counter,
    /// What has failed.
    pub failed: Table<(Failed,), Counter>,
}

impl Default for CollectionMeters {
    fn default() -> Self {
        Self {
            steps: Table::of(|| Histogram::new(Scale::SHORT_SECONDS)),
            taken: Table::default(),
            freed: Counter::default(),
            failed: Table::default(),
        }
    }
}

impl CollectionMeters {
    pub(super) fn gone(&self, gone: &Gone) {
        self.taken.count((gone.label(),));
        if let Gone::Deleted(due) = gone {
            self.freed.inc_by(u64::try_from(due.size).unwrap_or(0));
        }
    }
}

impl Walked {
    pub(super) const fn of(phase: Phase) -> Self {
        match phase {
            Phase::Links => Self::Links,
            Phase::Blobs => Self::Blobs,
            Phase::Strays => Self::Strays,
            Phase::Deletion => Self::Deletion,
        }
    }
}
