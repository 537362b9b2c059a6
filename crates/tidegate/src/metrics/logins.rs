//! Who came, what they were given, what was refused, and how soon a change of rights is in force here.

use kit::{MetricKind, Metrics};
use meter::{Sample, Sampled};
use model::Clock as _;

use super::Sources;
use crate::house::House;
use crate::system::SystemClock;

pub(super) fn register(metrics: &mut Metrics, sources: &Sources) {
    rights(metrics, sources);
    feed(metrics, sources);
    hashing(metrics, sources);
    audit(metrics, sources);
}

fn rights(metrics: &mut Metrics, sources: &Sources) {
    let logins = "Requests that said who they come from, by the way and what came of it";
    metrics.register(MetricKind::Counter, "logins", logins, sources.logins.logins.clone());
    let issued = "Tokens signed, by kind";
    metrics.register(MetricKind::Counter, "tokens_issued", issued, sources.tokens.issued.clone());
    let scopes = "Scopes that token requests asked for, by how much of each was granted";
    metrics.register(MetricKind::Counter, "token_scopes", scopes, sources.rights.scopes.clone());
    let decisions = "Decisions about rights, and requests that network rules turned away, by what was decided";
    metrics.register(MetricKind::Counter, "decisions", decisions, sources.rights.decisions.clone());
    let limited = "Times that a request was one too many of its caller or address (it then waited or was refused), by which limit it was";
    let (logins, limit) = (sources.logins.clone(), sources.limit.clone());
    let refused = move || {
        let by_address = limit.as_ref().map_or(0, |limit| limit.refused());
        vec![Sample::count("limit", "caller", logins.throttled()), Sample::count("limit", "address", by_address)]
    };
    metrics.register(MetricKind::Counter, "requests_limited", limited, Sampled::counter(refused));
}

fn feed(metrics: &mut Metrics, sources: &Sources) {
    let applied = "Revocation lag: from when a change of rights began to be made, on any node, to when it was in force on this one";
    metrics.register(MetricKind::Histogram, "change_applied_seconds", applied, sources.feed.applied.clone());
    let age = "Feed lag: how long ago this node last looked at the change feed; beyond 1 it decides nothing";
    metrics.register(MetricKind::Gauge, "change_feed_age_seconds", age, Sampled::gauge(sources.sampled(feed_age)));
    let gaps = "How often the change feed had a gap, and everything was read again";
    metrics.register(MetricKind::Counter, "change_feed_gaps", gaps, sources.feed.gaps.clone());
}

fn hashing(metrics: &mut Metrics, sources: &Sources) {
    let of = &sources.logins.hashing;
    let waiting = |house: &House| vec![Sample::number(house.identity.hashes_waiting() as u64)];
    let help = "Chosen passwords that wait to be hashed";
    metrics.register(MetricKind::Gauge, "hash_queue_waiting", help, Sampled::gauge(sources.sampled(waiting)));
    let help = "Chosen passwords for which there was no room to wait";
    metrics.register(MetricKind::Counter, "hash_queue_refused", help, of.refused.clone());
    metrics.register(MetricKind::Histogram, "hash_queue_wait_seconds", "How long they wait for their turn", of.waited.clone());
    metrics.register(MetricKind::Histogram, "hash_seconds", "How long one hash takes", of.worked.clone());
}

fn audit(metrics: &mut Metrics, sources: &Sources) {
    let waiting = |house: &House| vec![Sample::number(house.access.audit().backlog() as u64)];
    let help = "Audit records in memory that wait to be written, each second";
    metrics.register(MetricKind::Gauge, "audit_unwritten_records", help, Sampled::gauge(sources.sampled(waiting)));
    let help = "Audit records given up because the database did not take them";
    metrics.register(MetricKind::Counter, "audit_lost_records", help, sources.audit_lost.clone());
}

#[expect(clippy::cast_precision_loss, reason = "milliseconds since a moment ago")]
fn feed_age(house: &House) -> Vec<Sample> {
    let millis = house.access.directory().lag(SystemClock.now()).max(0);
    vec![Sample::bare(millis as f64 / 1000.0)]
}
