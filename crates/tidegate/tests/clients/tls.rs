//! TLS with a certificate authority of one's own: clients that know it work, those that do not refuse.

use std::fs;
use std::path::{Path, PathBuf};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};

use crate::client::Client as _;
use crate::docker::Docker;
use crate::layout::small_image;
use crate::people::{Login, PASSWORD, People};
use crate::support::house::House;

/// The authority's certificate, and a house whose server has one of it.
fn house_with_tls(folder: &Path) -> (PathBuf, House) {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(["127.0.0.1".to_owned()]).unwrap().signed_by(&key, &authority).unwrap();
    let write = |name: &str, text: String| {
        let path = folder.join(name);
        fs::write(&path, text).unwrap();
        path
    };
    let ca = write("ca.crt", authority.pem());
    let (cert, key) = (write("server.pem", certificate.pem()), write("server.key", key.serialize_pem()));
    let house = House::start_with(&["--tls-cert", cert.to_str().unwrap(), "--tls-key", key.to_str().unwrap()]);
    (ca, house)
}

fn people_with_tls(folder: &Path) -> (PathBuf, People) {
    let (ca, house) = house_with_tls(folder);
    let root = house.root().with_option("--ca-file", ca.to_str().unwrap());
    (ca, People::with_root(house, root))
}

#[test]
#[ignore = "cargo xtask test --only clients"]
fn clients_trust_an_authority_that_they_are_told_of() {
    let folder = tempfile::tempdir().unwrap();
    let (ca, people) = people_with_tls(folder.path());
    let skopeo = people.program("skopeo").with("REGISTRY_AUTH_FILE", people.house.folder.path().join("auth.json").to_str().unwrap());
    let certificates = ca.parent().unwrap().join("certs.d");
    fs::create_dir(&certificates).unwrap();
    fs::copy(&ca, certificates.join("ca.crt")).unwrap();
    let certificates = certificates.to_str().unwrap();
    let login = ["login", "--username", "alice", "--password-stdin"];
    skopeo.piped(&[&login, [people.house.address.as_str()].as_slice()].concat(), PASSWORD).refused(&["x509"]);
    skopeo.piped(&[&login, ["--cert-dir", certificates, &people.house.address].as_slice()].concat(), PASSWORD).ok();
    let image = format!("oci:{}:x", small_image(&folder.path().join("image")).display());
    let there = format!("docker://{}", people.at("demo/app:1"));
    skopeo.run(&["copy", "--dest-cert-dir", certificates, &image, &there]).ok();

    let oras = people.program("oras").with("DOCKER_CONFIG", people.house.folder.path().join("oras").to_str().unwrap());
    let login = ["login", "--username", "bob", "--password-stdin", &people.house.address];
    oras.piped(&login, PASSWORD).refused(&["x509"]);
    let oras = oras.with("SSL_CERT_FILE", ca.to_str().unwrap());
    oras.piped(&login, PASSWORD).ok();
    oras.run(&["manifest", "fetch", &people.at("demo/app:1")]).ok();
}

/// The Engine trusts `/etc/docker/certs.d/HOST:PORT/ca.crt`. It takes any certificate of a loopback address, so this shows
/// that it speaks TLS with the registry, and `skopeo`, which reads the same kind of folder, that an unknown one is refused.
#[test]
#[ignore = "cargo xtask test --only clients"]
fn docker_speaks_tls() {
    let folder = tempfile::tempdir().unwrap();
    let (ca, people) = people_with_tls(folder.path());
    let trusted = Trusted::new(&people.house.address, &ca);
    let mut docker = Docker::new(&people);
    docker.login(&Login { kind: "permanent-password", user: "alice".to_owned(), password: PASSWORD.to_owned() }).ok();
    docker.push("demo/app:1").ok();
    docker.pull("demo/app:1").ok();
    drop(trusted);
}

/// The Engine's folder for one registry, which goes away with this.
struct Trusted(PathBuf);

impl Trusted {
    fn new(registry: &str, ca: &Path) -> Self {
        let folder = Path::new("/etc/docker/certs.d").join(registry);
        fs::create_dir_all(&folder).unwrap();
        fs::copy(ca, folder.join("ca.crt")).unwrap();
        Self(folder)
    }
}

impl Drop for Trusted {
    fn drop(&mut self) {
        // Whoever looks finds the folder if this fails.
        let _ = fs::remove_dir_all(&self.0);
    }
}
