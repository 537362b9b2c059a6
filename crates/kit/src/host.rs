//! The host that a request asks for: exactly one, bounded, well formed.

use std::borrow::Cow;
use std::fmt;

use http::header::HOST;
use http::request::Parts;

use crate::limits::MAX_HOST_BYTES;

/// A host as the client spelled it, port included.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Host(Box<str>);

/// Why a request names no usable host: always 400.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum HostError {
    /// Neither a `Host` header nor an authority.
    #[error("the request names no host")]
    Missing,
    /// Two `Host` headers, or one that contradicts the request's authority.
    #[error("the request names two hosts")]
    Contradiction,
    /// Not a name or address with an optional port.
    #[error("the host is malformed")]
    Malformed,
}

impl Host {
    /// Reads a host.
    pub fn parse(text: &str) -> Result<Self, HostError> {
        let (name, port) = split(text);
        let port_is_good = port.is_none_or(|p| !p.is_empty() && p.bytes().all(|b| b.is_ascii_digit()) && p.parse::<u16>().is_ok());
        if text.len() <= MAX_HOST_BYTES && is_name(name) && port_is_good { Ok(Self(text.into())) } else { Err(HostError::Malformed) }
    }

    /// As received, port included: what a challenge's `service` says.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name or address alone, in lower case, without port and brackets: what chooses the instance.
    pub fn name(&self) -> Cow<'_, str> {
        let name = split(&self.0).0.trim_matches(['[', ']']);
        if name.bytes().any(|b| b.is_ascii_uppercase()) { name.to_ascii_lowercase().into() } else { name.into() }
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

/// The one host of a request: its `Host` header, its `:authority`, or both when they agree.
pub fn host_of(head: &Parts) -> Result<Host, HostError> {
    let mut headers = head.headers.get_all(HOST).iter();
    let header = headers.next().map(|v| v.to_str().map_err(|_| HostError::Malformed)).transpose()?.map(without_scheme);
    if headers.next().is_some() {
        return Err(HostError::Contradiction);
    }
    match (header, head.uri.authority().map(http::uri::Authority::as_str)) {
        (None, None) => Err(HostError::Missing),
        (Some(h), Some(a)) if !h.eq_ignore_ascii_case(a) => Err(HostError::Contradiction),
        (Some(one), _) | (None, Some(one)) => Host::parse(one),
    }
}

/// Some clients that are given an endpoint as a URL send all of it as their `Host`.
fn without_scheme(text: &str) -> &str {
    text.strip_prefix("http://").or_else(|| text.strip_prefix("https://")).unwrap_or(text)
}

/// Name (in its brackets) and port.
fn split(text: &str) -> (&str, Option<&str>) {
    let end = if text.starts_with('[') { text.find(']').map_or(text.len(), |i| i + 1) } else { text.find(':').unwrap_or(text.len()) };
    let (name, rest) = text.split_at_checked(end).unwrap_or((text, ""));
    match rest.strip_prefix(':') {
        Some(port) => (name, Some(port)),
        None if rest.is_empty() => (name, None),
        None => ("", None),
    }
}

fn is_name(name: &str) -> bool {
    match name.strip_prefix('[').and_then(|n| n.strip_suffix(']')) {
        Some(address) => address.parse::<std::net::Ipv6Addr>().is_ok(),
        None => !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_')),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(uri: &str, hosts: &[&[u8]]) -> Result<String, HostError> {
        let mut request = http::Request::builder().uri(uri).body(()).unwrap();
        for host in hosts {
            request.headers_mut().append(HOST, http::HeaderValue::from_bytes(host).unwrap());
        }
        host_of(&request.into_parts().0).map(|h| h.as_str().to_owned())
    }

    #[test]
    fn a_request_has_exactly_one_host() {
        assert_eq!(of("/v2/", &[b"Reg.example:5000"]).as_deref(), Ok("Reg.example:5000"));
        assert_eq!(of("http://reg.example/v2/", &[]).as_deref(), Ok("reg.example"));
        assert_eq!(of("http://reg.example/v2/", &[b"REG.example"]).as_deref(), Ok("REG.example"));
        assert_eq!(of("/v2/", &[b"http://reg.example:5000"]).as_deref(), Ok("reg.example:5000"));
        assert_eq!(of("/v2/", &[b"https://reg.example/"]), Err(HostError::Malformed));
        assert_eq!(of("/v2/", &[]), Err(HostError::Missing));
        assert_eq!(of("/v2/", &[b"a", b"a"]), Err(HostError::Contradiction));
        assert_eq!(of("http://a/v2/", &[b"b"]), Err(HostError::Contradiction));
    }

    #[test]
    fn hosts_are_names_or_addresses() {
        for good in ["localhost", "127.0.0.1:5000", "[::1]", "[::1]:5000", "my_registry:80"] {
            assert!(Host::parse(good).is_ok(), "{good}");
        }
        let long = "a".repeat(262);
        for bad in ["", ":5000", "a:", "a:b", "a:+1", "a:65536", "a b", "a/b", "u@a", "[::1", "[x]", "[::1]x", "a\"b", "a,b", "é", &long] {
            assert_eq!(Host::parse(bad), Err(HostError::Malformed), "{bad}");
        }
        assert_eq!(of("/", &[b"\xff"]), Err(HostError::Malformed));
    }

    #[test]
    fn the_name_alone_chooses_the_instance() {
        assert_eq!(Host::parse("Reg.Example:5000").unwrap().name(), "reg.example");
        assert_eq!(Host::parse("[::1]:5000").unwrap().name(), "::1");
    }
}
