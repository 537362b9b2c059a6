//! The test programs: ordinary cargo tests, and what each finds in its environment.
//!
//! A suite that needs more than cargo is a file `crates/tidegate/tests/NAME.rs` (or the store's own tests) whose tests are
//! `#[ignore = "cargo xtask test --only STAGE"]`, so that `cargo test` alone builds and counts but does not run them. Its stage
//! runs them all, and fails if there were none. They find:
//! - `TIDEGATE_TEST_PROGRAM`: the release build of `tidegate`.
//! - `TIDEGATE_TEST_PEERS`: a folder with every client and server by its usual name (`docker`, `dockerd`, `crane`, `conformance`, ...).
//! - `TIDEGATE_TEST_IMAGE`: the container image, as an archive that `podman load` reads.
//! - `TIDEGATE_TEST_S3_URL`: `http://KEY:SECRET@HOST:PORT/BUCKET` of an S3 server started for this stage. The suites of the program
//!   then start their servers over it, each below a prefix of its own.
//! - `TIDEGATE_TEST_POSTGRES_URL`: a database of a PostgreSQL started for this stage, whose user may create others.
//! - `TIDEGATE_TEST_HOUSE`: on what they start their servers: `postgres-s3` is one over the two above, `three-nodes` three of them behind a
//!   proxy. Not set: over SQLite and a folder.

use std::process::Command;

use anyhow::{Result, bail};

use crate::command::passing_on;
use crate::image::{self, Profile};
use crate::peers;
use crate::postgres::Cluster;
use crate::release;
use crate::s3::Bucket;
use crate::workspace::Workspace;

const PROGRAM: &str = "TIDEGATE_TEST_PROGRAM";
const PEERS: &str = "TIDEGATE_TEST_PEERS";
const LAST_RELEASE: &str = "TIDEGATE_TEST_LAST_RELEASE";
const IMAGE: &str = "TIDEGATE_TEST_IMAGE";
const S3_URL: &str = "TIDEGATE_TEST_S3_URL";
const POSTGRES_URL: &str = "TIDEGATE_TEST_POSTGRES_URL";
const HOUSE: &str = "TIDEGATE_TEST_HOUSE";

pub(super) fn unit(workspace: &Workspace) -> Result<String> {
    cargo_test(&mut workspace.cargo(["test", "--locked", "--workspace", "--no-fail-fast"]))
}

pub(super) fn store_postgres(workspace: &Workspace) -> Result<String> {
    let cluster = Cluster::start()?;
    let mut remarks = Vec::new();
    let mut run = |name: &str, call: &mut Command| -> Result<()> {
        let before = cluster.commits()?;
        remarks.push(format!("{name}: {}", cargo_test(call.env(POSTGRES_URL, cluster.url()))?));
        // Each test makes a database or schema of its own; a suite that fell back to SQLite leaves no trace.
        if cluster.commits()? < before + 100 {
            bail!("the suite of {name} passed, but hardly spoke to PostgreSQL: does it read {POSTGRES_URL}?");
        }
        Ok(())
    };
    for (name, test) in [("store", "driver"), ("registry", "registry"), ("trail", "trail")] {
        run(name, part(workspace, test).args(["--", "--include-ignored"]))?;
    }
    // Plans of what all doors ask.
    run("growth", part(workspace, "growth").arg("postgres"))?;
    Ok(remarks.join("; "))
}

pub(super) fn conformance(workspace: &Workspace) -> Result<String> {
    cargo_test(&mut suite(workspace, "conformance")?)
}

pub(super) fn clients(workspace: &Workspace) -> Result<String> {
    cargo_test(&mut suite(workspace, "clients")?)
}

pub(super) fn revocation(workspace: &Workspace) -> Result<String> {
    let cluster = Cluster::start()?;
    cargo_test(suite(workspace, "revocation")?.env(POSTGRES_URL, cluster.url()))
}

/// Every client scenario over three nodes, and what only several nodes can show.
pub(super) fn nodes(workspace: &Workspace) -> Result<String> {
    let (cluster, bucket) = (Cluster::start()?, Bucket::start(workspace)?);
    let mut clients = suite(workspace, "clients")?;
    // A limit is a node's: one client in turn at three of them is never over it.
    clients.args(["--skip", "limits::"]).env(HOUSE, "three-nodes").env(POSTGRES_URL, cluster.url()).env(S3_URL, bucket.url());
    let before = cluster.commits()?;
    let clients = cargo_test(&mut clients)?;
    // Suites that fell back to one node leave no trace.
    if bucket.prefixes()? == 0 || cluster.commits()? < before + 1000 {
        bail!("the clients passed without the three nodes: do the suites read {HOUSE}?");
    }
    let nodes = cargo_test(suite(workspace, "nodes")?.env(POSTGRES_URL, cluster.url()))?;
    Ok(format!("clients: {clients}; nodes: {nodes}"))
}

/// Two back ends at once: what each of them has of the machine varies, and with it who meets whom.
pub(super) fn collection(workspace: &Workspace) -> Result<String> {
    let cluster = Cluster::start()?;
    let mut call = suite_by(workspace, "collection", "--test-threads=3")?;
    // What needs no PostgreSQL runs with the unit tests.
    cargo_test(call.args(["stress::", "elsewhere::"]).env(POSTGRES_URL, cluster.url()))
}

/// The program of the last release beside this one. Where there has been none the table says so.
pub(super) fn upgrade(workspace: &Workspace) -> Result<String> {
    let Some(tag) = release::last(workspace) else { return Ok("NOT RUN: there is no tag of a release before this commit".to_owned()) };
    let (program, cluster) = (release::program(workspace, &tag)?, Cluster::start()?);
    let tested = cargo_test(suite(workspace, "upgrade")?.env(LAST_RELEASE, program).env(POSTGRES_URL, cluster.url()))?;
    Ok(format!("{tested} beside {tag}"))
}

pub(super) fn federation(workspace: &Workspace) -> Result<String> {
    cargo_test(&mut suite(workspace, "federation")?)
}

/// The suites of blobs and registry, the clients that most people have, and what only object storage can do.
pub(super) fn s3(workspace: &Workspace) -> Result<String> {
    let bucket = Bucket::start(workspace)?;
    let mut remarks = Vec::new();
    let mut run = |name: &str, call: &mut Command| -> Result<()> {
        let before = bucket.prefixes()?;
        remarks.push(format!("{name}: {}", cargo_test(call.env(S3_URL, bucket.url()))?));
        // A suite that fell back to a folder leaves no trace.
        if bucket.prefixes()? == before {
            bail!("the suite of {name} passed without S3: does it read {S3_URL}?");
        }
        Ok(())
    };
    for (name, test) in [("blobs", "suite"), ("registry", "registry")] {
        run(name, &mut part(workspace, test))?;
    }
    // By name: the whole round of these three, and nothing else.
    run("clients", suite(workspace, "clients")?.args(["docker::", "containers::skopeo", "modules::crane"]))?;
    run("conformance", &mut suite(workspace, "conformance")?)?;
    run("kills", suite(workspace, "crash")?.arg("kills::"))?;
    let cluster = Cluster::start()?;
    remarks.push(format!("s3: {}", cargo_test(suite(workspace, "s3")?.env(POSTGRES_URL, cluster.url()))?));
    Ok(remarks.join("; "))
}

/// The signatures of the vendor's own code, then its clients.
pub(super) fn alibaba(workspace: &Workspace) -> Result<String> {
    let mut signatures = part(workspace, "vendor");
    let signatures = cargo_test(signatures.args(["--", "--include-ignored"]).env(PEERS, peers::folder(workspace)))?;
    let clients = cargo_test(&mut suite(workspace, "alibaba")?)?;
    Ok(format!("signatures: {signatures}; clients: {clients}"))
}

/// The image of the recipe, around a program of the tests' own profile. Where no container runs, the table says why.
pub(super) fn container(workspace: &Workspace) -> Result<String> {
    let archive = workspace.target.join("container/tidegate.tar");
    image::build(workspace, Profile::Dev, &archive)?;
    let mut suite = suite(workspace, "container")?;
    match image::runs(&archive) {
        Ok(()) => cargo_test(suite.env(IMAGE, archive)),
        Err(why) => {
            let tested = cargo_test(suite.env(IMAGE, archive).arg("image::"))?;
            Ok(format!("{tested}; built, and NOT RUN: no container runs on this machine: {why:#}"))
        }
    }
}

/// One of a test's own, that is stopped, frozen, filled and cut off.
pub(super) fn database(workspace: &Workspace) -> Result<String> {
    cargo_test(&mut suite(workspace, "database")?)
}

/// Of the metrics' suite what holds over either back end.
const WATCHED: [&str; 2] = ["metrics::what_is_shown_is_documented", "metrics::no_name_that_a_client_sends"];

/// The suites that other stages run over SQLite and a folder, over PostgreSQL and S3: one server of each for all of them.
pub(super) fn back_ends(workspace: &Workspace) -> Result<String> {
    let (cluster, bucket) = (Cluster::start()?, Bucket::start(workspace)?);
    let mut remarks = Vec::new();
    // What a crash does to files is none of these; the rest of that suite is, with as many kills.
    for (name, only) in
        [("conformance", &[][..]), ("abuse", &[]), ("clients", &[]), ("crash", &["kills::", "audit::"]), ("watch", &WATCHED)]
    {
        let (commits, prefixes) = (cluster.commits()?, bucket.prefixes()?);
        let mut call = suite(workspace, name)?;
        call.args(only).env(HOUSE, "postgres-s3").env(POSTGRES_URL, cluster.url()).env(S3_URL, bucket.url());
        remarks.push(format!("{name}: {}", cargo_test(&mut call)?));
        if cluster.commits()? < commits + 100 || bucket.prefixes()? == prefixes {
            bail!("the suite of {name} passed, but hardly spoke to PostgreSQL and S3: does it read {HOUSE}?");
        }
    }
    Ok(remarks.join("; "))
}

pub(super) fn crash(workspace: &Workspace) -> Result<String> {
    let cluster = Cluster::start()?;
    cargo_test(suite(workspace, "crash")?.env(POSTGRES_URL, cluster.url()))
}

pub(super) fn care(workspace: &Workspace) -> Result<String> {
    let cluster = Cluster::start()?;
    cargo_test(suite(workspace, "care")?.env(POSTGRES_URL, cluster.url()))
}

/// The call of a library's suite, as a part of the workspace: built alone its dependencies would have other features, and be built
/// once more.
fn part(workspace: &Workspace, test: &str) -> Command {
    workspace.cargo(["test", "--locked", "--workspace", "--test", test])
}

/// The call of a suite of the program; its tests run one after the other, since each has the machine's two cores.
fn suite(workspace: &Workspace, name: &str) -> Result<Command> {
    suite_by(workspace, name, "--test-threads=1")
}

/// The same with so many tests side by side.
fn suite_by(workspace: &Workspace, name: &str, threads: &str) -> Result<Command> {
    let file = format!("crates/tidegate/tests/{name}.rs");
    if !workspace.root.join(&file).is_file() && !workspace.root.join(format!("crates/tidegate/tests/{name}/main.rs")).is_file() {
        bail!("{file} is not there: this suite has not been written");
    }
    let mut call = workspace.cargo(["test", "--locked", "--package", "tidegate", "--test", name]);
    call.args(["--", "--include-ignored", threads]);
    call.env(PROGRAM, workspace.program()).env(PEERS, peers::folder(workspace));
    Ok(call)
}

/// Runs it; the remark is how many tests ran. None is a failure: a suite that ran no test has shown nothing.
fn cargo_test(call: &mut Command) -> Result<String> {
    let (printed, success) = passing_on(call)?;
    let count = Count::of(&printed);
    if !success {
        bail!("cargo test failed: {count}");
    }
    if count.passed == 0 {
        bail!("no test ran");
    }
    Ok(count.to_string())
}

/// The sum of cargo's lines `test result: ok. 3 passed; 0 failed; 1 ignored; ...`.
#[derive(Debug, Default, PartialEq)]
struct Count {
    passed: u64,
    failed: u64,
    ignored: u64,
}

impl Count {
    fn of(printed: &str) -> Self {
        let mut sum = Self::default();
        for line in printed.lines().filter(|line| line.starts_with("test result: ")) {
            let words: Vec<&str> = line.split([' ', ';']).collect();
            for pair in words.windows(2) {
                let [number, word] = pair else { continue };
                let number = number.parse().unwrap_or(0);
                match *word {
                    "passed" => sum.passed += number,
                    "failed" => sum.failed += number,
                    "ignored" => sum.ignored += number,
                    _ => {}
                }
            }
        }
        sum
    }
}

impl std::fmt::Display for Count {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} tests", self.passed)?;
        if self.failed > 0 {
            write!(f, ", {} FAILED", self.failed)?;
        }
        if self.ignored > 0 {
            write!(f, ", {} left to other stages", self.ignored)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_of_all_test_programs_are_summed() {
        let printed = "running 3 tests\ntest result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.00s\n\
                       test result: FAILED. 4 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s\n";
        assert_eq!(Count::of(printed), Count { passed: 7, failed: 2, ignored: 1 });
        assert_eq!(Count::of(printed).to_string(), "7 tests, 2 FAILED, 1 left to other stages");
    }

    #[test]
    fn a_test_named_like_a_result_counts_nothing() {
        assert_eq!(Count::of("test says_3 passed; ... ok\n"), Count::default());
    }

    #[test]
    fn a_run_without_a_test_fails() {
        let nothing = "echo 'test result: ok. 0 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out'";
        assert_eq!(cargo_test(Command::new("sh").args(["-c", nothing])).unwrap_err().to_string(), "no test ran");
    }

    #[test]
    fn a_build_that_fails_fails() {
        assert!(cargo_test(Command::new("sh").args(["-c", "exit 101"])).is_err());
    }
}
