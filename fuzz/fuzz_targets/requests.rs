//! What the registry's door reads of a request besides its body, a line each: path, query, `Range`, `If-Range`, `Content-Range`.
#![no_main]

use door_oci::fuzzing;
use http::header::{CONTENT_RANGE, HeaderMap, HeaderName, HeaderValue, IF_RANGE, RANGE};
use libfuzzer_sys::fuzz_target;

const SIZES: [u64; 5] = [0, 1, 1000, 1 << 40, u64::MAX];

fuzz_target!(|input: &[u8]| {
    let mut lines = input.split(|b| *b == b'\n');
    let mut text = || lines.next().and_then(|line| std::str::from_utf8(line).ok()).unwrap_or_default();
    let (path, query) = (text(), text());
    if let Some((name, item)) = fuzzing::read_path(path) {
        assert!(path.starts_with("/v2"));
        // Both stand in the path as they are: nothing was decoded or folded on the way.
        assert!(path.contains(name) && path.ends_with(item) || item.is_empty());
    }
    if let Some(Some(_)) = fuzzing::read_page(query) {
        assert!(query.contains("n="));
    }
    let mut headers = HeaderMap::new();
    for name in [RANGE, IF_RANGE, CONTENT_RANGE] {
        append(&mut headers, name, text());
    }
    ranges(&headers);
});

fn append(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value)
        && !value.is_empty()
    {
        headers.append(name, value);
    }
}

fn ranges(headers: &HeaderMap) {
    for size in SIZES {
        if let Some(within) = fuzzing::read_range(headers).and_then(|range| range.within(size)) {
            assert!(within.start < within.end && within.end <= size, "{within:?} of {size}");
        }
        if let Some(Some(first)) = fuzzing::read_chunk(headers, size) {
            assert!(first.checked_add(size).is_some() || size == u64::MAX, "{first} + {size}");
        }
    }
}
