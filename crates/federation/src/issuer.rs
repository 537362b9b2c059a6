//! The address that is an issuer's name.

use std::fmt;
use std::sync::Arc;

use fetch::Url;

/// Why a text cannot be an issuer.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{0}")]
pub struct IssuerError(&'static str);

/// An issuer's name: an address that is compared byte for byte with the token's `iss` (OpenID Connect Core 1.0 section 2).
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct IssuerUrl(Arc<str>);

impl IssuerUrl {
    /// The longest name, in characters.
    pub const MAX: usize = 255;

    /// Reads a name: https, no query, no fragment, no user name. Plain http is for internal issuers alone.
    pub fn parse(text: &str, internal: bool) -> Result<Self, IssuerError> {
        if text.len() > Self::MAX || text.contains('?') || !text.is_ascii() {
            return Err(IssuerError("an address of at most 255 ASCII characters without `?` and `#`"));
        }
        let url = Url::parse(text).map_err(|_| IssuerError("an address as https://HOST[:PORT][/PATH], exactly as in the token's `iss`"))?;
        if url.is_https() || internal {
            Ok(Self(text.into()))
        } else {
            Err(IssuerError("https; http only where internal addresses are allowed"))
        }
    }

    /// Its host.
    pub fn host(&self) -> String {
        Url::parse(&self.0).map(|url| url.host().to_owned()).unwrap_or_default()
    }

    /// As it stands in tokens.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Where the issuer's configuration is (OpenID Connect Discovery 1.0 section 4).
    pub(crate) fn configuration(&self) -> String {
        format!("{}/.well-known/openid-configuration", self.0.trim_end_matches('/'))
    }
}

impl fmt::Display for IssuerUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for IssuerUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn issuers_are_addresses() {
        for good in ["https://token.actions.githubusercontent.com", "https://gitlab.example:8443/a/", "https://sts.windows.net/x/"] {
            assert_eq!(IssuerUrl::parse(good, false).unwrap().as_str(), good);
        }
        assert!(IssuerUrl::parse("http://10.0.0.1:8080", true).is_ok());
        let long = format!("https://a/{}", "x".repeat(255));
        for bad in ["", "accounts.google.com", "http://a", " https://a", "https://a?b", "https://a#b", "https://u@a", "https://é/", &long]
        {
            assert!(IssuerUrl::parse(bad, false).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_configuration_stands_below_the_issuer() {
        for (issuer, at) in
            [("https://a", "https://a/.well-known/openid-configuration"), ("https://a/b/", "https://a/b/.well-known/openid-configuration")]
        {
            assert_eq!(IssuerUrl::parse(issuer, false).unwrap().configuration(), at);
        }
    }
}
