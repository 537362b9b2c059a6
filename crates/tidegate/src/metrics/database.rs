//! The database: how long units of work take, what they fail with, how commits are grouped.

use kit::{MetricKind, Metrics};
use meter::{Sample, Sampled};
use store::Connections;

use super::Sources;
use crate::house::House;

pub(super) fn register(metrics: &mut Metrics, sources: &Sources) {
    let of = &sources.database;
    let units = "How long units of work take, with their waiting, by kind (`write_soon`: durable soon; `write_apart`: a job's)";
    metrics.register(MetricKind::Histogram, "database_unit_seconds", units, of.units.clone());
    let errors =
        "What statements, commits and connections failed with; a `conflict` is a caller's, after a `serialisation` the unit runs again";
    metrics.register(MetricKind::Counter, "database_errors", errors, of.faults.clone());
    let members = "Units of work that one commit of SQLite made durable";
    metrics.register(MetricKind::Histogram, "database_commit_members", members, of.group_members.clone());
    let commits = "How long such a commit took";
    metrics.register(MetricKind::Histogram, "database_commit_seconds", commits, of.group_commits.clone());
    let connections = "Connections to PostgreSQL, by state";
    metrics.register(MetricKind::Gauge, "database_connections", connections, Sampled::gauge(sources.sampled(states)));
    let waiting = "Units of work that wait for a connection to PostgreSQL";
    metrics.register(MetricKind::Gauge, "database_connections_wanted", waiting, Sampled::gauge(sources.sampled(wanted)));
}

fn states(house: &House) -> Vec<Sample> {
    let Some(Connections { in_use, idle, .. }) = house.store.connections() else { return Vec::new() };
    vec![Sample::count("state", "in_use", in_use as u64), Sample::count("state", "idle", idle as u64)]
}

fn wanted(house: &House) -> Vec<Sample> {
    let waiting = house.store.connections().map_or(0, |connections| connections.waiting);
    vec![Sample::number(waiting as u64)]
}
