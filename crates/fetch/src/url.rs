//! An address to fetch from: `https://HOST[:PORT][/PATH][?QUERY]`, or `http`.

use std::fmt;

use http::Uri;

use crate::FetchError;

/// The longest address.
const MAX: usize = 2048;

/// Where something is fetched from. No user name, no password, no fragment.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Url {
    https: bool,
    host: String,
    port: u16,
    authority: String,
    path_and_query: String,
}

impl Url {
    /// Reads an address of at most 2048 characters.
    pub fn parse(text: &str) -> Result<Self, FetchError> {
        if text.len() > MAX {
            return Err(FetchError::Url("longer than 2048 characters"));
        }
        if text.contains('#') {
            return Err(FetchError::Url("a fragment"));
        }
        let uri: Uri = text.parse().map_err(|_| FetchError::Url("not an http or https address"))?;
        let https = match uri.scheme_str() {
            Some("https") => true,
            Some("http") => false,
            _ => return Err(FetchError::Url("not an http or https address")),
        };
        let authority = uri.authority().ok_or(FetchError::Url("no host"))?;
        if authority.as_str().contains('@') {
            return Err(FetchError::Url("a user name or a password"));
        }
        let host = authority.host().trim_start_matches('[').trim_end_matches(']').to_ascii_lowercase();
        if host.is_empty() {
            return Err(FetchError::Url("no host"));
        }
        let port = port(authority, https)?;
        let path_and_query = uri.path_and_query().map_or("/", |p| p.as_str());
        let path_and_query = if path_and_query.starts_with('/') { path_and_query.to_owned() } else { format!("/{path_and_query}") };
        Ok(Self { https, host, port, authority: authority.as_str().to_ascii_lowercase(), path_and_query })
    }

    /// Where a redirect from here leads (RFC 9110 section 10.2.2): an absolute address, `//HOST…`, or a path from the root.
    pub(crate) fn redirected(&self, location: &str) -> Result<Self, FetchError> {
        let scheme = if self.https { "https" } else { "http" };
        let location = location.split('#').next().unwrap_or_default();
        match location {
            rest if rest.starts_with("//") => Self::parse(&format!("{scheme}:{rest}")),
            path if path.starts_with('/') => Self::parse(&format!("{scheme}://{}{path}", self.authority)),
            whole => Self::parse(whole),
        }
    }

    /// Over TLS?
    pub const fn is_https(&self) -> bool {
        self.https
    }

    /// The host, lower case, without brackets and port.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port.
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// Host and port as a `Host` header carries them.
    pub(crate) fn authority(&self) -> &str {
        &self.authority
    }

    /// What stands in the request line.
    pub(crate) fn path_and_query(&self) -> &str {
        &self.path_and_query
    }

    /// Same scheme, host and port (RFC 6454 section 4)?
    pub(crate) fn same_origin(&self, other: &Self) -> bool {
        (self.https, &self.host, self.port) == (other.https, &other.host, other.port)
    }
}

fn port(authority: &http::uri::Authority, https: bool) -> Result<u16, FetchError> {
    let behind_host = authority.as_str().rsplit_once(']').map_or(authority.as_str(), |(_, rest)| rest);
    match (behind_host.contains(':'), authority.port_u16()) {
        (false, _) => Ok(if https { 443 } else { 80 }),
        (true, Some(port)) if port != 0 => Ok(port),
        (true, _) => Err(FetchError::Url("a port that is none")),
    }
}

impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}{}", if self.https { "https" } else { "http" }, self.authority, self.path_and_query)
    }
}

/// Without path and query, which may carry what nobody else should see.
impl fmt::Debug for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}/…", if self.https { "https" } else { "http" }, self.authority)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_issuers_and_sinks_are_called() {
        for (text, https, host, port, printed) in [
            ("https://token.actions.githubusercontent.com", true, "token.actions.githubusercontent.com", 443, None),
            ("https://Example.com:8443/a/b?c=d", true, "example.com", 8443, Some("https://example.com:8443/a/b?c=d")),
            ("http://127.0.0.1:9000/x", false, "127.0.0.1", 9000, Some("http://127.0.0.1:9000/x")),
            ("https://[2001:db8::1]/", true, "2001:db8::1", 443, Some("https://[2001:db8::1]/")),
            ("https://[::1]:444", true, "::1", 444, Some("https://[::1]:444/")),
            ("https://a?b", true, "a", 443, Some("https://a/?b")),
        ] {
            let url = Url::parse(text).unwrap();
            assert_eq!((url.is_https(), url.host(), url.port()), (https, host, port), "{text}");
            let printed = printed.map_or_else(|| format!("{text}/"), str::to_owned);
            assert_eq!(url.to_string(), printed);
        }
    }

    #[test]
    fn refuses_the_rest() {
        let long = format!("https://a/{}", "x".repeat(MAX));
        for bad in ["", "a", "/a", "ftp://a/", "file:///etc/passwd", "https://", "https:///a", "https://u@a/", "https://u:p@a/"] {
            assert!(Url::parse(bad).is_err(), "{bad}");
        }
        for bad in ["https://a/#f", "https://a b/", "https://a:0/", "https://a:/", "https://a:65536/", "https://a/\r\nX: y", &long] {
            assert!(Url::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_redirect_is_read_from_where_it_was_sent() {
        let from = Url::parse("https://a:444/x/y?z").unwrap();
        for (location, to) in
            [("/b", "https://a:444/b"), ("//c/d", "https://c/d"), ("http://e/f", "http://e/f"), ("https://g/h#i", "https://g/h")]
        {
            assert_eq!(from.redirected(location).unwrap().to_string(), to);
        }
        for bad in ["", "relative", "?x", "javascript:alert(1)"] {
            assert!(from.redirected(bad).is_err(), "{bad}");
        }
        assert!(from.same_origin(&from.redirected("/b").unwrap()) && !from.same_origin(&from.redirected("//a/b").unwrap()));
    }

    #[test]
    fn debug_does_not_show_what_a_path_may_carry() {
        assert_eq!(format!("{:?}", Url::parse("https://a/hooks/s3cret?key=x").unwrap()), "https://a/…");
    }
}
