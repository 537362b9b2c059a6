//! Repositories that somebody may see, by name, in pages that look at a bounded number of names.
//!
//! Rights are patterns. Where one begins with a wildcard, names that are shown lie anywhere among those that are not, and a page that
//! looked on until it is full would look at all of them. It stops instead, and says where the next one goes on: behind a name that was
//! shown, or past a repository that need not be one to see, by its id, which tells nothing (`docs/decisions/catalog.md`).

use std::fmt;

use access::Filter;
use model::{InstanceId, Locks, RepositoryId, RepositoryName};
use store::{StoreError, Tx, repository};

use crate::catalog::{behind, bounds, one_more, printable};

/// Names that one page looks at.
pub const LOOKED_AT: usize = 2000;
/// Names that are read together.
const STEP: usize = 1000;

/// Part of a list of what somebody may see.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Visible<T> {
    /// The items, in the order of their names' bytes. There may be none, and more behind them.
    pub items: Vec<T>,
    /// What the next page is asked for by. None: there are no more.
    pub next: Option<String>,
}

/// Where a list goes on.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Position {
    /// Behind this name, which was shown or is none.
    shown: String,
    /// And past this repository, while it is there.
    passed: Option<RepositoryId>,
}

/// No name has it.
const MARK: char = '~';

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)?;
        self.passed.map_or(Ok(()), |id| write!(f, "{MARK}{id}"))
    }
}

impl Position {
    /// From a stranger: what is none is the beginning.
    pub(crate) fn read(last: Option<&str>) -> Self {
        let text = last.unwrap_or_default();
        let (shown, passed) = text.split_once(MARK).map_or((text, None), |(shown, id)| (shown, id.parse().ok()));
        Self { shown: printable(Some(shown)).to_owned(), passed }
    }

    /// Is it what a page says? That is a name, or one and an id.
    pub fn is_one(text: &str) -> bool {
        let (shown, passed) = text.split_once(MARK).map_or((text, None), |(shown, id)| (shown, Some(id)));
        let none_yet = shown.is_empty() && passed.is_some();
        (none_yet || RepositoryName::parse(shown).is_ok()) && passed.is_none_or(|id| id.parse::<RepositoryId>().is_ok())
    }

    /// The name that it is behind. If a repository has gone meanwhile, what was passed on the way to it is looked at again.
    async fn name(&self, tx: &mut Tx<'_>, instance: InstanceId) -> Result<String, StoreError> {
        let passed = match self.passed {
            Some(id) => repository::by_id(tx, instance, id).await?.map(|passed| passed.name.to_string()),
            None => None,
        };
        Ok(passed.unwrap_or_default().max(self.shown.clone()))
    }
}

/// A way through an instance's names.
#[derive(Clone, Copy)]
pub(crate) struct Walk<'a> {
    /// Who sees what.
    pub(crate) filter: &'a Filter,
    /// Whose names.
    pub(crate) instance: InstanceId,
    /// Repositories with any of these locks are passed over.
    pub(crate) hidden: Locks,
    /// Names that are looked at.
    pub(crate) most: usize,
}

impl Walk<'_> {
    /// A page of up to `n` names that are shown, and that `wanted` wants.
    pub(crate) async fn page(
        &self,
        tx: &mut Tx<'_>,
        last: &Position,
        n: usize,
        wanted: impl Fn(&RepositoryName) -> bool + Send + Sync,
    ) -> Result<Visible<RepositoryName>, StoreError> {
        let after = last.name(tx, self.instance).await?;
        let mut items: Vec<RepositoryName> = Vec::new();
        let mut take = |name: Option<&RepositoryName>| {
            items.extend(name.filter(|name| wanted(name)).cloned());
            items.len() <= n
        };
        let cut = self.through(tx, &after, n.saturating_add(1), &mut take).await?;
        let more = items.len() > n;
        items.truncate(n);
        let shown = items.last().map_or(&*last.shown, RepositoryName::as_str);
        let next = match cut {
            Some(name) => Some(self.past(tx, shown, &name).await?),
            None => Some(shown.to_owned()).filter(|_| more),
        };
        Ok(Visible { items, next })
    }

    /// Where to go on past a name that need not be one to see.
    async fn past(&self, tx: &mut Tx<'_>, shown: &str, name: &RepositoryName) -> Result<String, StoreError> {
        let passed = if name.as_str() == shown { None } else { repository::id_by_name(tx, self.instance, name).await? };
        Ok(Position { shown: shown.to_owned(), passed }.to_string())
    }

    /// Goes through the names behind `after` that lie where the filter shows any, in order, until `each` has enough; the `first` of
    /// them are read together. `each` gets none for a name that is not shown. The last name, if there may be more behind it
    /// because so many have been looked at.
    pub(crate) async fn through(
        &self,
        tx: &mut Tx<'_>,
        after: &str,
        first: usize,
        each: &mut (dyn FnMut(Option<&RepositoryName>) -> bool + Send),
    ) -> Result<Option<RepositoryName>, StoreError> {
        let (mut left, mut size) = (self.most, first);
        for range in self.filter.ranges() {
            let Some((mut from, to)) = bounds(&range, after) else { continue };
            loop {
                let limit = size.min(left);
                let step = repository::names_in_range(tx, self.instance, (&from, to.as_deref()), one_more(limit - 1)).await?;
                let shown = |(name, locks): &(RepositoryName, Locks)| !locks.meets(self.hidden) && self.filter.shows(name);
                if !step.iter().all(|found| each(Some(&found.0).filter(|_| shown(found)))) {
                    return Ok(None);
                }
                left -= step.len();
                let Some((last, _)) = step.last().filter(|_| step.len() == limit) else { break };
                if left == 0 {
                    return Ok(Some(last.clone()));
                }
                (from, size) = (behind(last.as_str()), STEP);
            }
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_are_read_as_they_are_written() {
        let id = RepositoryId::from_random(7);
        for text in ["demo/app".to_owned(), format!("demo/app~{id}"), format!("~{id}")] {
            assert!(Position::is_one(&text), "{text}");
            assert_eq!(Position::read(Some(&text)).to_string(), text);
        }
        for (text, read) in [("demo/app~", "demo/app"), ("demo/app~x", "demo/app"), ("~", ""), ("a\0~x", ""), ("", "")] {
            assert!(!Position::is_one(text), "{text}");
            assert_eq!(Position::read(Some(text)).to_string(), read, "{text}");
        }
        assert_eq!(Position::read(None), Position::default());
    }
}
