//! How figures are printed, and what is read of a process while it works.

use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, anyhow};

/// How often memory is looked at.
const EVERY: Duration = Duration::from_millis(100);
/// Linux shows times in hundredths of a second, whatever it counts in.
const TICKS: f64 = 100.0;

/// One line in the load kit's form.
pub(super) fn print(metric: &str, unit: &str, values: &[f64]) {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let at = |index: usize| sorted.get(index).copied().unwrap_or_default();
    let round = |value: f64| (value * 1e4).round() / 1e4;
    let (median, min, max) = (round(middle(&sorted)), round(at(0)), round(at(sorted.len().saturating_sub(1))));
    println!("{}", serde_json::json!({"metric": metric, "unit": unit, "median": median, "min": min, "max": max}));
}

/// The median of what is sorted.
pub(super) fn middle(sorted: &[f64]) -> f64 {
    let at = |index: usize| sorted.get(index).copied().unwrap_or_default();
    let half = sorted.len() / 2;
    if sorted.len() % 2 == 1 { at(half) } else { f64::midpoint(at(half.saturating_sub(1)), at(half)) }
}

/// A field of `/proc/PID/status` in MiB: `RssAnon` is what a process holds of its own, without files in the page cache.
pub(super) fn memory(pid: u32, field: &str) -> Result<f64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(':'));
    let kib: f64 = line.and_then(|line| line.split_whitespace().next()?.parse().ok()).context("no such field")?;
    Ok(kib / 1024.0)
}

/// Processor time that a process has used, in seconds (all its threads, user and system).
pub(super) fn processor_seconds(pid: u32) -> Result<f64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
    // The second field is the name, which may hold spaces.
    let rest = stat.rsplit_once(')').context("not a stat line")?.1;
    let ticks = rest.split_whitespace().skip(11).take(2).filter_map(|field| field.parse::<f64>().ok()).sum::<f64>();
    Ok(ticks / TICKS)
}

/// The same of all that a process has started and that still runs.
pub(super) fn processor_seconds_of_children(pid: u32) -> Result<f64> {
    let mut sum = 0.0;
    for entry in fs::read_dir("/proc")?.flatten() {
        let Some(child) = entry.file_name().to_str().and_then(|name| name.parse::<u32>().ok()) else { continue };
        // It may have ended.
        let Ok(stat) = fs::read_to_string(entry.path().join("stat")) else { continue };
        let parent = stat.rsplit_once(')').and_then(|(_, rest)| rest.split_whitespace().nth(1)?.parse::<u32>().ok());
        if parent == Some(pid) {
            sum += processor_seconds(child).unwrap_or_default();
        }
    }
    Ok(sum)
}

/// Does `work`, and says how much anonymous memory the process held at most meanwhile, looked at each 100 ms.
pub(super) fn most_memory<T>(pid: u32, work: impl FnOnce() -> Result<T>) -> Result<(T, f64)> {
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        let sampler = scope.spawn(|| {
            let mut most: f64 = 0.0;
            while !done.load(Ordering::Relaxed) {
                most = most.max(memory(pid, "RssAnon").unwrap_or_default());
                thread::sleep(EVERY);
            }
            most
        });
        let outcome = work();
        done.store(true, Ordering::Relaxed);
        let most = sampler.join().map_err(|_| anyhow!("the sampler ended"))?;
        Ok((outcome?, most))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_middle_of_an_even_number_lies_between_two() {
        assert!((middle(&[1.0, 2.0, 4.0]) - 2.0).abs() < 1e-9);
        assert!((middle(&[1.0, 2.0, 4.0, 9.0]) - 3.0).abs() < 1e-9);
        assert!(middle(&[]).abs() < 1e-9);
    }

    #[test]
    fn this_process_has_memory_and_has_used_time() {
        let (sum, most) = most_memory(std::process::id(), || Ok((0..50_000_000_u64).fold(0, u64::wrapping_add))).unwrap();
        assert!(sum > 0 && most > 0.1, "{most}");
        assert!(processor_seconds(std::process::id()).unwrap() >= 0.0);
        assert!(memory(std::process::id(), "NoSuchField").is_err());
    }
}
