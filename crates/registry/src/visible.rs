//! Repositories that somebody may see, by name, in pages that look at a bounded number of names.
//!
//! Rights are patterns. Where one begins with a wildcard, names that are shown lie anywhere among those that are not, and a page that
//! looked on until it is full would look at all of them. It stops instead, and says where the next one goes on: behind a name that was
//! shown, or past one that need not be one to see, which is sealed then. How many names a page looks at is drawn anew each time, so
//! that where it stops tells next to nothing of what it has looked at (`docs/decisions/catalog.md`).

use std::fmt;

use access::Filter;
use model::{InstanceId, Locks, RepositoryName};
use store::{StoreError, Tx, repository};

use crate::catalog::{behind, bounds, one_more, printable};
use crate::{Registry, RegistryError};

/// Names that one page looks at, at most; at least half of them.
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

type Reword = Box<dyn Fn(&str) -> Option<String> + Send + Sync>;

/// Makes where a list goes on unreadable for those who are told it, and reads it again.
pub struct Cursors {
    seal: Reword,
    open: Reword,
}

impl fmt::Debug for Cursors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cursors").finish_non_exhaustive()
    }
}

impl Cursors {
    /// `seal` words a name so that nobody can read it nor tell it again, in letters that a URL takes as they are; `open` reads what
    /// was sealed, and nothing else.
    pub fn new(
        seal: impl Fn(&str) -> Option<String> + Send + Sync + 'static,
        open: impl Fn(&str) -> Option<String> + Send + Sync + 'static,
    ) -> Self {
        Self { seal: Box::new(seal), open: Box::new(open) }
    }
}

/// A position could not be sealed.
#[derive(Debug, thiserror::Error)]
#[error("where a list goes on could not be sealed")]
struct NotSealed;

/// What a sealed position begins with. No name has it.
const MARK: char = '~';

impl Registry {
    /// The name that a list goes on behind. From a stranger: what is none is the beginning.
    pub(crate) fn behind_what(&self, last: Option<&str>) -> String {
        let opened = |sealed| (self.cursors.open)(sealed).unwrap_or_default();
        last.and_then(|text| text.strip_prefix(MARK)).map_or_else(|| printable(last).to_owned(), opened)
    }

    /// Is it what a page of a list of visible repositories says? That is a name, or a sealed one.
    pub fn is_list_position(&self, text: &str) -> bool {
        match text.strip_prefix(MARK) {
            Some(sealed) => (self.cursors.open)(sealed).is_some(),
            None => RepositoryName::parse(text).is_ok(),
        }
    }

    /// How many names a page looks at.
    pub(crate) fn drawn(&self) -> usize {
        let half = LOOKED_AT / 2;
        half + usize::try_from((self.random)() % half as u64).unwrap_or_default()
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
    pub(crate) cursors: &'a Cursors,
}

impl Walk<'_> {
    /// A page of up to `n` names behind `after` that are shown, and that `wanted` wants.
    pub(crate) async fn page(
        &self,
        tx: &mut Tx<'_>,
        after: &str,
        n: usize,
        wanted: impl Fn(&RepositoryName) -> bool + Send + Sync,
    ) -> Result<Visible<RepositoryName>, RegistryError> {
        let mut items: Vec<RepositoryName> = Vec::new();
        let mut take = |name: Option<&RepositoryName>| {
            items.extend(name.filter(|name| wanted(name)).cloned());
            items.len() <= n
        };
        let cut = self.through(tx, after, n.saturating_add(1), &mut take).await?;
        let more = items.len() > n;
        items.truncate(n);
        let next = match cut {
            Some(passed) => {
                let sealed = (self.cursors.seal)(passed.as_str()).ok_or_else(|| RegistryError::Broken(Box::new(NotSealed)))?;
                Some(format!("{MARK}{sealed}"))
            }
            None => items.last().filter(|_| more).map(ToString::to_string),
        };
        Ok(Visible { items, next })
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
