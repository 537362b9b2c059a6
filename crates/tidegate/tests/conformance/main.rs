//! The OCI conformance suite against the real program, authentication on; the status of each of its tests is compared with
//! `expected.txt`. `docs/conformance.md` says how to read that list and how to make it anew.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "the helpers of a test may fail it")]

#[expect(dead_code, reason = "other suites use the rest")]
#[path = "../support/mod.rs"]
mod support;

use std::collections::BTreeMap;
use std::fmt::Write as _;

use support::house::{House, text};
use support::peer;
use support::program::Program;

const EXPECTED: &str = include_str!("expected.txt");

/// What the suite leaves off unless it is told, and what it has on that cannot be.
const SWITCHES: [(&str, &str); 6] = [
    ("OCI_API_BLOBS_DIGEST_HEADER", "true"),
    ("OCI_API_BLOBS_UPLOAD_CANCEL", "true"),
    ("OCI_API_MANIFESTS_DIGEST_HEADER", "true"),
    ("OCI_API_MANIFESTS_TAG_PARAM", "true"),
    // Images whose layers are nowhere: refused by design, also where a namespace takes sparse indexes.
    ("OCI_DATA_SPARSE", "false"),
    // A token for each request, as its challenge names it: a mount needs one for two repositories.
    ("OCI_CACHE_AUTH", "false"),
];

#[test]
#[ignore = "cargo xtask test --only conformance"]
fn every_test_ends_as_expected() {
    let house = House::start();
    let found = run_suite(&house);
    let (expected, unexplained) = read_expected();
    assert!(unexplained.is_empty(), "expected.txt has failures, or skips without a reason: {unexplained:#?}");
    let difference = difference(&expected, &found);
    if !difference.is_empty() {
        let place = house.folder.path().parent().unwrap().join("conformance-found.txt");
        std::fs::write(&place, printed(&found)).unwrap();
        panic!("not as expected.txt says; what was found is in {}\n{difference}", place.display());
    }
}

#[test]
fn a_test_that_ends_otherwise_is_seen() {
    let report = r#"<testcase name="OCI Conformance Test/ping" classname="" time="0.1" status="passed">
        <testcase name="OCI Conformance Test/empty/tag list" classname="" time="0.1" status="failure">"#;
    let found = read_report(report);
    assert_eq!(printed(&found), "failure 1 empty/tag list\npassed 1 ping\n");
    let (expected, _) = read_expected();
    assert!(difference(&expected, &found).contains("found:    failure 1 empty/tag list\n"));
    assert_eq!(difference(&found, &found), "");
}

/// How often each test ended with which status: `("Pass", "sha256 blobs/get-missing")`. The suite runs some under one name.
type Counts = BTreeMap<(String, String), usize>;

fn run_suite(house: &House) -> Counts {
    let home = house.folder.path().join("suite");
    let mut suite = Program::new(peer("conformance"), &home)
        .with("OCI_REGISTRY", &house.address)
        .with("OCI_TLS", "disabled")
        .with("OCI_REPO1", "conformance/one")
        .with("OCI_REPO2", "conformance/two")
        .with("OCI_USERNAME", "root")
        .with("OCI_PASSWORD", &text(&house.bootstrap()["root_password"]))
        .with("OCI_VERSION", "1.1")
        .with("OCI_RESULTS_DIR", home.join("results").to_str().unwrap());
    for (name, value) in SWITCHES {
        suite = suite.with(name, value);
    }
    let ran = suite.run(&[]);
    let report = std::fs::read_to_string(home.join("results/junit.xml")).unwrap_or_default();
    let found = read_report(&report);
    assert!(found.len() > 300, "the suite hardly ran: {ran}");
    found
}

/// The test cases of a JUnit report, each an element `<testcase name="…" … status="…">` on a line of its own.
fn read_report(report: &str) -> Counts {
    let mut counts = Counts::new();
    for line in report.lines().filter(|line| line.trim_start().starts_with("<testcase ")) {
        let name = attribute(line, "name").strip_prefix("OCI Conformance Test/").unwrap_or("?").to_owned();
        *counts.entry((attribute(line, "status").to_owned(), name)).or_default() += 1;
    }
    counts
}

fn attribute<'l>(line: &'l str, name: &str) -> &'l str {
    let value = line.split_once(&format!(" {name}=\"")).map_or("", |(_, rest)| rest);
    value.split('"').next().unwrap_or_default()
}

/// The lines of the list, `STATUS TIMES NAME [-- REASON]`, and those that it may not have.
fn read_expected() -> (Counts, Vec<&'static str>) {
    let mut counts = Counts::new();
    let mut unexplained = Vec::new();
    for line in EXPECTED.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let (test, reason) = line.split_once(" -- ").unwrap_or((line, ""));
        let mut words = test.splitn(3, ' ');
        let (status, times, name) = (words.next().unwrap(), words.next().unwrap(), words.next().unwrap());
        if !(status == "passed" || status == "skipped" && !reason.is_empty()) {
            unexplained.push(line);
        }
        counts.insert((status.to_owned(), name.to_owned()), times.parse().unwrap());
    }
    (counts, unexplained)
}

fn printed(counts: &Counts) -> String {
    counts.iter().fold(String::new(), |mut text, ((status, name), times)| {
        writeln!(text, "{status} {times} {name}").unwrap();
        text
    })
}

/// A line for each test that ended otherwise, was not run, or is new.
fn difference(expected: &Counts, found: &Counts) -> String {
    let (expected, found) = (printed(expected), printed(found));
    let missing = expected.lines().filter(|line| !found.lines().any(|other| other == *line)).map(|line| format!("expected: {line}\n"));
    let new = found.lines().filter(|line| !expected.lines().any(|other| other == *line)).map(|line| format!("found:    {line}\n"));
    missing.chain(new).collect()
}
