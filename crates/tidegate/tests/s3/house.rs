//! A node over an S3 server of its own, and who pushes there.

use crate::support::api::{Api, root};
use crate::support::digest;
use crate::support::http::{Answer, Ask};
use crate::support::node::{Node, Settings};
use crate::support::s3::{S3, SECRET};

pub(crate) struct House {
    pub(crate) s3: S3,
    pub(crate) node: Node,
    /// Root, by Basic.
    pub(crate) by: String,
    pub(crate) _folder: tempfile::TempDir,
}

impl House {
    pub(crate) fn start() -> Self {
        Self::start_with(&[])
    }

    pub(crate) fn start_with(more: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let s3 = S3::start(folder.path());
        Self::over(s3, folder, more)
    }

    pub(crate) fn over(s3: S3, folder: tempfile::TempDir, more: &[(&str, &str)]) -> Self {
        let mut settings = Settings::in_folder(folder.path(), "data");
        settings.environment.extend(s3.settings());
        settings = more.iter().fold(settings, |settings, (name, value)| settings.set(name, value));
        let node = Node::start(settings);
        let by = root(&node);
        Self { s3, node, by, _folder: folder }
    }

    pub(crate) fn api(&self) -> Api<'_> {
        Api::root(&self.node)
    }

    pub(crate) fn put(&self, blob: &[u8]) -> Answer {
        put(&self.node, &self.by, blob)
    }

    pub(crate) fn get(&self, blob: &[u8]) -> Answer {
        self.node.send(&Ask::get(&path(blob)).with(&self.by))
    }

    /// Nothing that the server has said is a secret of the storage, or a URL that opens it.
    pub(crate) fn check_log(&self) {
        let log = self.node.log();
        for secret in [SECRET, "X-Amz-Signature", "X-Amz-Credential", "AWS4-HMAC"] {
            assert!(!log.contains(secret), "{secret} is in the log");
        }
    }
}

pub(crate) fn path(blob: &[u8]) -> String {
    format!("/v2/demo/app/blobs/{}", digest(blob))
}

/// In one request.
pub(crate) fn put(node: &Node, by: &str, blob: &[u8]) -> Answer {
    node.send(&Ask::new("POST", &format!("/v2/demo/app/blobs/uploads/?digest={}", digest(blob))).with(by).body(blob))
}

/// Begins an upload; where it goes on.
pub(crate) fn begin(node: &Node, by: &str) -> String {
    place(&node.send(&Ask::new("POST", "/v2/demo/app/blobs/uploads/").with(by)).expect(202))
}

/// The path of a `Location`.
pub(crate) fn place(answer: &Answer) -> String {
    let location = answer.header("location").unwrap();
    let bare = location.split_once("://").map_or(location, |(_, rest)| &rest[rest.find('/').unwrap()..]);
    bare.to_owned()
}

pub(crate) fn patch(node: &Node, by: &str, place: &str, from: usize, chunk: &[u8]) -> Answer {
    let range = format!("{from}-{}", from + chunk.len() - 1);
    node.send(&Ask::new("PATCH", place).with(by).header("content-range", &range).body(chunk))
}

pub(crate) fn end(node: &Node, by: &str, place: &str, blob: &[u8]) -> Answer {
    let mark = if place.contains('?') { '&' } else { '?' };
    node.send(&Ask::new("PUT", &format!("{place}{mark}digest={}", digest(blob))).with(by))
}

/// "Later", and when: never that the caller may not.
#[track_caller]
pub(crate) fn later(what: &str, answer: &Answer) {
    assert_eq!(answer.status, 503, "{what}: {}", answer.text());
    assert!(answer.header("retry-after").is_some(), "{what}: no Retry-After: {}", answer.text());
}
