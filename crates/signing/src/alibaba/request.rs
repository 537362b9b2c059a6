//! A request as the schemes read it.

use super::{Problem, Scheme};
use crate::{Headers, Params};

/// A request, borrowed, its parameters decoded. Nothing in it has been checked.
#[derive(Debug, Clone)]
pub struct Request<'a> {
    pub(super) method: &'a str,
    pub(super) path: &'a str,
    pub(super) params: Params<'a>,
    pub(super) headers: Headers<'a>,
    pub(super) body: &'a [u8],
    /// Whether the body is a form, so that its parameters are among `params`.
    form: bool,
}

/// What a request asks for, from the place that its signature covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Call<'r> {
    /// `GetAuthorizationToken`. None for ROA, whose path says it.
    pub action: Option<&'r str>,
    /// `2018-12-01`.
    pub version: &'r str,
}

impl<'a> Request<'a> {
    /// `path` and `query` are raw, as received; the caller has bounded the body. A form body is read if its content type says that it is one.
    pub fn read(method: &'a str, path: &'a str, query: &'a str, headers: Headers<'a>, body: &'a [u8]) -> Result<Self, Problem> {
        let form = is_form(headers.get("content-type")?);
        let text = if form { std::str::from_utf8(body).map_err(|_| Problem::Malformed)? } else { "" };
        let params = Params::read(query, text)?;
        Ok(Self { method, path, params, headers, body, form })
    }

    /// Parameters of query and form together.
    pub fn params(&self) -> &Params<'a> {
        &self.params
    }

    /// The request's headers.
    pub fn headers(&self) -> &Headers<'a> {
        &self.headers
    }

    /// Action and version. Under V3 and ROA the headers say it, which are signed; under V1 the parameters do; for anonymous calls either may. Where
    /// the other place says something too, it has to be the same.
    pub fn call(&self, scheme: Scheme) -> Result<Call<'_>, Problem> {
        let version = self.named("Version", "x-acs-version", scheme)?;
        let action = match scheme {
            Scheme::Roa => None,
            _ => Some(self.named("Action", "x-acs-action", scheme)?),
        };
        Ok(Call { action, version })
    }

    fn named(&self, name: &'static str, header: &str, scheme: Scheme) -> Result<&str, Problem> {
        let (param, header) = (self.params.get(name), self.headers.get(header)?);
        let (said, other) = match scheme {
            Scheme::V3 | Scheme::Roa => (header, param),
            Scheme::V1 => (param, header),
            Scheme::Anonymous => (param.or(header), header),
        };
        let said = said.filter(|said| !said.is_empty()).ok_or(Problem::Missing(name))?;
        if other.is_some_and(|other| other != said) { Err(Problem::Contradiction(name)) } else { Ok(said) }
    }

    /// V1 signs parameters: a body that is none of them must be empty.
    pub(super) fn body_is_parameters(&self) -> Result<(), Problem> {
        if self.form || self.body.is_empty() { Ok(()) } else { Err(Problem::UnsignedBody) }
    }
}

fn is_form(content_type: Option<&str>) -> bool {
    let media_type = content_type.and_then(|value| value.split(';').next());
    media_type.is_some_and(|media_type| media_type.trim().eq_ignore_ascii_case("application/x-www-form-urlencoded"))
}
