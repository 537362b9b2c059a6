//! What lies under which name: `PREFIX/blobs/SHARD/KEY` what is whole (as in a directory), `PREFIX/staged/KEY/…` what is under way.

use std::fmt::Write as _;
use std::sync::Arc;

use model::{Digest, ObjectId, UploadId};
use object_store::path::Path;

use crate::UploadState;

/// All names begin with it.
#[derive(Clone, Debug)]
pub(super) struct Names(Arc<str>);

/// The tail of an upload at one offset. Its content follows from its name, so that two nodes that stage one never differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TailName {
    pub(super) offset: u64,
    pub(super) digest: [u8; 32],
}

impl TailName {
    pub(super) const BYTES: usize = 40;

    /// Of what is staged for this state.
    pub(super) fn of(state: &UploadState) -> Self {
        let mut digest = [0; 32];
        if let Digest::Sha256(found) = state.sha256() {
            digest = found;
        }
        Self { offset: state.offset(), digest }
    }

    pub(super) fn encode(&self, into: &mut Vec<u8>) {
        into.extend_from_slice(&self.offset.to_le_bytes());
        into.extend_from_slice(&self.digest);
    }

    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        let (offset, digest) = bytes.split_first_chunk()?;
        Some(Self { offset: u64::from_le_bytes(*offset), digest: digest.try_into().ok()? })
    }
}

impl Names {
    pub(super) fn new(prefix: &str) -> Self {
        Self(prefix.trim_matches('/').into())
    }

    fn path(&self, rest: &str) -> Path {
        if self.0.is_empty() { Path::from(rest) } else { Path::from(format!("{}/{rest}", self.0)) }
    }

    /// Where the whole content lies.
    pub(super) fn blob(&self, key: UploadId) -> Path {
        let name = file_name(key);
        self.path(&format!("blobs/{}/{name}", name.get(14..).unwrap_or_default()))
    }

    /// Below which all content lies.
    pub(super) fn blobs(&self) -> Path {
        self.path("blobs")
    }

    /// Below which everything lies that is under way.
    pub(super) fn all_staged(&self) -> Path {
        self.path("staged")
    }

    /// Below which everything lies that is under way for one key.
    pub(super) fn staged(&self, key: UploadId) -> Path {
        self.path(&format!("staged/{}", file_name(key)))
    }

    /// What sorts behind everything that is staged for this key, and before the next one's.
    pub(super) fn after_staged(&self, key: UploadId) -> Path {
        self.path(&format!("staged/{}/z", file_name(key)))
    }

    pub(super) fn tail(&self, key: UploadId, tail: &TailName) -> Path {
        self.path(&format!("staged/{}/tail-{:016x}-{}", file_name(key), tail.offset, hex(&tail.digest)))
    }

    /// The note that this multipart upload was begun; its content is the id.
    pub(super) fn multipart(&self, key: UploadId, id: &str) -> Path {
        let name = match Digest::sha256(id.as_bytes()) {
            Digest::Sha256(digest) => hex(&digest),
            Digest::Sha512(_) => String::new(),
        };
        self.path(&format!("staged/{}/{MULTIPART}{name}", file_name(key)))
    }

    /// What a probe writes.
    pub(super) fn probe(&self) -> Path {
        self.path("probe")
    }

    /// The key whose content lies under `path`; nothing else that lies there is ever touched.
    pub(super) fn key_of_blob(&self, path: &Path) -> Option<UploadId> {
        let key = key_of(path.filename()?)?;
        (self.blob(key) == *path).then_some(key)
    }

    /// The key for which something lies under `path`.
    pub(super) fn key_of_staged(&self, path: &Path) -> Option<UploadId> {
        let mut rest = path.prefix_match(&self.all_staged())?;
        key_of(rest.next()?.as_ref())
    }
}

const MULTIPART: &str = "multipart-";

/// Is this the note of a multipart upload?
pub(super) fn is_multipart(path: &Path) -> bool {
    path.filename().is_some_and(|name| name.starts_with(MULTIPART))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a `String` cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn file_name(key: UploadId) -> String {
    format!("{:016x}", key.as_i64())
}

fn key_of(name: &str) -> Option<UploadId> {
    name.parse::<ObjectId>().ok()?;
    i64::from_str_radix(name, 16).ok().map(UploadId::from_i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lead_back_to_their_key() {
        let key = UploadId::from_i64(0xabc);
        for (prefix, blob) in [("", "blobs/bc/0000000000000abc"), ("/a/b/", "a/b/blobs/bc/0000000000000abc")] {
            let names = Names::new(prefix);
            assert_eq!(names.blob(key).as_ref(), blob);
            assert_eq!(names.key_of_blob(&names.blob(key)), Some(key));
            assert_eq!(names.key_of_blob(&Path::from("blobs/bd/0000000000000abc")), None);
            let (tail, note) = (names.tail(key, &TailName { offset: 1, digest: [7; 32] }), names.multipart(key, "id"));
            assert_eq!((names.key_of_staged(&tail), is_multipart(&tail)), (Some(key), false));
            assert_eq!((names.key_of_staged(&note), is_multipart(&note)), (Some(key), true));
            assert_eq!(names.key_of_staged(&names.blob(key)), None);
            let bounds = names.staged(key).as_ref() < note.as_ref() && note.as_ref() < tail.as_ref();
            assert!(bounds && tail.as_ref() < names.after_staged(key).as_ref());
        }
    }
}
