//! Headers as a signature sees them: each at most once.

/// A request's headers, borrowed. Names are looked up without regard to case.
#[derive(Debug, Clone, Default)]
pub struct Headers<'a>(Vec<(&'a str, &'a [u8])>);

/// A header that a signature cannot be read from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum HeaderProblem {
    /// It is there more than once, and which one counts would be a guess.
    #[error("a header that the signature needs is there more than once")]
    Repeated,
    /// Its value is not text.
    #[error("a header that the signature needs is not text")]
    NotText,
}

impl<'a> Headers<'a> {
    /// Names and values as received. Over HTTP/2 the caller puts `:authority` in as `host`.
    pub fn new(all: impl IntoIterator<Item = (&'a str, &'a [u8])>) -> Self {
        Self(all.into_iter().collect())
    }

    /// The one value under this name, without the spaces around it.
    pub fn get(&self, name: &str) -> Result<Option<&'a str>, HeaderProblem> {
        let mut found = self.0.iter().filter(|(known, _)| known.eq_ignore_ascii_case(name));
        let Some((_, value)) = found.next() else { return Ok(None) };
        if found.next().is_some() {
            return Err(HeaderProblem::Repeated);
        }
        std::str::from_utf8(value).map(|text| Some(text.trim_matches([' ', '\t']))).map_err(|_| HeaderProblem::NotText)
    }

    /// The lower-case names that begin so, in byte order.
    pub fn names_beginning(&self, prefix: &str) -> Vec<String> {
        let mut names: Vec<String> =
            self.0.iter().map(|(name, _)| name.to_ascii_lowercase()).filter(|name| name.starts_with(prefix)).collect();
        names.sort();
        names.dedup();
        names
    }
}
