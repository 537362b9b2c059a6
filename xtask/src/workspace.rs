//! The workspace as cargo sees it: where it lies, its crates, what each depends on.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use serde::Deserialize;

use crate::command::{self, cargo};

/// What `cargo metadata` says, as far as the tasks need it.
#[derive(Debug, Deserialize)]
pub(crate) struct Workspace {
    #[serde(rename = "workspace_root")]
    pub(crate) root: PathBuf,
    #[serde(rename = "target_directory")]
    pub(crate) target: PathBuf,
    /// The workspace's own crates; with `with_dependencies`, all packages of the lock file that are in use.
    pub(crate) packages: Vec<Package>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Package {
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) license: Option<String>,
    /// Where it came from; none for a crate of the workspace.
    pub(crate) source: Option<String>,
    pub(crate) manifest_path: PathBuf,
    pub(crate) dependencies: Vec<Dependency>,
    pub(crate) targets: Vec<Target>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Dependency {
    pub(crate) name: String,
    /// `None` is a normal dependency; else `dev` or `build`.
    pub(crate) kind: Option<String>,
    /// Set where it lies in the file system, so for every crate of ours.
    pub(crate) path: Option<PathBuf>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Target {
    pub(crate) kind: Vec<String>,
    pub(crate) src_path: PathBuf,
}

impl Workspace {
    /// The workspace around the current folder, its own crates alone.
    pub(crate) fn load() -> Result<Self> {
        Self::metadata(Command::new(cargo()).args(["metadata", "--format-version", "1", "--no-deps"]))
    }

    /// The same with every package that it depends on, directly or not.
    pub(crate) fn with_dependencies(&self) -> Result<Self> {
        let mut call = self.cargo(["metadata", "--format-version", "1", "--locked"]);
        Self::metadata(&mut call)
    }

    fn metadata(call: &mut Command) -> Result<Self> {
        serde_json::from_str(&command::output(call)?).context("cargo metadata did not print the JSON that was expected")
    }

    /// A cargo call in this workspace.
    pub(crate) fn cargo<const N: usize>(&self, arguments: [&str; N]) -> Command {
        let mut call = Command::new(cargo());
        call.args(arguments).current_dir(&self.root).env("CARGO_TARGET_DIR", &self.target);
        call
    }

    /// Where clients and servers for the tests are kept, a folder a version.
    pub(crate) fn peers(&self) -> PathBuf {
        self.target.join("peers")
    }

    /// The program as users get it; stage `release` builds it.
    pub(crate) fn program(&self) -> PathBuf {
        self.target.join("release/tidegate")
    }
}

impl Package {
    /// The file that the library, or else the program, starts with.
    pub(crate) fn crate_root(&self) -> Option<&Path> {
        let of_kind = |kind: &str| self.targets.iter().find(|target| target.kind.iter().any(|k| k == kind));
        of_kind("lib").or_else(|| of_kind("bin")).map(|target| target.src_path.as_path())
    }
}
