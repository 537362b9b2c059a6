//! The metrics registry: one place where each metric is declared with its help text, and from which both the exposition
//! and the table of the documentation come. Others add theirs with [`Metrics::register`].

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use meter::{Histogram, Scale};
use prometheus_client::encoding::{EncodeMetric, MetricEncoder, text};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::{Metric, Registry};

/// What stands before every metric's name.
const PREFIX: &str = "tidegate";

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
    /// Those without the prefix.
    plain: Registry,
    rows: Vec<(String, MetricKind, &'static str)>,
}

impl Default for Metrics {
    fn default() -> Self {
        Self { registry: Registry::with_prefix(PREFIX), plain: Registry::default(), rows: Vec::new() }
    }
}

impl Metrics {
    /// Adds a metric: `name` without prefix and `_total`, `help` without a full stop. Keep a clone to count with.
    pub fn register(&mut self, kind: MetricKind, name: &'static str, help: &'static str, metric: impl Metric) {
        self.registry.register(name, help, metric);
        self.rows.push((format!("{PREFIX}_{name}"), kind, help));
    }

    /// Adds a metric whose whole name others have given: what every process shows alike.
    pub fn register_plain(&mut self, kind: MetricKind, name: &'static str, help: &'static str, metric: impl Metric) {
        self.plain.register(name, help, metric);
        self.rows.push((name.to_owned(), kind, help));
    }

    /// The exposition in OpenMetrics text format.
    pub fn exposition(&self) -> String {
        let mut out = String::new();
        // Writing to a `String` cannot fail.
        let _ = text::encode_registry(&mut out, &self.plain).and_then(|()| text::encode(&mut out, &self.registry));
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
            let _ = writeln!(out, "| `{name}{suffix}` | {kind} | {help} |");
        }
        out
    }
}

/// What the metrics of requests tell apart: a door, and what was asked of it.
type Asked = (&'static str, &'static str);

/// The operation's name where a request asked for none that its door has.
const NO_OPERATION: &str = "none";

/// Statuses that are counted by themselves; all others are `other`.
const STATUSES: [u16; 24] =
    [200, 201, 202, 204, 206, 304, 307, 400, 401, 403, 404, 405, 408, 409, 413, 414, 416, 429, 431, 499, 500, 502, 503, 507];

/// Small, since there are hundreds of operations: without a place for each thread.
type Count = Counter<u64, AtomicU64>;

/// What is counted of one operation.
#[derive(Debug)]
struct Cell {
    /// By status; the last is for all others.
    statuses: [Count; STATUSES.len() + 1],
    seconds: Histogram,
    bytes: Count,
}

impl Cell {
    fn new() -> Self {
        Self { statuses: Default::default(), seconds: Histogram::new(Scale::SECONDS), bytes: Count::default() }
    }
}

/// All operations, found without a lock: the map is filled at the start, and never again.
type Cells = Arc<HashMap<Asked, Cell>>;

/// What is counted of HTTP itself.
#[derive(Clone, Debug)]
pub struct HttpMetrics {
    cells: Cells,
    /// Requests under way.
    pub in_flight: Gauge,
    /// Open connections.
    pub connections: Gauge,
}

impl HttpMetrics {
    /// Declares them for these doors and their operations. A request is counted under no other name.
    pub fn register(metrics: &mut Metrics, operations: impl IntoIterator<Item = Asked>) -> Self {
        let mut cells = HashMap::new();
        for (door, operation) in operations {
            cells.entry((door, operation)).or_insert_with(Cell::new);
            cells.entry((door, NO_OPERATION)).or_insert_with(Cell::new);
        }
        let cells = Arc::new(cells);
        let this = Self { cells: Arc::clone(&cells), in_flight: Gauge::default(), connections: Gauge::default() };
        let requests = "Requests answered, by door, operation and status (499: the client left first)";
        metrics.register(MetricKind::Counter, "http_requests", requests, Shown::Requests(Arc::clone(&cells)));
        let seconds = "From a request's head to its answer's last byte, by door and operation";
        metrics.register(MetricKind::Histogram, "http_request_seconds", seconds, Shown::Seconds(Arc::clone(&cells)));
        let bytes = "Bytes of answers' bodies, by door and operation";
        metrics.register(MetricKind::Counter, "http_response_bytes", bytes, Shown::Bytes(cells));
        metrics.register(MetricKind::Gauge, "http_requests_in_flight", "Requests under way", this.in_flight.clone());
        metrics.register(MetricKind::Gauge, "http_connections", "Open connections", this.connections.clone());
        this
    }

    pub(crate) fn answered(&self, (door, operation): (&'static str, Option<&'static str>), status: u16, bytes: u64, took: Duration) {
        let named = self.cells.get(&(door, operation.unwrap_or(NO_OPERATION)));
        let Some(cell) = named.or_else(|| self.cells.get(&(door, NO_OPERATION))) else { return };
        let place = STATUSES.iter().position(|known| *known == status).unwrap_or(STATUSES.len());
        if let Some(counter) = cell.statuses.get(place) {
            counter.inc();
        }
        cell.seconds.took(took);
        cell.bytes.inc_by(bytes);
    }
}

/// One of the three that are shown of the cells. What was never asked for is left out.
#[derive(Debug)]
enum Shown {
    Requests(Cells),
    Seconds(Cells),
    Bytes(Cells),
}

impl Shown {
    const fn cells(&self) -> &Cells {
        match self {
            Self::Requests(cells) | Self::Seconds(cells) | Self::Bytes(cells) => cells,
        }
    }

    fn cell(&self, labels: &[(&'static str, &'static str); 2], cell: &Cell, encoder: &mut MetricEncoder<'_>) -> std::fmt::Result {
        match self {
            Self::Seconds(_) => cell.seconds.encode(encoder.encode_family(labels)?),
            Self::Bytes(_) => cell.bytes.encode(encoder.encode_family(labels)?),
            Self::Requests(_) => {
                let [door, operation] = *labels;
                for (place, counter) in cell.statuses.iter().enumerate().filter(|(_, counter)| counter.get() > 0) {
                    let status = STATUSES.get(place).map_or_else(|| "other".to_owned(), u16::to_string);
                    let labels = [door, operation, ("status", &*status)];
                    counter.encode(encoder.encode_family(&labels)?)?;
                }
                Ok(())
            }
        }
    }
}

impl EncodeMetric for Shown {
    fn encode(&self, mut encoder: MetricEncoder<'_>) -> std::fmt::Result {
        let mut asked: Vec<_> = self.cells().iter().filter(|(_, cell)| cell.seconds.count() > 0).collect();
        asked.sort_unstable_by_key(|(asked, _)| **asked);
        for ((door, operation), cell) in asked {
            self.cell(&[("door", door), ("operation", operation)], cell, &mut encoder)?;
        }
        Ok(())
    }

    fn metric_type(&self) -> MetricType {
        match self {
            Self::Seconds(_) => MetricType::Histogram,
            Self::Requests(_) | Self::Bytes(_) => MetricType::Counter,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn took(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    #[test]
    fn what_no_door_has_declared_makes_no_series_of_its_own() {
        let mut metrics = Metrics::default();
        let http = HttpMetrics::register(&mut metrics, [("oci", "get_manifest"), ("oci", "put_manifest")]);
        http.answered(("oci", Some("get_manifest")), 200, 7, took(2));
        http.answered(("oci", Some("brew")), 404, 7, took(1));
        http.answered(("oci", None), 418, 7, took(1));
        http.answered(("tea", None), 200, 7, took(1));
        let out = metrics.exposition();
        let has = |line: &str| assert!(out.lines().any(|l| l == line), "{line}: {out}");
        has(r#"tidegate_http_requests_total{door="oci",operation="get_manifest",status="200"} 1"#);
        has(r#"tidegate_http_requests_total{door="oci",operation="none",status="404"} 1"#);
        has(r#"tidegate_http_requests_total{door="oci",operation="none",status="other"} 1"#);
        has(r#"tidegate_http_response_bytes_total{door="oci",operation="none"} 14"#);
        has(r#"tidegate_http_request_seconds_bucket{le="0.0025",door="oci",operation="get_manifest"} 1"#);
        assert!(!out.contains("brew") && !out.contains("tea") && !out.contains("put_manifest"), "{out}");
        assert!(metrics.table().contains("| `tidegate_http_connections` | gauge | Open connections |"));
    }
}
