//! Patterns with `*` (any run of characters) and `?` (one character). There is no escape: both always are wildcards.

use std::borrow::Cow;
use std::fmt;

/// A compiled pattern, case-sensitive. Matching never recurses and holds nothing.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pattern {
    /// What stands before the first wildcard.
    literal: Box<str>,
    /// From the first wildcard on; empty if there is none.
    rest: Box<str>,
    /// The pairs of characters that the rest asks for, so that most subjects are refused without being walked.
    pairs: u128,
}

/// A text that is held against many patterns.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Subject {
    pub(crate) text: String,
    pairs: u128,
}

impl From<String> for Subject {
    fn from(text: String) -> Self {
        Self { pairs: pairs(&text), text }
    }
}

/// A bit for each pair of neighbouring bytes without wildcards; several pairs share one.
fn pairs(text: &str) -> u128 {
    let bit = |pair: &[u8]| match pair {
        [b'*' | b'?', _] | [_, b'*' | b'?'] => 0,
        [a, b] => 1 << ((u32::from(*a) * 37 + u32::from(*b) * 11) % 128),
        _ => 0,
    };
    text.as_bytes().windows(2).map(bit).fold(0, |all, bit| all | bit)
}

impl Pattern {
    /// Compiles a pattern.
    pub fn new(text: &str) -> Self {
        let first = text.find(['*', '?']).unwrap_or(text.len());
        let (literal, rest) = text.split_at_checked(first).unwrap_or((text, ""));
        Self { literal: literal.into(), pairs: pairs(rest), rest: rest.into() }
    }

    /// As [`Pattern::matches`], faster where it does not.
    pub(crate) fn matches_subject(&self, subject: &Subject) -> bool {
        self.pairs & !subject.pairs == 0 && self.matches(&subject.text)
    }

    /// Does the whole of `subject` match?
    pub fn matches(&self, subject: &str) -> bool {
        subject.strip_prefix(&*self.literal).is_some_and(|tail| match &*self.rest {
            "" => tail.is_empty(),
            "*" => true,
            rest => wildcard::<false>(rest.as_bytes(), tail.as_bytes()),
        })
    }

    /// Does it match every text that `other` matches? A yes is always right; a no can mean that it was not seen.
    pub fn contains(&self, other: &Self) -> bool {
        if self.is_exact() {
            return self == other;
        }
        // Where `other` has a wildcard before this literal ends, it matches texts that begin otherwise.
        let Some(tail) = other.literal.strip_prefix(&*self.literal) else { return false };
        if self.is_prefix() {
            return true;
        }
        let text = format!("{tail}{}", other.rest);
        self.pairs & !pairs(&text) == 0 && wildcard::<true>(ordered(&self.rest).as_bytes(), ordered(&text).as_bytes())
    }

    /// What every match begins with.
    pub fn literal(&self) -> &str {
        &self.literal
    }

    /// Does it match every text?
    pub(crate) fn is_everything(&self) -> bool {
        self.literal.is_empty() && self.is_prefix()
    }

    /// How long it is, in bytes.
    pub(crate) fn len(&self) -> usize {
        self.literal.len() + self.rest.len()
    }

    /// Is it the text before its first wildcard and nothing else?
    pub fn is_exact(&self) -> bool {
        self.rest.is_empty()
    }

    /// Does it match everything that begins with [`Pattern::literal`]?
    pub fn is_prefix(&self) -> bool {
        &*self.rest == "*"
    }

    /// The patterns of what may stand behind `prefix`: `self` matches `prefix + tail` exactly when one of them matches `tail`.
    pub fn behind(&self, prefix: &str) -> Vec<Self> {
        if let Some(literal) = self.literal.strip_prefix(prefix) {
            return vec![Self { literal: literal.into(), ..self.clone() }];
        }
        let Some(prefix) = prefix.strip_prefix(&*self.literal) else { return Vec::new() };
        let mut states = vec![&*self.rest];
        let mut next = Vec::new();
        for c in prefix.chars() {
            for state in states.drain(..) {
                step(state, c, &mut next);
            }
            // All are ends of one text, so equal lengths are equal ends.
            next.sort_unstable_by_key(|state: &&str| state.len());
            next.dedup_by_key(|state| state.len());
            std::mem::swap(&mut states, &mut next);
        }
        // Of two ends that begin with a star the shorter one matches all that the longer one does.
        let mut starred = false;
        states.retain(|state| !state.starts_with('*') || !std::mem::replace(&mut starred, true));
        states.into_iter().map(Self::new).collect()
    }
}

/// Adds what is left of `state` once it has taken `c`.
fn step<'p>(state: &'p str, c: char, next: &mut Vec<&'p str>) {
    let mut state = state;
    while let Some(behind) = state.strip_prefix('*') {
        next.push(state);
        state = behind;
    }
    let mut chars = state.chars();
    if chars.next().is_some_and(|want| want == '?' || want == c) {
        next.push(chars.as_str());
    }
}

/// The same pattern with every run of wildcards as its question marks and then one star, so that equal runs look alike.
fn ordered(pattern: &str) -> Cow<'_, str> {
    if !pattern.contains("*?") && !pattern.contains("**") {
        return pattern.into();
    }
    let mut text = String::with_capacity(pattern.len());
    let mut star = false;
    for c in pattern.chars() {
        match c {
            '*' => star = true,
            '?' => text.push('?'),
            other => {
                text.extend(star.then_some('*'));
                star = false;
                text.push(other);
            }
        }
    }
    text.extend(star.then_some('*'));
    text.into()
}

/// Backtracks to the last star only: at most pattern times subject steps, both bounded where they are read.
///
/// Works on bytes, which is several times as fast as on characters: a star only ends where a character does.
///
/// With `SYMBOLS` the subject is a pattern itself: a star takes its wildcards as well, `?` takes `?` but not a star.
fn wildcard<const SYMBOLS: bool>(pattern: &[u8], subject: &[u8]) -> bool {
    let (mut pattern, mut subject) = (pattern, subject);
    // The pattern behind the last star, and where in the subject that star ends.
    let mut star: Option<(&[u8], &[u8])> = None;
    loop {
        match (pattern, subject) {
            ([b'*'], _) | ([], []) => return true,
            ([b'*', behind @ ..], _) => {
                star = Some((behind, subject));
                pattern = behind;
            }
            ([b'?', wants @ ..], [got, ..]) if !SYMBOLS || *got != b'*' => (pattern, subject) = (wants, behind_character(subject)),
            ([want, wants @ ..], [got, gots @ ..]) if want == got => (pattern, subject) = (wants, gots),
            // A longer star would leave even less.
            ([_, ..], []) => return false,
            (_, [_, ..]) => {
                let Some((behind, from)) = star else { return false };
                let Some(longer) = next_start(behind, behind_character(from)) else { return false };
                star = Some((behind, longer));
                (pattern, subject) = (behind, longer);
            }
        }
    }
}

/// The next place where `pattern` can begin to match.
fn next_start<'s>(pattern: &[u8], subject: &'s [u8]) -> Option<&'s [u8]> {
    match pattern {
        [b'*' | b'?', ..] | [] => Some(subject),
        [first, ..] => subject.iter().position(|b| b == first).and_then(|at| subject.get(at..)),
    }
}

fn behind_character(text: &[u8]) -> &[u8] {
    let continuation = |b: &&u8| **b & 0xC0 == 0x80;
    let length = 1 + text.iter().skip(1).take_while(continuation).count();
    text.get(length..).unwrap_or_default()
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.literal, self.rest)
    }
}

impl fmt::Debug for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_and_question_marks() {
        for (pattern, subject, want) in [
            ("", "", true),
            ("", "a", false),
            ("*", "", true),
            ("**", "", true),
            ("a*", "a", true),
            ("a*", "A", false),
            ("*a", "bab", false),
            ("*a", "baa", true),
            ("a*b*c", "aXbYbZc", true),
            ("a*b*c", "aXbYbZ", false),
            ("?", "", false),
            ("?", "é", true),
            ("??", "é", false),
            ("*??", "é", false),
            ("a*??", "a€", false),
            ("*?b", "aéb", true),
            ("*", "*", true),
            ("repository/*/prod/*", "repository/cri-1/prod/app", true),
            ("repository/*/prod/*", "repository/cri-1/prod", false),
        ] {
            assert_eq!(Pattern::new(pattern).matches(subject), want, "{pattern} on {subject}");
        }
    }

    #[test]
    fn quay_10573_a_hostile_pattern_takes_bounded_time() {
        let pattern = Pattern::new(&format!("{}b", "*a".repeat(250)));
        assert!(!pattern.matches(&"a".repeat(400)));
    }

    #[test]
    fn one_pattern_contains_another() {
        for (wide, narrow, want) in [
            ("*", "a?c*", true),
            ("a*", "ab*", true),
            ("ab*", "a*", false),
            ("?*", "*?", true),
            ("*?", "??*", true),
            ("??*", "*?", false),
            ("?", "*", false),
            ("a?c", "a?c", true),
            ("a?c", "a*c", false),
            ("a*c", "a?c", true),
            ("*b*", "a*b", true),
            ("a", "a", true),
            ("a", "?", false),
            ("repository/*/demo/*", "repository/local/demo/a*", true),
            ("repository/local/demo/*", "repository/*/demo/a", false),
            ("é?", "éé", true),
            ("?", "é", true),
        ] {
            assert_eq!(Pattern::new(wide).contains(&Pattern::new(narrow)), want, "{wide} of {narrow}");
        }
    }

    #[test]
    fn what_is_left_behind_a_prefix() {
        let behind = |pattern: &str, prefix: &str| Pattern::new(pattern).behind(prefix).iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(behind("repository/x/*", "repository/x/"), ["*"]);
        assert_eq!(behind("repository/x/a?", "repository/x/"), ["a?"]);
        assert_eq!(behind("repository/y/*", "repository/x/"), [""; 0]);
        assert_eq!(behind("*", "repository/x/"), ["*"]);
        assert_eq!(behind("repository/*/a", "repository/x/"), ["a", "*/a"]);
        assert_eq!(behind("*x*", "xx"), ["*"]);
    }
}
