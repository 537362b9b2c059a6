//! Pages of lists, and the `Link` header that leads to the next one (RFC 8288).

use http::header::LINK;
use http::{HeaderValue, StatusCode};
use kit::{Answer, json};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;

use crate::call::Call;
use crate::errors::Problem;

const DEFAULT: u32 = 100;
const MAX: u32 = 1000;

/// What a list was asked for: so many, behind this one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Asked {
    pub(crate) limit: usize,
    pub(crate) after: String,
}

impl Asked {
    /// Reads `limit` and `after`.
    pub(crate) fn read(limit: Option<u32>, after: Option<&str>) -> Result<Self, Problem> {
        let limit = limit.unwrap_or(DEFAULT);
        if !(1..=MAX).contains(&limit) {
            return Err(Problem::invalid("limit", "1 to 1000"));
        }
        let after = after.unwrap_or_default();
        if after.len() > 512 || after.chars().any(char::is_control) {
            return Err(Problem::invalid("after", "what the Link header of the page before said"));
        }
        Ok(Self { limit: usize::try_from(limit).unwrap_or_default(), after: after.to_owned() })
    }

    /// For a use case that is asked for one more, to know whether there are more.
    pub(crate) fn one_more(&self) -> i64 {
        i64::try_from(self.limit).unwrap_or_default() + 1
    }
}

/// One page: the items, and the last one's name when there are more behind it.
pub(crate) struct Page<T> {
    pub(crate) items: Vec<T>,
    pub(crate) next: Option<String>,
}

impl<T> Page<T> {
    /// Of what was read with one more asked for.
    pub(crate) fn of(mut items: Vec<T>, asked: &Asked, name: impl Fn(&T) -> String) -> Self {
        let more = items.len() > asked.limit;
        items.truncate(asked.limit);
        let next = if more { items.last().map(name) } else { None };
        Self { items, next }
    }

    /// The answer; `path` is the list's own below `/api/v1`, `query` the one it was asked with.
    pub(crate) fn answer(self, path: &str, query: &str) -> Answer
    where
        T: Serialize,
    {
        let mut answer = json(StatusCode::OK, &self.items);
        if let Some(next) = self.next
            && let Ok(link) = HeaderValue::from_str(&format!("<{}{path}?{}>; rel=\"next\"", api::BASE, behind(query, &next)))
        {
            answer.headers_mut().insert(LINK, link);
        }
        answer
    }
}

impl Call {
    /// What a list by name is asked for.
    pub(crate) fn asked(&self) -> Result<Asked, Problem> {
        let page: api::Page = self.query()?;
        Asked::read(page.limit, page.after.as_deref())
    }

    /// A page of what was read with one more asked for, each item as `shape` has it.
    pub(crate) fn page<T, S: Serialize>(
        &self,
        found: Vec<T>,
        asked: &Asked,
        name: impl Fn(&T) -> String,
        shape: impl Fn(T) -> S,
    ) -> Answer {
        let Page { items, next } = Page::of(found, asked, name);
        Page { items: items.into_iter().map(shape).collect(), next }.answer(self.own_path(), self.raw_query())
    }
}

/// The same query, but behind `next`.
fn behind(query: &str, next: &str) -> String {
    let kept = query.split('&').filter(|pair| !pair.is_empty() && !pair.starts_with("after="));
    let after = format!("after={}", utf8_percent_encode(next, NON_ALPHANUMERIC));
    kept.map(str::to_owned).chain([after]).collect::<Vec<_>>().join("&")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_leads_to_the_next_one_while_there_is_more() {
        let asked = Asked::read(Some(2), None).unwrap();
        let page = Page::of(vec!["a", "b", "c"], &asked, |s| (*s).to_owned());
        let answer = page.answer("/users", "limit=2&after=x");
        assert_eq!(answer.headers()[LINK], "</api/v1/users?limit=2&after=b>; rel=\"next\"");
        let page = Page::of(vec!["a", "b"], &asked, |s| (*s).to_owned());
        assert!(!page.answer("/users", "limit=2").headers().contains_key(LINK));
    }

    #[test]
    fn limits_are_bounded_and_cursors_clean() {
        assert!(Asked::read(Some(0), None).is_err());
        assert!(Asked::read(Some(1001), None).is_err());
        assert!(Asked::read(None, Some("a\0")).is_err());
        assert_eq!(Asked::read(None, None).unwrap().limit, 100);
    }
}
