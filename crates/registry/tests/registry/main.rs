//! The registry's use cases, told over a store in memory and a folder of blobs.
#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod blobs;
mod collection;
mod counted;
mod house;
mod interleavings;
mod lists;
mod manage;
mod manifests;
mod overlapping;
mod protection;
mod quotas;
mod references;
mod retention;
mod turns;
mod uploads;
