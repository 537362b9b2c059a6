//! `kill -9` of one node at a time while docker, skopeo and crane push and pull through the proxy: it costs a client no more
//! than a retry, and nothing that was acknowledged is lost.
//!
//! `TIDEGATE_TEST_SECONDS` says how long.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use base64::Engine as _;
use serde_json::{Value, json};

use crate::house::Trio;
use crate::layout::{Layout, tar};
use crate::support::api::bootstrap;
use crate::support::docker::Docker;
use crate::support::http::Ask;
use crate::support::program::{Program, Ran};
use crate::support::{content, digest, peer};

/// How long unless told otherwise, and how long a node stays dead, and all of them alive.
const SECONDS: u64 = 45;
const DEAD: Duration = Duration::from_millis(1500);
const ALIVE: Duration = Duration::from_secs(4);
/// Bytes of the layer that each push has to itself.
const LAYER: usize = 6 << 20;

/// A client with everything that it needs.
pub(crate) struct Client {
    name: &'static str,
    program: Program,
    registry: String,
    credentials: String,
    docker: Option<Docker>,
}

/// What came of a client's work.
#[derive(Default, Debug)]
struct Done {
    pushes: u64,
    pulls: u64,
    retries: u64,
    /// `NAME:TAG` of everything whose push was acknowledged.
    acknowledged: Vec<String>,
}

impl Client {
    fn new(trio: &Trio, name: &'static str) -> Self {
        Self::at(trio, name, &trio.proxy.address)
    }

    /// Root by this client at a registry of this address.
    pub(crate) fn at(trio: &Trio, name: &'static str, registry: &str) -> Self {
        let password = bootstrap(&trio.nodes[0])["root_password"].as_str().unwrap().to_owned();
        let (registry, credentials) = (registry.to_owned(), format!("root:{password}"));
        let home = trio.folder.path().join(name);
        let program = Program::new(peer(name), &home);
        let auth = base64::engine::general_purpose::STANDARD.encode(&credentials);
        std::fs::write(home.join("config.json"), json!({"auths": {&registry: {"auth": auth}}}).to_string()).unwrap();
        let docker = (name == "docker").then(|| Docker::start(&home));
        if let Some(docker) = &docker {
            docker.login("root", &password, &registry).ok();
        }
        let program = program.with("DOCKER_CONFIG", home.to_str().unwrap());
        Self { name, program, registry, credentials, docker }
    }

    /// An image that nobody has, as a layout; docker makes it itself.
    pub(crate) fn make(&self, seed: u64) -> PathBuf {
        let folder = self.program.folder().join("image");
        // Not there before the first.
        let _ = std::fs::remove_dir_all(&folder);
        let layer = content(seed, LAYER);
        if let Some(docker) = &self.docker {
            docker.make(&layer);
            return folder;
        }
        let layout = Layout::new(&folder);
        let image = layout.image("amd64", &[tar("layer", &layer)]);
        layout.tagged(image)
    }

    pub(crate) fn push(&self, image: &Path, name: &str) -> Ran {
        let place = format!("{}/{name}", self.registry);
        match (self.name, &self.docker) {
            (_, Some(docker)) => docker.push(&place),
            ("skopeo", _) => {
                let from = format!("oci:{}:x", image.display());
                let to =
                    ["--dest-tls-verify=false", "--dest-creds", &self.credentials, &from, &format!("docker://{place}")].map(str::to_owned);
                self.program.run(&[&["copy"], to.each_ref().map(String::as_str).as_slice()].concat())
            }
            _ => self.program.run(&["push", image.to_str().unwrap(), &place]),
        }
    }

    pub(crate) fn pull(&self, name: &str) -> Ran {
        let place = format!("{}/{name}", self.registry);
        let pulled = self.program.folder().join("pulled");
        // Not there before the first.
        let _ = std::fs::remove_dir_all(&pulled);
        let _ = std::fs::remove_file(&pulled);
        match (self.name, &self.docker) {
            (_, Some(docker)) => docker.pull(&place),
            ("skopeo", _) => {
                let (from, to) = (format!("docker://{place}"), format!("oci:{}:x", pulled.display()));
                self.program.run(&["copy", "--src-tls-verify=false", "--src-creds", &self.credentials, &from, &to])
            }
            _ => self.program.run(&["pull", &place, pulled.to_str().unwrap()]),
        }
    }

    /// Pushes and pulls until told to stop: each may be tried twice.
    fn work(&self, first_seed: u64, on: &AtomicBool) -> Done {
        let mut done = Done::default();
        while on.load(Ordering::Relaxed) {
            let seed = first_seed + done.pushes;
            let (image, name) = (self.make(seed), format!("demo/{}:{seed}", self.name));
            done.retries += self.at_most_twice(&name, || self.push(&image, &name));
            done.pushes += 1;
            done.acknowledged.push(name.clone());
            done.retries += self.at_most_twice(&name, || self.pull(&name));
            done.pulls += 1;
        }
        done
    }

    /// How often it had to be tried again: not at all, or once.
    fn at_most_twice(&self, name: &str, mut act: impl FnMut() -> Ran) -> u64 {
        let first = act();
        if first.code == Some(0) {
            return 0;
        }
        let second = act();
        assert_eq!(second.code, Some(0), "{} of {name} needs more than one retry:\n{first}\n{second}", self.name);
        1
    }
}

#[test]
#[ignore = "cargo xtask test --only nodes"]
fn killing_one_node_at_a_time_costs_a_client_no_more_than_a_retry() {
    let seconds = std::env::var("TIDEGATE_TEST_SECONDS").ok().and_then(|text| text.parse().ok()).unwrap_or(SECONDS);
    let mut trio = Trio::start("kills");
    let clients: Vec<Client> = ["docker", "skopeo", "crane"].into_iter().map(|name| Client::new(&trio, name)).collect();
    let (on, end, mut kills) = (AtomicBool::new(true), Instant::now() + Duration::from_secs(seconds), 0_usize);
    let all: Vec<Done> = std::thread::scope(|scope| {
        let working: Vec<_> = clients
            .iter()
            .zip(1..)
            .map(|(client, number)| {
                let on = &on;
                scope.spawn(move || client.work(number * 1_000_000, on))
            })
            .collect();
        while Instant::now() < end && !working.iter().any(std::thread::ScopedJoinHandle::is_finished) {
            std::thread::sleep(ALIVE);
            trio.kill_and_restart(kills % 3, DEAD);
            kills += 1;
        }
        on.store(false, Ordering::Relaxed);
        working.into_iter().map(|one| one.join().unwrap()).collect()
    });
    let sum = |of: fn(&Done) -> u64| all.iter().map(of).sum::<u64>();
    println!(
        "{kills} nodes killed in {seconds} s: {} pushes and {} pulls by docker, skopeo and crane, {} of them at the second try",
        sum(|done| done.pushes),
        sum(|done| done.pulls),
        sum(|done| done.retries)
    );
    assert!(kills >= 3 && all.iter().all(|done| done.pushes >= 3), "too little was done to say anything: {all:?}");
    for (client, done) in clients.iter().zip(&all) {
        for name in &done.acknowledged {
            is_everywhere(&trio, name, client.name);
        }
    }
    assert!(trio.proxy.given().iter().all(|count| *count > 10), "{:?}", trio.proxy.given());
}

/// The image with everything that it refers to can be pulled from each node, byte by byte as its digests say.
fn is_everywhere(trio: &Trio, name: &str, client: &str) {
    let (repository, tag) = name.split_once(':').unwrap();
    for node in 0..3 {
        let get = |kind: &str, reference: &str| {
            let ask = Ask::get(&format!("/v2/{repository}/{kind}/{reference}")).with(&trio.root);
            let accept = "application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json";
            let answer = trio.send(node, ask.header("accept", accept));
            assert_eq!(answer.status, 200, "{client}: {kind} {reference} of {name} at node {node} is lost: {}", answer.text());
            answer
        };
        let manifest: Value = get("manifests", tag).json();
        let layers = manifest["layers"].as_array().unwrap();
        for blob in layers.iter().chain([&manifest["config"]]) {
            let wanted = blob["digest"].as_str().unwrap();
            assert_eq!(digest(&get("blobs", wanted).body), wanted);
        }
    }
}
