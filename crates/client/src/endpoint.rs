//! Where a server is: `http://HOST[:PORT]` or `https://HOST[:PORT]`.

use std::fmt;

use http::Uri;
use http::uri::Scheme;

use crate::ClientError;

/// A server's address.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Endpoint {
    tls: bool,
    host: String,
    port: u16,
    authority: String,
}

impl Endpoint {
    /// Reads `http://HOST[:PORT]` or `https://HOST[:PORT]`; a trailing `/` is forgiven, a path, a query or a user name is not.
    pub fn parse(text: &str) -> Result<Self, ClientError> {
        let invalid = || ClientError::Endpoint { text: text.chars().filter(|c| !c.is_control()).take(200).collect() };
        let uri: Uri = text.trim().parse().map_err(|_| invalid())?;
        let tls = match uri.scheme() {
            Some(scheme) if *scheme == Scheme::HTTPS => true,
            Some(scheme) if *scheme == Scheme::HTTP => false,
            _ => return Err(invalid()),
        };
        let authority = uri.authority().ok_or_else(invalid)?;
        if !matches!(uri.path(), "" | "/") || uri.query().is_some() || authority.as_str().contains('@') || authority.host().is_empty() {
            return Err(invalid());
        }
        let port = authority.port_u16().unwrap_or(if tls { 443 } else { 80 });
        let host = authority.host().trim_start_matches('[').trim_end_matches(']').to_owned();
        Ok(Self { tls, host, port, authority: authority.to_string() })
    }

    /// Over TLS?
    pub const fn tls(&self) -> bool {
        self.tls
    }

    /// The host without brackets or port.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port.
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// Host and port as a `Host` header carries them.
    pub fn authority(&self) -> &str {
        &self.authority
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", if self.tls { "https" } else { "http" }, self.authority)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_people_write() {
        for (text, tls, host, port, printed) in [
            ("http://127.0.0.1:5000", false, "127.0.0.1", 5000, "http://127.0.0.1:5000"),
            ("https://registry.example.com/", true, "registry.example.com", 443, "https://registry.example.com"),
            ("http://[::1]:5000", false, "::1", 5000, "http://[::1]:5000"),
        ] {
            let endpoint = Endpoint::parse(text).unwrap();
            assert_eq!((endpoint.tls(), endpoint.host(), endpoint.port(), &*endpoint.to_string()), (tls, host, port, printed));
        }
    }

    #[test]
    fn refuses_the_rest() {
        for bad in ["", "127.0.0.1:5000", "ftp://a", "http://", "http://a/b", "http://a?b", "http://u:p@a", "http:// a"] {
            assert!(Endpoint::parse(bad).is_err(), "{bad}");
        }
    }
}
