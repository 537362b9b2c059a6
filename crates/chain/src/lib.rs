//! The audit trail as anybody can check it: what a record's hash is taken over, signed checkpoints, the verifier, and the
//! line formats of an export.
//!
//! What it is for: the server seals by it, the client verifies by it, online and from a file, so that both mean the same
//! (`docs/audit.md` says it for other programs). What it may not do: read a database, a file or a clock, hold a private key.
//! To add a format: a variant of [`Format`]. What the hash is taken over never changes under one version's name.
#![deny(missing_docs)]

mod checkpoint;
mod format;
mod hash;
mod keys;
mod report;
#[cfg(test)]
mod tests;
mod verify;

pub use checkpoint::{Checkpoint, CheckpointError, Purpose};
pub use format::Format;
pub use hash::{ZEROS, hash};
pub use keys::{Keys, KeysError, kid, pem};
pub use report::{Place, Problem, ProblemKind, Report};
pub use verify::{Begin, Belief, End, Verifier};
