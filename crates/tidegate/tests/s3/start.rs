//! What may be wrong with the settings is said at start, and no secret of theirs.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};

use crate::house::{path, put};
use crate::support::api::root;
use crate::support::content;
use crate::support::http::Ask;
use crate::support::node::{Node, Settings};
use crate::support::program::{Program, Ran};
use crate::support::s3::{KEY, S3, SECRET};
use crate::support::tidegate;

fn serve(folder: &std::path::Path, environment: &[(String, String)], changed: &[(&str, &str)]) -> Ran {
    let program = environment.iter().filter(|(name, _)| changed.iter().all(|(other, _)| other != name));
    let program = program.fold(Program::new(tidegate(), folder), |p, (name, value)| p.with(name, value));
    let program = changed.iter().filter(|(_, value)| !value.is_empty()).fold(program, |p, (name, value)| p.with(name, value));
    program.run(&["serve", "--listen", "127.0.0.1:0", "--data-dir", "data"])
}

#[test]
#[ignore = "cargo xtask test --only s3"]
fn settings_that_cannot_be_used_are_refused_at_start() {
    let folder = tempfile::tempdir().unwrap();
    let s3 = S3::start(folder.path());
    let environment = s3.settings();
    for (changed, want) in [
        (&[("AWS_SECRET_ACCESS_KEY", "hunter2")][..], "403 SignatureDoesNotMatch"),
        (&[("AWS_SECRET_ACCESS_KEY", "")], "AWS_SECRET_ACCESS_KEY is not set"),
        (&[("AWS_SECRET_ACCESS_KEY", ""), ("AWS_ACCESS_KEY_ID", "")], "no credentials: set AWS_ACCESS_KEY_ID"),
        (&[("TIDEGATE_OBJECT_STORAGE_PROFILE", "none")], "the profile `none`"),
        (&[("TIDEGATE_BLOBS", "s3://elsewhere/x")], "404 NoSuchBucket"),
        (&[("TIDEGATE_BLOBS", "s4://tidegate/x")], "`s3://BUCKET/PREFIX`"),
        (&[("TIDEGATE_BLOBS", "s3://id:hunter2@tidegate")], "no credentials, no port"),
        (&[("TIDEGATE_OBJECT_STORAGE_ENDPOINT", "http://127.0.0.1:1")], "cannot be reached"),
        (&[("TIDEGATE_OBJECT_STORAGE_CA_FILE", "/none")], "`object_storage.ca_file` /none cannot be read"),
        (&[("TIDEGATE_OBJECT_STORAGE_CREDENTIALS", "web-identity")], "AWS_WEB_IDENTITY_TOKEN_FILE is not set"),
    ] {
        let ran = serve(folder.path(), &environment, changed);
        assert_eq!(ran.code, Some(1), "{changed:?}: {ran}");
        assert!(ran.says(want), "{changed:?}: {ran}");
        assert!(!ran.says("hunter2") && !ran.says(SECRET), "{changed:?}: {ran}");
    }
}

/// A node over these settings takes a blob of several parts and gives it back.
fn goes_round(folder: &std::path::Path, environment: Vec<(String, String)>) -> Node {
    let mut settings = Settings::in_folder(folder, "data");
    settings.environment.extend(environment);
    let node = Node::start(settings);
    let (by, blob) = (root(&node), content(1, 18 << 20));
    put(&node, &by, &blob).expect(201);
    assert!(node.send(&Ask::get(&path(&blob)).with(&by)).expect(200).body == blob);
    node
}

#[test]
#[ignore = "cargo xtask test --only s3"]
fn a_certificate_of_an_own_authority_is_believed_by_its_file_alone() {
    let folder = tempfile::tempdir().unwrap();
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(["127.0.0.1".to_owned()]).unwrap().signed_by(&key, &authority).unwrap();
    let write = |name: &str, text: String| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let (ca, cert, key) = (write("ca", authority.pem()), write("cert", certificate.pem()), write("key", key.serialize_pem()));
    let s3 = S3::start_with(folder.path(), &["--cert", &cert, "--key", &key]);
    let mut environment = s3.settings();
    environment.retain(|(name, _)| name != "TIDEGATE_OBJECT_STORAGE_ENDPOINT");
    environment.push(("TIDEGATE_OBJECT_STORAGE_ENDPOINT".to_owned(), format!("https://{}", s3.address)));

    let refused = serve(folder.path(), &environment, &[]);
    assert!(refused.code == Some(1) && refused.says("cannot be reached: invalid peer certificate"), "{refused}");
    environment.push(("TIDEGATE_OBJECT_STORAGE_CA_FILE".to_owned(), ca));
    goes_round(folder.path(), environment);
}

/// A token service that gives everybody the keys of the S3 server, and remembers what it was asked.
fn token_service() -> (String, std::thread::JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let serving = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut asked = vec![0; 16 << 10];
        let length = stream.read(&mut asked).unwrap();
        let keys = format!("<AccessKeyId>{KEY}</AccessKeyId><SecretAccessKey>{SECRET}</SecretAccessKey><SessionToken></SessionToken>");
        let result = format!("<Credentials>{keys}<Expiration>2099-01-01T00:00:00Z</Expiration></Credentials>");
        let body = format!(
            "<AssumeRoleWithWebIdentityResponse><AssumeRoleWithWebIdentityResult>{result}</AssumeRoleWithWebIdentityResult>\
             </AssumeRoleWithWebIdentityResponse>"
        );
        write!(stream, "HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}", body.len()).unwrap();
        String::from_utf8_lossy(&asked[..length]).into_owned()
    });
    (address, serving)
}

#[test]
#[ignore = "cargo xtask test --only s3"]
fn credentials_may_come_from_a_web_identity() {
    let folder = tempfile::tempdir().unwrap();
    let s3 = S3::start(folder.path());
    let (address, serving) = token_service();
    let token = folder.path().join("token");
    std::fs::write(&token, "canary.web.identity").unwrap();
    let mut environment: Vec<_> = s3.settings().into_iter().filter(|(name, _)| !name.starts_with("AWS_")).collect();
    let given = [
        ("AWS_WEB_IDENTITY_TOKEN_FILE", token.to_str().unwrap().to_owned()),
        ("AWS_ROLE_ARN", "arn:aws:iam::1:role/tidegate".to_owned()),
        ("AWS_ENDPOINT_URL_STS", format!("http://{address}")),
    ];
    environment.extend(given.map(|(name, value)| (name.to_owned(), value)));
    let node = goes_round(folder.path(), environment);
    let asked = serving.join().unwrap();
    assert!(asked.contains("canary.web.identity") && asked.contains("AssumeRoleWithWebIdentity"), "{asked}");
    let log = node.log();
    assert!(!log.contains("canary.web.identity") && !log.contains(SECRET));
}

#[test]
#[ignore = "cargo xtask test --only s3"]
fn credentials_may_come_from_a_profile() {
    let folder = tempfile::tempdir().unwrap();
    let s3 = S3::start(folder.path());
    let profiles = folder.path().join("credentials");
    let wrong = "[default]\naws_access_key_id = nobody\naws_secret_access_key = wrong\n";
    std::fs::write(&profiles, format!("{wrong}[ci]\naws_access_key_id = {KEY}\naws_secret_access_key = {SECRET}\n")).unwrap();
    let mut environment: Vec<_> = s3.settings().into_iter().filter(|(name, _)| !name.starts_with("AWS_")).collect();
    environment.push(("AWS_SHARED_CREDENTIALS_FILE".to_owned(), profiles.to_str().unwrap().to_owned()));
    let refused = serve(folder.path(), &environment, &[]);
    assert!(refused.code == Some(1) && refused.says("cannot be used: the object storage answers 40"), "{refused}");
    environment.push(("TIDEGATE_OBJECT_STORAGE_PROFILE".to_owned(), "ci".to_owned()));
    let node = goes_round(folder.path(), environment);
    assert!(!node.log().contains(SECRET));
}
