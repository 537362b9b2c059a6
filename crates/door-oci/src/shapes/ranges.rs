//! Ranges: of a blob that is pulled (RFC 9110 section 14), of a chunk that is pushed (OCI distribution specification,
//! "Pushing a blob in chunks").

use http::HeaderMap;
use http::header::{CONTENT_RANGE, IF_RANGE, RANGE};
use registry::ByteRange;

use crate::errors::{Code, Failure};

/// Which bytes of a blob are asked for. None: all; that is also what an unknown unit, several ranges, or what cannot be
/// read means (RFC 9110 section 14.2), and a range of another version than this one (section 13.1.5).
pub(crate) fn blob_range(headers: &HeaderMap, etag: &str) -> Option<ByteRange> {
    let mut all = headers.get_all(RANGE).iter();
    let (Some(value), None) = (all.next(), all.next()) else { return None };
    if headers.get(IF_RANGE).is_some_and(|version| version.as_bytes() != etag.as_bytes()) {
        return None;
    }
    let (unit, set) = value.to_str().ok()?.split_once('=')?;
    if !unit.eq_ignore_ascii_case("bytes") {
        return None;
    }
    let (first, last) = set.trim().split_once('-')?;
    match (first, last) {
        ("", n) => number(n).map(ByteRange::Last),
        (first, "") => number(first).map(ByteRange::From),
        (first, last) => Some(ByteRange::Between(number(first)?, number(last)?)),
    }
}

/// Where a chunk begins: `FIRST-LAST`, both ends included, as long as the body. None: wherever the upload stands.
pub(crate) fn chunk(headers: &HeaderMap, length: Option<u64>) -> Result<Option<u64>, Failure> {
    let mut all = headers.get_all(CONTENT_RANGE).iter();
    let Some(value) = all.next() else { return Ok(None) };
    let text = value.to_str().ok().filter(|_| all.next().is_none());
    let (first, last) =
        text.and_then(read_chunk).ok_or_else(|| Failure::new(Code::BlobUploadInvalid, "Content-Range is written FIRST-LAST"))?;
    let claimed = last.saturating_sub(first).saturating_add(1);
    if length == Some(claimed) {
        return Ok(Some(first));
    }
    Err(Failure::new(Code::SizeInvalid, "Content-Length is not what Content-Range says"))
}

fn read_chunk(text: &str) -> Option<(u64, u64)> {
    let (first, last) = text.split_once('-')?;
    let (first, last) = (number(first)?, number(last)?);
    (first <= last).then_some((first, last))
}

/// Digits alone; more than any blob has is as good as the largest number.
fn number(text: &str) -> Option<u64> {
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    digits.then(|| text.parse().unwrap_or(u64::MAX))
}

/// What an upload has received, as `Range` says it. Nothing is `0-0` too: so the Docker registry says it, and clients read it.
pub(crate) fn received(offset: u64) -> String {
    format!("0-{}", offset.saturating_sub(1))
}

/// Does a condition's list of entity tags (RFC 9110 section 13.1.2) hold this one?
pub(crate) fn holds(headers: &HeaderMap, name: http::HeaderName, etag: &str) -> bool {
    let lists = headers.get_all(name).into_iter().filter_map(|value| value.to_str().ok());
    lists.flat_map(|list| list.split(',')).map(str::trim).any(|one| one == "*" || one.strip_prefix("W/").unwrap_or(one) == etag)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        let mut map = HeaderMap::new();
        for (name, value) in pairs {
            map.append(*name, value.parse().unwrap());
        }
        map
    }

    #[test]
    fn one_range_of_bytes() {
        for (text, want) in [
            ("bytes=0-0", Some(ByteRange::Between(0, 0))),
            ("bytes=500-1499", Some(ByteRange::Between(500, 1499))),
            ("BYTES=5-", Some(ByteRange::From(5))),
            ("bytes=-5", Some(ByteRange::Last(5))),
            ("bytes=500-0", Some(ByteRange::Between(500, 0))),
            ("bytes=0-99999999999999999999999", Some(ByteRange::Between(0, u64::MAX))),
            ("bytes=0-1,3-4", None),
            ("bytes=-", None),
            ("bytes=a-b", None),
            ("bytes=--1", None),
            ("bytes=+1-2", None),
            ("lines=0-1", None),
            ("bytes", None),
            ("", None),
        ] {
            assert_eq!(blob_range(&headers(&[("range", text)]), "\"e\""), want, "{text}");
        }
        assert_eq!(blob_range(&headers(&[("range", "bytes=0-1"), ("range", "bytes=2-3")]), ""), None);
    }

    #[test]
    fn a_range_of_another_version_is_the_whole() {
        let of = |version| blob_range(&headers(&[("range", "bytes=1-"), ("if-range", version)]), "\"e\"");
        assert_eq!(of("\"e\""), Some(ByteRange::From(1)));
        assert_eq!(of("\"f\""), None);
        assert_eq!(of("W/\"e\""), None);
    }

    #[test]
    fn a_chunk_is_as_long_as_it_says() {
        let read = |text, length| chunk(&headers(&[("content-range", text)]), length).map_err(|_| ());
        assert_eq!(chunk(&HeaderMap::new(), Some(3)).unwrap(), None);
        assert_eq!(read("0-9", Some(10)), Ok(Some(0)));
        for (text, length) in [
            ("0-9", Some(9)),
            ("0-9", None),
            ("9-0", Some(10)),
            ("0-", Some(1)),
            ("-1", Some(1)),
            ("bytes 0-9/10", Some(10)),
            ("0-9-9", Some(10)),
            ("0-18446744073709551615", Some(u64::MAX - 1)),
            ("x", Some(1)),
        ] {
            assert_eq!(read(text, length), Err(()), "{text}");
        }
        assert!(chunk(&headers(&[("content-range", "0-0"), ("content-range", "0-0")]), Some(1)).is_err());
    }

    #[test]
    fn conditions_name_entity_tags() {
        let name = || http::header::IF_NONE_MATCH;
        for held in ["\"e\"", "W/\"e\"", "\"a\", \"e\"", "*", "\"a\",W/\"e\""] {
            assert!(holds(&headers(&[("if-none-match", held)]), name(), "\"e\""), "{held}");
        }
        for other in ["\"a\"", "e", "", "\"e"] {
            assert!(!holds(&headers(&[("if-none-match", other)]), name(), "\"e\""), "{other}");
        }
    }

    #[test]
    fn what_has_been_received() {
        assert_eq!([0, 1, 10].map(received), ["0-0", "0-0", "0-9"]);
    }
}
