//! `ctr` with a containerd of its own: what Kubernetes nodes pull with.

use std::fs;
use std::time::Duration;

use crate::client::{Client, goes_round};
use crate::layout::small_image;
use crate::people::{Login, PASSWORD, People};
use crate::support::program::{Daemon, Program, Ran};
use crate::support::wait_until;

/// What alice and bob may pull from the beginning.
const SEEN: &str = "demo/app:seen";

struct Ctr {
    program: Program,
    registry: String,
    /// `USER:PASSWORD`, since `ctr` takes it with each command.
    login: String,
    socket: String,
    _containerd: Daemon,
}

impl Ctr {
    fn new(people: &People) -> Self {
        let daemon = people.program("containerd");
        let folder = daemon.folder().to_str().unwrap().to_owned();
        fs::write(format!("{folder}/config.toml"), configuration(&folder)).unwrap();
        let log = format!("{folder}/log");
        let mut containerd = daemon.start(&["--config", &format!("{folder}/config.toml")], log.as_ref());
        let (program, socket) = (people.program("ctr"), format!("{folder}/socket"));
        wait_until("containerd answers", Duration::from_mins(1), || {
            assert!(!containerd.has_ended(), "containerd ended:\n{}", containerd.log());
            program.run(&["--address", &socket, "version"]).code == Some(0)
        });
        let mut ctr = Self { program, registry: people.house.address.clone(), login: String::new(), socket, _containerd: containerd };
        ctr.archive();
        ctr.import();
        ctr.login = format!("alice:{PASSWORD}");
        ctr.push(SEEN).ok();
        ctr
    }

    fn archive(&self) {
        let image = small_image(&self.program.folder().join("image"));
        let tar = Program::new("/bin/tar", self.program.folder());
        tar.run(&["-C", image.to_str().unwrap(), "-cf", "image.tar", "."]).ok();
    }

    /// The image `made:x`, from the archive.
    fn import(&self) {
        self.images(&["import", "--snapshotter", "native", "--index-name", "made:index", "--base-name", "made", "image.tar"]).ok();
    }

    fn images(&self, arguments: &[&str]) -> Ran {
        self.program.run(&[&["--address", &self.socket, "images"], arguments].concat())
    }

    /// `images` with what speaks to a registry.
    fn remote(&self, verb: &str, arguments: &[&str]) -> Ran {
        self.images(&[&[verb, "--plain-http", "--user", &self.login], arguments].concat())
    }
}

impl Client for Ctr {
    fn login(&mut self, login: &Login) -> Ran {
        self.login = format!("{}:{}", login.user, login.password);
        // It takes the login with each command, so a command says what the registry thinks of it.
        self.pull(SEEN)
    }

    fn push(&self, name: &str) -> Ran {
        self.remote("push", &[&format!("{}/{name}", self.registry), "made:x"])
    }

    fn pull(&self, name: &str) -> Ran {
        let image = format!("{}/{name}", self.registry);
        // Nothing of it may be here already.
        self.images(&["rm", "--sync", "made:x", "made:index"]).ok();
        let ran = self.remote("pull", &["--snapshotter", "native", &image]);
        if ran.code == Some(0) {
            self.images(&["rm", "--sync", &image]).ok();
        }
        self.import();
        ran
    }

    /// It may lose what the registry says: an answer that comes before the body is sent ends, by chance, as a closed pipe.
    fn refusal_of_push(&self) -> &'static str {
        "ctr: failed"
    }
}

fn configuration(folder: &str) -> String {
    let unused = r#"["io.containerd.grpc.v1.cri", "io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.zfs", "io.containerd.snapshotter.v1.aufs", "io.containerd.snapshotter.v1.devmapper"]"#;
    format!(
        "version = 2\nroot = \"{folder}/root\"\nstate = \"{folder}/state\"\ndisabled_plugins = {unused}\n\
         [grpc]\naddress = \"{folder}/socket\"\n[ttrpc]\naddress = \"{folder}/ttrpc\"\n"
    )
}

#[test]
#[ignore = "cargo xtask test --only clients"]
fn ctr_goes_round() {
    let people = People::new();
    goes_round(&people, &mut Ctr::new(&people));
}
