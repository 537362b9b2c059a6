//! The program of the last release, built from its tag, for the suite that runs it beside this one.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Result;

use crate::command::{cargo, output, run};
use crate::workspace::Workspace;

/// The tag of the release before this commit; none: there has been none, or this clone does not have it.
pub(crate) fn last(workspace: &Workspace) -> Option<String> {
    let described = output(git(workspace).args(["describe", "--tags", "--abbrev=0", "--match", "v[0-9]*", "HEAD^"]));
    described.ok().map(|tag| tag.trim().to_owned())
}

/// Its program, in a target folder of its own: what is built of one state of the code is no use to another.
pub(crate) fn program(workspace: &Workspace, tag: &str) -> Result<PathBuf> {
    let folder = workspace.target.join("last-release");
    let (source, target) = (folder.join("source").join(tag), folder.join("target"));
    if !source.exists() {
        unpack(workspace, tag, &source)?;
    }
    let mut build = Command::new(cargo());
    run(build.args(["build", "--locked", "--package", "tidegate"]).current_dir(&source).env("CARGO_TARGET_DIR", &target))?;
    Ok(target.join("debug/tidegate"))
}

fn unpack(workspace: &Workspace, tag: &str, source: &Path) -> Result<()> {
    let beside = |what: &str| source.with_file_name(format!("{tag}.{what}"));
    let (part, archive) = (beside("part"), beside("tar"));
    // What a run left that was cut off.
    if part.exists() {
        fs::remove_dir_all(&part)?;
    }
    fs::create_dir_all(&part)?;
    run(git(workspace).args(["archive", "--format=tar", "--output"]).arg(&archive).arg(tag))?;
    run(Command::new("tar").arg("-xf").arg(&archive).arg("-C").arg(&part))?;
    fs::remove_file(&archive)?;
    Ok(fs::rename(&part, source)?)
}

fn git(workspace: &Workspace) -> Command {
    let mut call = Command::new("git");
    call.arg("-C").arg(&workspace.root);
    call
}
