//! What the suites that run the real program share: a server in a folder of its own, somebody at its command line, other
//! programs with a home of their own, and the plain HTTP that no client of ours has touched.
//!
//! A suite says `#[path = "../support/mod.rs"] mod support;`. Everything here fails the test with what was run and what it
//! printed; nothing here decides what is right.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "the helpers of a test may fail it"
)]
#![expect(clippy::disallowed_methods, reason = "a suite finds its programs in the environment and waits by the clock")]

pub(crate) mod house;
pub(crate) mod http;
pub(crate) mod program;

use std::path::PathBuf;
use std::time::{Duration, Instant};

/// The program under test: the release build where a stage of `cargo xtask test` says so, else the one built with the tests.
pub(crate) fn tidegate() -> PathBuf {
    std::env::var_os("TIDEGATE_TEST_PROGRAM").map_or_else(|| PathBuf::from(env!("CARGO_BIN_EXE_tidegate")), PathBuf::from)
}

/// A program that the suite did not write, from the folder that `cargo xtask test` fills.
pub(crate) fn peer(name: &str) -> PathBuf {
    let folder = std::env::var_os("TIDEGATE_TEST_PEERS").expect("TIDEGATE_TEST_PEERS names no folder: run `cargo xtask test --only STAGE`");
    let path = PathBuf::from(folder).join(name);
    assert!(path.exists(), "{} is not there: run `cargo xtask peers`", path.display());
    path
}

/// Asks again until it is so; fails the test with `what` when it takes longer than `limit`. Says how long it took.
#[track_caller]
pub(crate) fn wait_until(what: &str, limit: Duration, mut is_so: impl FnMut() -> bool) -> Duration {
    let begin = Instant::now();
    while !is_so() {
        assert!(begin.elapsed() < limit, "{what}: not so after {limit:?}");
        std::thread::sleep(Duration::from_millis(10));
    }
    begin.elapsed()
}
