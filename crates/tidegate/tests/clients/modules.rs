//! `crane`, `oras`, `regctl` and `helm`: current clients, Go modules at pinned versions.

use std::fs;
use std::path::{Path, PathBuf};

use crate::client::{Client, goes_round};
use crate::layout::small_image;
use crate::people::{Login, People};
use crate::support::program::{Program, Ran};

pub(crate) struct Crane {
    program: Program,
    registry: String,
    image: PathBuf,
}

impl Crane {
    pub(crate) fn new(people: &People) -> Self {
        let program = with_docker_config(people.program("crane"));
        let image = small_image(&program.folder().join("image"));
        Self { program, registry: people.house.address.clone(), image }
    }

    pub(crate) fn run(&self, verb: &str, arguments: &[&str]) -> Ran {
        self.program.run(&[&[verb], arguments].concat())
    }

    /// Pushes what the layout in this folder holds.
    pub(crate) fn push_layout(&self, layout: &Path, name: &str) -> Ran {
        self.run("push", &[layout.to_str().unwrap(), &format!("{}/{name}", self.registry)])
    }
}

impl Client for Crane {
    fn login(&mut self, login: &Login) -> Ran {
        let ran = self.program.piped(&["auth", "login", &self.registry, "--username", &login.user, "--password-stdin"], &login.password);
        // It only writes the login down; the registry sees it with the first command.
        if ran.code == Some(0) { self.run("catalog", &[&self.registry]) } else { ran }
    }

    fn push(&self, name: &str) -> Ran {
        self.push_layout(&self.image, name)
    }

    fn pull(&self, name: &str) -> Ran {
        let file = self.program.folder().join("pulled.tar");
        self.run("pull", &[&format!("{}/{name}", self.registry), file.to_str().unwrap()])
    }
}

pub(crate) struct Oras {
    program: Program,
    registry: String,
}

impl Oras {
    pub(crate) fn new(people: &People) -> Self {
        let program = with_docker_config(people.program("oras"));
        fs::write(program.folder().join("notes.txt"), "hello from oras").unwrap();
        Self { program, registry: people.house.address.clone() }
    }

    /// Attaches a file to an image, as a signature or an SBOM is.
    pub(crate) fn attach(&self, name: &str, artifact_type: &str) -> Ran {
        let image = format!("{}/{name}", self.registry);
        self.program.run(&["attach", "--plain-http", "--artifact-type", artifact_type, &image, "notes.txt:text/plain"])
    }
}

impl Client for Oras {
    fn login(&mut self, login: &Login) -> Ran {
        let arguments = ["login", "--plain-http", "--username", &login.user, "--password-stdin", &self.registry];
        self.program.piped(&arguments, &login.password)
    }

    fn push(&self, name: &str) -> Ran {
        self.program.run(&["push", "--plain-http", &format!("{}/{name}", self.registry), "notes.txt:text/plain"])
    }

    fn pull(&self, name: &str) -> Ran {
        let folder = self.program.folder().join("pulled");
        let ran = self.program.run(&["pull", "--plain-http", "--output", folder.to_str().unwrap(), &format!("{}/{name}", self.registry)]);
        if ran.code == Some(0) {
            assert_eq!(fs::read_to_string(folder.join("notes.txt")).unwrap(), "hello from oras");
            fs::remove_file(folder.join("notes.txt")).unwrap();
        }
        ran
    }
}

pub(crate) struct Regctl {
    program: Program,
    registry: String,
    image: PathBuf,
}

impl Regctl {
    pub(crate) fn new(people: &People) -> Self {
        let program = with_docker_config(people.program("regctl"));
        let image = small_image(&program.folder().join("image"));
        program.run(&["registry", "set", "--skip-check", "--tls", "disabled", &people.house.address]).ok();
        Self { program, registry: people.house.address.clone(), image }
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Ran {
        self.program.run(arguments)
    }
}

impl Client for Regctl {
    fn login(&mut self, login: &Login) -> Ran {
        self.program.piped(&["registry", "login", "--user", &login.user, "--pass-stdin", &self.registry], &login.password)
    }

    fn push(&self, name: &str) -> Ran {
        self.program.run(&["image", "copy", &format!("ocidir://{}:x", self.image.display()), &format!("{}/{name}", self.registry)])
    }

    fn pull(&self, name: &str) -> Ran {
        let folder = self.program.folder().join("pulled");
        // Not there before the first pull.
        let _ = fs::remove_dir_all(&folder);
        self.program.run(&["image", "copy", &format!("{}/{name}", self.registry), &format!("ocidir://{}:x", folder.display())])
    }

    fn refusal_of_push(&self) -> &'static str {
        "unauthorized"
    }
}

/// Helm names what it pushes after the chart: `NAMESPACE/app:1` becomes the chart `app` in `NAMESPACE`.
struct Helm {
    program: Program,
    registry: String,
}

impl Helm {
    fn new(people: &People) -> Self {
        let helm = Self { program: with_docker_config(people.program("helm")), registry: people.house.address.clone() };
        for chart in ["app", "single"] {
            helm.program.run(&["create", chart]).ok();
            helm.program.run(&["package", chart]).ok();
        }
        helm
    }

    /// `oci://HOST/NAMESPACE` and `CHART` of `NAMESPACE/CHART:TAG`; the version is always that of `helm create`.
    fn place(&self, name: &str) -> (String, String) {
        let path = name.split(':').next().unwrap();
        let (folder, chart) = path.rsplit_once('/').unwrap_or(("", path));
        (format!("oci://{}/{folder}", self.registry).trim_end_matches('/').to_owned(), chart.to_owned())
    }
}

impl Client for Helm {
    fn login(&mut self, login: &Login) -> Ran {
        let arguments = ["registry", "login", "--plain-http", "--username", &login.user, "--password-stdin", &self.registry];
        self.program.piped(&arguments, &login.password)
    }

    fn push(&self, name: &str) -> Ran {
        let (folder, chart) = self.place(name);
        self.program.run(&["push", "--plain-http", &format!("{chart}-0.1.0.tgz"), &folder])
    }

    fn pull(&self, name: &str) -> Ran {
        let (folder, chart) = self.place(name);
        let into = self.program.folder().join("pulled");
        fs::create_dir_all(&into).unwrap();
        let chart_at = format!("{folder}/{chart}");
        let ran = self.program.run(&["pull", "--plain-http", "--destination", into.to_str().unwrap(), &chart_at, "--version", "0.1.0"]);
        if ran.code == Some(0) {
            let (made, pulled) = (self.program.folder().join("app-0.1.0.tgz"), into.join(format!("{chart}-0.1.0.tgz")));
            assert!(chart != "app" || fs::read(made).unwrap() == fs::read(&pulled).unwrap(), "another chart came back");
            fs::remove_file(pulled).unwrap();
        }
        ran
    }
}

/// Where all four keep logins.
fn with_docker_config(program: Program) -> Program {
    let folder = program.folder().join("docker");
    program.with("DOCKER_CONFIG", folder.to_str().unwrap())
}

#[test]
#[ignore = "cargo xtask test --only clients"]
fn crane_goes_round() {
    let people = People::new();
    goes_round(&people, &mut Crane::new(&people));
}

#[test]
#[ignore = "cargo xtask test --only clients"]
fn oras_goes_round() {
    let people = People::new();
    goes_round(&people, &mut Oras::new(&people));
}

#[test]
#[ignore = "cargo xtask test --only clients"]
fn regctl_goes_round() {
    let people = People::new();
    goes_round(&people, &mut Regctl::new(&people));
}

#[test]
#[ignore = "cargo xtask test --only clients"]
fn helm_goes_round() {
    let people = People::new();
    goes_round(&people, &mut Helm::new(&people));
}
