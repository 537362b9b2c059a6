//! What a rule says, and how it is kept.

use model::{Glob, GlobError, NamespaceId, RetentionRuleId, Timestamp};
use serde::{Deserialize, Serialize};
use store::StoreError;

use super::schedule::Schedule;
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
    /// When it takes away what it does not keep.
    pub schedule: Schedule,
}

impl Default for RetentionRule {
    /// Of everything, and nothing is said of it.
    fn default() -> Self {
        Self {
            repositories: Glob::everything(),
            tags: Glob::everything(),
            keep_newest: None,
            keep_tags: None,
            keep_pushed_days: None,
            keep_pulled_days: None,
            untagged_days: None,
            schedule: Schedule::Hourly,
        }
    }
}

impl RetentionRule {
    /// Does it say which tags are kept? Else it speaks of none.
    pub const fn speaks_of_tags(&self) -> bool {
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

/// A rule of a namespace.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct KeptRule {
    /// Its id.
    pub id: RetentionRuleId,
    /// What it says.
    pub rule: RetentionRule,
    /// Said first when.
    pub created: Timestamp,
    /// Said last when.
    pub changed: Timestamp,
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
    #[serde(default)]
    schedule: Schedule,
    /// None of these: it was kept before they were.
    number: Option<u32>,
    created_ms: Option<i64>,
    changed_ms: Option<i64>,
}

/// The text of rules; none for none.
pub(super) fn write(rules: &[KeptRule]) -> Result<Option<String>, RegistryError> {
    if rules.len() > MAX_RULES {
        return Err(RegistryError::Limit { what: "rules of what a namespace keeps", max: 16 });
    }
    rules.iter().try_for_each(|kept| kept.rule.check()).map_err(|reason| RegistryError::RuleInvalid { reason })?;
    let stored: Vec<_> = rules.iter().map(stored).collect();
    let text = serde_json::to_string(&stored).map_err(|error| RegistryError::Broken(Box::new(error)))?;
    Ok((!rules.is_empty()).then_some(text))
}

/// A namespace's rules, from their text and when that was written.
pub(super) fn read(namespace: NamespaceId, (text, changed): (&str, Timestamp)) -> Result<Vec<KeptRule>, StoreError> {
    let stored: Vec<Stored> = serde_json::from_str(text).map_err(|_| StoreError::corrupt("retention.rules"))?;
    let kept = |(one, place): (&Stored, u32)| {
        let id = RetentionRuleId { namespace, number: one.number.unwrap_or(place) };
        let moment = |ms: Option<i64>| ms.map_or(changed, Timestamp::from_millis);
        Ok(KeptRule { id, rule: rule(one)?, created: moment(one.created_ms), changed: moment(one.changed_ms) })
    };
    let rules: Result<Vec<_>, GlobError> = stored.iter().zip(1..).map(kept).collect();
    rules.map_err(|_| StoreError::corrupt("retention.rules"))
}

fn stored(KeptRule { id, rule, created, changed }: &KeptRule) -> Stored {
    Stored {
        repositories: rule.repositories.as_str().to_owned(),
        tags: rule.tags.as_str().to_owned(),
        keep_newest: rule.keep_newest,
        keep_tags: rule.keep_tags.as_ref().map(|glob| glob.as_str().to_owned()),
        keep_pushed_days: rule.keep_pushed_days,
        keep_pulled_days: rule.keep_pulled_days,
        untagged_days: rule.untagged_days,
        schedule: rule.schedule,
        number: Some(id.number),
        created_ms: Some(created.millis()),
        changed_ms: Some(changed.millis()),
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
        schedule: stored.schedule,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_that_were_kept_before_they_had_numbers_have_their_places() {
        let old = r#"[{"repositories":"**","tags":"**","keep_newest":3,"keep_tags":null,"keep_pushed_days":null,"keep_pulled_days":null,
            "untagged_days":null},{"repositories":"a","tags":"**","keep_newest":null,"keep_tags":null,"keep_pushed_days":null,
            "keep_pulled_days":null,"untagged_days":7}]"#;
        let (namespace, changed) = (NamespaceId::from_i64(7), Timestamp::from_millis(9));
        let kept = read(namespace, (old, changed)).unwrap();
        assert_eq!(kept.iter().map(|one| (one.id.number, one.created)).collect::<Vec<_>>(), [(1, changed), (2, changed)]);
        assert_eq!(kept[0].rule, RetentionRule { keep_newest: Some(3), ..RetentionRule::default() });
        let text = write(&kept).unwrap().unwrap();
        assert_eq!(read(namespace, (&text, Timestamp::from_millis(99))).unwrap(), kept, "what is written is what was read");
    }
}
