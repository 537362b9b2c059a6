//! S3 servers: the one that the stage names, for every server that a suite starts; and one of a test's own, to be stopped.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use rustix::process::Signal;

use super::node::{free_address, signal};
use super::{peer, wait_until};

static NEXT: AtomicU64 = AtomicU64::new(0);

/// The settings of a server over the S3 server that the environment names, below a prefix of its own; nothing where it names none.
pub(crate) fn named() -> Vec<(String, String)> {
    let Ok(url) = std::env::var("TIDEGATE_TEST_S3_URL") else { return Vec::new() };
    let (keys, place) = url.strip_prefix("http://").unwrap().split_once('@').unwrap();
    let ((id, secret), (host, bucket)) = (keys.split_once(':').unwrap(), place.split_once('/').unwrap());
    settings(host, id, secret, bucket)
}

fn settings(host: &str, id: &str, secret: &str, bucket: &str) -> Vec<(String, String)> {
    let prefix = format!("p{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
    let settings = [
        ("TIDEGATE_BLOBS", format!("s3://{bucket}/{prefix}")),
        ("TIDEGATE_OBJECT_STORAGE_ENDPOINT", format!("http://{host}")),
        ("AWS_ACCESS_KEY_ID", id.to_owned()),
        ("AWS_SECRET_ACCESS_KEY", secret.to_owned()),
    ];
    settings.map(|(name, value)| (name.to_owned(), value)).to_vec()
}

pub(crate) const KEY: &str = "test-key";
pub(crate) const SECRET: &str = "canary-secret-of-s3";

/// A versitygw over a folder, that can be stopped, killed and started again.
pub(crate) struct S3 {
    child: Child,
    pub(crate) address: String,
    folder: PathBuf,
}

impl S3 {
    pub(crate) fn start(folder: &Path) -> Self {
        Self::start_with(folder, &[])
    }

    pub(crate) fn start_with(folder: &Path, flags: &[&str]) -> Self {
        std::fs::create_dir_all(folder.join("s3/tidegate")).unwrap();
        let address = free_address();
        let mut started = Self { child: serve(folder, &address, flags), address, folder: folder.to_owned() };
        started.wait();
        started
    }

    fn wait(&mut self) {
        let address = self.address.clone();
        wait_until("the S3 server listens", Duration::from_secs(20), || std::net::TcpStream::connect(&address).is_ok());
    }

    /// What a server over it is started with.
    pub(crate) fn settings(&self) -> Vec<(String, String)> {
        settings(&self.address, KEY, SECRET, "tidegate")
    }

    pub(crate) fn signal(&self, what: Signal) {
        signal(self.child.id(), what);
    }

    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// After [`Self::kill`], at the same address.
    pub(crate) fn again(&mut self, flags: &[&str]) {
        self.child = serve(&self.folder, &self.address, flags);
        self.wait();
    }

    /// Everything below the bucket.
    pub(crate) fn files(&self) -> Vec<PathBuf> {
        fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
            for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
                let path = entry.path();
                if path.is_dir() { walk(&path, found) } else { found.push(path) }
            }
        }
        let mut found = Vec::new();
        walk(&self.folder.join("s3/tidegate"), &mut found);
        found
    }
}

fn serve(folder: &Path, address: &str, flags: &[&str]) -> Child {
    let log = std::fs::File::options().create(true).append(true).open(folder.join("s3.log")).unwrap();
    let mut call = Command::new(peer("versitygw"));
    call.args(["--access", KEY, "--secret", SECRET, "--port", address, "--quiet", "--keep-alive"]).args(flags).arg("posix");
    call.arg(folder.join("s3")).stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).spawn().unwrap()
}

impl Drop for S3 {
    fn drop(&mut self) {
        // It may be stopped.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
