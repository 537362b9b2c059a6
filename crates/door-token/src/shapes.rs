//! Parameters as they come, answers as they go.

use model::{Scopes, Timestamp};
use percent_encoding::percent_decode_str;
use secrets::Plain;
use serde::Serialize;

use crate::errors::TokenDoorError;

/// Parameters of one request.
const MAX_PARAMETERS: usize = 96;

/// Parameters by name, in order.
#[derive(Default)]
pub(crate) struct Parameters(Vec<(String, String)>);

impl Parameters {
    /// Reads `application/x-www-form-urlencoded` text: a query or a body.
    pub(crate) fn parse(text: &str) -> Result<Self, TokenDoorError> {
        let pairs: Vec<&str> = text.split('&').filter(|pair| !pair.is_empty()).collect();
        if pairs.len() > MAX_PARAMETERS {
            return Err(TokenDoorError::Bad("too many parameters"));
        }
        pairs.into_iter().map(read_pair).collect::<Result<_, _>>().map(Self)
    }

    /// The one value of a parameter that may come once.
    pub(crate) fn one(&self, name: &'static str) -> Result<Option<&str>, TokenDoorError> {
        let mut all = self.all(name);
        let first = all.next();
        if all.next().is_some() {
            return Err(TokenDoorError::Repeated(name));
        }
        Ok(first.filter(|value| !value.is_empty()))
    }

    /// Takes a secret out.
    pub(crate) fn secret(&self, name: &'static str) -> Result<Option<Plain>, TokenDoorError> {
        let value = self.one(name)?.map(|text| Plain::new(text.to_owned()));
        value.transpose().map_err(|_| TokenDoorError::Bad("a secret is longer than any of ours"))
    }

    /// The scopes of all `scope` parameters, each of which may hold several.
    pub(crate) fn scopes(&self) -> Result<Scopes, TokenDoorError> {
        Scopes::parse(self.all("scope")).map_err(|error| TokenDoorError::Scope(error.to_string()))
    }

    fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(n, _)| n == name).map(|(_, value)| &**value)
    }
}

fn read_pair(pair: &str) -> Result<(String, String), TokenDoorError> {
    let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
    Ok((decode(name)?, decode(value)?))
}

fn decode(text: &str) -> Result<String, TokenDoorError> {
    let spaced = text.replace('+', " ");
    let decoded = percent_decode_str(&spaced).decode_utf8().map_err(|_| TokenDoorError::Bad("parameters are not UTF-8"))?;
    Ok(decoded.into_owned())
}

/// The answer of `GET /token`.
#[derive(Serialize)]
pub(crate) struct Granted<'a> {
    pub(crate) token: &'a str,
    pub(crate) access_token: &'a str,
    pub(crate) expires_in: i64,
    pub(crate) issued_at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) refresh_token: Option<&'a str>,
}

/// The answer of `POST /token`.
#[derive(Serialize)]
pub(crate) struct GrantedOauth<'a> {
    pub(crate) access_token: &'a str,
    pub(crate) token_type: &'static str,
    pub(crate) scope: String,
    pub(crate) expires_in: i64,
    pub(crate) issued_at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) refresh_token: Option<&'a str>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_may_be_repeated_or_separated_by_spaces() {
        let read =
            Parameters::parse("service=a%3A5000&scope=repository:demo/app:pull+repository:x:pull&scope=repository%3Ademo%2Fapp%3Apush")
                .unwrap();
        assert_eq!(read.one("service").unwrap(), Some("a:5000"));
        let scopes: Vec<_> = read.scopes().unwrap().iter().map(ToString::to_string).collect();
        assert_eq!(scopes, ["repository:demo/app:pull,push", "repository:x:pull"]);
    }

    #[test]
    fn what_may_come_once_is_refused_twice() {
        let read = Parameters::parse("service=a&service=b").unwrap();
        assert!(matches!(read.one("service"), Err(TokenDoorError::Repeated("service"))));
        assert!(Parameters::parse(&"a=b&".repeat(97)).is_err());
        assert!(Parameters::parse("a=%ff").is_err());
    }
}
