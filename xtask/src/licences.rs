//! What we depend on: under which licences, from where, and what must not come in. `docs/decisions/licences-by-own-code.md` says
//! why this is not cargo-deny.

use std::collections::BTreeSet;

use anyhow::{Result, bail};

use crate::command::output;
use crate::workspace::{Package, Workspace};

/// Licences that may be linked into an Apache-2.0 program without duties beyond a notice.
const ALLOWED: &[&str] = &[
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "MIT",
    "MIT-0",
    "ISC",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "0BSD",
    "Zlib",
    "Unicode-3.0",
    "Unlicense",
    "CC0-1.0",
    "BSL-1.0",
    "CDLA-Permissive-2.0", // the root certificates' data
];

/// What must never be built, and why. (The lock file may list what no feature of ours turns on.)
const BANNED: &[(&str, &str)] = &[
    ("openssl-sys", "TLS is rustls with aws-lc-rs; no system library"),
    ("native-tls", "TLS is rustls with aws-lc-rs; no system library"),
    ("ring", "a second crypto provider makes rustls panic at its first use"),
    ("sqlx-sqlite", "links a second SQLite beside rusqlite's"),
];

/// Fails with a line a package; the remark names what cannot be checked here.
pub(crate) fn check(workspace: &Workspace) -> Result<String> {
    let all = workspace.with_dependencies()?;
    let mut wrong: Vec<String> = all.packages.iter().filter_map(wrong).collect();
    wrong.extend(banned(&built(workspace)?));
    if !wrong.is_empty() {
        bail!("dependencies that may not come in:\n  {}", wrong.join("\n  "));
    }
    Ok(format!("{} packages; advisories NOT checked: their database cannot be fetched", all.packages.len()))
}

/// The names of all packages that some target of ours builds.
fn built(workspace: &Workspace) -> Result<String> {
    let tree = ["tree", "--workspace", "--target", "all", "--edges", "normal,build,dev", "--prefix", "none", "--format", "{p}"];
    output(&mut workspace.cargo(tree))
}

fn banned(built: &str) -> Vec<String> {
    let names: BTreeSet<&str> = built.lines().filter_map(|line| line.split_whitespace().next()).collect();
    BANNED.iter().filter(|(name, _)| names.contains(name)).map(|(name, reason)| format!("{name} is banned: {reason}")).collect()
}

fn wrong(package: &Package) -> Option<String> {
    let named = format!("{} {}", package.name, package.version);
    if let Some(source) = package.source.as_deref().filter(|source| !source.starts_with("registry+")) {
        return Some(format!("{named} comes from {source}, not from the registry"));
    }
    match package.license.as_deref() {
        None => Some(format!("{named} names no licence")),
        Some(text) if allows(text) => None,
        Some(text) => Some(format!("{named} is under {text}")),
    }
}

/// Whether an SPDX expression can be met with the allowed licences alone. `/` is the old spelling of OR.
fn allows(expression: &str) -> bool {
    let spaced = expression.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut rest = words.as_slice();
    any_of(&mut rest) == Some(true) && rest.is_empty()
}

/// `a OR b`; none where the expression makes no sense.
fn any_of(words: &mut &[&str]) -> Option<bool> {
    let mut met = all_of(words)?;
    while let ["OR", rest @ ..] = *words {
        *words = rest;
        met |= all_of(words)?;
    }
    Some(met)
}

/// `a AND b`, which binds tighter than OR.
fn all_of(words: &mut &[&str]) -> Option<bool> {
    let mut met = one(words)?;
    while let ["AND", rest @ ..] = *words {
        *words = rest;
        met &= one(words)?;
    }
    Some(met)
}

/// A licence, a licence WITH an exception, or an expression in parentheses.
fn one(words: &mut &[&str]) -> Option<bool> {
    match *words {
        ["(", rest @ ..] => {
            *words = rest;
            let met = any_of(words)?;
            let [")", rest @ ..] = *words else { return None };
            *words = rest;
            Some(met)
        }
        [licence, "WITH", exception, rest @ ..] => {
            *words = rest;
            Some(ALLOWED.contains(&format!("{licence} WITH {exception}").as_str()))
        }
        [licence, rest @ ..] => {
            *words = rest;
            Some(ALLOWED.contains(licence))
        }
        [] => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(name: &str, license: Option<&str>, source: Option<&str>) -> Package {
        Package {
            name: name.to_owned(),
            version: "1.0.0".to_owned(),
            license: license.map(str::to_owned),
            source: source.map(str::to_owned),
            manifest_path: "Cargo.toml".into(),
            dependencies: Vec::new(),
            targets: Vec::new(),
        }
    }

    #[test]
    fn one_allowed_choice_is_enough() {
        for good in ["MIT", "MIT OR GPL-3.0", "MIT/Apache-2.0", "GPL-3.0 OR (MIT AND ISC)", "Apache-2.0 WITH LLVM-exception OR X"] {
            assert!(allows(good), "{good}");
        }
    }

    #[test]
    fn every_part_of_an_and_counts() {
        for bad in ["GPL-3.0", "MIT AND GPL-3.0", "(MIT OR ISC) AND AGPL-3.0", "GPL-2.0 WITH Classpath-exception-2.0", "", "MIT OR", "(MIT"]
        {
            assert!(!allows(bad), "{bad}");
        }
        assert!(allows("MIT AND (Apache-2.0 OR GPL-3.0) AND Unicode-3.0"));
    }

    #[test]
    fn bans_sources_and_missing_licences_are_named() {
        let built = "serde v1.0.0 (proc-macro)\nopenssl-sys v0.9.0\nstringent v1.0.0";
        assert_eq!(banned(built), ["openssl-sys is banned: TLS is rustls with aws-lc-rs; no system library"]);
        assert!(wrong(&package("a", Some("MIT"), Some("git+file:///elsewhere"))).unwrap().contains("not from the registry"));
        assert_eq!(wrong(&package("a", None, None)).unwrap(), "a 1.0.0 names no licence");
        assert!(wrong(&package("a", Some("MIT"), Some("registry+x"))).is_none());
    }
}
