//! The readers of paths, queries and ranges, for `fuzz/fuzz_targets/requests.rs` alone.

use http::HeaderMap;
use registry::ByteRange;

use crate::routes::route;
use crate::shapes::{Query, blob_range, chunk};

/// The name and the item that a path holds.
pub fn read_path(path: &str) -> Option<(&str, &str)> {
    route(path).map(|route| (route.name, route.item))
}

/// How many entries a query asks for, where it can be read.
pub fn read_page(query: &str) -> Option<Option<usize>> {
    let query = Query::new(query);
    let _ = (query.one("digest").is_ok(), query.all("tag").count());
    query.page().ok().map(|page| page.n)
}

/// Which bytes of a blob are asked for.
pub fn read_range(headers: &HeaderMap) -> Option<ByteRange> {
    blob_range(headers, "\"sha256:0\"")
}

/// Where a chunk of so many bytes begins.
pub fn read_chunk(headers: &HeaderMap, length: u64) -> Option<Option<u64>> {
    chunk(headers, Some(length)).ok()
}
