//! Ranges of repository names in byte order, so that a lister can seek to what may be shown.

/// Names from `from` on (itself included), up to `to` (not included; none: to the end).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct NameRange {
    /// The lower bound, included.
    pub from: String,
    /// The upper bound, not included; none: no bound.
    pub to: Option<String>,
}

impl NameRange {
    /// All names.
    pub const fn all() -> Self {
        Self { from: String::new(), to: None }
    }

    /// This name alone.
    pub fn exactly(name: &str) -> Self {
        Self { from: name.into(), to: Some(format!("{name}\0")) }
    }

    /// All names that begin with `prefix`; none if no name can, because names are ASCII.
    pub fn beginning_with(prefix: &str) -> Option<Self> {
        let mut to = prefix.to_owned();
        match to.pop() {
            None => Some(Self::all()),
            Some(last) if last.is_ascii_graphic() && prefix.is_ascii() => {
                to.push(char::from(last as u8 + 1));
                Some(Self { from: prefix.into(), to: Some(to) })
            }
            Some(_) => None,
        }
    }

    /// Is the name in it?
    pub fn contains(&self, name: &str) -> bool {
        *self.from <= *name && self.to.as_deref().is_none_or(|to| name < to)
    }

    /// What is left without `other`: nothing, one range or two.
    fn without(self, other: &Self) -> impl Iterator<Item = Self> {
        let below = Self {
            from: self.from.clone(),
            to: Some(other.from.clone()).filter(|to| ends_before(Some(to), self.to.as_deref())).or_else(|| self.to.clone()),
        };
        let above = other.to.clone().map(|from| Self { from: from.max(self.from), to: self.to });
        [Some(below), above].into_iter().flatten().filter(|range| !range.is_empty())
    }

    fn is_empty(&self) -> bool {
        self.to.as_ref().is_some_and(|to| *to <= self.from)
    }
}

/// Does one upper bound lie before another? None is the end.
fn ends_before(one: Option<&str>, other: Option<&str>) -> bool {
    match (one, other) {
        (Some(one), Some(other)) => one < other,
        (Some(_), None) => true,
        (None, _) => false,
    }
}

/// The same names in sorted ranges that neither overlap nor touch.
pub(crate) fn merged(mut ranges: Vec<NameRange>) -> Vec<NameRange> {
    ranges.sort_unstable();
    let mut merged: Vec<NameRange> = Vec::new();
    for range in ranges {
        match merged.last_mut() {
            Some(last) if !ends_before(last.to.as_deref(), Some(&range.from)) => {
                if ends_before(last.to.as_deref(), range.to.as_deref()) || range.to.is_none() {
                    last.to = range.to;
                }
            }
            _ => merged.push(range),
        }
    }
    merged
}

/// The names of `ranges` that are in none of `hidden`.
pub(crate) fn subtracted(ranges: Vec<NameRange>, hidden: &[NameRange]) -> Vec<NameRange> {
    hidden.iter().fold(ranges, |ranges, hidden| ranges.into_iter().flat_map(|range| range.without(hidden)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(from: &str, to: &str) -> NameRange {
        NameRange { from: from.into(), to: Some(to.into()) }
    }

    #[test]
    fn prefixes() {
        assert_eq!(NameRange::beginning_with("demo/"), Some(range("demo/", "demo0")));
        assert_eq!(NameRange::beginning_with(""), Some(NameRange::all()));
        assert_eq!(NameRange::beginning_with("é"), None);
    }

    #[test]
    fn merging() {
        let ranges = vec![range("c", "d"), range("a", "b"), range("b", "c"), range("f", "g"), range("f", "ff")];
        assert_eq!(merged(ranges), [range("a", "d"), range("f", "g")]);
        assert_eq!(merged(vec![range("b", "c"), NameRange::all()]), [NameRange::all()]);
    }

    #[test]
    fn subtracting() {
        let open = |from: &str| NameRange { from: from.into(), to: None };
        assert_eq!(subtracted(vec![NameRange::all()], &[range("b", "c")]), [range("", "b"), open("c")]);
        assert_eq!(subtracted(vec![range("a", "d")], &[range("b", "c"), range("c", "z")]), [range("a", "b")]);
        assert_eq!(subtracted(vec![range("a", "b")], &[NameRange::all()]), []);
        assert_eq!(subtracted(vec![range("a", "b")], &[range("x", "y")]), [range("a", "b")]);
        assert_eq!(subtracted(vec![range("x", "y")], &[range("a", "b")]), [range("x", "y")]);
    }
}
