//! Fuzzing without tools of its own: the coverage flags that libFuzzer needs are stable ones, so no nightly and no cargo-fuzz.
//!
//! A target is `fuzz/fuzz_targets/NAME.rs`, its checked-in inputs `fuzz/corpus/NAME/`. New inputs that a run finds stay in the target
//! folder; a crash is written to `fuzz/artifacts/NAME-…`, to become a test.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::command::{output, run};
use crate::workspace::Workspace;

/// Seconds for each target.
const TIME: u32 = 30;

/// What makes the compiler count edges and comparisons for libFuzzer.
const COVERAGE: &str = "--cfg fuzzing -Cdebug-assertions -Ccodegen-units=1 -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares";

/// Builds every target and runs two at a time.
pub(crate) fn run_targets(workspace: &Workspace) -> Result<String> {
    let folder = workspace.root.join("fuzz");
    let targets = targets(&folder)?;
    let host = host()?;
    let place = workspace.target.join("fuzz");
    let mut build = workspace.cargo(["build", "--locked", "--release", "--bins", "--target", &host]);
    run(build.current_dir(&folder).env("CARGO_TARGET_DIR", &place).env("RUSTFLAGS", COVERAGE))?;
    let programs = place.join(host).join("release");
    let mut broken = Vec::new();
    for pair in targets.chunks(2) {
        let results: Vec<_> = std::thread::scope(|scope| {
            let runs: Vec<_> = pair.iter().map(|name| scope.spawn(|| fuzz(&folder, &programs, &place, name))).collect();
            runs.into_iter().map(std::thread::ScopedJoinHandle::join).collect()
        });
        broken.extend(pair.iter().zip(results).filter(|(_, result)| !matches!(result, Ok(Ok(())))).map(|(name, _)| name.as_str()));
    }
    if broken.is_empty() {
        return Ok(format!("{} targets, {TIME} s each", targets.len()));
    }
    bail!("broken by an input now in fuzz/artifacts: {}", broken.join(", "))
}

fn targets(folder: &Path) -> Result<Vec<String>> {
    let listed = fs::read_dir(folder.join("fuzz_targets")).context("fuzz/fuzz_targets is not there: no fuzz target has been written")?;
    let mut names = Vec::new();
    for entry in listed {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "rs") {
            names.extend(path.file_stem().map(|stem| stem.to_string_lossy().into_owned()));
        }
    }
    names.sort();
    if names.is_empty() {
        bail!("fuzz/fuzz_targets has no target");
    }
    Ok(names)
}

/// The platform's name, because flags for a named target leave build scripts alone.
fn host() -> Result<String> {
    let version = output(Command::new("rustc").arg("-vV"))?;
    let host = version.lines().find_map(|line| line.strip_prefix("host: "));
    host.map(str::to_owned).context("rustc does not say its host")
}

fn fuzz(folder: &Path, programs: &Path, built: &Path, name: &str) -> Result<()> {
    let found = built.join("found").join(name);
    let corpus = folder.join("corpus").join(name);
    let artifacts = folder.join("artifacts");
    for place in [&found, &artifacts] {
        fs::create_dir_all(place)?;
    }
    if !corpus.is_dir() {
        bail!("{} is not there: each target has inputs to start from", corpus.display());
    }
    let mut call = Command::new(programs.join(name));
    call.arg(found).arg(corpus).arg(format!("-artifact_prefix={}/{name}-", artifacts.display()));
    run(call.args([&format!("-max_total_time={TIME}"), "-rss_limit_mb=2048", "-timeout=10", "-verbosity=0"]))
}
