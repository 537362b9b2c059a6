//! An S3 server of our own for the time of a stage: an empty bucket in a temporary folder on a loopback port, signatures checked.

use std::fs;
use std::process::Command;

use anyhow::Result;
use tempfile::TempDir;

use crate::peers::go;
use crate::server::{Server, free_address};
use crate::workspace::Workspace;

/// Whoever runs it knows them; nothing but test data is behind it.
const KEY: &str = "tidegate-test";
const SECRET: &str = "not-a-secret-but-long-enough";
const BUCKET: &str = "tidegate";

/// A running server; dropping it stops it and removes its data.
#[derive(Debug)]
pub(crate) struct Bucket {
    // In this order: the server stops before its folder goes.
    server: Server,
    folder: TempDir,
}

impl Bucket {
    pub(crate) fn start(workspace: &Workspace) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let data = folder.path().join("data");
        // Its buckets are folders.
        fs::create_dir_all(data.join(BUCKET))?;
        let address = free_address()?;
        let mut call = Command::new(go::versitygw(workspace)?);
        call.args(["--access", KEY, "--secret", SECRET, "--port", &address.to_string(), "--quiet", "--keep-alive", "posix"]).arg(&data);
        let log = fs::File::create(folder.path().join("log"))?;
        Ok(Self { server: Server::start("versitygw", call.stderr(log), address)?, folder })
    }

    /// What a suite is told: `http://KEY:SECRET@HOST:PORT/BUCKET`.
    pub(crate) fn url(&self) -> String {
        format!("http://{KEY}:{SECRET}@{}/{BUCKET}", self.server.address)
    }

    /// The settings of a server over it.
    pub(crate) fn settings(&self) -> [(&'static str, String); 4] {
        [
            ("TIDEGATE_BLOBS", format!("s3://{BUCKET}/measured")),
            ("TIDEGATE_OBJECT_STORAGE_ENDPOINT", self.server.base(false)),
            ("AWS_ACCESS_KEY_ID", KEY.to_owned()),
            ("AWS_SECRET_ACCESS_KEY", SECRET.to_owned()),
        ]
    }

    /// How many objects' folders the suites have made: each works below a prefix of its own.
    pub(crate) fn prefixes(&self) -> Result<usize> {
        Ok(fs::read_dir(self.folder.path().join("data").join(BUCKET))?.count())
    }
}
