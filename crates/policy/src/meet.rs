//! Can two patterns speak of one resource? A no is always right; a yes can mean that it was not seen.
//!
//! Patterns meet when a text matches both. Resources have several spellings (an instance's id and its name; what is listed),
//! so two patterns can speak of one resource without any text that matches both: that is looked for as well.

use std::cell::Cell;

use model::{Action, ResourceKind};

use crate::{ActionSet, Pattern, ResourcePattern};

/// What one comparison of documents may cost, in steps of a few nanoseconds. When it is spent, every answer is the careful one.
#[derive(Debug)]
pub(crate) struct Budget(Cell<u32>);

impl Budget {
    /// Enough for a document of 100 statements against 30 of 100, and never more than some tenths of a second.
    pub(crate) const fn full() -> Self {
        Self(Cell::new(8_000_000))
    }

    /// Takes `steps`; false: there are not that many left.
    pub(crate) fn spend(&self, steps: usize) -> bool {
        let left = u32::try_from(steps).ok().and_then(|steps| self.0.get().checked_sub(steps));
        self.0.set(left.unwrap_or(0));
        left.is_some()
    }

    /// Was it too little?
    pub(crate) const fn is_spent(&self) -> bool {
        self.0.get() == 0
    }
}

/// The longest name of an instance.
const LONGEST_NAME: usize = 50;
/// Hexadecimal digits of an instance's id.
const ID_DIGITS: usize = 16;

impl Pattern {
    /// Is there a text that both match? `budget` spent: yes.
    pub(crate) fn meets(&self, other: &Self, budget: &Budget) -> bool {
        let literal_agrees = self.literal().bytes().zip(other.literal().bytes()).all(|(one, other)| one == other);
        match (self.is_exact(), other.is_exact()) {
            _ if !literal_agrees => !budget.spend(1),
            (true, _) => other.matches(self.literal()),
            (_, true) => self.matches(other.literal()),
            _ => walk([(&*self.to_string(), &*other.to_string())], ends_here, budget),
        }
    }
}

impl ResourcePattern {
    /// Can both speak of one resource of one account, for one of these actions?
    pub(crate) fn may_meet(&self, other: &Self, actions: ActionSet, budget: &Budget) -> bool {
        let (Self::Parts { service, region, .. }, Self::Parts { service: services, region: regions, .. }) = (self, other) else {
            return true;
        };
        if !service.meets(services, budget) {
            return false;
        }
        let (located, elsewhere): (Vec<_>, Vec<_>) = actions.iter().partition(|action| is_located(*action));
        let (one, two) = (self.relative(), other.relative());
        // What is in no region is restricted by none.
        let unlocated = !elsewhere.is_empty() && one.meets(&two, budget);
        let region_agrees = is_free(region) || is_free(regions) || region.meets(regions, budget);
        unlocated || (!located.is_empty() && region_agrees && located_may_meet(&one, &two, &located, budget))
    }
}

/// Does an empty part stand here, which restricts nothing?
pub(crate) fn is_free(part: &Pattern) -> bool {
    part.is_exact() && part.literal().is_empty()
}

/// Is it done to something in an instance, which has a region, and an id beside its name?
fn is_located(action: Action) -> bool {
    matches!(action.resource_kind(), ResourceKind::Instance | ResourceKind::Namespace | ResourceKind::Repository)
}

fn located_may_meet(one: &Pattern, two: &Pattern, actions: &[Action], budget: &Budget) -> bool {
    if one.meets(two, budget) {
        return true;
    }
    let (one, two) = (&*one.to_string(), &*two.to_string());
    let of = |kind| actions.iter().any(|action| action.resource_kind() == kind);
    let lists_repositories = actions.contains(&Action::ListRepository);
    let lists_namespaces = actions.contains(&Action::ListNamespace);
    (of(ResourceKind::Instance) && instances_meet(one, two, lists_namespaces))
        || (lists_repositories && (walk([(one, two)], ends_or_lists, budget) || aliases_meet(one, two, ends_or_lists, budget)))
        || ((of(ResourceKind::Namespace) || of(ResourceKind::Repository)) && aliases_meet(one, two, ends_here, budget))
}

/// Can one pattern mean by an instance's id what the other means by its name?
fn aliases_meet(one: &str, two: &str, ends: fn(&str) -> bool, budget: &Budget) -> bool {
    if !can_begin(one, "repository/cri-") && !can_begin(two, "repository/cri-") {
        return false;
    }
    if !budget.spend(one.len() + two.len()) {
        return true;
    }
    let behind = |states: Vec<_>| after(states, |c| c == '/');
    let by_id = |pattern| behind(behind_id(after_text(vec![pattern], "repository/")));
    let by_name = |pattern| behind(behind_name(after_text(vec![pattern], "repository/")));
    let pairs = |left: Vec<_>, right: Vec<_>| left.iter().flat_map(|l| right.iter().map(move |r| (*l, *r))).collect::<Vec<_>>();
    let one_by_id = by_id(one);
    let two_by_id = by_id(two);
    (!one_by_id.is_empty() && walk(pairs(one_by_id, by_name(two)), ends, budget))
        || (!two_by_id.is_empty() && walk(pairs(by_name(one), two_by_id), ends, budget))
}

/// Can both mean one instance? To list its namespaces it is also spelled `repository/INSTANCE/*`.
fn instances_meet(one: &str, two: &str, lists: bool) -> bool {
    let named = |pattern, by_id: bool| {
        let instance = |begin, end| {
            let states = after_text(vec![pattern], begin);
            let states = if by_id { behind_id(states) } else { behind_name(states) };
            states.iter().any(|state| Pattern::new(state).matches(end))
        };
        instance("instance/", "") || (lists && instance("repository/", "/*"))
    };
    // One name is compared where the patterns are; here it is enough that one can be the other's id or is spelled otherwise.
    (named(one, true) && named(two, false)) || (named(one, false) && named(two, true)) || (lists && named(one, false) && named(two, false))
}

/// Can a text that matches begin so? A quick yes.
fn can_begin(pattern: &str, begin: &str) -> bool {
    pattern.bytes().zip(begin.bytes()).take_while(|(p, _)| !matches!(p, b'*' | b'?')).all(|(p, b)| p == b)
}

/// Is nothing wanted any more?
fn ends_here(state: &str) -> bool {
    state.bytes().all(|b| b == b'*')
}

/// The same, or nothing but what a namespace's list is spelled with.
fn ends_or_lists(state: &str) -> bool {
    ends_here(state) || Pattern::new(state).matches("/*")
}

/// Is there a text that takes both patterns of one of the pairs to an end? All pairs are ends of the same two texts.
fn walk<'p>(pairs: impl IntoIterator<Item = (&'p str, &'p str)>, ends: fn(&str) -> bool, budget: &Budget) -> bool {
    let mut todo: Vec<(&str, &str)> = pairs.into_iter().collect();
    let longest = |len: fn(&(&str, &str)) -> usize| todo.iter().map(len).max().unwrap_or_default() + 1;
    let mut seen = Seen::new(longest(|pair| pair.0.len()), longest(|pair| pair.1.len()));
    while let Some((one, two)) = todo.pop() {
        if !budget.spend(8) || (ends(one) && ends(two)) {
            return true;
        }
        for (one, two) in next(one, two).into_iter().flatten() {
            if seen.insert(one.len(), two.len()) {
                todo.push((one, two));
            }
        }
    }
    false
}

/// Which pairs of ends a walk has been at, by their lengths: equal lengths are equal ends.
struct Seen {
    bits: Vec<u64>,
    width: usize,
}

impl Seen {
    fn new(height: usize, width: usize) -> Self {
        Self { bits: vec![0; height * width / 64 + 1], width }
    }

    /// False: it has been there.
    fn insert(&mut self, one: usize, two: usize) -> bool {
        let index = one * self.width + two;
        let (word, bit) = (self.bits.get_mut(index / 64), 1 << (index % 64));
        word.is_some_and(|word| {
            let is_new = *word & bit == 0;
            *word |= bit;
            is_new
        })
    }
}

/// Where two patterns can be one step on: a star left behind, or a character taken by both.
fn next<'p>(one: &'p str, two: &'p str) -> [Option<(&'p str, &'p str)>; 3] {
    let both = match (one.chars().next(), two.chars().next()) {
        (Some(a), Some(b)) if a == b || is_wild(a) || is_wild(b) => Some((taken(one), taken(two))),
        _ => None,
    };
    [one.strip_prefix('*').map(|one| (one, two)), two.strip_prefix('*').map(|two| (one, two)), both]
}

const fn is_wild(c: char) -> bool {
    matches!(c, '*' | '?')
}

/// What is left once a character was taken: a star stays.
fn taken(state: &str) -> &str {
    let mut chars = state.chars();
    if chars.next() == Some('*') { state } else { chars.as_str() }
}

/// What is left of the states once one of the characters of a class was taken.
fn after(states: Vec<&str>, class: impl Fn(char) -> bool) -> Vec<&str> {
    let mut left = Vec::new();
    for mut state in states {
        while let Some(behind) = state.strip_prefix('*') {
            left.push(state);
            state = behind;
        }
        let mut chars = state.chars();
        if chars.next().is_some_and(|want| want == '?' || class(want)) {
            left.push(chars.as_str());
        }
    }
    left.sort_unstable_by_key(|state| state.len());
    left.dedup_by_key(|state| state.len());
    left
}

fn after_text<'p>(states: Vec<&'p str>, text: &str) -> Vec<&'p str> {
    text.chars().fold(states, |states, c| after(states, |want| want == c))
}

/// Behind an instance's id.
fn behind_id(states: Vec<&str>) -> Vec<&str> {
    (0..ID_DIGITS).fold(after_text(states, "cri-"), |states, _| after(states, |c| c.is_ascii_hexdigit()))
}

/// Behind an instance's name, which never begins like an id.
fn behind_name(states: Vec<&str>) -> Vec<&str> {
    let mut states: Vec<_> = states.into_iter().filter(|state| !state.starts_with("cri-")).collect();
    let mut all = Vec::new();
    for _ in 0..LONGEST_NAME {
        states = after(states, |c| c != '/');
        all.extend(states.iter().copied());
    }
    all.sort_unstable_by_key(|state| state.len());
    all.dedup_by_key(|state| state.len());
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_meet_where_a_text_matches_both() {
        for (one, two, want) in [
            ("a*", "*b", true),
            ("a*", "b*", false),
            ("a?c", "ab?", true),
            ("a?c", "ab?d", false),
            ("*", "x", true),
            ("*a", "*b", false),
            ("a*b*c", "a?c", true),
            ("a*b*c", "adc", false),
            ("a*b*c", "ab?*c", true),
            ("é*", "?x", true),
        ] {
            assert_eq!(Pattern::new(one).meets(&Pattern::new(two), &Budget::full()), want, "{one} and {two}");
        }
    }

    #[test]
    fn an_id_and_a_name_can_mean_one_instance() {
        let meet = |one: &str, two: &str, action| {
            let pattern = |tail: &str| ResourcePattern::parse(&format!("acs:cr:*:*:{tail}")).unwrap();
            let meet = |one, two| pattern(one).may_meet(&pattern(two), ActionSet::of(action), &Budget::full());
            assert_eq!(meet(one, two), meet(two, one), "{one} and {two}");
            meet(one, two)
        };
        let id = "repository/cri-0000000000000abc";
        assert!(meet(&format!("{id}/demo/*"), "repository/local/demo/app", Action::PullRepository));
        assert!(!meet(&format!("{id}/demo/*"), "repository/local/prod/*", Action::PullRepository));
        assert!(!meet("repository/other/demo/*", "repository/local/demo/*", Action::PullRepository));
        assert!(!meet(&format!("{id}/demo/*"), "repository/cri-0000000000000abd/demo/*", Action::PullRepository));
        assert!(meet("repository/*/demo", "repository/cri-0000*/demo/*", Action::ListRepository));
        assert!(!meet("repository/local/demo", "repository/local/demo/*", Action::GetNamespace));
        assert!(meet("repository/local/demo", "repository/local/demo/*", Action::ListRepository));
        assert!(!meet("repository/local/prod", "repository/local/demo/*", Action::ListRepository));
        assert!(meet("instance/local", "instance/cri-0000000000000abc", Action::GetInstance));
        assert!(!meet("instance/local", "instance/other", Action::GetInstance));
        assert!(meet("instance/local", "repository/local/*", Action::ListNamespace));
        assert!(!meet("instance/local", "repository/local/*", Action::GetInstance));
    }

    #[test]
    fn a_spent_budget_says_yes() {
        let budget = Budget::full();
        let hostile = |end: &str| Pattern::new(&format!("{}{end}", "*a?".repeat(160)));
        for _ in 0..100 {
            hostile("b").meets(&hostile("c"), &budget);
        }
        assert!(budget.is_spent());
        assert!(Pattern::new("*a").meets(&Pattern::new("*b"), &budget));
    }
}
