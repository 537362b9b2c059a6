//! A database that is gone, slow, full, read-only or out of connections, or that ends in the middle of a transaction: every door
//! says "later", nobody is told what is not so, what was acknowledged stays, and nothing has to be started again.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "the helpers of a test may fail it")]
#![expect(clippy::print_stdout, reason = "how long a recovery took is worth a line")]
#![expect(clippy::disallowed_methods, reason = "it measures how long an answer takes")]

mod failing;
mod house;
mod locked;
#[expect(dead_code, reason = "each suite needs a part of it")]
#[path = "../support/mod.rs"]
mod support;
mod unanswered;
