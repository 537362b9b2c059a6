//! The `Authorization` header, read strictly: one header, bounded, one reading of its bytes.

use std::fmt;

use base64::Engine as _;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use http::HeaderMap;
use http::header::AUTHORIZATION;
use zeroize::Zeroizing;

use crate::limits::MAX_AUTHORIZATION_BYTES;

/// Clients differ in whether they pad; nothing else is forgiven.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent).with_decode_allow_trailing_bits(false),
);

/// What a request presents. `Debug` shows the scheme alone.
#[derive(Clone, PartialEq, Eq)]
pub enum Authorization {
    /// No header: anonymous.
    None,
    /// RFC 7617, split at the first colon.
    Basic {
        /// The user name, possibly empty.
        username: String,
        /// The password, possibly empty.
        password: Zeroizing<String>,
    },
    /// RFC 6750.
    Bearer(Zeroizing<String>),
}

/// The header cannot be read: one answer for all reasons, and nothing of it repeated.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("the Authorization header is malformed")]
pub struct MalformedAuthorization;

impl fmt::Debug for Authorization {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::None => "None",
            Self::Basic { .. } => "Basic(…)",
            Self::Bearer(_) => "Bearer(…)",
        })
    }
}

/// Reads a request's `Authorization` header. Schemes that sign requests belong to the clouds' doors and are malformed here.
pub fn authorization(headers: &HeaderMap) -> Result<Authorization, MalformedAuthorization> {
    let mut all = headers.get_all(AUTHORIZATION).iter();
    let Some(value) = all.next() else { return Ok(Authorization::None) };
    if all.next().is_some() || value.len() > MAX_AUTHORIZATION_BYTES {
        return Err(MalformedAuthorization);
    }
    let text = value.to_str().map_err(|_| MalformedAuthorization)?;
    let (scheme, rest) = text.split_once(' ').ok_or(MalformedAuthorization)?;
    let credentials = rest.trim_matches(' ');
    if scheme.eq_ignore_ascii_case("basic") {
        basic(credentials)
    } else if scheme.eq_ignore_ascii_case("bearer") {
        bearer(credentials)
    } else {
        Err(MalformedAuthorization)
    }
}

fn basic(credentials: &str) -> Result<Authorization, MalformedAuthorization> {
    let bytes = Zeroizing::new(BASE64.decode(credentials).map_err(|_| MalformedAuthorization)?);
    let text = std::str::from_utf8(&bytes).map_err(|_| MalformedAuthorization)?;
    if text.chars().any(char::is_control) {
        return Err(MalformedAuthorization);
    }
    let (username, password) = text.split_once(':').ok_or(MalformedAuthorization)?;
    Ok(Authorization::Basic { username: username.to_owned(), password: Zeroizing::new(password.to_owned()) })
}

/// Which bytes a `b64token` is made of. A table, since every pull brings hundreds of them.
#[expect(clippy::indexing_slicing, reason = "the compiler computes it, and fails where an index is out of bounds")]
const B64TOKEN: [bool; 128] = {
    let mut table = [false; 128];
    let (good, mut at) = (b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~+/", 0);
    while at < good.len() {
        table[good[at] as usize] = true;
        at += 1;
    }
    table
};

/// RFC 6750's `b64token`.
fn bearer(token: &str) -> Result<Authorization, MalformedAuthorization> {
    let body = token.trim_end_matches('=');
    let is_good = |b: u8| B64TOKEN.get(usize::from(b)).is_some_and(|good| *good);
    if body.is_empty() || !body.bytes().all(is_good) {
        return Err(MalformedAuthorization);
    }
    Ok(Authorization::Bearer(Zeroizing::new(token.to_owned())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(values: &[&str]) -> Result<Authorization, MalformedAuthorization> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(AUTHORIZATION, value.parse().unwrap());
        }
        authorization(&headers)
    }

    fn user(name: &str, password: &str) -> Authorization {
        Authorization::Basic { username: name.to_owned(), password: Zeroizing::new(password.to_owned()) }
    }

    #[test]
    fn reads_what_clients_send() {
        assert_eq!(read(&[]), Ok(Authorization::None));
        assert_eq!(read(&["Basic YTpiOmM="]), Ok(user("a", "b:c")));
        assert_eq!(read(&["basic  YTpiOmM"]), Ok(user("a", "b:c")));
        assert_eq!(read(&["Basic Og=="]), Ok(user("", "")));
        assert_eq!(read(&["Basic w6k6w6k="]), Ok(user("é", "é")));
        assert_eq!(read(&["BEARER a.b-c_d~+/=="]), Ok(Authorization::Bearer(Zeroizing::new("a.b-c_d~+/==".to_owned()))));
    }

    #[test]
    fn refuses_everything_else() {
        let long = format!("Bearer {}", "a".repeat(MAX_AUTHORIZATION_BYTES));
        // In order: empty, no credentials, no colon, trailing bits, URL alphabet, inner space, not UTF-8, a line feed, …
        for bad in [
            "",
            "Basic",
            "Basic ",
            "Basic YWI=",
            "Basic YTpiOmN=",
            "Basic YTr_",
            "Basic YTpi OmM=",
            "Basic YTr/",
            "Basic YTpiCg==",
            "Bearer",
            "Bearer ",
            "Bearer a b",
            "Bearer a=b",
            "Bearer \"a\"",
            "Digest x",
            "YTpiOmM=",
            &long,
        ] {
            assert_eq!(read(&[bad]), Err(MalformedAuthorization), "{bad}");
        }
        assert_eq!(read(&["Basic YTpi", "Basic YTpi"]), Err(MalformedAuthorization));
    }

    #[test]
    fn debug_shows_no_secret() {
        assert_eq!(format!("{:?}", read(&["Basic YTpzZWNyZXQ="])), "Ok(Basic(…))");
        assert_eq!(format!("{:?}", read(&["Bearer secret"])), "Ok(Bearer(…))");
    }
}
