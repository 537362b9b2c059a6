//! What trusted proxies say about the client. Read from the right: each trusted proxy vouches for the hop before it.

use std::net::{IpAddr, SocketAddr};

use http::HeaderMap;
use http::header::FORWARDED;

use crate::limits::MAX_FORWARDED_HOPS;

/// Which header the trusted proxies set. One alone is read: the other could be the client's own, passed through.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum ForwardedHeader {
    /// `X-Forwarded-For` and `X-Forwarded-Proto`.
    #[default]
    XForwarded,
    /// `Forwarded` (RFC 7239).
    Forwarded,
}

/// What the header says.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Said {
    /// The rightmost address that is no trusted proxy; the leftmost if all are.
    pub(crate) client: Option<IpAddr>,
    /// Did the client speak TLS to the proxy nearest to us?
    pub(crate) https: bool,
}

impl ForwardedHeader {
    pub(crate) fn read(self, headers: &HeaderMap, trusted: impl Fn(IpAddr) -> bool) -> Said {
        match self {
            Self::XForwarded => Said {
                client: client(elements(headers, "x-forwarded-for").map(address), trusted),
                https: elements(headers, "x-forwarded-proto").next().is_some_and(|p| p.eq_ignore_ascii_case("https")),
            },
            Self::Forwarded => Said {
                client: client(elements(headers, FORWARDED.as_str()).map(|e| parameter(e, "for").and_then(address)), trusted),
                https: elements(headers, FORWARDED.as_str())
                    .next()
                    .and_then(|e| parameter(e, "proto"))
                    .is_some_and(|p| p.eq_ignore_ascii_case("https")),
            },
        }
    }
}

/// Walks from the nearest hop outwards, as far as each hop is trusted and says something readable.
fn client(hops: impl Iterator<Item = Option<IpAddr>>, trusted: impl Fn(IpAddr) -> bool) -> Option<IpAddr> {
    let mut seen = None;
    for hop in hops.take(MAX_FORWARDED_HOPS) {
        let Some(ip) = hop else { return seen };
        seen = Some(ip);
        if !trusted(ip) {
            return seen;
        }
    }
    seen
}

/// The comma-separated elements of all headers of this name, last first. A comma cannot stand inside an address.
fn elements<'a>(headers: &'a HeaderMap, name: &str) -> impl Iterator<Item = &'a str> {
    let values: Vec<&str> = headers.get_all(name).iter().map(|v| v.to_str().unwrap_or("")).collect();
    values.into_iter().rev().flat_map(|v| v.rsplit(',')).map(str::trim)
}

/// One parameter of an element such as `for="[2001:db8::1]:80";proto=https`.
fn parameter<'a>(element: &'a str, name: &str) -> Option<&'a str> {
    let pair = element.split(';').filter_map(|p| p.split_once('=')).find(|(key, _)| key.trim().eq_ignore_ascii_case(name))?;
    Some(pair.1.trim().trim_matches('"'))
}

/// An address, with or without port and brackets.
fn address(text: &str) -> Option<IpAddr> {
    let bare = text.strip_prefix('[').and_then(|t| t.strip_suffix(']')).unwrap_or(text);
    let ip = bare.parse::<IpAddr>().ok().or_else(|| text.parse::<SocketAddr>().ok().map(|a| a.ip()))?;
    Some(ip.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(kind: ForwardedHeader, lines: &[(&'static str, &str)]) -> (Option<String>, bool) {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(*name, value.parse().unwrap());
        }
        let said = kind.read(&headers, |ip| ip.to_string().starts_with("10."));
        (said.client.map(|ip| ip.to_string()), said.https)
    }

    #[test]
    fn the_rightmost_stranger_is_the_client() {
        for (value, want) in [
            ("6.6.6.6, 1.2.3.4, 10.0.0.2", Some("1.2.3.4")),
            ("10.0.0.3, 10.0.0.2", Some("10.0.0.3")),
            ("6.6.6.6, unknown, 10.0.0.2", Some("10.0.0.2")),
            ("1.2.3.4:5678", Some("1.2.3.4")),
            ("[2001:db8::1]:80", Some("2001:db8::1")),
            ("[2001:db8::1]", Some("2001:db8::1")),
            ("::ffff:1.2.3.4", Some("1.2.3.4")),
            ("nonsense", None),
            ("", None),
        ] {
            assert_eq!(read(ForwardedHeader::XForwarded, &[("x-forwarded-for", value)]).0.as_deref(), want, "{value}");
        }
    }

    #[test]
    fn the_standard_header_is_read_alike() {
        let lines = [("forwarded", "for=6.6.6.6"), ("forwarded", "for=\"[2001:db8::1]:99\";proto=http, For=10.0.0.2;Proto=HTTPS")];
        assert_eq!(read(ForwardedHeader::Forwarded, &lines), (Some("2001:db8::1".to_owned()), true));
    }

    #[test]
    fn the_other_header_is_not_looked_at() {
        assert_eq!(read(ForwardedHeader::XForwarded, &[("forwarded", "for=1.1.1.1;proto=https")]), (None, false));
        assert_eq!(read(ForwardedHeader::Forwarded, &[("x-forwarded-for", "1.1.1.1"), ("x-forwarded-proto", "https")]), (None, false));
    }
}
