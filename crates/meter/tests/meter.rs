//! What is counted is what is shown, as Prometheus reads it.

use std::time::Duration;

use meter::{Counter, Histogram, Sample, Sampled, Scale, Table, Tally, label};
use prometheus_client::encoding::text::encode;
use prometheus_client::registry::{Metric, Registry};

label! {
    /// What is done.
    pub enum Work as "work" {
        /// Reads.
        Read "read",
        /// Writes.
        Write "write",
    }
}

label! {
    /// How it ended.
    pub enum End as "end" {
        /// Well.
        Good "good",
        /// Not.
        Bad "bad",
    }
}

#[expect(clippy::unwrap_used, reason = "a test")]
fn shown(metric: impl Metric) -> Vec<String> {
    let mut registry = Registry::default();
    registry.register("it", "It", metric);
    let mut out = String::new();
    encode(&mut out, &registry).unwrap();
    out.lines().filter(|line| !line.starts_with('#')).map(str::to_owned).collect()
}

#[test]
fn a_histogram_puts_each_value_into_the_first_bucket_that_holds_it() {
    let histogram = Histogram::new(Scale::MEMBERS);
    for value in [1, 2, 3, 256, 257] {
        histogram.observe(value);
    }
    let lines = shown(histogram.clone());
    let has = |line: &str| assert!(lines.iter().any(|l| l == line), "{line}: {lines:#?}");
    has("it_sum 519.0");
    has("it_count 5");
    has(r#"it_bucket{le="1.0"} 1"#);
    has(r#"it_bucket{le="2.0"} 2"#);
    has(r#"it_bucket{le="4.0"} 3"#);
    has(r#"it_bucket{le="256.0"} 4"#);
    has(r#"it_bucket{le="+Inf"} 5"#);
    assert_eq!(histogram.count(), 5);
}

#[test]
fn times_are_shown_in_seconds() {
    let histogram = Histogram::new(Scale::SECONDS);
    histogram.took(Duration::from_micros(1500));
    let lines = shown(histogram);
    assert!(lines.contains(&"it_sum 0.0015".to_owned()), "{lines:#?}");
    assert!(lines.contains(&r#"it_bucket{le="0.001"} 0"#.to_owned()), "{lines:#?}");
    assert!(lines.contains(&r#"it_bucket{le="0.0025"} 1"#.to_owned()), "{lines:#?}");
}

#[test]
fn a_table_has_a_counter_for_each_pair_of_labels_from_the_start() {
    let table = Table::<(Work, End), Counter>::default();
    table.count((Work::Write, End::Bad));
    table.add((Work::Read, End::Good), 3);
    assert_eq!(table.get((Work::Write, End::Bad)), 1);
    let want = [
        r#"it_total{work="read",end="good"} 3"#,
        r#"it_total{work="read",end="bad"} 0"#,
        r#"it_total{work="write",end="good"} 0"#,
        r#"it_total{work="write",end="bad"} 1"#,
    ];
    assert_eq!(shown(table), want);
}

#[test]
fn a_table_of_histograms_shows_those_that_have_seen_something() {
    let table = Table::<(Work,), Histogram>::of(|| Histogram::new(Scale::SECONDS));
    assert_eq!(shown(table.clone()), [""; 0]);
    table.took((Work::Write,), Duration::from_millis(1));
    let lines = shown(table);
    assert!(lines.contains(&r#"it_count{work="write"} 1"#.to_owned()), "{lines:#?}");
    assert!(!lines.iter().any(|line| line.contains("read")), "{lines:#?}");
}

#[test]
fn what_is_sampled_is_read_when_it_is_shown() {
    let tally = Tally::default();
    let seen = tally.clone();
    let sampled =
        Sampled::counter(move || vec![Sample::count("outcome", "hit", seen.hits()), Sample::count("outcome", "miss", seen.misses())]);
    assert_eq!(tally.note(Some(1)), Some(1));
    tally.count(false);
    tally.count(true);
    assert_eq!(shown(sampled), [r#"it_total{outcome="hit"} 2.0"#, r#"it_total{outcome="miss"} 1.0"#]);
    assert_eq!(shown(Sampled::gauge(|| vec![Sample::bare(1.5)])), ["it 1.5"]);
}
