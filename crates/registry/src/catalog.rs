//! Lists: tags of a repository, repositories of an instance.

use access::{Filter, NameRange, Permit};
use model::{Lock, OnInstance, RepositoryName, Tag, act};

use crate::protection::readable;
use crate::visible::{Visible, Walk};
use crate::{Registry, RegistryError};

/// The most names in one page.
const PAGE: usize = 1000;

/// Part of a list.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Page<T> {
    /// The items, in the order of their names' bytes.
    pub items: Vec<T>,
    /// There are more behind the last one.
    pub more: bool,
}

impl<T> Page<T> {
    /// Of what was read with one more than `n` asked for.
    pub(crate) fn of(mut items: Vec<T>, n: usize) -> Self {
        let more = items.len() > n;
        items.truncate(n);
        Self { items, more }
    }

    fn empty() -> Self {
        Self { items: Vec::new(), more: false }
    }
}

/// How many names, of those that were asked for: bounded, because a stranger says it.
pub(crate) fn page_size(n: Option<usize>) -> usize {
    n.unwrap_or(PAGE).min(PAGE)
}

/// For SQL: one more than goes into the page, to know whether there are more.
pub(crate) fn one_more(n: usize) -> i64 {
    i64::try_from(n).map_or(i64::MAX, |n| n.saturating_add(1))
}

impl Registry {
    /// A repository's tags behind `last`, at most `n` (and never more than a thousand), without those that are locked against
    /// listing.
    pub async fn tags(
        &self,
        permit: Permit<act::PullRepository>,
        n: Option<usize>,
        last: Option<&str>,
    ) -> Result<Page<Tag>, RegistryError> {
        let on = permit.on();
        let n = page_size(n);
        let last = printable(last);
        self.store
            .read(|tx| {
                Box::pin(async move {
                    let repository = readable(tx, on).await?.ok_or(RegistryError::NameUnknown)?;
                    if n == 0 {
                        return Ok(Page::empty());
                    }
                    Ok(Page::of(store::tag::names(tx, repository, last, one_more(n)).await?, n))
                })
            })
            .await
    }

    /// The repositories of `instance` that `filter` shows, behind `last` (what the page before said), at most `n` (and never more than
    /// a thousand), without those that are locked against listing. Rows outside of the filter's ranges are never touched; within
    /// them a page looks at [`LOOKED_AT`](crate::LOOKED_AT) names at most, and may have fewer than `n` of them, or none, and lead on.
    pub async fn catalog(
        &self,
        filter: &Filter,
        instance: &OnInstance,
        n: Option<usize>,
        last: Option<&str>,
    ) -> Result<Visible<RepositoryName>, RegistryError> {
        let (n, last) = (page_size(n), self.behind_what(last));
        if n == 0 {
            return Ok(Visible { items: Vec::new(), next: None });
        }
        let walk =
            Walk { filter, instance: instance.id, hidden: [Lock::List].into_iter().collect(), most: self.drawn(), cursors: &self.cursors };
        self.store.scan(|tx| Box::pin(walk.page(tx, &last, n, |_| true))).await
    }
}

/// A name to go on behind, from a stranger: one that no database takes is behind nothing.
pub(crate) fn printable(last: Option<&str>) -> &str {
    last.filter(|text| text.len() <= RepositoryName::MAX && !text.contains('\0')).unwrap_or_default()
}

/// The bounds of a range of names for SQL, of which what is not behind `after` is left out; none: nothing is left. Names have no
/// character below `-`, so that the bounds mean what they say; PostgreSQL takes no NUL. One lower bound: of two, SQLite seeks by one alone.
pub(crate) fn bounds(range: &NameRange, after: &str) -> Option<(String, Option<String>)> {
    let text = |bound: &str| bound.replace('\0', "\u{1}");
    let (from, to) = (text(&range.from).max(behind(after)), range.to.as_deref().map(text));
    to.as_ref().is_none_or(|to| *to > from).then_some((from, to))
}

/// The first text behind a name.
pub(crate) fn behind(name: &str) -> String {
    if name.is_empty() { String::new() } else { format!("{name}\u{1}") }
}
