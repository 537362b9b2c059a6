//! npm packages as a lock file pins them, with their hashes.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

use super::{Set, debian, wrap};
use crate::command::{output, run};
use crate::workspace::Workspace;

/// The vendor's SDKs. Tests call `alibaba-node`, which finds them.
const ALIBABA: Set = Set {
    name: "alibaba-node",
    sources: &[
        ("package.json", include_str!("npm/alibaba/package.json")),
        ("package-lock.json", include_str!("npm/alibaba/package-lock.json")),
    ],
};

/// The oldest Node.js that runs all of them.
const OLDEST: u32 = 18;

pub(crate) fn provision(workspace: &Workspace) -> Result<String> {
    if node_version() < Some(OLDEST) || output(Command::new("npm").arg("--version")).is_err() {
        debian::provision_node(workspace)?;
    }
    let Some(version) = node_version().filter(|version| *version >= OLDEST) else {
        bail!("Node.js {OLDEST} or newer is not on this machine, and Debian's packages do not bring it");
    };
    let built = ALIBABA.provision(workspace, &version.to_string(), install)?;
    let modules = built.folder.join("node_modules");
    wrap(workspace, ALIBABA.name, &format!("NODE_PATH='{}' exec node \"$@\"", modules.display()))?;
    Ok(format!("packages of the lock file, {}", built.remark()))
}

/// The major of `v20.20.2`.
fn node_version() -> Option<u32> {
    let printed = output(Command::new("node").arg("--version")).ok()?;
    printed.trim().strip_prefix('v')?.split('.').next()?.parse().ok()
}

/// Exactly what the lock file says; nothing of a package runs on the way.
fn install(folder: &Path) -> Result<()> {
    let mut npm = Command::new("npm");
    npm.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel", "error"]);
    run(npm.current_dir(folder)).context("the npm packages cannot be installed")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_package_has_its_hash() {
        let (_, lock) = ALIBABA.sources[1];
        let lock: serde_json::Value = serde_json::from_str(lock).unwrap();
        let packages = lock["packages"].as_object().unwrap();
        assert!(packages.len() > 40);
        for (name, package) in packages.iter().filter(|(name, _)| !name.is_empty()) {
            assert!(package["integrity"].is_string(), "{name}");
        }
    }
}
