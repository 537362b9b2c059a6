//! Fuzzing without tools of its own: the coverage flags that libFuzzer needs are stable ones, so no nightly and no cargo-fuzz.
//!
//! A target is `fuzz/fuzz_targets/NAME.rs`, a program of the package in `fuzz/` (a workspace of its own, with its own lock file, that
//! depends on `libfuzzer-sys`), its checked-in inputs `fuzz/corpus/NAME/`. New inputs that a run finds stay in the target
//! folder; a crash is written to `fuzz/artifacts/NAME-…`, to become a test.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, anyhow, bail};

use crate::command::{output, run};
use crate::workspace::Workspace;

/// Seconds for each target: five pairs, a little more than a minute.
const TIME: u32 = 14;

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
        broken.extend(fuzz_at_once(pair, |name| fuzz(&folder, &programs, &place, name)));
    }
    if !broken.is_empty() {
        bail!("{}", broken.join("; "));
    }
    Ok(format!("{} targets, {TIME} s each", targets.len()))
}

/// Runs each name in a thread of its own; what it returns are the failures, with their names.
fn fuzz_at_once(names: &[String], fuzz: impl Fn(&str) -> Result<()> + Sync) -> Vec<String> {
    std::thread::scope(|scope| {
        let runs: Vec<_> = names.iter().map(|name| (name, scope.spawn(|| fuzz(name)))).collect();
        let ended = |run: std::thread::ScopedJoinHandle<'_, Result<()>>| run.join().unwrap_or_else(|_| Err(anyhow!("its thread ended")));
        let failed = |(name, run)| ended(run).err().map(|error| format!("{name}: {error:#}"));
        runs.into_iter().filter_map(failed).collect()
    })
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

fn fuzz(folder: &Path, programs: &Path, place: &Path, name: &str) -> Result<()> {
    let found = place.join("found").join(name);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_are_named_and_others_go_on() {
        let names = ["good", "bad", "broken"].map(str::to_owned);
        let failed = fuzz_at_once(&names, |name| match name {
            "good" => Ok(()),
            "bad" => bail!("an input"),
            _ => panic!("a defect of the task"),
        });
        assert_eq!(failed, ["bad: an input", "broken: its thread ended"]);
    }

    #[test]
    fn no_target_is_a_failure() {
        let folder = tempfile::tempdir().unwrap();
        assert!(targets(folder.path()).unwrap_err().to_string().contains("no fuzz target has been written"));
        fs::create_dir(folder.path().join("fuzz_targets")).unwrap();
        assert!(targets(folder.path()).is_err());
        fs::write(folder.path().join("fuzz_targets/names.rs"), "").unwrap();
        assert_eq!(targets(folder.path()).unwrap(), ["names"]);
    }
}
