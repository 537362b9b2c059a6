//! `docker` with an Engine of its own: the daemon pulls and pushes, the client logs in.

use crate::client::{Client, goes_round};
use crate::people::{Login, PASSWORD, People};
use crate::support::docker;
use crate::support::program::Ran;

pub(crate) struct Docker {
    docker: docker::Docker,
    registry: String,
}

impl Docker {
    pub(crate) fn new(people: &People) -> Self {
        Self { docker: docker::Docker::start(people.house.folder.path()), registry: people.house.address.clone() }
    }
}

impl Client for Docker {
    fn login(&mut self, login: &Login) -> Ran {
        self.docker.login(&login.user, &login.password, &self.registry)
    }

    fn push(&self, name: &str) -> Ran {
        self.docker.push(&format!("{}/{name}", self.registry))
    }

    fn pull(&self, name: &str) -> Ran {
        self.docker.pull(&format!("{}/{name}", self.registry))
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
