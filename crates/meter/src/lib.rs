//! Counters and histograms that are counted into without a lock, from any floor.
//!
//! What it is for: whatever a crate knows of its own work is counted where it is done, in fields of its own; `tidegate` gives
//! each its name in `src/metrics/`. Counting is an atomic addition: no lock, no allocation, no look-up. What it may not do: know
//! what is counted, hold a registry, take a label that is not one of a closed list. To add a kind of metric: a file, with its
//! encoding for `prometheus-client`.
//!
//! Why not that crate's own: its histogram is behind a mutex and its family behind a lock and a hash map
//! (`docs/decisions/metrics.md`).
#![deny(missing_docs)]

mod counter;
mod histogram;
mod labels;
mod sampled;
mod stopwatch;
mod table;
mod tally;

pub use counter::Counter;
pub use histogram::{Histogram, Scale};
pub use labels::{Label, Labels};
pub use sampled::{Sample, Sampled};
pub use stopwatch::Stopwatch;
pub use table::{Cell, Table};
pub use tally::Tally;
