//! What requests and answers look like.

mod answers;
mod query;
mod ranges;

pub(crate) use answers::{
    Links, blob, blob_elsewhere, blob_head, cancelled, deleted, manifest, manifest_head, mounted, not_modified, page, pushed, referrers,
    upload_grown, upload_stands, version,
};
pub(crate) use query::{PageAsked, Query};
pub(crate) use ranges::{blob_range, chunk, holds, received};
