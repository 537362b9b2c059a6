//! A server with something in it, its machine's command line, and what must be there after a restore.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::support::api::{Api, bootstrap, push, root};
use crate::support::http::{Ask, basic};
use crate::support::node::{Node, Settings};
use crate::support::program::{Program, Ran};
use crate::support::{MASTER_KEY, digest, tidegate};

/// Settings of a server on the default back ends, with a master key in its data folder.
pub(crate) fn on_files(folder: &Path, name: &str) -> Settings {
    let mut settings = Settings::in_folder(folder, name);
    settings.environment.retain(|(name, _)| !name.starts_with("AWS_") && !matches!(name.as_str(), "TIDEGATE_BLOBS" | "TIDEGATE_DATABASE"));
    settings
}

/// The same with the suites' master key, as nodes that share one have it.
pub(crate) fn with_key(settings: Settings) -> Settings {
    settings.set("TIDEGATE_MASTER_KEY", MASTER_KEY)
}

/// A command on the machine of a server with these settings.
pub(crate) fn on_machine(settings: &Settings, arguments: &[&str]) -> Ran {
    let folder = settings.data.parent().unwrap();
    let program = settings.environment.iter().fold(Program::new(tidegate(), folder), |program, (name, value)| program.with(name, value));
    program.with("TIDEGATE_DATA_DIR", settings.data.to_str().unwrap()).run(arguments)
}

/// Its JSON; it succeeded.
#[track_caller]
pub(crate) fn json_of(settings: &Settings, arguments: &[&str]) -> Value {
    on_machine(settings, &[arguments, &["--output", "json"]].concat()).ok().json()
}

/// What a server has, as far as its clients know.
pub(crate) struct Inhabited {
    pub(crate) root: String,
    pub(crate) access_key: (String, String),
    /// Works at the backup and afterwards.
    pub(crate) lasting: String,
    /// Deleted after the backup: its id, and its Basic.
    pub(crate) revoked: (String, String),
    pub(crate) password: String,
    /// Repository, tag, manifest's digest.
    pub(crate) images: Vec<(String, String, String)>,
}

impl Inhabited {
    /// Fills a new server.
    pub(crate) fn fill(node: &Node) -> Self {
        let (api, root) = (Api::root(node), root(node));
        api.create_user("alice");
        api.create_policy("pulls", &["cr:PullRepository"]);
        api.attach("alice", "pulls");
        let (_, lasting) = api.create_credential("alice");
        let revoked = api.create_credential("alice");
        api.call("PUT", "/users/alice/password", &serde_json::json!({ "kind": "permanent", "password": "correct-horse-42" }));
        let images = (0..5).map(|n| {
            let (repository, tag) = (format!("team{}/app", n % 2), format!("v{n}"));
            let digest = push(node, &root, &repository, &tag, 1000 + n * 10);
            (repository, tag, digest)
        });
        let images = images.collect();
        let written = bootstrap(node);
        let text = |key: &str| written[key].as_str().unwrap().to_owned();
        let access_key = (text("access_key_id"), text("access_key_secret"));
        Self { root, access_key, lasting, revoked, password: basic("alice", "correct-horse-42"), images }
    }

    /// Everything that was there before the backup is there now, for everybody who was somebody then.
    pub(crate) fn check(&self, node: &Node) {
        for by in [&self.root, &self.lasting, &self.password, &self.revoked.1] {
            assert_eq!(node.send(&Ask::get("/v2/").with(by)).status, 200, "a secret of before does not work");
        }
        for (repository, tag, digest) in &self.images {
            assert_eq!(pull(node, &self.lasting, repository, tag), *digest, "{repository}:{tag}");
        }
    }

    /// The audit trail is whole, and says that it was restored.
    pub(crate) fn check_trail(&self, node: &Node) {
        let home = node.settings.data.with_extension("home");
        let cli = Program::new(tidegate(), &home)
            .with("TIDEGATE_ENDPOINT", &format!("http://{}", node.address()))
            .with("TIDEGATE_ACCESS_KEY_ID", &self.access_key.0)
            .with("TIDEGATE_ACCESS_KEY_SECRET", &self.access_key.1);
        let limit = std::time::Duration::from_secs(10);
        crate::support::wait_until("the trail says that it was restored", limit, || {
            cli.run(&["audit", "list", "--action", "restore", "-o", "json"]).ok().json().as_array().unwrap().len() == 1
        });
        cli.run(&["audit", "verify"]).ok();
    }
}

/// The digests of the blobs of an image.
pub(crate) fn blobs(node: &Node, by: &str, repository: &str, reference: &str) -> Vec<String> {
    let manifest = node.send(&Ask::get(&format!("/v2/{repository}/manifests/{reference}")).with(by)).expect(200).json();
    let descriptors = manifest["layers"].as_array().unwrap().iter().chain([&manifest["config"]]);
    descriptors.map(|descriptor| descriptor["digest"].as_str().unwrap().to_owned()).collect()
}

/// Pulls an image whole, and checks every digest; the manifest's.
#[track_caller]
pub(crate) fn pull(node: &Node, by: &str, repository: &str, reference: &str) -> String {
    let answer = node.send(&Ask::get(&format!("/v2/{repository}/manifests/{reference}")).with(by)).expect(200);
    let manifest = answer.json();
    for descriptor in manifest["layers"].as_array().unwrap().iter().chain([&manifest["config"]]) {
        let wanted = descriptor["digest"].as_str().unwrap();
        let blob = node.send(&Ask::get(&format!("/v2/{repository}/blobs/{wanted}")).with(by)).expect(200);
        assert_eq!(digest(&blob.body), wanted);
    }
    digest(&answer.body)
}

/// Every tag of a repository.
pub(crate) fn tags(node: &Node, by: &str, repository: &str) -> Vec<String> {
    let answer = node.send(&Ask::get(&format!("/v2/{repository}/tags/list?n=1000")).with(by));
    if answer.status == 404 {
        return Vec::new();
    }
    answer.expect(200).json()["tags"].as_array().unwrap().iter().map(|tag| tag.as_str().unwrap().to_owned()).collect()
}

/// Every file below a folder.
pub(crate) fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// A folder with everything in it, elsewhere.
pub(crate) fn copy(from: &Path, to: &Path) {
    for path in files(from) {
        let place = to.join(path.strip_prefix(from).unwrap());
        std::fs::create_dir_all(place.parent().unwrap()).unwrap();
        std::fs::copy(&path, place).unwrap();
    }
}
