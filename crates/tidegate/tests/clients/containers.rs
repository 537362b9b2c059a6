//! `skopeo`, `buildah` and `podman`, which share a library and a login file.

use std::path::PathBuf;

use crate::client::{Client, goes_round};
use crate::layout::small_image;
use crate::people::{Login, People};
use crate::support::program::{Program, Ran};

pub(crate) struct Skopeo {
    program: Program,
    registry: String,
    image: PathBuf,
}

impl Skopeo {
    pub(crate) fn new(people: &People) -> Self {
        let program = with_login_file(people.program("skopeo"));
        let image = small_image(&program.folder().join("image"));
        Self { program, registry: people.house.address.clone(), image }
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Ran {
        self.program.run(arguments)
    }

    /// Copies a layout (`oci:FOLDER:x`) to the registry; `--all` of an index.
    pub(crate) fn push_layout(&self, layout: &std::path::Path, name: &str) -> Ran {
        let from = format!("oci:{}:x", layout.display());
        self.program.run(&["copy", "--all", "--dest-tls-verify=false", &from, &format!("docker://{}/{name}", self.registry)])
    }

    /// Copies `NAME:TAG` into an empty layout; where that is.
    pub(crate) fn pull_layout(&self, name: &str) -> (Ran, PathBuf) {
        let folder = self.program.folder().join("pulled");
        // Not there before the first pull.
        let _ = std::fs::remove_dir_all(&folder);
        let to = format!("oci:{}:x", folder.display());
        let from = format!("docker://{}/{name}", self.registry);
        (self.program.run(&["copy", "--all", "--src-tls-verify=false", &from, &to]), folder)
    }
}

impl Client for Skopeo {
    fn login(&mut self, login: &Login) -> Ran {
        log_in(&self.program, &self.registry, login)
    }

    fn push(&self, name: &str) -> Ran {
        self.push_layout(&self.image, name)
    }

    fn pull(&self, name: &str) -> Ran {
        self.pull_layout(name).0
    }
}

/// `buildah` or `podman`, whose commands for images are the same.
struct Storage {
    program: Program,
    registry: String,
    /// The image that is pushed, by its id.
    image: String,
    /// The program's own switches.
    switches: &'static [&'static str],
}

impl Storage {
    fn new(people: &People, name: &str, switches: &'static [&'static str]) -> Self {
        let program = with_login_file(people.program(name));
        Self { program, registry: people.house.address.clone(), image: String::new(), switches }
    }

    fn run(&self, arguments: &[&str]) -> Ran {
        self.run_in("own", arguments)
    }

    /// With images and containers in this store; plain folders, since anything else leaves mounts behind.
    fn run_in(&self, store: &str, arguments: &[&str]) -> Ran {
        let folder = self.program.folder().join(store);
        let (root, runroot) = (folder.join("root"), folder.join("runroot"));
        let place = ["--storage-driver", "vfs", "--root", root.to_str().unwrap(), "--runroot", runroot.to_str().unwrap()];
        self.program.run(&[&place, self.switches, arguments].concat())
    }
}

impl Client for Storage {
    fn login(&mut self, login: &Login) -> Ran {
        log_in(&self.program, &self.registry, login)
    }

    fn push(&self, name: &str) -> Ran {
        self.run(&["push", "--tls-verify=false", &self.image, &format!("docker://{}/{name}", self.registry)])
    }

    fn pull(&self, name: &str) -> Ran {
        // Into another store, which has none of the layers.
        let image = format!("{}/{name}", self.registry);
        let ran = self.run_in("other", &["pull", "--tls-verify=false", &image]);
        if ran.code == Some(0) {
            self.run_in("other", &["rmi", &image]).ok();
        }
        ran
    }
}

/// Where all three keep logins.
fn with_login_file(program: Program) -> Program {
    let file = program.folder().join("auth.json");
    // Two of them ask for it also where nothing has to be known.
    std::fs::write(&file, "{}").unwrap();
    program.with("REGISTRY_AUTH_FILE", file.to_str().unwrap())
}

fn log_in(program: &Program, registry: &str, login: &Login) -> Ran {
    program.piped(&["login", "--tls-verify=false", "--username", &login.user, "--password-stdin", registry], &login.password)
}

#[test]
#[ignore = "cargo xtask test --only clients"]
fn skopeo_goes_round() {
    let people = People::new();
    goes_round(&people, &mut Skopeo::new(&people));
}

#[test]
#[ignore = "cargo xtask test --only clients"]
fn buildah_goes_round() {
    let people = People::new();
    let mut buildah = Storage::new(&people, "buildah", &[]);
    std::fs::write(buildah.program.folder().join("hello"), "hello from buildah").unwrap();
    let container = buildah.run(&["from", "scratch"]).ok().out.trim().to_owned();
    buildah.run(&["copy", &container, "hello", "/hello"]).ok();
    buildah.image = buildah.run(&["commit", "--quiet", &container]).ok().out.trim().to_owned();
    goes_round(&people, &mut buildah);
}

#[test]
#[ignore = "cargo xtask test --only clients"]
fn podman_goes_round() {
    let people = People::new();
    // Without systemd to ask.
    let mut podman = Storage::new(&people, "podman", &["--cgroup-manager", "cgroupfs", "--events-backend", "file"]);
    small_image(&podman.program.folder().join("image"));
    podman.image = podman.run(&["pull", "--quiet", "oci:image:x"]).ok().out.trim().to_owned();
    goes_round(&people, &mut podman);
}
