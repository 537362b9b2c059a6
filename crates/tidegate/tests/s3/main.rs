//! Blobs in object storage: what happens when it is gone, hangs or takes nothing, who is sent there, and what may go wrong at start.
//! (`cargo xtask test --only s3` runs other suites over object storage besides.)
#![expect(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "the helpers of a test may fail it")]
#![expect(clippy::disallowed_methods, reason = "it measures how long an answer takes")]

mod full;
mod house;
mod kills;
mod nodes;
mod outage;
mod redirects;
mod relay;
mod start;
#[expect(dead_code, reason = "each suite needs a part of it")]
#[path = "../support/mod.rs"]
mod support;
mod unanswered;
