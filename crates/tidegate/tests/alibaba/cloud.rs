//! A server that stands for the cloud, and who has keys there.

use std::path::{Path, PathBuf};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use serde_json::{Value, json};

use crate::sdk::{Kind, Sdk};
use crate::support::api::Key;
use crate::support::house::{Cli, House, text};

/// The policy document that the vendor's page prints.
pub(crate) const SEED_ACTIONS: [&str; 3] = ["cr:GetAuthorizationToken", "cr:PullRepository", "cr:PushRepository"];

pub(crate) struct Cloud {
    pub(crate) house: House,
    pub(crate) root: Cli,
    /// The authority of its certificate, if it speaks TLS.
    pub(crate) ca: Option<PathBuf>,
    _certificates: Option<tempfile::TempDir>,
}

impl Cloud {
    pub(crate) fn start() -> Self {
        Self::start_with(&[])
    }

    /// With further arguments of `tidegate serve`.
    pub(crate) fn start_with(arguments: &[&str]) -> Self {
        let house = House::start_with(arguments);
        let root = house.root();
        Self { house, root, ca: None, _certificates: None }
    }

    pub(crate) fn start_with_tls() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let certificate = Certificate::new(folder.path(), &["127.0.0.1"]);
        let house = House::start_with(&["--tls-cert", &certificate.cert, "--tls-key", &certificate.key]);
        let root = house.root().with_option("--ca-file", certificate.ca.to_str().unwrap());
        Self { house, root, ca: Some(certificate.ca), _certificates: Some(folder) }
    }

    /// The root user's key.
    pub(crate) fn root_key(&self) -> Key {
        key(&self.house.bootstrap())
    }

    pub(crate) fn account(&self) -> String {
        text(&self.house.bootstrap()["account_id"])
    }

    /// A user with a key, and a policy that allows these actions on everything.
    pub(crate) fn user(&self, name: &str, actions: &[&str]) -> Key {
        self.root.json(&["user", "create", name]);
        if !actions.is_empty() {
            self.root.grant(name, &format!("may-{name}"), &policy(actions));
        }
        key(&self.root.json(&["access-key", "create", "--user", name]))
    }

    /// An SDK with this key.
    pub(crate) fn sdk(&self, kind: Kind, key: &Key) -> Sdk {
        self.sdk_with(kind, json!({ "id": key.id, "secret": key.secret, "token": null }))
    }

    /// An SDK with the key of a session.
    pub(crate) fn sdk_of_session(&self, kind: Kind, credentials: &Value) -> Sdk {
        let key = json!({
            "id": credentials["AccessKeyId"], "secret": credentials["AccessKeySecret"], "token": credentials["SecurityToken"],
        });
        self.sdk_with(kind, key)
    }

    /// An SDK with these settings besides those of the place.
    pub(crate) fn sdk_with(&self, kind: Kind, mut settings: Value) -> Sdk {
        let protocol = if self.ca.is_some() { "https" } else { "http" };
        let place = json!({ "endpoint": self.house.address, "protocol": protocol, "ca": self.ca });
        let all = settings.as_object_mut().unwrap();
        all.extend(place.as_object().unwrap().clone());
        Sdk::start(kind, self.house.folder.path(), &settings, self.ca.as_deref())
    }

    /// The default instance, by the id that the cloud's API has for it.
    pub(crate) fn instance(&self) -> String {
        let mut sdk = self.sdk(Kind::TeaV3, &self.root_key());
        text(&sdk.ok("cr", "ListInstance", &json!({}))["Instances"][0]["InstanceId"])
    }
}

/// An access key as the management API shows it.
pub(crate) fn key(made: &Value) -> Key {
    Key { id: text(&made["access_key_id"]), secret: text(&made["access_key_secret"]) }
}

pub(crate) fn policy(actions: &[&str]) -> Value {
    json!({ "Version": "1", "Statement": [{ "Effect": "Allow", "Action": actions, "Resource": "*" }] })
}

/// A server's certificate by an authority made for it.
pub(crate) struct Certificate {
    pub(crate) ca: PathBuf,
    pub(crate) cert: String,
    pub(crate) key: String,
}

impl Certificate {
    pub(crate) fn new(folder: &Path, names: &[&str]) -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        // Its own name: one whose issuer has the same name counts as self-signed.
        params.distinguished_name.push(DnType::CommonName, "an authority of the tests");
        let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let key = KeyPair::generate().unwrap();
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let certificate = CertificateParams::new(names).unwrap().signed_by(&key, &authority).unwrap();
        let write = |name: &str, text: String| {
            let path = folder.join(name);
            std::fs::write(&path, text).unwrap();
            path
        };
        let ca = write("ca.crt", authority.pem());
        let (cert, key) = (write("server.pem", certificate.pem()), write("server.key", key.serialize_pem()));
        Self { ca, cert: cert.to_str().unwrap().to_owned(), key: key.to_str().unwrap().to_owned() }
    }
}
