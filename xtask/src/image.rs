//! The container image: the program, linked statically, alone in an image that the second half of `Containerfile` describes.
//!
//! The program is built here and not in a container: cargo has built most of it already, and builds in containers would want a
//! network. Whoever has no Rust toolchain builds the whole of `Containerfile`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use clap::Args;

use crate::command::{output, run};
use crate::workspace::Workspace;

/// What the image is called where it is built.
const NAME: &str = "localhost/tidegate:latest";
/// The first line of the half that describes the image itself.
const IMAGE: &str = "FROM scratch\n";
/// What cargo is told in both: to build the program, and to need no shared libraries.
const PROGRAM: [&str; 6] = ["rustc", "--locked", "--package", "tidegate", "--bin", "tidegate"];
const STATIC: [&str; 3] = ["--", "-C", "target-feature=+crt-static"];

#[derive(Args)]
pub(crate) struct Options {
    /// Where the image goes, as `docker load` and `podman load` read it.
    #[arg(long, default_value = "target/container/tidegate.tar")]
    output: PathBuf,
}

/// With what the program is built.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Profile {
    /// As users get it.
    Release,
    /// As tests have built it already: linking it again takes seconds, not minutes.
    Dev,
}

/// `cargo xtask image`.
pub(crate) fn image(workspace: &Workspace, options: &Options) -> Result<String> {
    build(workspace, Profile::Release, &options.output)?;
    Ok(format!("{}: `podman load --input` it, or `docker load --input`", options.output.display()))
}

/// Builds the image into an archive.
pub(crate) fn build(workspace: &Workspace, profile: Profile, archive: &Path) -> Result<()> {
    let program = static_program(workspace, profile)?;
    let folder = tempfile::tempdir()?;
    let context = folder.path().join("context");
    fs::create_dir_all(context.join("image/data"))?;
    run(Command::new("strip").arg("-o").arg(context.join("image/tidegate")).arg(&program))?;
    fs::write(context.join("Containerfile"), description(&fs::read_to_string(workspace.root.join("Containerfile"))?)?)?;
    let buildah = || {
        let mut call = Command::new("buildah");
        call.args(["--storage-driver", "vfs"]);
        call.arg("--root").arg(folder.path().join("root")).arg("--runroot").arg(folder.path().join("runroot"));
        call
    };
    // Health checks are no part of OCI's format.
    run(buildah().args(["build", "--isolation", "chroot", "--format", "docker", "--tag", NAME]).arg(&context))?;
    if let Some(folder) = archive.parent() {
        fs::create_dir_all(folder)?;
    }
    if archive.exists() {
        // An archive is never written over.
        fs::remove_file(archive)?;
    }
    run(buildah().args(["push", "--quiet", NAME, &format!("docker-archive:{}:{NAME}", archive.display())]))
}

/// Does a container of this image run on this machine?
pub(crate) fn runs(archive: &Path) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let podman = || {
        let mut call = Command::new("podman");
        call.args(["--storage-driver", "vfs", "--cgroup-manager", "cgroupfs"]);
        call.arg("--root").arg(folder.path().join("root")).arg("--runroot").arg(folder.path().join("runroot"));
        call
    };
    output(podman().args(["load", "--quiet", "--input"]).arg(archive))?;
    // Whoever may not raise limits may not start containers with podman's own.
    output(
        podman()
            .args(["run", "--rm", "--network", "host", "--ulimit", "nofile=1024:1024", "--ulimit", "nproc=1024:1024"])
            .args([NAME, "version"]),
    )
    .map(drop)
}

/// The program without a need for shared libraries. Only the program itself is built again: its crates are as they are.
fn static_program(workspace: &Workspace, profile: Profile) -> Result<PathBuf> {
    let mut call = workspace.cargo(PROGRAM);
    call.args(["--message-format", "json"]);
    if profile == Profile::Release {
        call.arg("--release");
    }
    let messages = output(call.args(STATIC))?;
    let made = messages.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
    let program = made.filter_map(|message| Some(PathBuf::from(message.get("executable")?.as_str()?))).next_back();
    program.context("cargo names no program")
}

/// What describes the image, around a program that is there already.
fn description(whole: &str) -> Result<String> {
    let (_, image) = whole.split_once(IMAGE).context("Containerfile has no `FROM scratch`")?;
    ensure!(image.contains("COPY --from=build "), "Containerfile copies nothing from its build");
    Ok(format!("{IMAGE}{}", image.replace("COPY --from=build ", "COPY ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_image_is_described_once() {
        let whole = "FROM rust AS build\nRUN cargo\n\nFROM scratch\nCOPY --from=build --chown=1:1 /image/x /x\nUSER 1:1\n";
        assert_eq!(description(whole).unwrap(), "FROM scratch\nCOPY --chown=1:1 /image/x /x\nUSER 1:1\n");
        assert!(description("FROM rust\n").is_err());
        assert!(description("FROM rust\nFROM scratch\nUSER 1:1\n").is_err());
    }

    /// The first half is built by nobody here: that it says what the second is tested around is all that is looked at.
    #[test]
    fn whoever_builds_all_of_it_builds_the_same_program() {
        let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..");
        let whole = fs::read_to_string(root.join("Containerfile")).unwrap();
        let (first, _) = whole.split_once(IMAGE).unwrap();
        let built = first.lines().find_map(|line| line.strip_prefix("RUN cargo ")).unwrap();
        let words: Vec<&str> = built.split_whitespace().take_while(|word| *word != "\\").collect();
        assert_eq!(words, [&PROGRAM[..], &["--release"], &STATIC].concat());
        assert!(first.contains("cp target/release/tidegate /image/tidegate"), "{first}");
        let manifest = fs::read_to_string(root.join("Cargo.toml")).unwrap();
        let least = manifest.lines().find_map(|line| line.strip_prefix("rust-version = ")).unwrap().trim_matches('"');
        assert!(first.contains(&format!("/rust:{least}-")), "it is built by Rust {least}: {first}");
    }
}
