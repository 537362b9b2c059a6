//! Patterns with `*` (any run of characters) and `?` (one character). There is no escape: both always are wildcards.

use std::fmt;

/// A compiled pattern, case-sensitive. Matching never recurses and holds nothing.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pattern {
    /// What stands before the first wildcard.
    literal: Box<str>,
    /// From the first wildcard on; empty if there is none.
    rest: Box<str>,
}

impl Pattern {
    /// Compiles a pattern.
    pub fn new(text: &str) -> Self {
        let first = text.find(['*', '?']).unwrap_or(text.len());
        let (literal, rest) = text.split_at_checked(first).unwrap_or((text, ""));
        Self { literal: literal.into(), rest: rest.into() }
    }

    /// Does the whole of `subject` match?
    pub fn matches(&self, subject: &str) -> bool {
        subject.strip_prefix(&*self.literal).is_some_and(|tail| match &*self.rest {
            "" => tail.is_empty(),
            "*" => true,
            rest => wildcard(rest, tail),
        })
    }

    /// What every match begins with.
    pub fn literal(&self) -> &str {
        &self.literal
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
        let whole = self.to_string();
        let mut states = vec![whole.as_str()];
        for c in prefix.chars() {
            let mut next = Vec::new();
            for state in states {
                step(state, c, &mut next);
            }
            // All are ends of one text, so equal lengths are equal ends.
            next.sort_unstable_by_key(|state: &&str| state.len());
            next.dedup_by_key(|state| state.len());
            states = next;
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

/// Backtracks to the last star only: at most pattern times subject steps, both bounded where they are read.
fn wildcard(pattern: &str, subject: &str) -> bool {
    let (mut pattern, mut subject) = (pattern, subject);
    // The pattern behind the last star, and where in the subject that star ends.
    let mut star: Option<(&str, &str)> = None;
    loop {
        let (mut wants, mut gots) = (pattern.chars(), subject.chars());
        match (wants.next(), gots.next()) {
            (Some('*'), _) => {
                pattern = wants.as_str();
                if pattern.is_empty() {
                    return true;
                }
                star = Some((pattern, subject));
            }
            (Some(want), Some(got)) if want == '?' || want == got => (pattern, subject) = (wants.as_str(), gots.as_str()),
            (None, None) => return true,
            // A longer star would leave even less.
            (Some(_), None) => return false,
            (_, Some(_)) => {
                let Some((behind, from)) = star else { return false };
                let mut longer = from.chars();
                longer.next();
                star = Some((behind, longer.as_str()));
                (pattern, subject) = (behind, longer.as_str());
            }
        }
    }
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
    fn a_hostile_pattern_takes_bounded_time() {
        let pattern = Pattern::new(&format!("{}b", "*a".repeat(250)));
        assert!(!pattern.matches(&"a".repeat(400)));
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
