//! The one connection that writes, and the group whose transaction is open on it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use meter::Stopwatch;
use rusqlite::Connection;
use tokio::sync::oneshot;

use super::statement::{batch, execute};
use crate::driver::Durability;
use crate::driver::error::StoreError;
use crate::driver::meters::Meters;

/// What a member is told once its group has ended; the text is the private cause.
type Outcome = Result<(), String>;

impl Durability {
    /// With a write-ahead log, NORMAL leaves out the sync at each commit, and nothing else.
    const fn pragma(self) -> &'static str {
        match self {
            Self::Full | Self::Apart => "PRAGMA synchronous = FULL",
            Self::Soon => "PRAGMA synchronous = NORMAL",
        }
    }
}

#[derive(Debug)]
pub(in crate::driver) struct Writer {
    pub(super) connection: Connection,
    members: Vec<oneshot::Sender<Outcome>>,
    /// A savepoint is open; outside a body this means that the body panicked.
    in_member: bool,
    /// Of the group; what the connection is set to, unless it never syncs.
    durability: Durability,
    syncs: bool,
    /// Counted when a commit has ended, however, and before anybody is told.
    commits: Arc<AtomicU64>,
    meters: Meters,
}

impl Writer {
    pub(super) fn new(connection: Connection, syncs: bool, commits: Arc<AtomicU64>, meters: Meters) -> Self {
        Self { connection, members: Vec::new(), in_member: false, durability: Durability::Full, syncs, commits, meters }
    }

    pub(super) fn members(&self) -> usize {
        self.members.len()
    }

    /// Opens the group's transaction, if none is open, and the member's savepoint in it.
    pub(super) fn begin_member(&mut self, wanted: Durability) -> Result<(), StoreError> {
        if self.in_member {
            self.undo_member();
        }
        if self.durability == Durability::Soon && wanted == Durability::Full {
            // Nobody waits for a disk in that group.
            self.commit_group();
        }
        if self.connection.is_autocommit() {
            self.set_durability(wanted)?;
            execute(&self.connection, "BEGIN IMMEDIATE", &[])?;
        }
        self.in_member = true;
        execute(&self.connection, "SAVEPOINT member", &[]).inspect_err(|_| self.undo_member())?;
        Ok(())
    }

    fn set_durability(&mut self, wanted: Durability) -> Result<(), StoreError> {
        if self.durability != wanted && self.syncs {
            batch(&self.connection, wanted.pragma())?;
        }
        self.durability = wanted;
        Ok(())
    }

    /// The member's work stays in the group; the receiver hears how the group ends.
    pub(super) fn keep_member(&mut self) -> Result<oneshot::Receiver<Outcome>, StoreError> {
        execute(&self.connection, "RELEASE member", &[]).inspect_err(|_| self.undo_member())?;
        self.in_member = false;
        let (told, outcome) = oneshot::channel();
        self.members.push(told);
        if self.durability == Durability::Soon {
            self.commit_group();
        }
        Ok(outcome)
    }

    /// Undoes the member's work alone; when the database has already undone the whole group, the group fails.
    pub(super) fn undo_member(&mut self) {
        self.in_member = false;
        let undone = batch(&self.connection, "ROLLBACK TO member; RELEASE member");
        if self.connection.is_autocommit() || undone.is_err() {
            self.end_group(&Err("an error of another unit of work ended the group".to_owned()));
        } else if self.members.is_empty() {
            self.end_group(&Ok(()));
        }
    }

    /// Commits what is open, as durably as the group asks, and tells the members.
    pub(super) fn commit_group(&mut self) {
        if self.in_member {
            self.undo_member();
        }
        if self.members.is_empty() {
            return;
        }
        let watch = Stopwatch::start();
        let committed = execute(&self.connection, "COMMIT", &[]).map(drop);
        self.meters.group_commits.took(watch.elapsed());
        self.meters.group_members.observe(self.members.len() as u64);
        self.commits.fetch_add(1, Ordering::Release);
        self.end_group(&committed.map_err(|error| cause(&error)));
    }

    /// Tells the members how it went. What is still open was not committed, and is undone first.
    fn end_group(&mut self, outcome: &Outcome) {
        let open = !self.connection.is_autocommit();
        if open && let Err(error) = execute(&self.connection, "ROLLBACK", &[]) {
            tracing::error!(error = cause(&error), "a failed group could not be rolled back");
        }
        for member in self.members.drain(..) {
            // A member that was cancelled does not listen any more.
            let _ = member.send(outcome.clone());
        }
    }
}

fn cause(error: &StoreError) -> String {
    std::error::Error::source(error).map_or_else(|| error.to_string(), ToString::to_string)
}
