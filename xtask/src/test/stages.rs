//! The stages, cheapest first. Each is a value; what it runs is a function here, or in `suites.rs` for the test programs.

use std::process::Command;

use anyhow::Result;

use super::Stage;
use super::suites;
use crate::command::{need_component, run};
use crate::workspace::Workspace;
use crate::{floors, fuzz, generate, licences, peers};

pub(super) const STAGES: &[Stage] = &[
    Stage { name: "fmt", about: "the code's layout", budget: 10, fast: true, needs: &[], run: fmt },
    Stage { name: "floors", about: "arrows between crates", budget: 5, fast: true, needs: &[], run: floors::check },
    Stage {
        name: "licences",
        about: "licences, sources and bans of dependencies",
        budget: 30,
        fast: false,
        needs: &[],
        run: licences::check,
    },
    Stage { name: "unused", about: "dependencies that nothing uses", budget: 90, fast: false, needs: &[], run: unused },
    Stage { name: "clippy", about: "lints, warnings denied", budget: 240, fast: false, needs: &[], run: clippy },
    Stage { name: "doc", about: "documentation, warnings denied", budget: 60, fast: false, needs: &[], run: doc },
    Stage { name: "unit", about: "unit and in-process tests", budget: 360, fast: true, needs: &[], run: suites::unit },
    Stage { name: "release", about: "the program as users get it", budget: 300, fast: false, needs: &[], run: release },
    Stage {
        name: "generated",
        about: "generated files are up to date",
        budget: 10,
        fast: false,
        needs: &["release"],
        run: generate::check,
    },
    Stage { name: "debian", about: "clients and servers from Debian", budget: 90, fast: false, needs: &[], run: peers::debian::provision },
    Stage {
        name: "go-clients",
        about: "clients that are Go modules, at pinned versions",
        budget: 420,
        fast: false,
        needs: &[],
        run: peers::go::provision_clients,
    },
    Stage {
        name: "store-postgres",
        about: "the store's suite over PostgreSQL",
        budget: 60,
        fast: false,
        needs: &["debian"],
        run: suites::store_postgres,
    },
    Stage {
        name: "conformance",
        about: "the OCI conformance suite",
        budget: 60,
        fast: false,
        needs: &["release", "debian", "go-clients"],
        run: suites::conformance,
    },
    Stage {
        name: "clients",
        about: "real container clients",
        budget: 240,
        fast: false,
        needs: &["release", "debian", "go-clients"],
        run: suites::clients,
    },
    Stage {
        name: "revocation",
        about: "two nodes on one PostgreSQL",
        budget: 90,
        fast: false,
        needs: &["release", "debian"],
        run: suites::revocation,
    },
    Stage {
        name: "crash",
        about: "kill -9 in the middle of pushes",
        budget: 120,
        fast: false,
        needs: &["release", "debian"],
        run: suites::crash,
    },
    Stage {
        name: "fuzz",
        about: "everything that parses a stranger's bytes",
        budget: 210,
        fast: false,
        needs: &[],
        run: fuzz::run_targets,
    },
];

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
