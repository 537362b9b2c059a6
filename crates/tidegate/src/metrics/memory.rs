//! What is kept in memory: how often it was asked and had the answer.

use kit::{MetricKind, Metrics};
use meter::{Sample, Sampled};

use super::Sources;
use crate::house::House;

pub(super) fn register(metrics: &mut Metrics, sources: &Sources) {
    let requests = "Questions to a memory of this node, by memory and whether it had the answer";
    metrics.register(MetricKind::Counter, "cache_requests", requests, Sampled::counter(sources.sampled(tallies)));
    let bytes = "Bytes of manifests and small blobs in memory";
    metrics.register(MetricKind::Gauge, "cache_content_bytes", bytes, Sampled::gauge(sources.sampled(content)));
}

fn tallies(house: &House) -> Vec<Sample> {
    let tokens = [("tokens", &house.identity.tokens().meters().verified)];
    let (rights, logins, content) = (house.access.directory().tallies(), house.identity.tallies(), house.registry.tallies());
    let all = rights.into_iter().chain(logins).chain(tokens).chain(content);
    let both = |(cache, tally): (&'static str, &meter::Tally)| {
        [("hit", tally.hits()), ("miss", tally.misses())]
            .map(|(outcome, count)| Sample::count("cache", cache, count).and("outcome", outcome))
    };
    all.flat_map(both).collect()
}

fn content(house: &House) -> Vec<Sample> {
    vec![Sample::number(house.registry.content_bytes())]
}
