//! Files that the program writes about itself, so that they cannot go stale: `generated` in CI compares them.
//!
//! To add one: a line in `GENERATED` with the arguments that make `tidegate` print it.

use std::fs;
use std::process::Command;

use anyhow::{Result, bail};
use clap::Args;

use crate::command::output;
use crate::workspace::Workspace;

#[derive(Args)]
pub(crate) struct Options {
    /// Change nothing; fail when a file is not what the program prints.
    #[arg(long)]
    check: bool,
}

struct Generated {
    path: &'static str,
    arguments: &'static [&'static str],
}

const GENERATED: &[Generated] = &[
    Generated { path: "docs/actions.md", arguments: &["generate", "actions"] },
    Generated { path: "docs/apply.schema.json", arguments: &["generate", "apply-schema"] },
    Generated { path: "docs/commands.md", arguments: &["generate", "commands"] },
    Generated { path: "docs/configuration.md", arguments: &["generate", "configuration"] },
    Generated { path: "docs/metrics.md", arguments: &["generate", "metrics"] },
    Generated { path: "docs/openapi.json", arguments: &["generate", "openapi"] },
];

pub(crate) fn run(workspace: &Workspace, options: &Options) -> Result<String> {
    if options.check { check(workspace) } else { write(workspace) }
}

fn write(workspace: &Workspace) -> Result<String> {
    for file in GENERATED {
        fs::write(workspace.root.join(file.path), file.fresh(workspace)?)?;
    }
    Ok(format!("{} files written", GENERATED.len()))
}

/// Fails with the names of the files that are stale.
pub(crate) fn check(workspace: &Workspace) -> Result<String> {
    let mut stale = Vec::new();
    for file in GENERATED {
        let there = fs::read_to_string(workspace.root.join(file.path)).unwrap_or_default();
        if there != file.fresh(workspace)? {
            stale.push(file.path);
        }
    }
    if stale.is_empty() {
        return Ok(format!("{} files", GENERATED.len()));
    }
    bail!("stale: {}; `cargo xtask generate` writes them anew", stale.join(", "))
}

impl Generated {
    fn fresh(&self, workspace: &Workspace) -> Result<String> {
        output(Command::new(workspace.program()).args(self.arguments))
    }
}
