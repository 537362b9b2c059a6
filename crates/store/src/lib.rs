//! SQL over SQLite or PostgreSQL: units of work, migrations, one module a noun.
//!
//! It may not hold a rule, nor know policies, HTTP or plain secrets. Only [`driver`] knows which database runs.
//!
//! To add a table: a new `migrations/NNNN_name.sql` (columns `BIGINT`, `BYTEA` or `TEXT`), listed in [`MIGRATIONS`], and a
//! module for its noun whose functions take `&mut Tx<'_>` first and plain values after:
//!
//! ```
//! use store::{Store, StoreError, Tx, params};
//!
//! pub async fn greeting(tx: &mut Tx<'_>, name: &str) -> Result<Option<String>, StoreError> {
//!     let row = tx.row("SELECT $1", params![name]).await?;
//!     row.map(|row| row.get(0)).transpose()
//! }
//!
//! # async fn caller(store: &Store, name: &str) -> Result<(), StoreError> {
//! let text = store.read(|tx| Box::pin(async move { greeting(tx, name).await })).await?;
//! # Ok(()) }
//! ```
//!
//! Statements number their parameters `$1`, `$2` … in order of first appearance, so that both databases read them alike.
//! A body captures references (`let name = &name;` before it, for what is owned), because it may run more than once.
//! What `sum()` returns is no `BIGINT` on PostgreSQL: write `CAST(sum(size) AS BIGINT)`.
#![deny(missing_docs)]

pub mod account;
pub mod audit;
pub mod blob;
pub mod change;
pub mod check;
pub mod collection;
pub mod collection_run;
pub mod credential;
pub mod driver;
pub mod federated;
pub mod freed_name;
pub mod guard;
pub mod hold;
pub mod instance;
pub mod integration;
pub mod label;
pub mod lease;
pub mod manifest;
mod many;
pub mod namespace;
pub mod network;
pub mod node;
pub mod nonce;
pub mod policy;
pub mod protection;
pub mod provider;
pub mod quota;
mod recent;
pub mod repository;
pub mod resource_policy;
pub mod retention;
pub mod role;
pub mod sealed;
pub mod signing_key;
pub mod tag;
pub mod tag_rule;
pub mod upload;
pub mod usage;

pub use driver::{
    Applied, Conflict, Connections, Database, DirectoryLock, Each, Fault, FromValue, Kind, Meters, Migration, PostgresSettings, Row,
    Schema, Store, StoreError, Table, Turns, Tx, Value, Work,
};
pub use recent::Recent;

/// The schema, step by step: `migrations/NNNN_name.sql`.
pub const MIGRATIONS: &[Migration] = &[
    Migration { number: 1, name: "house", sql: include_str!("../migrations/0001_house.sql") },
    Migration { number: 2, name: "principals", sql: include_str!("../migrations/0002_principals.sql") },
    Migration { number: 3, name: "network", sql: include_str!("../migrations/0003_network.sql") },
    Migration { number: 4, name: "accounts", sql: include_str!("../migrations/0004_accounts.sql") },
    Migration { number: 5, name: "federation", sql: include_str!("../migrations/0005_federation.sql") },
    Migration { number: 6, name: "labels", sql: include_str!("../migrations/0006_labels.sql") },
    Migration { number: 7, name: "audit", sql: include_str!("../migrations/0007_audit.sql") },
    Migration { number: 8, name: "policies", sql: include_str!("../migrations/0008_policies.sql") },
    Migration { number: 9, name: "keys", sql: include_str!("../migrations/0009_keys.sql") },
    Migration { number: 10, name: "audit", sql: include_str!("../migrations/0010_audit.sql") },
    Migration { number: 11, name: "nonces", sql: include_str!("../migrations/0011_nonces.sql") },
    Migration { number: 12, name: "ram", sql: include_str!("../migrations/0012_ram.sql") },
    Migration { number: 13, name: "catalog", sql: include_str!("../migrations/0013_catalog.sql") },
    Migration { number: 14, name: "nodes", sql: include_str!("../migrations/0014_nodes.sql") },
    Migration { number: 15, name: "keep", sql: include_str!("../migrations/0015_keep.sql") },
    Migration { number: 16, name: "quota", sql: include_str!("../migrations/0016_quota.sql") },
    Migration { number: 17, name: "retention", sql: include_str!("../migrations/0017_retention.sql") },
    Migration { number: 18, name: "scale", sql: include_str!("../migrations/0018_scale.sql") },
    Migration { number: 19, name: "gc", sql: include_str!("../migrations/0019_gc.sql") },
    Migration { number: 20, name: "care", sql: include_str!("../migrations/0020_care.sql") },
    Migration { number: 21, name: "names", sql: include_str!("../migrations/0021_names.sql") },
];
