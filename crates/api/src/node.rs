//! The nodes of a server.

use model::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A node that serves the database, as it said of itself last.
#[derive(Clone, Serialize, Deserialize, ToSchema, Debug)]
pub struct Node {
    /// Its name: new at each start.
    pub node_id: String,
    /// The machine's name.
    pub host: String,
    /// Where it listens.
    pub listen: Vec<String>,
    /// The program's version.
    pub version: String,
    /// Has it been heard of when it should have been? One that was ended properly is not listed at all.
    pub alive: bool,
    /// Is it the one that answers this?
    pub answering: bool,
    /// Since when it runs, by its own clock.
    #[schema(value_type = String, format = DateTime)]
    pub started_at: Timestamp,
    /// When it was heard of last, by the database's clock.
    #[schema(value_type = String, format = DateTime)]
    pub seen_at: Timestamp,
    /// How long ago it had looked at the change feed then.
    pub feed_lag_millis: i64,
    /// How many changes it had not applied then.
    pub feed_behind: i64,
    /// How far its clock is ahead of the database's; behind it: negative.
    pub clock_ahead_millis: i64,
    /// How long the database took to answer it.
    pub database_millis: i64,
    /// What it could not reach, by the names that `/readyz` has.
    pub failing: Vec<String>,
    /// The work that it does for all nodes at the moment.
    pub leases: Vec<String>,
}
