//! The process, by the names that Prometheus's own client libraries give, without the prefix that all others have.

use std::fs;

use kit::{MetricKind, Metrics};
use meter::{Sample, Sampled};
use model::Clock as _;

use crate::system::SystemClock;

/// What Linux counts processor time in, on every machine that it runs on.
const TICKS_A_SECOND: f64 = 100.0;

pub(super) fn register(metrics: &mut Metrics) {
    let version = || vec![Sample::number(1).and("version", env!("CARGO_PKG_VERSION"))];
    metrics.register(MetricKind::Gauge, "build_info", "1, with the version", Sampled::gauge(version));
    #[expect(clippy::cast_precision_loss, reason = "milliseconds since 1970 are shown to 53 bits")]
    let started = SystemClock.now().millis() as f64 / 1000.0;
    let start = move || vec![Sample::bare(started)];
    metrics.register_plain(MetricKind::Gauge, "process_start_time_seconds", "When the process started, since 1970", Sampled::gauge(start));
    let cpu = "Processor time of the process";
    metrics.register_plain(MetricKind::Counter, "process_cpu_seconds", cpu, Sampled::counter(|| sample(processor_time())));
    let memory = "Memory of the process that is in the machine's";
    metrics.register_plain(MetricKind::Gauge, "process_resident_memory_bytes", memory, Sampled::gauge(|| sample(resident())));
    metrics.register_plain(MetricKind::Gauge, "process_open_fds", "Open files and sockets", Sampled::gauge(|| sample(open_files())));
    let most = "How many there may be";
    metrics.register_plain(MetricKind::Gauge, "process_max_fds", most, Sampled::gauge(|| sample(most_files())));
}

/// Where the system does not say, there is no value.
fn sample(value: Option<f64>) -> Vec<Sample> {
    value.map(Sample::bare).into_iter().collect()
}

/// proc(5): the 14th and 15th field; the second may hold spaces, and ends with the last parenthesis.
fn processor_time() -> Option<f64> {
    let stat = fs::read_to_string("/proc/self/stat").ok()?;
    let mut fields = stat.rsplit_once(')')?.1.split_ascii_whitespace().skip(11);
    let ticks: f64 = fields.next()?.parse::<f64>().ok()? + fields.next()?.parse::<f64>().ok()?;
    Some(ticks / TICKS_A_SECOND)
}

fn resident() -> Option<f64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    Some(line.split_ascii_whitespace().next()?.parse::<f64>().ok()? * 1024.0)
}

fn open_files() -> Option<f64> {
    // One of them is the folder that is being read.
    let open = fs::read_dir("/proc/self/fd").ok()?.count().saturating_sub(1);
    u32::try_from(open).ok().map(f64::from)
}

fn most_files() -> Option<f64> {
    let limits = fs::read_to_string("/proc/self/limits").ok()?;
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"))?;
    line.split_ascii_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_system_says_all_of_it() {
        assert!(processor_time().unwrap() >= 0.0);
        assert!(resident().unwrap() > 1e6);
        assert!(open_files().unwrap() >= 3.0 && open_files().unwrap() <= most_files().unwrap());
    }
}
