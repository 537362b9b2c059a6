//! The clients and servers that tests run against: from Debian, or Go modules, Python and npm packages and cargo tools at pinned versions.
//!
//! What is built here is built once: each version has a folder of its own below `target/peers/`. All of it appears by its usual
//! name in `target/peers/bin`, the one folder that tests are told about.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use sha2::{Digest as _, Sha256};

use crate::command::run;
use crate::workspace::Workspace;

pub(crate) mod debian;
pub(crate) mod go;
pub(crate) mod npm;
pub(crate) mod python;

/// Everything, for a person who wants it beforehand.
pub(crate) fn provision(workspace: &Workspace) -> Result<String> {
    let debian = debian::provision(workspace)?;
    let clients = go::provision_clients(workspace)?;
    let python = python::provision(workspace)?;
    let npm = npm::provision(workspace)?;
    Ok(format!("{debian}; {clients}; Python: {python}; npm: {npm}; all in {}", folder(workspace).display()))
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

/// Makes a program `name` in the folder that runs this line of a shell, in place of what stood there.
fn wrap(workspace: &Workspace, name: &str, line: &str) -> Result<()> {
    let folder = folder(workspace);
    fs::create_dir_all(&folder)?;
    let place = folder.join(name);
    if fs::symlink_metadata(&place).is_ok() {
        fs::remove_file(&place)?;
    }
    fs::write(&place, format!("#!/bin/sh\n{line}\n"))?;
    fs::set_permissions(&place, fs::Permissions::from_mode(0o755)).with_context(|| format!("{} cannot be made", place.display()))
}

/// What is built from files that pin versions, and built anew when they change.
struct Set {
    name: &'static str,
    /// File names and contents, which stand in the folder before it is built.
    sources: &'static [(&'static str, &'static str)],
}

/// Where a set lies, and whether it had to be built.
struct Built {
    folder: PathBuf,
    new: bool,
}

impl Built {
    fn remark(&self) -> &'static str {
        if self.new { "new" } else { "not new" }
    }
}

impl Set {
    /// A folder named after the sources and the version of what builds them. One that was not built to its end is built again.
    fn provision(&self, workspace: &Workspace, version: &str, build: impl FnOnce(&Path) -> Result<()>) -> Result<Built> {
        let folder = workspace.peers().join(format!("{}-{}", self.name, self.key(version)));
        let whole = folder.join(".whole");
        let new = !whole.exists();
        if new {
            if folder.exists() {
                fs::remove_dir_all(&folder)?;
            }
            fs::create_dir_all(&folder)?;
            for (name, text) in self.sources {
                fs::write(folder.join(name), text)?;
            }
            build(&folder)?;
            fs::write(whole, version)?;
        }
        Ok(Built { folder, new })
    }

    fn key(&self, version: &str) -> String {
        let mut hash = Sha256::new_with_prefix(version);
        for (name, text) in self.sources {
            hash.update(format!("\0{name}\0{text}"));
        }
        hex::encode(hash.finalize()).chars().take(12).collect()
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    fn house(target: &Path) -> Workspace {
        Workspace { root: target.to_path_buf(), target: target.to_path_buf(), packages: Vec::new() }
    }

    const SET: Set = Set { name: "set", sources: &[("pins.txt", "a==1\n")] };

    #[test]
    fn a_set_is_built_once_for_its_versions() {
        let target = tempfile::tempdir().unwrap();
        let house = house(target.path());
        let first =
            SET.provision(&house, "3.11", |folder| Ok(fs::write(folder.join("built"), fs::read(folder.join("pins.txt"))?)?)).unwrap();
        assert!(first.new && first.folder.join("built").exists());
        let again = SET.provision(&house, "3.11", |_| anyhow::bail!("built twice")).unwrap();
        assert!(!again.new && again.folder == first.folder);
        assert_ne!(SET.provision(&house, "3.12", |_| Ok(())).unwrap().folder, first.folder);
        let changed = Set { name: "set", sources: &[("pins.txt", "a==2\n")] };
        assert_ne!(changed.provision(&house, "3.11", |_| Ok(())).unwrap().folder, first.folder);
    }

    #[test]
    fn what_was_not_built_to_its_end_is_built_again() {
        let target = tempfile::tempdir().unwrap();
        let house = house(target.path());
        assert!(
            SET.provision(&house, "1", |folder| Ok(fs::write(folder.join("half"), "")?).and_then(|()| anyhow::bail!("no network")))
                .is_err()
        );
        let built = SET.provision(&house, "1", |_| Ok(())).unwrap();
        assert!(built.new && !built.folder.join("half").exists());
    }
}
