//! The metrics registry: one place where each metric is declared with its help text, and from which both the exposition
//! and the table of the documentation come. Others add theirs with [`Metrics::register`].

use std::fmt::Write as _;

use prometheus_client::encoding::{EncodeLabelSet, text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Metric, Registry};

/// What stands before every metric's name.
const PREFIX: &str = "tidegate";
/// Seconds: from a cached manifest to a large layer.
const LATENCY_BUCKETS: [f64; 12] = [0.000_25, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 0.25, 1.0, 5.0, 30.0, 120.0];

/// How a metric moves.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum MetricKind {
    /// Only grows; its name ends in `_total` where it is shown.
    Counter,
    /// Goes up and down.
    Gauge,
    /// Observations in buckets.
    Histogram,
}

/// All metrics of a process. Built at start, then only read.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    rows: Vec<(&'static str, MetricKind, &'static str)>,
}

impl Default for Metrics {
    fn default() -> Self {
        Self { registry: Registry::with_prefix(PREFIX), rows: Vec::new() }
    }
}

impl Metrics {
    /// Adds a metric: `name` without prefix and `_total`, `help` without a full stop. Keep a clone to count with.
    pub fn register(&mut self, kind: MetricKind, name: &'static str, help: &'static str, metric: impl Metric) {
        self.registry.register(name, help, metric);
        self.rows.push((name, kind, help));
    }

    /// The exposition in OpenMetrics text format.
    pub fn exposition(&self) -> String {
        let mut out = String::new();
        // Writing to a `String` cannot fail.
        let _ = text::encode(&mut out, &self.registry);
        out
    }

    /// The table of the documentation, in Markdown.
    pub fn table(&self) -> String {
        let mut out = String::from("| Metric | Kind | Meaning |\n|---|---|---|\n");
        for (name, kind, help) in &self.rows {
            let (suffix, kind) = match kind {
                MetricKind::Counter => ("_total", "counter"),
                MetricKind::Gauge => ("", "gauge"),
                MetricKind::Histogram => ("", "histogram"),
            };
            let _ = writeln!(out, "| `{PREFIX}_{name}{suffix}` | {kind} | {help} |");
        }
        out
    }
}

/// Which door answered.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, EncodeLabelSet)]
pub struct DoorLabel {
    /// Its name.
    pub door: &'static str,
}

/// What the request counter tells apart: few values each, whatever a client sends.
#[derive(Clone, PartialEq, Eq, Hash, Debug, EncodeLabelSet)]
struct RequestLabels {
    door: &'static str,
    method: &'static str,
    status: &'static str,
}

/// What is counted of HTTP itself.
#[derive(Clone, Debug)]
pub struct HttpMetrics {
    requests: Family<RequestLabels, Counter>,
    seconds: Family<DoorLabel, Histogram, fn() -> Histogram>,
    bytes: Family<DoorLabel, Counter>,
    /// Requests under way.
    pub in_flight: Gauge,
    /// Open connections.
    pub connections: Gauge,
}

impl HttpMetrics {
    /// Declares them.
    pub fn register(metrics: &mut Metrics) -> Self {
        let this = Self {
            requests: Family::default(),
            seconds: Family::new_with_constructor(|| Histogram::new(LATENCY_BUCKETS)),
            bytes: Family::default(),
            in_flight: Gauge::default(),
            connections: Gauge::default(),
        };
        metrics.register(
            MetricKind::Counter,
            "http_requests",
            "Requests answered, by door, method and class of status",
            this.requests.clone(),
        );
        metrics.register(
            MetricKind::Histogram,
            "http_request_seconds",
            "From a request's head to its answer's last byte, by door",
            this.seconds.clone(),
        );
        metrics.register(MetricKind::Counter, "http_response_bytes", "Bytes of answers' bodies, by door", this.bytes.clone());
        metrics.register(MetricKind::Gauge, "http_requests_in_flight", "Requests under way", this.in_flight.clone());
        metrics.register(MetricKind::Gauge, "http_connections", "Open connections", this.connections.clone());
        this
    }

    pub(crate) fn answered(&self, door: &'static str, method: &http::Method, status: u16, bytes: u64, seconds: f64) {
        let labels = RequestLabels { door, method: method_label(method), status: class(status) };
        self.requests.get_or_create(&labels).inc();
        let door = DoorLabel { door };
        self.seconds.get_or_create(&door).observe(seconds);
        self.bytes.get_or_create(&door).inc_by(bytes);
    }
}

fn method_label(method: &http::Method) -> &'static str {
    const KNOWN: [&str; 7] = ["GET", "HEAD", "PUT", "POST", "PATCH", "DELETE", "OPTIONS"];
    KNOWN.into_iter().find(|known| *known == method.as_str()).unwrap_or("other")
}

const fn class(status: u16) -> &'static str {
    match status {
        100..=199 => "1xx",
        200..=299 => "2xx",
        300..=399 => "3xx",
        400..=499 => "4xx",
        _ => "5xx",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_strangers_method_makes_no_series_of_its_own() {
        let mut metrics = Metrics::default();
        let http = HttpMetrics::register(&mut metrics);
        for method in ["BREW", "WHEN", "GET"] {
            http.answered("oci", &http::Method::from_bytes(method.as_bytes()).unwrap(), 404, 7, 0.01);
        }
        let out = metrics.exposition();
        assert!(out.contains(r#"tidegate_http_requests_total{door="oci",method="other",status="4xx"} 2"#), "{out}");
        assert!(out.contains(r#"tidegate_http_response_bytes_total{door="oci"} 21"#), "{out}");
        assert!(metrics.table().contains("| `tidegate_http_connections` | gauge | Open connections |"));
    }
}
