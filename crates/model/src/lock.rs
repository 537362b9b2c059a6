//! What a repository, a tag or a manifest may be locked against, and which tags of a repository stay as they are.

use std::fmt;
use std::str::FromStr;

use crate::{Glob, NameError, Tag};

/// What is locked. Unlocked, all of it may happen to whoever has the right.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Lock {
    /// Pulling.
    Read,
    /// Pushing and pointing tags elsewhere, deleting included.
    Write,
    /// Being in the registry's own lists: the catalog, tag lists, referrers.
    List,
    /// Deleting.
    Delete,
}

impl Lock {
    /// All four.
    pub const ALL: [Self; 4] = [Self::Read, Self::Write, Self::List, Self::Delete];

    /// `read`, `write`, `list`, `delete`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::List => "list",
            Self::Delete => "delete",
        }
    }

    const fn bit(self) -> u8 {
        match self {
            Self::Write => 1,
            Self::Delete => 2,
            Self::List => 4,
            Self::Read => 8,
        }
    }
}

impl fmt::Display for Lock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Lock {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        let rule = "read, write, list or delete";
        Self::ALL.into_iter().find(|lock| lock.as_str() == text).ok_or(NameError { what: "lock", rule })
    }
}

/// The locks of something.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default, Debug)]
pub struct Locks(u8);

impl Locks {
    /// From its stored form; bits that mean nothing are passed over.
    pub fn from_i64(bits: i64) -> Self {
        Self(Lock::ALL.iter().map(|lock| lock.bit()).filter(|bit| bits & i64::from(*bit) != 0).sum())
    }

    /// Its stored form: 1 write, 2 delete, 4 list, 8 read.
    pub const fn as_i64(self) -> i64 {
        self.0 as i64
    }

    /// Is it locked against this?
    pub const fn has(self, lock: Lock) -> bool {
        self.0 & lock.bit() != 0
    }

    /// Has it any of these?
    pub const fn meets(self, others: Self) -> bool {
        self.0 & others.0 != 0
    }

    /// Which ones it has.
    pub fn iter(self) -> impl Iterator<Item = Lock> {
        Lock::ALL.into_iter().filter(move |lock| self.has(*lock))
    }

    /// With these besides, then without those.
    #[must_use]
    pub const fn changed(self, locked: Self, unlocked: Self) -> Self {
        Self((self.0 | locked.0) & !unlocked.0)
    }
}

impl FromIterator<Lock> for Locks {
    fn from_iter<I: IntoIterator<Item = Lock>>(locks: I) -> Self {
        Self(locks.into_iter().fold(0, |bits, lock| bits | lock.bit()))
    }
}

/// Tags that are immutable: once there, they point where they point, and are not deleted.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ImmutableTags {
    /// Which tags.
    pub tags: Glob,
    /// Save these.
    pub except: Option<Glob>,
}

impl ImmutableTags {
    /// Every tag.
    pub fn all() -> Self {
        Self { tags: Glob::everything(), except: None }
    }

    /// Is this tag one of them?
    pub fn covers(&self, tag: &Tag) -> bool {
        self.tags.matches(tag.as_str()) && !self.except.as_ref().is_some_and(|except| except.matches(tag.as_str()))
    }

    /// Is every tag one of them?
    pub fn is_everything(&self) -> bool {
        self.tags.is_everything() && self.except.is_none()
    }
}

impl fmt::Display for ImmutableTags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.except {
            Some(except) => write!(f, "{} except {except}", self.tags),
            None => self.tags.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn locks_are_kept_as_they_are_set() {
        for bits in 0..16 {
            let locks = Locks::from_i64(bits);
            assert_eq!((locks.as_i64(), locks.iter().collect::<Locks>()), (bits, locks));
        }
        let both: Locks = [Lock::Write, Lock::Delete].into_iter().collect();
        assert_eq!((both.as_i64(), Locks::from_i64(16 + 3)), (3, both));
        assert_eq!(both.changed(Locks::from_i64(8), Locks::from_i64(1)).iter().map(Lock::as_str).collect::<Vec<_>>(), ["read", "delete"]);
        assert!("Write".parse::<Lock>().is_err());
        assert_eq!("list".parse(), Ok(Lock::List));
    }

    #[test]
    fn exceptions_of_immutable_tags() {
        let covers = |tags: &str, except: Option<&str>, tag: &str| {
            let parse = |text| Glob::parse(text).unwrap();
            ImmutableTags { tags: parse(tags), except: except.map(parse) }.covers(&Tag::parse(tag).unwrap())
        };
        assert!(covers("**", Some("{latest,dev-*}"), "v1"));
        assert!(!covers("**", Some("{latest,dev-*}"), "latest"));
        assert!(!covers("v*", None, "latest"));
        assert!(ImmutableTags::all().is_everything());
    }
}
