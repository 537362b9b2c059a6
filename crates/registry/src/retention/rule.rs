//! What a rule says, and how it is kept.

use model::{Glob, GlobError};
use serde::{Deserialize, Serialize};
use store::StoreError;

use crate::RegistryError;

/// The most rules of one namespace.
pub const MAX_RULES: usize = 16;
/// The most newest tags that a rule may keep.
pub const MAX_NEWEST: u32 = 10_000;
/// The longest time that a rule may keep, in days.
pub const MAX_DAYS: u32 = 36_500;

/// A rule: of which tags of which repositories it speaks, and which of those it keeps.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RetentionRule {
    /// Of which repositories, by their names within the namespace.
    pub repositories: Glob,
    /// Of which of their tags.
    pub tags: Glob,
    /// Keeps as many of these as were pushed last, in each repository.
    pub keep_newest: Option<u32>,
    /// Keeps those that match.
    pub keep_tags: Option<Glob>,
    /// Keeps those that were pushed within so many days.
    pub keep_pushed_days: Option<u32>,
    /// Keeps those that were pulled, or pushed, within so many days.
    pub keep_pulled_days: Option<u32>,
    /// Manifests without a tag go when they were neither pushed nor pulled for so many days.
    pub untagged_days: Option<u32>,
}

impl RetentionRule {
    /// Does it say which tags are kept? Else it speaks of none.
    pub(super) const fn speaks_of_tags(&self) -> bool {
        self.keep_newest.is_some() || self.keep_tags.is_some() || self.keep_pushed_days.is_some() || self.keep_pulled_days.is_some()
    }

    fn check(&self) -> Result<(), &'static str> {
        if !self.speaks_of_tags() && self.untagged_days.is_none() {
            return Err("a rule says what it keeps, or when what has no tag goes");
        }
        if self.keep_newest.is_some_and(|n| n == 0 || n > MAX_NEWEST) {
            return Err("a rule keeps 1 to 10000 newest tags");
        }
        let days = [self.keep_pushed_days, self.keep_pulled_days, self.untagged_days];
        if days.into_iter().flatten().any(|days| days == 0 || days > MAX_DAYS) {
            return Err("days are 1 to 36500");
        }
        Ok(())
    }
}

/// A rule as it is kept.
#[derive(Serialize, Deserialize)]
struct Stored {
    repositories: String,
    tags: String,
    keep_newest: Option<u32>,
    keep_tags: Option<String>,
    keep_pushed_days: Option<u32>,
    keep_pulled_days: Option<u32>,
    untagged_days: Option<u32>,
}

/// The text of rules; none for none.
pub(super) fn write(rules: &[RetentionRule]) -> Result<Option<String>, RegistryError> {
    if rules.len() > MAX_RULES {
        return Err(RegistryError::Limit { what: "rules of what a namespace keeps", max: 16 });
    }
    rules.iter().try_for_each(RetentionRule::check).map_err(|reason| RegistryError::RuleInvalid { reason })?;
    let stored: Vec<_> = rules.iter().map(stored).collect();
    let text = serde_json::to_string(&stored).map_err(|error| RegistryError::Broken(Box::new(error)))?;
    Ok((!rules.is_empty()).then_some(text))
}

pub(super) fn read(text: &str) -> Result<Vec<RetentionRule>, RegistryError> {
    let stored: Vec<Stored> = serde_json::from_str(text).map_err(|_| StoreError::corrupt("retention.rules"))?;
    let rules: Result<Vec<_>, GlobError> = stored.iter().map(rule).collect();
    Ok(rules.map_err(|_| StoreError::corrupt("retention.rules"))?)
}

fn stored(rule: &RetentionRule) -> Stored {
    Stored {
        repositories: rule.repositories.as_str().to_owned(),
        tags: rule.tags.as_str().to_owned(),
        keep_newest: rule.keep_newest,
        keep_tags: rule.keep_tags.as_ref().map(|glob| glob.as_str().to_owned()),
        keep_pushed_days: rule.keep_pushed_days,
        keep_pulled_days: rule.keep_pulled_days,
        untagged_days: rule.untagged_days,
    }
}

fn rule(stored: &Stored) -> Result<RetentionRule, GlobError> {
    Ok(RetentionRule {
        repositories: Glob::parse(&stored.repositories)?,
        tags: Glob::parse(&stored.tags)?,
        keep_newest: stored.keep_newest,
        keep_tags: stored.keep_tags.as_deref().map(Glob::parse).transpose()?,
        keep_pushed_days: stored.keep_pushed_days,
        keep_pulled_days: stored.keep_pulled_days,
        untagged_days: stored.untagged_days,
    })
}
