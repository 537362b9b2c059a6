//! What the suites that run the real program share: a server in a folder of its own with somebody at its command line (`house`),
//! servers that can be killed, stopped and started again (`node`), what they stand on (`backing`) and a load balancer before them
//! (`proxy`) and between them (`wire`), Docker with an Engine of its own (`docker`), the management API as a few calls (`api`), HTTP that sends exactly the
//! bytes it is told to (`http`), and other programs with a home of their own (`program`).
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

pub(crate) mod api;
pub(crate) mod backing;
pub(crate) mod disk;
pub(crate) mod docker;
pub(crate) mod house;
pub(crate) mod http;
pub(crate) mod node;
pub(crate) mod postgres;
pub(crate) mod program;
pub(crate) mod proxy;
pub(crate) mod s3;
pub(crate) mod wire;

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

/// The digest of some content, as references spell it.
pub(crate) fn digest(content: &[u8]) -> String {
    use sha2::Digest as _;
    format!("sha256:{}", hex::encode(sha2::Sha256::digest(content)))
}

/// Bytes that look random and are the same for the same seed.
pub(crate) fn content(seed: u64, length: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut bytes = Vec::with_capacity(length + 8);
    while bytes.len() < length {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend_from_slice(&state.to_le_bytes());
    }
    bytes.truncate(length);
    bytes
}

/// An image's manifest over one configuration and some layers.
pub(crate) fn manifest(config: &[u8], layers: &[Vec<u8>]) -> String {
    let descriptor = |kind: &str, content: &[u8]| {
        format!(r#"{{"mediaType":"application/vnd.oci.image.{kind}","digest":"{}","size":{}}}"#, digest(content), content.len())
    };
    let layers: Vec<_> = layers.iter().map(|layer| descriptor("layer.v1.tar", layer)).collect();
    format!(
        r#"{{"schemaVersion":2,"mediaType":"{OCI_MANIFEST}","config":{},"layers":[{}]}}"#,
        descriptor("config.v1+json", config),
        layers.join(",")
    )
}

pub(crate) const OCI_MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

/// A master key of the suites alone.
pub(crate) const MASTER_KEY: &str = "00112233445566778899aabbccddeeff0123456789abcdef0123456789abcdef";
