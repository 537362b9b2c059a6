//! What differs between a wanted `spec` and the one that is there.

use std::collections::BTreeSet;

use serde::Serialize;
use serde_json::{Map, Value};

use crate::step::Change;

/// The fields of a shape; those that are absent are left out.
fn fields(shape: &impl Serialize) -> Map<String, Value> {
    match serde_json::to_value(shape) {
        Ok(Value::Object(fields)) => fields,
        _ => Map::new(),
    }
}

/// What differs in the fields that are wanted and are not `besides`.
pub(crate) fn changes<S: Serialize>(wanted: &S, there: &S, besides: &[&str]) -> Vec<Change> {
    let there = fields(there);
    let wanted = fields(wanted).into_iter().filter(|(name, _)| !besides.contains(&&**name));
    let with = wanted.map(|(name, to)| Change { from: there.get(&name).cloned().unwrap_or_default(), field: name, to });
    with.filter(|change| change.from != change.to).collect()
}

/// The fields of something new that are not `besides`.
pub(crate) fn all<S: Serialize>(wanted: &S, besides: &[&str]) -> Vec<Change> {
    let wanted = fields(wanted).into_iter().filter(|(name, to)| !besides.contains(&&**name) && !to.is_null());
    wanted.map(|(field, to)| Change { field, from: Value::Null, to }).collect()
}

/// Is one of these fields among the changes?
pub(crate) fn touches(changes: &[Change], names: &[&str]) -> bool {
    changes.iter().any(|change| names.contains(&&*change.field))
}

/// What is to be added to a list and what taken off it, if the list is given at all.
pub(crate) fn members<'a>(wanted: Option<&'a Vec<String>>, there: &'a [String]) -> (Vec<&'a String>, Vec<&'a String>) {
    let Some(wanted) = wanted else { return (Vec::new(), Vec::new()) };
    let (wanted, there): (BTreeSet<_>, BTreeSet<_>) = (wanted.iter().collect(), there.iter().collect());
    (wanted.difference(&there).copied().collect(), there.difference(&wanted).copied().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Serialize, Default)]
    struct Shape {
        #[serde(skip_serializing_if = "Option::is_none")]
        public: Option<bool>,
        #[serde(skip_serializing_if = "Option::is_none")]
        text: Option<String>,
    }

    #[test]
    fn what_is_left_out_stays() {
        let there = Shape { public: Some(true), text: Some("x".into()) };
        assert_eq!(changes(&Shape::default(), &there, &[]), []);
        let wanted = Shape { public: Some(false), text: Some("x".into()) };
        assert_eq!(changes(&wanted, &there, &[]), [Change::new("public", true, false)]);
        assert_eq!(changes(&wanted, &there, &["public"]), []);
        assert_eq!(all(&wanted, &["text"]), [Change::new("public", Value::Null, false)]);
    }

    #[test]
    fn a_list_is_the_whole_list() {
        let list = |names: &[&str]| names.iter().map(|n| (*n).to_owned()).collect::<Vec<_>>();
        let (wanted, there) = (list(&["b", "a", "a"]), list(&["c", "b"]));
        assert_eq!(members(Some(&wanted), &there), (vec![&"a".to_owned()], vec![&"c".to_owned()]));
        assert_eq!(members(None, &there), (vec![], vec![]));
    }
}
