//! Turns: units of this process that would meet at the same rows go one after another, instead of being run again and again.
//!
//! A unit has one turn at most, so that none waits for one that waits for it. Who says what its rows are of has that thing's turn from
//! the first try to the last. Who says nothing goes without at first, and when it has met somebody, has the turn of all who have: two
//! that met do not meet again. Units of other nodes wait in no line of this one; against them there is the pause between two tries.
//!
//! Whoever has a turn waits in no queue of those who have none ([`Lane::Turn`](super::Lane::Turn)). So the turn of all who have met others is
//! held for one transaction, and a thing's for the tries of one unit: 12 at most, with the pauses between them, which are this
//! node's standing back from the others.

use std::time::Duration;

use tokio::sync::{Mutex, MutexGuard};
use tokio::time::timeout;

use crate::driver::error::StoreError;

/// Turns of things; several things may share one.
const THINGS: u64 = 64;

/// One who holds a guard has the turn; the others wait in order.
#[derive(Debug)]
pub(super) struct Turns {
    /// Of those that have met others, and said nothing.
    again: Mutex<()>,
    things: Box<[Mutex<()>]>,
    /// How long one is waited for.
    patience: Duration,
}

impl Turns {
    pub(super) fn new(patience: Duration) -> Self {
        Self { again: Mutex::default(), things: (0..THINGS).map(|_| Mutex::default()).collect(), patience }
    }

    /// The turn of a thing.
    pub(super) async fn of(&self, thing: u64) -> Result<MutexGuard<'_, ()>, StoreError> {
        let place = usize::try_from(thing % THINGS).unwrap_or_default();
        self.wait(self.things.get(place).unwrap_or(&self.again)).await
    }

    /// The turn of those that have met others.
    pub(super) async fn again(&self) -> Result<MutexGuard<'_, ()>, StoreError> {
        self.wait(&self.again).await
    }

    async fn wait<'t>(&self, turn: &'t Mutex<()>) -> Result<MutexGuard<'t, ()>, StoreError> {
        timeout(self.patience, turn.lock()).await.map_err(|_| StoreError::unavailable("those before it in its turn take too long"))
    }
}
