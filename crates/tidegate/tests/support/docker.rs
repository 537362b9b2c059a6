//! `docker` with an Engine of its own: the daemon pulls and pushes, the client logs in.

use std::path::Path;
use std::time::Duration;

use super::program::{Daemon, Program, Ran};
use super::{peer, wait_until};

/// A client and its Engine, which ends with it.
#[derive(Debug)]
pub(crate) struct Docker {
    program: Program,
    _engine: Daemon,
}

impl Docker {
    /// An Engine without a network, with all that it keeps below `folder`, and the image `made:here` in it.
    pub(crate) fn start(folder: &Path) -> Self {
        let engine = Program::new(peer("dockerd"), &folder.join("dockerd"));
        let folder = engine.folder().to_owned();
        let path = |name: &str| folder.join(name).to_str().unwrap().to_owned();
        let socket = format!("unix://{}", path("socket"));
        let (data, exec, pid) = (path("data"), path("exec"), path("pid"));
        let storage = ["--data-root", &data, "--exec-root", &exec, "--storage-driver", "vfs"];
        let network = ["-H", &socket, "-p", &pid, "--iptables=false", "--bridge=none"];
        let log = folder.join("log");
        let mut engine = engine.start(&[storage, network].concat(), &log);
        let program =
            Program::new(peer("docker"), &folder.join("client")).with("DOCKER_HOST", &socket).with("DOCKER_CONFIG", &path("config"));
        wait_until("dockerd answers", Duration::from_mins(1), || {
            assert!(!engine.has_ended(), "dockerd ended:\n{}", engine.log());
            program.run(&["version"]).code == Some(0)
        });
        let docker = Self { program, _engine: engine };
        docker.import();
        docker
    }

    fn import(&self) {
        self.make(b"hello from docker");
    }

    /// Makes `made:here` an image of one layer with this content.
    pub(crate) fn make(&self, content: &[u8]) {
        let layer = self.program.folder().join("layer.tar");
        std::fs::write(&layer, tar("hello", content)).unwrap();
        self.program.run(&["import", layer.to_str().unwrap(), "made:here"]).ok();
    }

    /// `docker login` with the password from standard input.
    pub(crate) fn login(&self, user: &str, password: &str, registry: &str) -> Ran {
        self.program.piped(&["login", "--username", user, "--password-stdin", registry], password)
    }

    /// Pushes `made:here` under this name.
    pub(crate) fn push(&self, image: &str) -> Ran {
        self.program.run(&["tag", "made:here", image]).ok();
        let ran = self.program.run(&["push", image]);
        self.program.run(&["rmi", image]).ok();
        ran
    }

    /// Pulls into an Engine that has nothing of it.
    pub(crate) fn pull(&self, image: &str) -> Ran {
        self.program.run(&["rmi", "made:here"]).ok();
        let ran = self.program.run(&["pull", image]);
        if ran.code == Some(0) {
            self.program.run(&["rmi", image]).ok();
        }
        self.import();
        ran
    }
}

/// A tar archive of one file.
pub(crate) fn tar(name: &str, content: &[u8]) -> Vec<u8> {
    let mut head = [0_u8; 512];
    let mut put = |place: usize, text: &str| head[place..place + text.len()].copy_from_slice(text.as_bytes());
    put(0, name);
    put(100, "0000644\0");
    put(108, "0000000\0");
    put(116, "0000000\0");
    put(124, &format!("{:011o}\0", content.len()));
    put(136, "00000000000\0");
    put(148, "        ");
    put(156, "0");
    put(257, "ustar\x0000");
    let sum: u32 = head.iter().map(|byte| u32::from(*byte)).sum();
    head[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    let mut archive = head.to_vec();
    archive.extend_from_slice(content);
    archive.resize(archive.len().next_multiple_of(512) + 1024, 0);
    archive
}
