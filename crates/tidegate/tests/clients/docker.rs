//! `docker` with an Engine of its own: the daemon pulls and pushes, the client logs in.

use std::path::PathBuf;
use std::time::Duration;

use crate::client::{Client, goes_round};
use crate::layout::tar;
use crate::people::{Login, PASSWORD, People};
use crate::support::program::{Daemon, Program, Ran};
use crate::support::wait_until;

pub(crate) struct Docker {
    program: Program,
    registry: String,
    /// Its Engine; ends with it.
    _engine: Daemon,
}

impl Docker {
    /// An Engine without a network, and the image `made:here` in it.
    pub(crate) fn new(people: &People) -> Self {
        let engine = people.program("dockerd");
        let folder = engine.folder().to_owned();
        let path = |name: &str| folder.join(name).to_str().unwrap().to_owned();
        let socket = format!("unix://{}", path("socket"));
        let (data, exec, pid) = (path("data"), path("exec"), path("pid"));
        let storage = ["--data-root", &data, "--exec-root", &exec, "--storage-driver", "vfs"];
        let network = ["-H", &socket, "-p", &pid, "--iptables=false", "--bridge=none"];
        let log = folder.join("log");
        let mut engine = engine.start(&[storage, network].concat(), &log);
        let program = people.program("docker").with("DOCKER_HOST", &socket).with("DOCKER_CONFIG", &path("config"));
        wait_until("dockerd answers", Duration::from_mins(1), || {
            assert!(!engine.has_ended(), "dockerd ended:\n{}", engine.log());
            program.run(&["version"]).code == Some(0)
        });
        let docker = Self { program, registry: people.house.address.clone(), _engine: engine };
        docker.import();
        docker
    }

    fn import(&self) {
        let layer: PathBuf = self.program.folder().join("layer.tar");
        std::fs::write(&layer, tar("hello", b"hello from docker")).unwrap();
        self.program.run(&["import", layer.to_str().unwrap(), "made:here"]).ok();
    }
}

impl Client for Docker {
    fn login(&mut self, login: &Login) -> Ran {
        self.program.piped(&["login", "--username", &login.user, "--password-stdin", &self.registry], &login.password)
    }

    fn push(&self, name: &str) -> Ran {
        let image = format!("{}/{name}", self.registry);
        self.program.run(&["tag", "made:here", &image]).ok();
        let ran = self.program.run(&["push", &image]);
        self.program.run(&["rmi", &image]).ok();
        ran
    }

    fn pull(&self, name: &str) -> Ran {
        let image = format!("{}/{name}", self.registry);
        // Nothing of it may be here already.
        self.program.run(&["rmi", "made:here"]).ok();
        let ran = self.program.run(&["pull", &image]);
        if ran.code == Some(0) {
            self.program.run(&["rmi", &image]).ok();
        }
        self.import();
        ran
    }
}

#[test]
#[ignore = "cargo xtask test --only clients"]
fn docker_goes_round() {
    let people = People::new();
    let mut docker = Docker::new(&people);
    goes_round(&people, &mut docker);
    // A layer that is in another repository already is not sent again.
    docker.login(&Login { kind: "permanent-password", user: "alice".to_owned(), password: PASSWORD.to_owned() }).ok();
    docker.push("demo/first:1").ok();
    let second = docker.push("demo/second:1").ok();
    assert!(second.says("Mounted from demo/first"), "{second}");
}
