//! Nodes: who serves this database, and when each was heard of last.
//!
//! They are compared by the database's clock alone, so that a node whose own is wrong is neither missed nor forgotten.

use model::{Seconds, Timestamp};

use crate::{Row, StoreError, Tx, params};

/// Nodes at most; who was heard of longest ago goes first.
const MAX: i64 = 1000;

/// A node as it says of itself.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Beat {
    /// Its name: new at each start.
    pub id: String,
    /// The machine's name.
    pub host: String,
    /// Where it listens, separated by spaces.
    pub listen: String,
    /// The program's version.
    pub version: String,
    /// Since when, by its own clock.
    pub started: Timestamp,
    /// How far its clock is ahead of the database's (behind it: negative).
    pub clock_ahead_ms: i64,
    /// Since when it has not looked at the change feed.
    pub feed_lag_ms: i64,
    /// Changes that it had not applied.
    pub feed_behind: i64,
    /// How long the database took to answer it.
    pub database_ms: i64,
    /// What it cannot reach, by the names that `/readyz` has; separated by spaces.
    pub failing: String,
}

/// A node, and when it was heard of.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Node {
    /// What it said last.
    pub beat: Beat,
    /// When that was, by the database's clock.
    pub seen: Timestamp,
    /// When it should be heard of again.
    pub due: Timestamp,
}

/// What time it is for the database.
pub async fn clock(tx: &mut Tx<'_>) -> Result<Timestamp, StoreError> {
    let sql = tx.either(
        "SELECT CAST((julianday('now') - 2440587.5) * 86400000.0 AS INTEGER)",
        "SELECT CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT)",
    );
    Ok(Timestamp::from_millis(tx.one(sql, params![]).await?.get(0)?))
}

/// Notes that a node is there, and will say so again within `period`. Another one at the same place was the same before its
/// restart.
pub async fn beat(tx: &mut Tx<'_>, beat: &Beat, period: Seconds) -> Result<(), StoreError> {
    let now = clock(tx).await?;
    let sql = "DELETE FROM node WHERE host = $1 AND listen = $2 AND id <> $3";
    tx.execute(sql, params![&beat.host, &beat.listen, &beat.id]).await?;
    let sql = "INSERT INTO node (id, host, listen, version, started_ms, seen_ms, due_ms, \
               clock_ahead_ms, feed_lag_ms, feed_behind, database_ms, failing) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) \
               ON CONFLICT (id) DO UPDATE SET seen_ms = excluded.seen_ms, due_ms = excluded.due_ms, \
               clock_ahead_ms = excluded.clock_ahead_ms, feed_lag_ms = excluded.feed_lag_ms, feed_behind = excluded.feed_behind, \
               database_ms = excluded.database_ms, failing = excluded.failing";
    let values = params![
        &beat.id,
        &beat.host,
        &beat.listen,
        &beat.version,
        beat.started.millis(),
        now.millis(),
        now.plus(period).millis(),
        beat.clock_ahead_ms,
        beat.feed_lag_ms,
        beat.feed_behind,
        beat.database_ms,
        &beat.failing
    ];
    tx.execute(sql, values).await?;
    Ok(())
}

/// All nodes, by place.
pub async fn all(tx: &mut Tx<'_>) -> Result<Vec<Node>, StoreError> {
    let sql = "SELECT id, host, listen, version, started_ms, seen_ms, due_ms, clock_ahead_ms, feed_lag_ms, feed_behind, database_ms, failing \
               FROM node ORDER BY host, listen, id LIMIT $1";
    tx.rows(sql, params![MAX]).await?.iter().map(node).collect()
}

/// A node has ended.
pub async fn forget(tx: &mut Tx<'_>, id: &str) -> Result<(), StoreError> {
    tx.execute("DELETE FROM node WHERE id = $1", params![id]).await?;
    Ok(())
}

/// Forgets those that have not been heard of for `silence`, and whoever is too many; how many they were.
pub async fn prune(tx: &mut Tx<'_>, silence: Seconds) -> Result<u64, StoreError> {
    let before = Timestamp::from_millis(clock(tx).await?.millis() - silence.0 * 1000);
    let sql = "DELETE FROM node WHERE seen_ms < $1 OR id NOT IN (SELECT id FROM node ORDER BY seen_ms DESC, id LIMIT $2)";
    tx.execute(sql, params![before.millis(), MAX]).await
}

fn node(row: &Row) -> Result<Node, StoreError> {
    let beat = Beat {
        id: row.get(0)?,
        host: row.get(1)?,
        listen: row.get(2)?,
        version: row.get(3)?,
        started: row.get(4).map(Timestamp::from_millis)?,
        clock_ahead_ms: row.get(7)?,
        feed_lag_ms: row.get(8)?,
        feed_behind: row.get(9)?,
        database_ms: row.get(10)?,
        failing: row.get(11)?,
    };
    Ok(Node { beat, seen: row.get(5).map(Timestamp::from_millis)?, due: row.get(6).map(Timestamp::from_millis)? })
}
