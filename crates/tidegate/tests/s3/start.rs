//! What may be wrong with the settings is said at start, and no secret of theirs.

use crate::support::program::{Program, Ran};
use crate::support::s3::{S3, SECRET};
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
