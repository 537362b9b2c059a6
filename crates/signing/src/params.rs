//! Parameters of a query and a form body, decoded once.

use std::borrow::Cow;

/// Where a parameter stood.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// In the query.
    Query,
    /// In a form body.
    Form,
}

/// One decoded parameter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Param<'a> {
    /// Never empty.
    pub name: Cow<'a, str>,
    /// May be empty.
    pub value: Cow<'a, str>,
    /// Where it stood.
    pub place: Place,
}

/// The parameters of one request, sorted by name in byte order, each name once in query and form together.
#[derive(Debug, Clone, Default)]
pub struct Params<'a>(Vec<Param<'a>>);

/// Parameters that cannot be read in one way only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ParamsProblem {
    /// One name twice.
    #[error("a parameter is there more than once")]
    Repeated,
    /// A broken percent escape, text that is not UTF-8, or a value without a name.
    #[error("the parameters are not well formed")]
    Malformed,
    /// More than [`Params::MAX`].
    #[error("there are more than {} parameters", Params::MAX)]
    TooMany,
}

impl<'a> Params<'a> {
    /// The most parameters of one request.
    pub const MAX: usize = 1000;

    /// Reads a raw query (without `?`) and a form body. `+` is a space, as form encoding has it; a name without `=` has an empty value.
    pub fn read(query: &'a str, form: &'a str) -> Result<Self, ParamsProblem> {
        let mut all = Vec::new();
        for (text, place) in [(query, Place::Query), (form, Place::Form)] {
            for pair in text.split('&').filter(|pair| !pair.is_empty()) {
                if all.len() == Self::MAX {
                    return Err(ParamsProblem::TooMany);
                }
                all.push(read_pair(pair, place)?);
            }
        }
        Self::sorted(all)
    }

    /// Decoded pairs, for whoever is about to send them in a query.
    pub fn of(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<Self, ParamsProblem> {
        let pairs = pairs.into_iter();
        Self::sorted(pairs.map(|(name, value)| Param { name: name.into(), value: value.into(), place: Place::Query }).collect())
    }

    fn sorted(mut all: Vec<Param<'a>>) -> Result<Self, ParamsProblem> {
        all.sort_unstable_by(|one, other| one.name.cmp(&other.name));
        let twice = all.windows(2).any(|pair| matches!(pair, [one, other] if one.name == other.name));
        if twice { Err(ParamsProblem::Repeated) } else { Ok(Self(all)) }
    }

    /// The value under this name, which is compared as it is.
    pub fn get(&self, name: &str) -> Option<&str> {
        let found = self.0.binary_search_by(|param| param.name.as_ref().cmp(name)).ok()?;
        self.0.get(found).map(|param| param.value.as_ref())
    }

    /// All of them, sorted by name.
    pub fn iter(&self) -> impl Iterator<Item = &Param<'a>> {
        self.0.iter()
    }
}

fn read_pair(pair: &str, place: Place) -> Result<Param<'_>, ParamsProblem> {
    let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
    let (name, value) = (decode(name)?, decode(value)?);
    if name.is_empty() { Err(ParamsProblem::Malformed) } else { Ok(Param { name, value, place }) }
}

fn decode(text: &str) -> Result<Cow<'_, str>, ParamsProblem> {
    if !text.bytes().any(|byte| matches!(byte, b'%' | b'+')) {
        return Ok(Cow::Borrowed(text));
    }
    if !escapes_are_whole(text) {
        return Err(ParamsProblem::Malformed);
    }
    let spaced = text.replace('+', " ");
    let decoded = percent_encoding::percent_decode_str(&spaced).decode_utf8().map_err(|_| ParamsProblem::Malformed)?;
    Ok(Cow::Owned(decoded.into_owned()))
}

/// Whether each `%` has two hexadecimal digits behind it. A lenient reader elsewhere would see another value.
fn escapes_are_whole(text: &str) -> bool {
    text.split('%').skip(1).all(|after| matches!(after.as_bytes(), [high, low, ..] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit()))
}
