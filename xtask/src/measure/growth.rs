//! How requests take longer as there is more of everything: the example `growth` of `testkit`, over SQLite in a folder and over a
//! PostgreSQL of its own.

use anyhow::Result;
use clap::{Args, ValueEnum};

use crate::command::run;
use crate::postgres::Cluster;
use crate::workspace::Workspace;

#[derive(Args)]
pub(super) struct Options {
    /// Over which database; both unless one is said.
    #[arg(long, value_enum)]
    pub(super) back_end: Vec<BackEnd>,
    /// What is measured; the curves of everything and what pulls leave, unless something is said.
    #[arg(long, value_enum)]
    pub(super) part: Vec<Part>,
    /// The most of everything: a power of ten.
    #[arg(long, default_value_t = 1_000_000)]
    pub(super) most: u32,
    /// Pulls whose traces in the database are counted.
    #[arg(long, default_value_t = 100_000)]
    pub(super) pulls: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum BackEnd {
    Sqlite,
    Postgres,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Part {
    Curves,
    /// The curves of the catalog alone.
    Names,
    Pulls,
}

pub(super) fn measure(workspace: &Workspace, options: &Options) -> Result<()> {
    let both = [BackEnd::Sqlite, BackEnd::Postgres];
    let over = if options.back_end.is_empty() { &both[..] } else { &options.back_end };
    let parts = if options.part.is_empty() { &[Part::Curves, Part::Pulls][..] } else { &options.part };
    for back_end in over {
        println!("# {back_end:?}");
        for part in parts {
            let (what, number) = match part {
                Part::Curves => ("curves", options.most),
                Part::Names => ("names", options.most),
                Part::Pulls => ("pulls", options.pulls),
            };
            back_end.ask(workspace, what, number)?;
        }
    }
    Ok(())
}

impl BackEnd {
    /// On an empty database.
    fn ask(self, workspace: &Workspace, what: &str, number: u32) -> Result<()> {
        let ask = |database: &str| {
            let mut call =
                workspace.cargo(["run", "--locked", "--quiet", "--release", "--package", "testkit", "--example", "growth", "--"]);
            run(call.args([what, &number.to_string(), database]))
        };
        match self {
            // Beside the build: folders for temporary files may lie in memory.
            Self::Sqlite => ask(&tempfile::tempdir_in(&workspace.target)?.path().display().to_string()),
            Self::Postgres => ask(&Cluster::start()?.url()),
        }
    }
}
