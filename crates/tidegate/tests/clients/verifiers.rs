//! Other registries that believe our tokens: CNCF distribution 2.8, which knows a key by its libtrust fingerprint (distribution
//! #4299, #4533).

use std::fs;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use rcgen::{CertificateParams, CertifiedIssuer, KeyPair, PKCS_ECDSA_P256_SHA256, PublicKeyData, SignatureAlgorithm};

use crate::people::{PASSWORD, People};
use crate::support::http::{Ask, Connection, bearer};
use crate::support::node::free_address;
use crate::support::program::Daemon;
use crate::support::wait_until;

/// The point of the key that signs our tokens.
struct SigningKey(Vec<u8>);

impl SigningKey {
    fn of(people: &People) -> Self {
        let keys = people.house.send(&Ask::get("/.well-known/jwks.json")).expect(200).json();
        let coordinate = |name: &str| BASE64.decode(keys["keys"][0][name].as_str().unwrap()).unwrap();
        Self([vec![4], coordinate("x"), coordinate("y")].concat())
    }
}

impl PublicKeyData for SigningKey {
    fn der_bytes(&self) -> &[u8] {
        &self.0
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        &PKCS_ECDSA_P256_SHA256
    }
}

/// A certificate of that key by anybody: distribution 2.8 takes keys from certificates, and looks at nothing else of them.
fn certificate(people: &People) -> String {
    let anybody = CertifiedIssuer::self_signed(CertificateParams::new(Vec::new()).unwrap(), KeyPair::generate().unwrap()).unwrap();
    CertificateParams::new(Vec::new()).unwrap().signed_by(&SigningKey::of(people), &anybody).unwrap().pem()
}

/// A registry that sends its clients to ours for tokens; where it listens.
fn distribution(people: &People) -> (Daemon, String) {
    let program = people.program("docker-registry");
    let folder = program.folder().display().to_string();
    let (address, ours) = (free_address(), &people.house.address);
    fs::write(format!("{folder}/keys.pem"), certificate(people)).unwrap();
    let configuration = format!(
        "version: 0.1\nstorage:\n  filesystem:\n    rootdirectory: {folder}/content\nhttp:\n  addr: {address}\nauth:\n  token:\n    \
         realm: http://{ours}/token\n    service: {ours}\n    issuer: tidegate\n    rootcertbundle: {folder}/keys.pem\n"
    );
    fs::write(format!("{folder}/config.yml"), configuration).unwrap();
    let mut daemon = program.start(&["serve", &format!("{folder}/config.yml")], format!("{folder}/log").as_ref());
    wait_until("distribution answers", Duration::from_secs(20), || {
        assert!(!daemon.has_ended(), "distribution ended:\n{}", daemon.log());
        Connection::once(&address, &Ask::get("/")).is_ok()
    });
    (daemon, address)
}

#[test]
#[ignore = "cargo xtask test --only clients"]
fn distribution_4533_another_registry_believes_our_tokens_and_no_more_than_they_say() {
    let people = People::new();
    let (_daemon, address) = distribution(&people);
    let token = bearer(&people.house.bearer("alice", PASSWORD, "repository:demo/app:pull,push"));
    let status = |ask: Ask| Connection::once(&address, &ask).unwrap().status;
    let begin = |name: &str| Ask::new("POST", &format!("/v2/{name}/blobs/uploads/"));
    assert_eq!(status(Ask::get("/v2/")), 401);
    assert_eq!(status(Ask::get("/v2/").with(&token)), 200);
    assert_eq!(status(begin("demo/app").with(&token)), 202);
    assert_eq!(status(begin("demo/other").with(&token)), 401, "of another repository");
    let reader = bearer(&people.house.bearer("bob", PASSWORD, "repository:demo/app:pull,push"));
    assert_eq!(status(begin("demo/app").with(&reader)), 401, "of somebody who may only pull");
    let mut forged = token.into_bytes();
    let place = forged.len() - 20;
    forged[place] = if forged[place] == b'A' { b'B' } else { b'A' };
    assert_eq!(status(Ask::get("/v2/").with(&String::from_utf8(forged).unwrap())), 401, "of a wrong signature");
}
