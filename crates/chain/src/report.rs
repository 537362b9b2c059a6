//! What verifying has found.

use api::AuditRecord;
use model::Timestamp;
use serde::Serialize;

/// Problems that a report describes; further ones are counted.
const DESCRIBED: usize = 100;

/// A record's place: enough to find it.
#[derive(Clone, PartialEq, Eq, Serialize, Debug)]
pub struct Place {
    /// Its number in the chain.
    pub sequence: i64,
    /// Its id.
    pub event_id: String,
    /// When it happened.
    pub time: Timestamp,
}

impl Place {
    pub(crate) fn of(record: &AuditRecord) -> Self {
        Self { sequence: record.sequence(), event_id: record.event.event_id.clone(), time: record.event.time }
    }
}

/// What kind of harm.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Debug)]
#[serde(rename_all = "snake_case")]
pub enum ProblemKind {
    /// The record is not what was sealed.
    Changed,
    /// Another record stands where one was sealed.
    Replaced,
    /// Records are gone.
    Missing,
    /// A record that was never sealed here: put in, repeated or moved.
    OutOfOrder,
    /// A signature is not there or does not hold.
    Unsigned,
}

/// Something that is not as it was sealed, and where.
#[derive(Clone, PartialEq, Eq, Serialize, Debug)]
pub struct Problem {
    /// What kind.
    pub kind: ProblemKind,
    /// At which record, or behind which one; none: at the trail's beginning or as a whole.
    pub at: Option<Place>,
    /// What is wrong, for people.
    pub problem: String,
}

/// What verifying has found.
#[derive(Clone, Serialize, Debug)]
pub struct Report {
    /// Nothing is wrong.
    pub whole: bool,
    /// Records that were read.
    pub records: u64,
    /// The first of them.
    pub first: Option<Place>,
    /// The last of them.
    pub last: Option<Place>,
    /// The newest checkpoint: keep it, and a later verification can be asked whether the trail still contains it.
    pub checkpoint: Option<String>,
    /// How many problems there are.
    pub problem_count: usize,
    /// The first hundred of them.
    pub problems: Vec<Problem>,
}

impl Report {
    pub(crate) const fn new() -> Self {
        Self { whole: true, records: 0, first: None, last: None, checkpoint: None, problem_count: 0, problems: Vec::new() }
    }

    pub(crate) fn found(&mut self, kind: ProblemKind, at: Option<&Place>, problem: String) {
        self.whole = false;
        self.problem_count += 1;
        if self.problems.len() < DESCRIBED {
            self.problems.push(Problem { kind, at: at.cloned(), problem });
        }
    }
}
