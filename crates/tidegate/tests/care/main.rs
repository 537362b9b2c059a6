//! Looking after a server: backups from one kind of database and store into another, and damaged ones; what `fsck` and `doctor` find.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "the helpers of a test may fail it")]

mod damage;
mod doctor;
mod fsck;
mod house;
mod hurt;
mod round;
#[expect(dead_code, reason = "each suite needs a part of it")]
#[path = "../support/mod.rs"]
mod support;
