//! Debian's packages: the container clients of two years ago, a Docker Engine, PostgreSQL, and small tools.

use std::path::Path;
use std::process::Command;

use anyhow::{Result, bail};

use super::link;
use crate::command::{output, run};
use crate::workspace::Workspace;

/// A package, and the programs that tests call from it.
struct Debian {
    package: &'static str,
    programs: &'static [&'static str],
}

const fn debian(package: &'static str, programs: &'static [&'static str]) -> Debian {
    Debian { package, programs }
}

const PACKAGES: &[Debian] = &[
    debian("docker.io", &["/usr/bin/docker", "/usr/sbin/dockerd"]), // the client and the engine that pulls and pushes for it
    debian("containerd", &["/usr/bin/containerd", "/usr/bin/ctr"]), // what Kubernetes nodes pull with
    debian("skopeo", &["/usr/bin/skopeo"]),
    debian("podman", &["/usr/bin/podman"]),
    debian("buildah", &["/usr/bin/buildah"]),
    debian("postgresql", &[]),              // see postgres.rs
    debian("strace", &["/usr/bin/strace"]), // shows fsync before the answer
    debian("curl", &["/usr/bin/curl"]),
    debian("iproute2", &[]),                                  // private network namespaces of the Alibaba suite
    debian("jq", &["/usr/bin/jq"]),                           // the clouds' documents pipe through it
    debian("docker-registry", &["/usr/bin/docker-registry"]), // another registry that believes our tokens
    debian("nginx-light", &["/usr/sbin/nginx"]),              // the load balancer that docs/nodes.md prints
];

/// What only `cargo xtask measure` needs.
const MEASURE_PACKAGES: &[Debian] = &[
    debian("wrk", &["/usr/bin/wrk"]),
    debian("nginx-light", &["/usr/sbin/nginx"]),
    debian("docker-registry", &["/usr/bin/docker-registry"]),
    debian("curl", &["/usr/bin/curl"]),
    debian("python3", &["/usr/bin/python3"]),
];

/// What the Go toolchain is unpacked with where the machine has none.
const PYTHON_PACKAGES: &[Debian] = &[debian("python3-pip", &["/usr/bin/python3"])];

/// What makes virtual environments where the machine's Python does not.
const VENV_PACKAGES: &[Debian] = &[debian("python3-venv", &[])];

/// Node.js and its package manager where the machine has none.
const NODE_PACKAGES: &[Debian] = &[debian("nodejs", &[]), debian("npm", &[])];

pub(crate) fn provision(workspace: &Workspace) -> Result<String> {
    install(workspace, PACKAGES)
}

pub(crate) fn provision_measure(workspace: &Workspace) -> Result<String> {
    install(workspace, MEASURE_PACKAGES)
}

pub(crate) fn provision_python(workspace: &Workspace) -> Result<String> {
    install(workspace, PYTHON_PACKAGES)
}

pub(crate) fn provision_venv(workspace: &Workspace) -> Result<String> {
    install(workspace, VENV_PACKAGES)
}

pub(crate) fn provision_node(workspace: &Workspace) -> Result<String> {
    install(workspace, NODE_PACKAGES)
}

/// Installs what is missing and links every program.
fn install(workspace: &Workspace, packages: &[Debian]) -> Result<String> {
    let missing: Vec<&str> = packages.iter().map(|debian| debian.package).filter(|name| !is_installed(name)).collect();
    if !missing.is_empty() {
        apt(&["update", "--quiet=2"])?;
        let install = ["install", "--quiet=2", "--yes", "--no-install-recommends"];
        apt(&[install.as_slice(), missing.as_slice()].concat())?;
    }
    for program in packages.iter().flat_map(|debian| debian.programs).map(Path::new) {
        if !program.exists() {
            bail!("{} is not there, although its package is installed", program.display());
        }
        let name = program.file_name().unwrap_or_default().to_string_lossy();
        link(workspace, &name, program)?;
    }
    Ok(format!("{} packages, {} of them new", packages.len(), missing.len()))
}

fn is_installed(package: &str) -> bool {
    output(Command::new("dpkg-query").args(["--show", "--showformat", "${Status}", package]))
        .is_ok_and(|status| status == "install ok installed")
}

/// apt-get without questions; `RUNLEVEL=1` keeps it from starting the servers that it installs.
fn apt(arguments: &[&str]) -> Result<()> {
    let settings = ["-o", "Dpkg::Use-Pty=0", "-o", "Acquire::Retries=3", "-o", "DPkg::Lock::Timeout=300"];
    let mut call = Command::new("apt-get");
    call.args(arguments).args(settings);
    run(call.env("DEBIAN_FRONTEND", "noninteractive").env("RUNLEVEL", "1"))
}
