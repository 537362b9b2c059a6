//! The project's tasks: `cargo xtask test`, `floors`, `generate`, `image`, `peers`, `measure`.
//!
//! For: everything that a person or CI does to the project besides building it. It may not depend on any crate of ours (what it
//! needs of Tidegate it gets by running the program, as a user would), and nothing may depend on it.
//!
//! To add a test stage: a value in `test/stages.rs`. To add a crate: a line in `floors.rs`. To add a client or server that tests
//! run against: a line in `peers/debian.rs` or `peers/go.rs`.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "printing is what a task does")]
#![expect(clippy::disallowed_methods, reason = "tasks measure real time and run in the real environment")]

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

use crate::workspace::Workspace;

mod command;
mod floors;
mod fuzz;
mod generate;
mod image;
mod licences;
mod measure;
mod peers;
mod postgres;
mod release;
mod s3;
mod server;
mod test;
mod workspace;

/// Tasks of the Tidegate project.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Provision what the tests need, run every stage, print each one's seconds.
    Test(test::Options),
    /// Check that no crate depends on one that the architecture does not let it know.
    Floors,
    /// Check the dependencies' licences, sources and bans.
    Licences,
    /// Write the files that are made by the program itself; with --check, only compare.
    Generate(generate::Options),
    /// Build the container image with buildah, around a program that is built here.
    Image(image::Options),
    /// Install the clients and servers that the tests run against.
    Peers,
    /// Measure Tidegate beside its peers.
    Measure(measure::Options),
}

fn main() -> ExitCode {
    match carry_out(Arguments::parse().task) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn carry_out(task: Task) -> Result<()> {
    let workspace = &Workspace::load()?;
    let remark = match task {
        Task::Test(options) => return test::run(workspace, &options),
        Task::Measure(options) => return measure::measure(workspace, &options),
        Task::Floors => floors::check(workspace)?,
        Task::Licences => licences::check(workspace)?,
        Task::Generate(options) => generate::run(workspace, &options)?,
        Task::Image(options) => image::image(workspace, &options)?,
        Task::Peers => peers::provision(workspace)?,
    };
    println!("{remark}");
    Ok(())
}
