//! The stages, cheapest first. Each is a value; what it runs is a function here, or in `suites.rs` for the test programs.

use std::process::Command;

use anyhow::Result;

use super::{Run, Stage, suites};
use crate::command::{need_component, run};
use crate::workspace::Workspace;
use crate::{floors, fuzz, generate, licences, peers};

pub(super) const STAGES: &[Stage] = &[
    stage("fmt", 10, "the code's layout", &[], fmt).of_the_loop(),
    stage("floors", 5, "arrows between crates", &[], floors::check).of_the_loop(),
    stage("licences", 20, "licences, sources and bans of dependencies", &[], licences::check),
    stage("unused", 60, "dependencies that nothing uses", &[], unused),
    stage("clippy", 200, "lints, warnings denied", &[], clippy),
    stage("doc", 50, "documentation, warnings denied", &[], doc),
    stage("unit", 500, "unit and in-process tests", &[], suites::unit).of_the_loop(),
    stage("release", 430, "the program as users get it", &[], release),
    stage("generated", 10, "generated files are up to date", &["release"], generate::check),
    stage("debian", 60, "clients and servers from Debian", &[], peers::debian::provision),
    stage("go-clients", 200, "clients and servers that are Go modules, at pinned versions", &[], peers::go::provision_clients),
    stage("python-clients", 30, "clients that are Python packages, at pinned versions", &[], peers::python::provision),
    stage("npm-clients", 10, "clients that are npm packages, at pinned versions", &[], peers::npm::provision),
    stage("store-postgres", 240, "the suites of store, registry and trail over PostgreSQL", &["debian"], suites::store_postgres),
    stage("conformance", 10, "the OCI conformance suite", &["release", "debian", "go-clients"], suites::conformance),
    stage("clients", 70, "real container clients", &["release", "debian", "go-clients", "python-clients"], suites::clients),
    stage("revocation", 160, "two nodes on one PostgreSQL", &["release", "debian"], suites::revocation),
    stage("federation", 10, "tokens of a real OpenID Provider", &["release", "go-clients"], suites::federation),
    stage(
        "alibaba",
        120,
        "Alibaba Cloud's SDKs and documents",
        &["release", "debian", "go-clients", "python-clients", "npm-clients"],
        suites::alibaba,
    ),
    stage("s3", 130, "blobs in object storage", &["release", "debian", "go-clients"], suites::s3),
    stage("database", 130, "a PostgreSQL that is stopped, frozen, filled and cut off", &["release", "debian"], suites::database),
    stage(
        "back-ends",
        225,
        "the same suites over PostgreSQL and S3",
        &["release", "debian", "go-clients", "python-clients"],
        suites::back_ends,
    ),
    stage("nodes", 400, "three nodes behind a proxy", &["release", "debian", "go-clients", "python-clients"], suites::nodes),
    stage(
        "collection",
        150,
        "garbage collection beside two minutes of everything",
        &["release", "debian", "go-clients"],
        suites::collection,
    ),
    // Nothing before the first release; then a build of the last one besides.
    stage("upgrade", 10, "the last release beside this program", &["release", "debian"], suites::upgrade),
    stage("container", 60, "the container image, built and run", &["debian"], suites::container),
    stage("crash", 90, "kill -9 in the middle of pushes", &["release", "debian"], suites::crash),
    stage("care", 90, "backups, fsck and doctor over both kinds of database and store", &["release", "debian", "go-clients"], suites::care),
    stage("fuzz", 240, "everything that parses a stranger's bytes", &[], fuzz::run_targets),
];

/// A stage of the whole run.
const fn stage(name: &'static str, budget: u64, about: &'static str, needs: &'static [&'static str], run: Run) -> Stage {
    Stage { name, about, budget, fast: false, needs, run }
}

impl Stage {
    /// The same in the developer's loop too.
    const fn of_the_loop(self) -> Self {
        Self { fast: true, ..self }
    }
}

fn fmt(workspace: &Workspace) -> Result<String> {
    need_component("fmt", "rustfmt")?;
    run(&mut workspace.cargo(["fmt", "--all", "--check"]))?;
    Ok(String::new())
}

fn clippy(workspace: &Workspace) -> Result<String> {
    need_component("clippy", "clippy")?;
    run(&mut workspace.cargo(["clippy", "--locked", "--workspace", "--all-targets", "--", "--deny", "warnings"]))?;
    Ok(String::new())
}

fn doc(workspace: &Workspace) -> Result<String> {
    let mut call = workspace.cargo(["doc", "--locked", "--workspace", "--no-deps", "--document-private-items"]);
    run(call.env("RUSTDOCFLAGS", "--deny warnings"))?;
    Ok(String::new())
}

fn unused(workspace: &Workspace) -> Result<String> {
    let machete = peers::cargo_tool(workspace, "cargo-machete", "0.9.2")?;
    run(Command::new(machete).arg(&workspace.root).current_dir(&workspace.root))?;
    Ok(String::new())
}

fn release(workspace: &Workspace) -> Result<String> {
    run(&mut workspace.cargo(["build", "--locked", "--release", "--package", "tidegate"]))?;
    Ok(String::new())
}
