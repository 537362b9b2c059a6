//! Clients that take no endpoint reach the server by the cloud's own names: in a network namespace of their own, where those names mean this machine
//! and an authority made for the test vouches for them.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::Value;

use crate::cloud::Certificate;
use crate::support::house::text;
use crate::support::program::{Daemon, Program, Ran};
use crate::support::{peer, tidegate, wait_until};

const REGISTRY: &str = "local-registry.local.cr.aliyuncs.com";
const API: &str = "cr.local.aliyuncs.com";
const NAMES: [&str; 5] = [REGISTRY, API, "sts.local.aliyuncs.com", "sts.aliyuncs.com", "registry.local.aliyuncs.com"];

/// A server on port 443 of a network that holds nothing else.
struct Private {
    server: Daemon,
    folder: tempfile::TempDir,
    certificate: Certificate,
}

impl Private {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let certificate = Certificate::new(folder.path(), &NAMES);
        std::fs::write(folder.path().join("hosts"), format!("127.0.0.1 localhost {}\n", NAMES.join(" "))).unwrap();
        let script = format!(
            "ip link set lo up && mount --bind '{}' /etc/hosts && exec '{}' serve --listen 127.0.0.1:443 --data-dir data --tls-cert '{}' --tls-key '{}'",
            folder.path().join("hosts").display(),
            tidegate().display(),
            certificate.cert,
            certificate.key,
        );
        let unshare = Program::new("/usr/bin/unshare", folder.path()).with("TIDEGATE_ALIBABA_SUFFIXES", "cr.aliyuncs.com,aliyuncs.com");
        let server = unshare.start(&["--net", "--mount", "/bin/sh", "-c", &script], &folder.path().join("server.log"));
        let mut private = Self { server, folder, certificate };
        private.wait_until_ready();
        private
    }

    fn wait_until_ready(&mut self) {
        let bootstrap = self.folder.path().join("data/bootstrap.json");
        wait_until("the server has started", Duration::from_secs(20), || {
            assert!(!self.server.has_ended(), "the server ended:\n{}", self.server.log());
            bootstrap.exists()
        });
        let url = format!("https://{API}/readyz");
        wait_until("the server is ready", Duration::from_secs(20), || self.run("curl", &["-sf", &url], "").code == Some(0));
    }

    fn bootstrap(&self) -> Value {
        serde_json::from_slice(&std::fs::read(self.folder.path().join("data/bootstrap.json")).unwrap()).unwrap()
    }

    /// Runs a program there, with the root user's key in the variables that the vendor's tools read.
    fn run(&self, program: &str, arguments: &[&str], input: &str) -> Ran {
        self.run_with(program, arguments, input, &[])
    }

    fn run_with(&self, program: &str, arguments: &[&str], input: &str, environment: &[(&str, &str)]) -> Ran {
        let ca = self.certificate.ca.to_str().unwrap();
        let mut enter = Program::new("/usr/bin/nsenter", &self.folder.path().join("home"))
            .with("SSL_CERT_FILE", ca)
            .with("CURL_CA_BUNDLE", ca)
            .with("PATH", &format!("{}:/usr/sbin:/usr/bin:/sbin:/bin", peers().display()));
        for (name, value) in environment {
            enter = enter.with(name, value);
        }
        let target = self.server.id().to_string();
        let program = peer(program);
        enter.piped(&[&["--net", "--mount", "--target", &target, "--", program.to_str().unwrap()], arguments].concat(), input)
    }
}

fn peers() -> PathBuf {
    peer("curl").parent().map(Path::to_path_buf).unwrap()
}

fn keys(bootstrap: &Value) -> (String, String) {
    (text(&bootstrap["access_key_id"]), text(&bootstrap["access_key_secret"]))
}

#[test]
#[ignore = "cargo xtask test --only alibaba"]
fn dockers_credential_helper_logs_in_by_the_clouds_own_names() {
    let private = Private::start();
    let (id, secret) = keys(&private.bootstrap());
    let home = private.folder.path().join("home");
    std::fs::create_dir_all(home.join("docker")).unwrap();
    std::fs::write(home.join("docker/config.json"), format!(r#"{{"credHelpers":{{"{REGISTRY}":"acr-helper"}}}}"#)).unwrap();
    let config = home.join("docker");
    let environment = [
        ("ALIBABA_CLOUD_ACCESS_KEY_ID", id.as_str()),
        ("ALIBABA_CLOUD_ACCESS_KEY_SECRET", secret.as_str()),
        ("DOCKER_CONFIG", config.to_str().unwrap()),
    ];
    let given = private.run_with("docker-credential-acr-helper", &["get"], REGISTRY, &environment).ok().json();
    assert_eq!(given["Username"], "cr_temp_user", "{given}");
    // A client that asks the helper by itself.
    std::fs::write(home.join("file"), "hello").unwrap();
    let file = home.join("file");
    let image = format!("{REGISTRY}/demo/app:1");
    private.run_with("crane", &["append", "--new_layer", file.to_str().unwrap(), "--new_tag", &image], "", &environment).ok();
    assert!(private.run_with("crane", &["manifest", &image], "", &environment).ok().says("schemaVersion"));
    // Personal Edition's host: by `GET /tokens`.
    let given = private.run_with("docker-credential-acr-helper", &["get"], "registry.local.aliyuncs.com", &environment).ok().json();
    assert_eq!(given["Username"], "cr_temp_user", "{given}");
    let wrong = [environment[0], ("ALIBABA_CLOUD_ACCESS_KEY_SECRET", "wrong"), environment[2]];
    private.run_with("docker-credential-acr-helper", &["get"], REGISTRY, &wrong).refused(&["SignatureDoesNotMatch"]);
}

#[test]
#[ignore = "cargo xtask test --only alibaba"]
fn the_go_sdk_walks_by_the_clouds_own_names() {
    let private = Private::start();
    let (id, secret) = keys(&private.bootstrap());
    for (algorithm, namespace) in [("", "go-v3"), ("v2", "go-v2")] {
        let environment = [
            ("REGION", "local"),
            ("ALGORITHM", algorithm),
            ("ACCESS_KEY_ID", id.as_str()),
            ("ACCESS_KEY_SECRET", secret.as_str()),
            ("INSTANCE_NAME", "local"),
            ("NAMESPACE", namespace),
        ];
        let told = private.run_with("alibaba-go", &[], "", &environment).ok().json();
        assert_eq!(told["list_instance"]["Instances"][0]["InstanceName"], "local");
        assert_eq!(told["create_namespace"]["IsSuccess"], true);
        assert_eq!((&told["get_namespace"]["NamespaceName"], &told["get_namespace"]["AutoCreateRepo"]), (&namespace.into(), &true.into()));
        assert_eq!(told["get_authorization_token"]["TempUsername"], "cr_temp_user");
        assert_eq!((&told["without_instance"]["code"], &told["without_instance"]["status"]), (&"MissingInstanceId".into(), &400.into()));
    }
}
