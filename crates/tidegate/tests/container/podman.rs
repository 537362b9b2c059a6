//! Podman with images, containers and volumes in a folder of its own.

use std::path::{Path, PathBuf};

use crate::support::program::{Daemon, Program, Ran};

/// What the image is called in its archive.
pub(crate) const NAME: &str = "localhost/tidegate:latest";

/// The image, as `cargo xtask test` has built it.
pub(crate) fn archive() -> PathBuf {
    #[expect(clippy::disallowed_methods, reason = "a suite finds its programs in the environment")]
    let path = std::env::var_os("TIDEGATE_TEST_IMAGE").expect("TIDEGATE_TEST_IMAGE names no image: `cargo xtask test --only container`");
    PathBuf::from(path)
}

pub(crate) struct Podman {
    program: Program,
    place: [String; 8],
}

impl Podman {
    /// With the image in it.
    pub(crate) fn with_image(folder: &Path) -> Self {
        let at = |name: &str| folder.join(name).to_str().unwrap().to_owned();
        let place = ["--storage-driver", "vfs", "--cgroup-manager", "cgroupfs", "--root", &at("root"), "--runroot", &at("runroot")];
        let podman = Self { program: Program::new("/usr/bin/podman", &folder.join("home")), place: place.map(str::to_owned) };
        podman.run(&["load", "--quiet", "--input", archive().to_str().unwrap()]).ok();
        podman
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Ran {
        self.program.run(&self.line(arguments))
    }

    fn line<'a>(&'a self, arguments: &[&'a str]) -> Vec<&'a str> {
        self.place.iter().map(String::as_str).chain(arguments.iter().copied()).collect()
    }

    /// Runs a container in the foreground, as locked down as it can be: nothing of its own can be written but the volume.
    pub(crate) fn start(&self, name: &str, arguments: &[&str], log: &Path) -> Daemon {
        const LOCKED: [&str; 12] = [
            "--network",
            "host",
            "--read-only",
            "--read-only-tmpfs=false",
            "--cap-drop",
            "all",
            "--security-opt",
            "no-new-privileges",
            // Whoever may not raise limits may not start containers with podman's own.
            "--ulimit",
            "nofile=4096:4096",
            "--ulimit",
            "nproc=1024:1024",
        ];
        let line = [&["run", "--rm", "--name", name, "--volume", "data:/data"][..], &LOCKED, arguments].concat();
        self.program.start(&self.line(&line), log)
    }
}
