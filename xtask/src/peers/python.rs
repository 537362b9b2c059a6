//! Python packages at pinned versions, a virtual environment a set.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use super::{Set, debian, wrap};
use crate::command::{output, run};
use crate::workspace::Workspace;

/// The vendor's SDKs. Tests call `alibaba-python`.
const ALIBABA: Set = Set { name: "alibaba-python", sources: &[("alibaba.txt", include_str!("python/alibaba.txt"))] };

/// What reads metrics as Prometheus does. Tests call `metrics-python`.
const METRICS: Set = Set { name: "metrics-python", sources: &[("metrics.txt", include_str!("python/metrics.txt"))] };

/// What Debian's interpreter is called by where the first one in the path makes no environments.
const DEBIAN: &str = "/usr/bin/python3";

pub(crate) fn provision(workspace: &Workspace) -> Result<String> {
    let python = interpreter(workspace)?;
    let version = output(Command::new(&python).arg("--version"))?;
    let mut said = Vec::new();
    for set in [ALIBABA, METRICS] {
        let built = set.provision(workspace, version.trim(), |folder| install(&python, folder, set.sources))?;
        wrap(workspace, set.name, &format!("exec '{}' \"$@\"", built.folder.join("venv/bin/python").display()))?;
        said.push(format!("{}: {} packages, {}", set.name, pins(set.sources).count(), built.remark()));
    }
    Ok(said.join("; "))
}

/// A Python that can make virtual environments with pip in them: the machine's, else Debian's.
fn interpreter(workspace: &Workspace) -> Result<PathBuf> {
    if makes_environments("python3") {
        return Ok("python3".into());
    }
    debian::provision_venv(workspace)?;
    Ok(DEBIAN.into())
}

fn makes_environments(python: &str) -> bool {
    output(Command::new(python).args(["-c", "import sys, venv, ensurepip; assert sys.version_info >= (3, 9)"])).is_ok()
}

fn install(python: &Path, folder: &Path, sources: &[(&str, &str)]) -> Result<()> {
    let environment = folder.join("venv");
    run(Command::new(python).args(["-m", "venv"]).arg(&environment))?;
    let mut pip = Command::new(environment.join("bin/python"));
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]);
    for (name, _) in sources {
        pip.arg("--requirement").arg(folder.join(name));
    }
    run(&mut pip).context("the Python packages cannot be installed")
}

/// The lines that name a package.
fn pins<'a>(sources: &'a [(&str, &str)]) -> impl Iterator<Item = &'a str> {
    sources.iter().flat_map(|(_, text)| text.lines()).filter(|line| !line.is_empty() && !line.starts_with('#'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_version_is_pinned() {
        assert!(pins(ALIBABA.sources).count() > 30);
        for line in pins(ALIBABA.sources).chain(pins(METRICS.sources)) {
            assert!(line.contains("=="), "{line}");
        }
    }
}
