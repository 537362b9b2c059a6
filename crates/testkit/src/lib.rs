//! A whole house in memory, with a fixed clock and seed, spoken to in the product's words.
//!
//! What it is for: `house().with_user("alice")`, then `anon`, `alice`, `root` as clients that send requests through the doors
//! as the listener would, without a socket. Time stands still until [`House::advance`]; ids follow from the seed. What it may
//! not be: more than a dev-dependency; its users live in `tests/` folders. To add to it: what a test would have to explain
//! otherwise.
#![expect(clippy::unwrap_used, clippy::missing_panics_doc, reason = "a test that cannot set up its house has failed, and says where")]

mod alibaba;
mod client;
mod database;
mod house;
mod listener;
mod population;

pub use alibaba::{AccessKey, Alibaba, Signed};
pub use client::{Client, HOST, Reply};
pub use database::{on_postgres, run};
/// The products of Alibaba Cloud, and every action that is spoken of them, for tests that walk them.
pub use door_alibaba::{Product, operations as alibaba_operations};
/// Every route of the registry, for tests that walk them.
pub use door_oci::operations as registry_operations;
pub use house::{Account, House, NOW, PASSWORD, house};
pub use population::{Population, TEAMS};
