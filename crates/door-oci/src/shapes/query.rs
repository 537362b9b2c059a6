//! Query parameters: values are decoded once; what may stand once, stands once.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

use crate::errors::{Code, Failure};

/// A request's raw query.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Query<'q>(&'q str);

/// Which part of a list is asked for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct PageAsked<'q> {
    /// At most so many.
    pub(crate) n: Option<usize>,
    /// Behind this one.
    pub(crate) last: Option<Cow<'q, str>>,
}

impl<'q> Query<'q> {
    pub(crate) const fn new(raw: &'q str) -> Self {
        Self(raw)
    }

    /// All values of a parameter. A plus is a plus: media types have them, and nothing here has a space.
    pub(crate) fn all(self, key: &'static str) -> impl Iterator<Item = Result<Cow<'q, str>, Failure>> {
        let pairs = self.0.split('&').map(|pair| pair.split_once('=').unwrap_or((pair, "")));
        pairs.filter(move |(k, _)| *k == key).map(move |(_, value)| {
            percent_decode_str(value).decode_utf8().map_err(|_| Failure::bad_request(format!("the parameter {key} is not UTF-8")))
        })
    }

    /// The one value of a parameter.
    pub(crate) fn one(self, key: &'static str) -> Result<Option<Cow<'q, str>>, Failure> {
        let mut all = self.all(key);
        let value = all.next().transpose()?;
        match all.next() {
            None => Ok(value),
            Some(_) => Err(Failure::bad_request(format!("the parameter {key} is given more than once"))),
        }
    }

    /// The part of a list. A number larger than any list asks for all that one page holds.
    pub(crate) fn page(self) -> Result<PageAsked<'q>, Failure> {
        let n = match self.one("n")? {
            None => None,
            Some(digits) if !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()) => Some(digits.parse().unwrap_or(usize::MAX)),
            Some(_) => return Err(Failure::new(Code::PageNumberInvalid, "the parameter n is a number, 0 or more")),
        };
        Ok(PageAsked { n, last: self.one("last")? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_decoded_once() {
        let query = Query::new("digest=sha256%3Aab&from=a%252fb&artifactType=a/b+json&empty=&bare&x=%ff");
        assert_eq!(query.one("digest").unwrap().unwrap(), "sha256:ab");
        assert_eq!(query.one("from").unwrap().unwrap(), "a%2fb");
        assert_eq!(query.one("artifactType").unwrap().unwrap(), "a/b+json");
        assert_eq!(query.one("empty").unwrap().unwrap(), "");
        assert_eq!(query.one("bare").unwrap().unwrap(), "");
        assert_eq!(query.one("none").unwrap(), None);
        assert!(query.one("x").is_err());
    }

    #[test]
    fn what_may_stand_once_stands_once() {
        assert!(Query::new("n=1&n=1").page().is_err());
        assert!(Query::new("digest=a&digest=b").one("digest").is_err());
        assert_eq!(Query::new("tag=a&tag=b").all("tag").map(Result::unwrap).collect::<Vec<_>>(), ["a", "b"]);
    }

    #[test]
    fn pages_are_bounded_by_the_use_case_and_never_wrap() {
        let n = |text: &str| Query::new(text).page().map(|p| p.n);
        assert_eq!(n("").unwrap(), None);
        assert_eq!(n("n=0").unwrap(), Some(0));
        assert_eq!(n("n=2147483648").unwrap(), Some(2_147_483_648));
        assert_eq!(n("n=99999999999999999999999").unwrap(), Some(usize::MAX));
        for bad in ["n=", "n=-1", "n=+1", "n=1.5", "n=x", "n=%31x", "n"] {
            assert!(n(bad).is_err(), "{bad}");
        }
    }
}
