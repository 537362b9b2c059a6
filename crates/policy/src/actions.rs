//! Which actions a statement speaks of. Actions are a closed list, so patterns become a set of bits when they are read.

use std::fmt;

use model::Action;

use crate::Pattern;

/// A set of actions: two words of bits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct ActionSet(u128, u128);

const _: () = assert!(Action::ALL.len() <= 256, "an action is one bit of two u128");

impl ActionSet {
    /// Exactly this one.
    pub const fn of(action: Action) -> Self {
        let bit = action as u32;
        if bit < u128::BITS { Self(1 << bit, 0) } else { Self(0, 1 << (bit - u128::BITS)) }
    }

    /// Is it in the set?
    pub const fn contains(self, action: Action) -> bool {
        !self.intersection(Self::of(action)).is_empty()
    }

    /// What is in either.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0, self.1 | other.1)
    }

    /// What is in both.
    #[must_use]
    pub const fn intersection(self, other: Self) -> Self {
        Self(self.0 & other.0, self.1 & other.1)
    }

    /// What is in this one alone.
    #[must_use]
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0, self.1 & !other.1)
    }

    /// Is nothing in it?
    pub const fn is_empty(self) -> bool {
        self.0 == 0 && self.1 == 0
    }

    /// All known actions that are not in the set.
    #[must_use]
    pub fn complement(self) -> Self {
        Action::ALL.iter().copied().filter(|a| !self.contains(*a)).collect()
    }

    /// Those in the set, in the order of the table.
    pub fn iter(self) -> impl Iterator<Item = Action> {
        Action::ALL.iter().copied().filter(move |a| self.contains(*a))
    }
}

impl FromIterator<Action> for ActionSet {
    fn from_iter<I: IntoIterator<Item = Action>>(actions: I) -> Self {
        actions.into_iter().fold(Self::default(), |set, action| set.union(Self::of(action)))
    }
}

impl fmt::Debug for ActionSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

/// A pattern of actions as the document spells it, `cr:Get*`, with the known actions that it stands for. Case does not matter.
///
/// An action that nobody here knows (another service's) is no error: it stands for nothing. One that has several spellings is
/// meant by a pattern that matches any of them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ActionPattern {
    text: Box<str>,
    set: ActionSet,
}

impl ActionPattern {
    /// The longest pattern.
    pub const MAX: usize = 128;

    /// Reads `*` or `SERVICE:NAME` with wildcards; the error says what is wanted.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let word = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"*?-_.".contains(&b));
        let fits = text == "*" || text.split_once(':').is_some_and(|(service, name)| word(service) && word(name));
        if !fits || text.len() > Self::MAX {
            return Err("an action is * or SERVICE:NAME, as cr:PullRepository or cr:Get*, of at most 128 letters, digits, - _ . * and ?");
        }
        let pattern = Pattern::new(&text.to_ascii_lowercase());
        let known = Action::ALL.iter().copied().filter(|a| a.spellings().any(|s| pattern.matches(&s.to_ascii_lowercase())));
        Ok(Self { text: text.into(), set: known.collect() })
    }

    /// As written.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

/// The actions of a statement as it names them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Matching {
    /// What matches one of them.
    Action(Vec<ActionPattern>),
    /// What matches none of them.
    NotAction(Vec<ActionPattern>),
}

impl Matching {
    /// The known actions that it stands for.
    pub fn actions(&self) -> ActionSet {
        let union = |patterns: &[ActionPattern]| patterns.iter().fold(ActionSet::default(), |set, p| set.union(p.set));
        match self {
            Self::Action(patterns) => union(patterns),
            Self::NotAction(patterns) => union(patterns).complement(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_stand_for_actions_whatever_their_case() {
        let actions = |text: &str| ActionPattern::parse(text).unwrap().set;
        assert_eq!(actions("CR:pullrepository"), ActionSet::of(Action::PullRepository));
        assert_eq!(actions("cr:Pu??Repository"), [Action::PullRepository, Action::PushRepository].into_iter().collect());
        assert_eq!(actions("*"), ActionSet::default().complement());
        assert_eq!(actions("*:*"), actions("*"));
        assert_eq!(actions("ecs:*"), ActionSet::default());
        assert!(actions("cr:*").iter().all(|a| a.as_str().starts_with("cr:")));
    }

    #[test]
    fn refuses_what_is_no_action() {
        for bad in ["", "cr", "cr:", ":Get", "cr:Get:x", "cr:Get Repository", "cr*", &format!("cr:{}", "a".repeat(126))] {
            assert!(ActionPattern::parse(bad).is_err(), "{bad}");
        }
    }
}
