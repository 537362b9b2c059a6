//! The house's one structural law: an arrow between crates points down, and only where `docs/architecture.md` draws it.
//!
//! `HOUSE` is that document's table as data. A new crate gets a line here and a line there; a new `door-…` needs none.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};

use crate::workspace::{Dependency, Package, Workspace};

/// Which crates of ours a crate may depend on.
#[derive(Clone, Copy, Debug)]
enum Knows {
    /// These alone.
    Only(&'static [&'static str]),
    /// All that stand on lower floors.
    Below,
    /// All but the named one.
    AllBut(&'static str),
}

/// A crate's place in the house.
#[derive(Clone, Copy, Debug)]
struct Room {
    floor: u8,
    knows: Knows,
}

const fn room(floor: u8, knows: Knows) -> Room {
    Room { floor, knows }
}

const HOUSE: &[(&str, Room)] = &[
    ("model", room(0, Knows::Only(&[]))),
    ("policy", room(1, Knows::Only(&["model"]))),
    ("secrets", room(1, Knows::Only(&["model"]))),
    // Sideways, and the only two: signing hashes with keys that are `secrets`' types, the chain's hashes are over `api`'s records.
    ("signing", room(1, Knows::Only(&["model", "secrets"]))),
    ("api", room(1, Knows::Only(&["model"]))),
    ("chain", room(1, Knows::Only(&["model", "api"]))),
    ("fetch", room(1, Knows::Only(&["model"]))),
    ("meter", room(1, Knows::Only(&[]))),
    ("throttle", room(1, Knows::Only(&["model"]))),
    ("store", room(2, Knows::Only(&["model", "secrets", "meter"]))),
    ("blobs", room(2, Knows::Only(&["model", "meter"]))),
    ("access", room(3, Knows::Only(&["model", "policy", "store", "meter"]))),
    ("tokens", room(4, Knows::Only(&["model", "secrets", "store", "access", "meter"]))),
    ("federation", room(4, Knows::Only(&["model", "policy", "fetch"]))),
    ("identity", room(5, Knows::Below)),
    ("registry", room(5, Knows::Only(&["model", "store", "blobs", "access", "fetch", "meter"]))),
    ("trail", room(5, Knows::Only(&["model", "api", "chain", "secrets", "fetch", "store", "access"]))),
    ("care", room(5, Knows::Only(&["model", "secrets", "store", "blobs", "access"]))),
    ("kit", room(6, Knows::Below)),
    ("console", room(7, Knows::Below)),
    ("client", room(7, Knows::Only(&["model", "secrets", "signing", "api", "fetch"]))),
    ("declarative", room(8, Knows::Only(&["model", "api", "client"]))),
    ("tidegate", room(8, Knows::AllBut("testkit"))),
    ("testkit", room(8, Knows::AllBut("tidegate"))),
    ("xtask", room(8, Knows::Only(&[]))),
];

/// A door: one crate a protocol, all alike.
const DOOR: Room = room(7, Knows::Below);

/// Floors whose public items are all documented.
const DOCUMENTED: std::ops::RangeInclusive<u8> = 0..=4;

/// These are entered from outside; no crate builds on them (`testkit` may be a dev-dependency).
const ROOFS: &[&str] = &["tidegate", "testkit", "xtask"];

/// Fails with every broken rule, a line each.
pub(crate) fn check(workspace: &Workspace) -> Result<String> {
    let mut broken = Vec::new();
    for package in &workspace.packages {
        broken.extend(broken_arrows(package));
        broken.extend(broken_manifest(&package.name, &read(&package.manifest_path)?)?);
        if let Some(root) = package.crate_root() {
            broken.extend(undocumented(&package.name, &read(root)?));
        }
    }
    if broken.is_empty() {
        return Ok(format!("{} crates keep to their floors", workspace.packages.len()));
    }
    bail!("the house's rules (docs/architecture.md) are broken:\n  {}", broken.join("\n  "))
}

fn read(path: &Path) -> Result<String> {
    fs::read_to_string(path).with_context(|| format!("{} cannot be read", path.display()))
}

fn room_of(name: &str) -> Option<Room> {
    let listed = HOUSE.iter().find(|(listed, _)| *listed == name).map(|(_, room)| *room);
    listed.or_else(|| name.starts_with("door-").then_some(DOOR))
}

fn broken_arrows(package: &Package) -> Vec<String> {
    let Some(room) = room_of(&package.name) else {
        return vec![format!("{} has no floor: give it a line in xtask/src/floors.rs and docs/architecture.md", package.name)];
    };
    let ours = package.dependencies.iter().filter(|dependency| dependency.path.is_some());
    ours.filter_map(|dependency| broken_arrow(&package.name, room, dependency)).collect()
}

fn broken_arrow(from: &str, room: Room, dependency: &Dependency) -> Option<String> {
    let to = dependency.name.as_str();
    let development = dependency.kind.as_deref() == Some("dev");
    if to == "testkit" && development && from != "xtask" {
        return None;
    }
    if ROOFS.contains(&to) {
        return Some(format!("{from} -> {to}: nothing may depend on {to}, save on testkit as a dev-dependency"));
    }
    let there = room_of(to)?;
    let allowed = match room.knows {
        Knows::Only(names) => names.contains(&to),
        Knows::Below => there.floor < room.floor && to != "client",
        Knows::AllBut(name) => to != name,
    };
    (!allowed).then(|| format!("{from} (floor {}) -> {to} (floor {}): not an arrow of the table", room.floor, there.floor))
}

/// Lints come from the workspace, and so does every dependency, which is declared there with what it is for.
fn broken_manifest(name: &str, text: &str) -> Result<Vec<String>> {
    let manifest: toml::Table = toml::from_str(text).with_context(|| format!("the manifest of {name} is not TOML"))?;
    let mut broken = Vec::new();
    if !inherits(manifest.get("lints")) {
        broken.push(format!("{name} does not take the workspace's lints: `[lints] workspace = true`"));
    }
    for section in ["dependencies", "dev-dependencies", "build-dependencies"] {
        let declared = manifest.get(section).and_then(toml::Value::as_table);
        let own = declared.into_iter().flatten().filter(|(_, value)| !inherits(Some(value)));
        broken.extend(own.map(|(dependency, _)| format!("{name} declares {dependency} itself: `{dependency}.workspace = true`")));
    }
    Ok(broken)
}

/// Whether a value of a manifest says `workspace = true`.
fn inherits(value: Option<&toml::Value>) -> bool {
    value.and_then(|value| value.get("workspace")).and_then(toml::Value::as_bool) == Some(true)
}

fn undocumented(name: &str, root: &str) -> Option<String> {
    let must = room_of(name).is_some_and(|room| DOCUMENTED.contains(&room.floor));
    let denied = root.lines().any(|line| line.starts_with("#![deny(") && line.contains("missing_docs"));
    (must && !denied).then(|| format!("{name}: floors 0 to 4 say `#![deny(missing_docs)]` in their crate root"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn crate_with(name: &str, dependencies: &[(&str, Option<&str>)]) -> Package {
        let dependency = |(name, kind): &(&str, Option<&str>)| Dependency {
            name: (*name).to_owned(),
            kind: kind.map(str::to_owned),
            path: Some("/house".into()),
        };
        Package {
            name: name.to_owned(),
            version: "0.1.0".to_owned(),
            license: None,
            source: None,
            manifest_path: "Cargo.toml".into(),
            dependencies: dependencies.iter().map(dependency).collect(),
            targets: Vec::new(),
        }
    }

    fn arrows(from: &str, to: &[&str]) -> Vec<String> {
        let to: Vec<_> = to.iter().map(|name| (*name, None)).collect();
        broken_arrows(&crate_with(from, &to))
    }

    #[test]
    fn arrows_of_the_table_are_allowed() {
        assert_eq!(arrows("store", &["model", "secrets"]), [""; 0]);
        assert_eq!(arrows("identity", &["model", "policy", "secrets", "signing", "fetch", "store", "access", "tokens"]), [""; 0]);
        assert_eq!(arrows("door-manage", &["kit", "identity", "registry", "api", "model"]), [""; 0]);
        assert_eq!(arrows("client", &["model", "secrets", "signing", "api", "fetch"]), [""; 0]);
        assert_eq!(arrows("tidegate", &["door-oci", "client", "registry", "model"]), [""; 0]);
        assert_eq!(arrows("testkit", &["door-oci", "registry", "store"]), [""; 0]);
    }

    #[test]
    fn an_arrow_up_is_broken() {
        assert_eq!(arrows("model", &["store"]), ["model (floor 0) -> store (floor 2): not an arrow of the table"]);
        assert_eq!(arrows("store", &["policy"]).len(), 1);
        assert_eq!(arrows("blobs", &["registry"]).len(), 1);
        assert_eq!(arrows("kit", &["door-oci"]).len(), 1);
    }

    #[test]
    fn neighbours_do_not_know_each_other() {
        assert_eq!(arrows("identity", &["registry"]).len(), 1);
        assert_eq!(arrows("registry", &["identity"]).len(), 1);
        assert_eq!(arrows("store", &["blobs"]).len(), 1);
        assert_eq!(arrows("door-oci", &["door-token"]).len(), 1);
        assert_eq!(arrows("console", &["door-manage"]).len(), 1);
    }

    #[test]
    fn the_client_and_the_server_do_not_know_each_other() {
        assert_eq!(arrows("client", &["store", "access", "kit"]).len(), 3);
        assert_eq!(arrows("door-manage", &["client"]).len(), 1);
    }

    #[test]
    fn lower_floors_may_still_be_out_of_reach() {
        assert_eq!(arrows("registry", &["tokens"]).len(), 1);
        assert_eq!(arrows("policy", &["secrets"]).len(), 1);
    }

    #[test]
    fn testkit_is_a_dev_dependency_or_none() {
        assert_eq!(broken_arrows(&crate_with("door-oci", &[("testkit", Some("dev"))])), [""; 0]);
        assert_eq!(arrows("door-oci", &["testkit"]).len(), 1);
        assert_eq!(arrows("tidegate", &["testkit"]).len(), 1);
    }

    #[test]
    fn other_dev_dependencies_follow_the_table() {
        assert_eq!(broken_arrows(&crate_with("model", &[("store", Some("dev"))])).len(), 1);
    }

    #[test]
    fn xtask_stands_alone() {
        assert_eq!(arrows("xtask", &["model"]).len(), 1);
        assert_eq!(broken_arrows(&crate_with("xtask", &[("testkit", Some("dev"))])).len(), 1);
        assert_eq!(arrows("tidegate", &["xtask"]).len(), 1);
    }

    #[test]
    fn a_crate_without_a_floor_is_named() {
        assert_eq!(arrows("helpers", &[])[0], "helpers has no floor: give it a line in xtask/src/floors.rs and docs/architecture.md");
    }

    #[test]
    fn the_table_itself_points_down() {
        for (name, room) in HOUSE {
            let Knows::Only(known) = room.knows else { continue };
            for to in known {
                let sideways = matches!((*name, *to), ("signing", "secrets") | ("chain", "api"));
                assert!(sideways || room_of(to).unwrap().floor < room.floor, "{name} -> {to}");
            }
        }
    }

    #[test]
    fn lints_and_dependencies_come_from_the_workspace() {
        let good = "[lints]\nworkspace = true\n[dependencies]\nserde.workspace = true\nclap = { workspace = true }\n";
        assert_eq!(broken_manifest("kit", good).unwrap(), [""; 0]);
        let bad = "[lints.rust]\nunsafe_code = \"allow\"\n[dev-dependencies]\nserde = \"1\"\n";
        assert_eq!(
            broken_manifest("kit", bad).unwrap(),
            ["kit does not take the workspace's lints: `[lints] workspace = true`", "kit declares serde itself: `serde.workspace = true`"]
        );
    }

    #[test]
    fn lower_floors_deny_missing_docs() {
        assert!(undocumented("tokens", "//! Tokens.\n").is_some());
        assert!(undocumented("tokens", "// #![deny(missing_docs)]\n").is_some());
        assert!(undocumented("tokens", "//! Tokens.\n#![deny(missing_docs)]\n").is_none());
        assert!(undocumented("kit", "//! Kit.\n").is_none());
    }
}
