//! Looking after what is kept: backup, restore, and a check of everything.
//!
//! What it is for: use cases over a database and a store of blobs as a whole, for who holds the server's configuration. They take
//! no permits, because they are below all rights: whoever calls them could read and write the files themselves. No door reaches
//! them. What it may not do: know HTTP or the configuration, read a clock; hold more of anything in memory than a page.
//!
//! It is for a program of its own, on a runtime with several threads: files are read and written in place.
//!
//! To add a table to the schema: nothing; a backup takes every table that `backup::rows` does not name as left out.

mod backup;
mod error;
mod fsck;
mod hashing;
mod progress;
mod restore;

pub use backup::{Backup, BackupMade, Checked, Problem, Pruned, Signature, Snapshot, Target, check_snapshot, describe, prune, snapshots};
pub use error::CareError;
pub use fsck::{Checkup, Collectable, Contents, Finding, Fsck, Kind, Looked, Lost, Repair, Walked};
pub use progress::{Progress, Report};
pub use restore::{Restore, Restored, master_key_in};
