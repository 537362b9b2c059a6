//! `cargo xtask test`: every stage in order of cheapness, each timed against its budget, a table at the end.
//!
//! A stage that fails does not stop the others; one whose needs failed is a failure by that name. Nothing is skipped silently:
//! what was not done is a failed stage or a remark in the table.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow, bail};
use clap::Args;

use crate::workspace::Workspace;

mod stages;
mod suites;

use stages::STAGES;

/// More than this in all is said loudly.
const WHOLE_RUN: Duration = Duration::from_mins(62);

#[derive(Args)]
pub(crate) struct Options {
    /// Only the developer's loop: unit and in-process tests.
    #[arg(long, conflicts_with = "only")]
    fast: bool,
    /// Only this stage and what it needs; may be repeated.
    #[arg(long, value_name = "STAGE")]
    only: Vec<String>,
    /// Print the stages and stop.
    #[arg(long)]
    list: bool,
}

/// One step of the run, as a value.
#[derive(Debug)]
pub(crate) struct Stage {
    pub(crate) name: &'static str,
    pub(crate) about: &'static str,
    /// Seconds that it may take on a bare machine with two cores.
    pub(crate) budget: u64,
    /// Whether it belongs to the developer's loop.
    pub(crate) fast: bool,
    /// Stages before it without which it cannot run.
    pub(crate) needs: &'static [&'static str],
    pub(crate) run: Run,
}

/// What a stage does; the text that it returns is its remark in the table.
pub(crate) type Run = fn(&Workspace) -> Result<String>;

/// How a stage went.
struct Outcome {
    stage: &'static Stage,
    took: Duration,
    result: Result<String>,
}

pub(crate) fn run(workspace: &Workspace, options: &Options) -> Result<()> {
    let chosen = choose(STAGES, options)?;
    if options.list {
        for stage in chosen {
            println!("{:<16} {:>5} s  {}", stage.name, stage.budget, stage.about);
        }
        return Ok(());
    }
    let mut outcomes = Vec::new();
    for stage in chosen {
        let outcome = run_stage(workspace, stage, &outcomes);
        outcomes.push(outcome);
    }
    summarise(&outcomes)
}

/// The stages that the options ask for, with what those need, in their order.
fn choose(stages: &'static [Stage], options: &Options) -> Result<Vec<&'static Stage>> {
    let mut wanted: BTreeSet<&str> = options.only.iter().map(String::as_str).collect();
    if let Some(unknown) = wanted.iter().find(|name| stages.iter().all(|stage| stage.name != **name)) {
        bail!("there is no stage `{unknown}`; `cargo xtask test --list` names them");
    }
    // Needs stand before what needs them, so that one look from the end finds them all.
    for stage in stages.iter().rev() {
        if wanted.contains(stage.name) {
            wanted.extend(stage.needs);
        }
    }
    let all = options.only.is_empty();
    Ok(stages.iter().filter(|stage| if all { stage.fast || !options.fast } else { wanted.contains(stage.name) }).collect())
}

fn run_stage(workspace: &Workspace, stage: &'static Stage, before: &[Outcome]) -> Outcome {
    println!("\n== {}: {} (budget {} s)", stage.name, stage.about, stage.budget);
    let begin = Instant::now();
    let result = unmet(stage, before).map_or_else(|| (stage.run)(workspace), Err);
    let took = begin.elapsed();
    match &result {
        Ok(_) => println!("== {} passed in {:.1} s", stage.name, took.as_secs_f64()),
        Err(error) => println!("== {} FAILED in {:.1} s: {error:#}", stage.name, took.as_secs_f64()),
    }
    Outcome { stage, took, result }
}

/// Why the stage cannot run, if one that it needs failed.
fn unmet(stage: &Stage, before: &[Outcome]) -> Option<anyhow::Error> {
    let failed = |name: &&str| before.iter().any(|outcome| outcome.stage.name == *name && outcome.result.is_err());
    let missing = stage.needs.iter().copied().find(failed)?;
    Some(anyhow!("not run, because it needs {missing}, which failed"))
}

fn summarise(outcomes: &[Outcome]) -> Result<()> {
    println!("\n{:<16} {:<7} {:>8} {:>7}", "stage", "result", "seconds", "budget");
    for Outcome { stage, took, result } in outcomes {
        let (word, remark) = match result {
            Ok(remark) => ("passed", remark.clone()),
            Err(error) => ("FAILED", in_one_line(&format!("{error:#}"))),
        };
        let line = format!("{:<16} {word:<7} {:>8.1} {:>7}  {remark}", stage.name, took.as_secs_f64(), stage.budget);
        println!("{}", line.trim_end());
    }
    let total: Duration = outcomes.iter().map(|outcome| outcome.took).sum();
    println!("total {:.0} s", total.as_secs_f64());
    for line in late(outcomes) {
        println!("{line}");
    }
    let failed = outcomes.iter().filter(|outcome| outcome.result.is_err()).count();
    let too_long = total > WHOLE_RUN;
    if too_long {
        println!("!!! THE WHOLE RUN TOOK MORE THAN {} MINUTES !!!", WHOLE_RUN.as_secs() / 60);
    }
    println!("{} passed, {failed} failed", outcomes.len() - failed);
    if failed == 0 { Ok(()) } else { bail!("the tests did not pass") }
}

/// Enough of an error for a table; the whole was printed where it happened.
fn in_one_line(error: &str) -> String {
    error.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(160).collect()
}

/// A line for each stage that was over its budget: seen, but no failure.
fn late(outcomes: &[Outcome]) -> Vec<String> {
    let over = outcomes.iter().filter(|outcome| outcome.took.as_secs() > outcome.stage.budget);
    over.map(|outcome| format!("over budget: {} took {} of {} s", outcome.stage.name, outcome.took.as_secs(), outcome.stage.budget))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(fast: bool, only: &[&str]) -> Options {
        Options { fast, only: only.iter().map(|name| (*name).to_owned()).collect(), list: false }
    }

    fn names(options: &Options) -> Vec<&'static str> {
        choose(STAGES, options).unwrap().iter().map(|stage| stage.name).collect()
    }

    fn outcome(name: &str, took: u64, result: Result<String>) -> Outcome {
        let stage = STAGES.iter().find(|stage| stage.name == name).unwrap();
        Outcome { stage, took: Duration::from_secs(took), result }
    }

    #[test]
    fn without_options_everything_runs() {
        assert_eq!(names(&options(false, &[])).len(), STAGES.len());
    }

    #[test]
    fn the_developers_loop_needs_no_provisioning() {
        assert_eq!(names(&options(true, &[])), ["fmt", "floors", "unit"]);
    }

    #[test]
    fn one_stage_brings_what_it_needs() {
        assert_eq!(names(&options(false, &["clients"])), ["release", "debian", "go-clients", "python-clients", "clients"]);
    }

    #[test]
    fn an_unknown_stage_is_refused() {
        let error = choose(STAGES, &options(false, &["clint"])).unwrap_err();
        assert_eq!(error.to_string(), "there is no stage `clint`; `cargo xtask test --list` names them");
    }

    #[test]
    fn needs_stand_before_what_needs_them() {
        for (place, stage) in STAGES.iter().enumerate() {
            for need in stage.needs {
                assert!(STAGES[..place].iter().any(|earlier| earlier.name == *need), "{} needs {need}", stage.name);
            }
        }
    }

    #[test]
    fn budgets_fit_the_whole_run() {
        let sum: u64 = STAGES.iter().map(|stage| stage.budget).sum();
        assert!(sum <= WHOLE_RUN.as_secs(), "{sum} s");
    }

    #[test]
    fn a_failed_need_is_a_failure_by_name() {
        let clients = STAGES.iter().find(|stage| stage.name == "clients").unwrap();
        let before = [outcome("release", 1, Ok(String::new())), outcome("debian", 1, Err(anyhow!("no network")))];
        assert_eq!(unmet(clients, &before).unwrap().to_string(), "not run, because it needs debian, which failed");
        assert!(unmet(clients, &before[..1]).is_none());
    }

    #[test]
    fn the_run_fails_with_one_stage_and_passes_late() {
        assert!(summarise(&[outcome("fmt", 1, Ok(String::new())), outcome("floors", 1, Err(anyhow!("broken")))]).is_err());
        let slow = [outcome("fmt", 1000, Ok(String::new()))];
        assert_eq!(late(&slow), [format!("over budget: fmt took 1000 of {} s", slow[0].stage.budget)]);
        assert!(summarise(&slow).is_ok());
        assert!(summarise(&[outcome("fmt", 3000, Ok(String::new()))]).is_ok(), "a slow machine is no defect; it is said loudly");
    }
}
