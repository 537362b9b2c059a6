//! How long something took. Nothing is ever decided by it: time that decides is passed in.

use std::time::{Duration, Instant};

/// Runs from when it is made.
#[derive(Clone, Copy, Debug)]
pub struct Stopwatch(Instant);

impl Stopwatch {
    /// Runs from now on.
    #[expect(clippy::disallowed_methods, reason = "measures, and decides nothing")]
    pub fn start() -> Self {
        Self(Instant::now())
    }

    /// For how long it has run.
    pub fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }
}
