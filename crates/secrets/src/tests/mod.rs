//! What the crate promises, by promise.

mod generated;
mod leaks;
mod passwords;
mod returning;
mod scanning;
mod sealing;

use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;

use crate::Plain;

fn seeded() -> ChaCha20Rng {
    ChaCha20Rng::seed_from_u64(7)
}

fn plain(text: &str) -> Plain {
    Plain::new(text.to_owned()).unwrap()
}
