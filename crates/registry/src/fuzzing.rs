//! The reader of manifests, for `fuzz/fuzz_targets/manifests.rs` alone.

use model::MediaType;

use crate::document::Document;

/// What the reader made of it: its media type, and how many descriptors it refers to.
pub fn read_manifest(content_type: Option<&MediaType>, content: &[u8]) -> Option<(String, usize)> {
    let document = Document::parse(content_type, content).ok()?;
    let count = document.blobs.len() + document.manifests.len();
    Some((document.media_type, count))
}
