//! Metrics as Prometheus' own library reads them.

use serde_json::Value;

use crate::people::{PASSWORD, People};
use crate::support::house::text;
use crate::support::http::{Ask, basic};

/// Reads OpenMetrics strictly, and prints name, kind and samples of each family.
const READ: &str = "import json, sys\n\
    from prometheus_client.openmetrics.parser import text_string_to_metric_families as read\n\
    print(json.dumps([[family.name, family.type, len(family.samples)] for family in read(sys.stdin.read())]))";

#[test]
#[ignore = "cargo xtask test --only clients"]
fn prometheus_reads_what_is_shown() {
    let people = People::new();
    let root = basic("root", &text(&people.house.bootstrap()["root_password"]));
    for name in ["demo/none", "nowhere/app"] {
        people.house.send(&Ask::get(&format!("/v2/{name}/manifests/1")).with(&basic("alice", PASSWORD))).expect(404);
    }
    let shown = people.house.send(&Ask::get("/metrics").with(&root)).expect(200).text();
    let reader = people.program("metrics-python");
    let read = reader.piped(&["-c", READ], &shown).ok().json();
    let families: Vec<(&str, &str, i64)> = read.as_array().unwrap().iter().map(family).collect();
    assert!(families.len() > 40, "{families:?}");
    let samples = shown.lines().filter(|line| !line.starts_with('#')).count();
    assert_eq!(families.iter().map(|(_, _, samples)| *samples).sum::<i64>(), i64::try_from(samples).unwrap(), "none is read over");
    let kinds = ["counter", "gauge", "histogram", "info"];
    assert!(
        families.iter().all(|(name, kind, _)| (name.starts_with("tidegate_") || name.starts_with("process_")) && kinds.contains(kind)),
        "{families:?}"
    );
    // It is strict: the same text without its end is nothing.
    reader.piped(&["-c", READ], shown.trim_end().trim_end_matches("# EOF")).refused(&["Missing # EOF"]);
}

fn family(told: &Value) -> (&str, &str, i64) {
    (told[0].as_str().unwrap(), told[1].as_str().unwrap(), told[2].as_i64().unwrap())
}
