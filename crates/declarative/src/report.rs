//! What was done, would be done, or was not done.

use std::fmt;

use api::Secret;
use serde::Serialize;
use serde_json::Value;

use crate::Trouble;
use crate::step::{Change, Key, Step, Verb};

/// How far a change has come.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Debug)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// It would be done.
    Planned,
    /// It is done.
    Done,
    /// The server did not do it, and nothing behind it was tried.
    Refused,
    /// It was not tried.
    NotDone,
}

/// One change.
#[derive(Clone, Serialize, Debug)]
pub struct Entry {
    /// Create, update or delete.
    pub action: Verb,
    /// What.
    #[serde(flatten)]
    pub key: Key,
    /// Field by field.
    pub changes: Vec<Change>,
    /// How far it has come.
    pub status: Status,
    /// A new secret that was asked to be shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret: Option<Secret>,
}

impl Entry {
    pub(crate) fn of(step: &Step, status: Status) -> Self {
        Self { action: step.verb, key: step.key.clone(), changes: step.changes.clone(), status, secret: None }
    }
}

/// All changes, and why the rest was not done.
#[derive(Debug)]
pub struct Report {
    /// In the order in which they are done.
    pub entries: Vec<Entry>,
    /// What stopped it.
    pub failure: Option<Trouble>,
}

/// For people: a line a change, `+` for what is made, `~` for what is changed, `-` for what goes.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.entries.is_empty() {
            return f.write_str("Nothing to change.");
        }
        for (number, entry) in self.entries.iter().enumerate() {
            let line = if number > 0 { "\n" } else { "" };
            write!(f, "{line}{entry}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (sign, verb) = match self.action {
            Verb::Create => ('+', "create"),
            Verb::Update => ('~', "update"),
            Verb::Delete => ('-', "delete"),
        };
        let status = match self.status {
            Status::Planned | Status::Done => "",
            Status::Refused => "refused: ",
            Status::NotDone => "not done: ",
        };
        write!(f, "{sign} {status}{verb} {}", self.key)?;
        let (short, long): (Vec<&Change>, Vec<&Change>) = self.changes.iter().partition(|change| is_short(change));
        let short: Vec<_> = short.into_iter().map(|change| words(change, self.action)).collect();
        if !short.is_empty() {
            write!(f, ": {}", short.join(", "))?;
        }
        if let Some(secret) = &self.secret {
            write!(f, "\n    secret: {}", secret.reveal())?;
        }
        long.into_iter().try_for_each(|change| write!(f, "\n    {}:{}", change.field, lines(change)))
    }
}

fn is_short(change: &Change) -> bool {
    !change.from.is_object() && !change.to.is_object()
}

fn words(change: &Change, action: Verb) -> String {
    let (field, from, to) = (&change.field, plain(&change.from), plain(&change.to));
    match (&change.from, &change.to) {
        (Value::Null, _) if action == Verb::Create => format!("{field} {to}"),
        (Value::Null, _) => format!("{field} + {to}"),
        (_, Value::Null) => format!("{field} - {from}"),
        _ => format!("{field} {from} -> {to}"),
    }
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) if !text.is_empty() && !text.contains(char::is_control) => text.clone(),
        Value::Array(items) => format!("[{}]", items.iter().map(plain).collect::<Vec<_>>().join(", ")),
        other => other.to_string(),
    }
}

/// A document line by line: what is alike at both ends is left out.
fn lines(change: &Change) -> String {
    let pretty = |value: &Value| if value.is_null() { String::new() } else { serde_json::to_string_pretty(value).unwrap_or_default() };
    let (from, to) = (pretty(&change.from), pretty(&change.to));
    let (mut from, mut to): (Vec<&str>, Vec<&str>) = (from.lines().collect(), to.lines().collect());
    let head = from.iter().zip(&to).take_while(|(a, b)| a == b).count();
    (from, to) = (from.split_off(head), to.split_off(head));
    let tail = from.iter().rev().zip(to.iter().rev()).take_while(|(a, b)| a == b).count();
    from.truncate(from.len() - tail);
    to.truncate(to.len() - tail);
    let gone = from.iter().map(|line| format!("\n      - {line}"));
    gone.chain(to.iter().map(|line| format!("\n      + {line}"))).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn entry(action: Verb, changes: Vec<Change>, status: Status) -> Entry {
        let key = Key { kind: "Namespace", instance: Some("local".into()), name: "demo".into() };
        Entry { action, key, changes, status, secret: None }
    }

    #[test]
    fn a_report_reads_like_a_diff() {
        let entries = vec![
            entry(Verb::Create, vec![Change::new("public", Value::Null, true)], Status::Done),
            entry(Verb::Update, vec![Change::new("public", true, false), Change::add("members", "bob")], Status::Refused),
            entry(
                Verb::Update,
                vec![Change::new("policy", json!({"a": 1, "b": 2, "c": 3}), json!({"a": 1, "b": 4, "c": 3}))],
                Status::NotDone,
            ),
            entry(Verb::Delete, vec![], Status::Planned),
        ];
        let wanted = "+ create namespace local/demo: public true\n\
                      ~ refused: update namespace local/demo: public true -> false, members + bob\n\
                      ~ not done: update namespace local/demo\n    policy:\n      -   \"b\": 2,\n      +   \"b\": 4,\n\
                      - delete namespace local/demo";
        assert_eq!(Report { entries, failure: None }.to_string(), wanted);
        assert_eq!(Report { entries: vec![], failure: None }.to_string(), "Nothing to change.");
    }

    #[test]
    fn the_list_has_one_object_a_change() {
        let json = serde_json::to_value(entry(Verb::Create, vec![], Status::Planned)).unwrap();
        assert_eq!(
            json,
            json!({"action": "create", "kind": "Namespace", "instance": "local", "name": "demo", "changes": [], "status": "planned"})
        );
    }
}
