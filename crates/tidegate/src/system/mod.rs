//! What the program alone opens: clock, randomness, environment.

mod clock;
mod random;

pub(crate) use clock::SystemClock;
pub(crate) use random::SystemRandom;

/// The environment's readable part, read once by each command.
pub(crate) fn environment() -> impl Iterator<Item = (String, String)> {
    std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
}
