//! The clients and servers that tests run against: from Debian, or Go modules and cargo tools at pinned versions.
//!
//! What is built here is built once: each version has a folder of its own below `target/peers/`. All of it appears by its usual
//! name in `target/peers/bin`, the one folder that tests are told about.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::command::run;
use crate::workspace::Workspace;

pub(crate) mod debian;
pub(crate) mod go;

/// Everything, for a person who wants it beforehand.
pub(crate) fn provision(workspace: &Workspace) -> Result<String> {
    let debian = debian::provision(workspace)?;
    let clients = go::provision_clients(workspace)?;
    Ok(format!("{debian}; {clients}; all in {}", folder(workspace).display()))
}

/// Where every provisioned program can be found by its usual name.
pub(crate) fn folder(workspace: &Workspace) -> PathBuf {
    workspace.peers().join("bin")
}

/// Makes `program` appear in the folder under `name`, in place of what stood there.
fn link(workspace: &Workspace, name: &str, program: &Path) -> Result<()> {
    let folder = folder(workspace);
    fs::create_dir_all(&folder)?;
    let place = folder.join(name);
    if fs::symlink_metadata(&place).is_ok() {
        fs::remove_file(&place)?;
    }
    symlink(program, &place).with_context(|| format!("{} cannot be made", place.display()))
}

/// A cargo tool at a version, built if it is not there.
pub(crate) fn cargo_tool(workspace: &Workspace, name: &str, version: &str) -> Result<PathBuf> {
    let folder = workspace.peers().join(format!("{name}-{version}"));
    let program = folder.join("bin").join(name);
    if !program.exists() {
        let mut call = workspace.cargo(["install", "--locked", name, "--version", version, "--root"]);
        // Its own build folder, thrown away afterwards, so that it waits for no other build.
        let build = tempfile::tempdir()?;
        run(call.arg(&folder).env("CARGO_TARGET_DIR", build.path()))?;
    }
    Ok(program)
}
