//! Writing YAML that reads back as the same: block style, two spaces, quotes where a plain text would mean something else.

use serde::Serialize;
use serde_json::Value;

/// One document, without its `---`.
pub(crate) fn yaml(document: &impl Serialize) -> String {
    let mut text = String::new();
    match serde_json::to_value(document) {
        Ok(Value::Object(entries)) if !entries.is_empty() => map(&mut text, &entries, 0),
        Ok(other) => {
            text.push_str(&scalar(&other));
            text.push('\n');
        }
        Err(_) => {}
    }
    text
}

type Map = serde_json::Map<String, Value>;

fn map(text: &mut String, entries: &Map, depth: usize) {
    for (index, (key, value)) in in_order(entries).into_iter().enumerate() {
        if index > 0 || !text.ends_with("- ") {
            text.push_str(&"  ".repeat(depth));
        }
        text.push_str(&word(key));
        text.push(':');
        below(text, value, depth);
    }
}

/// What a key or a list's dash is followed by.
fn below(text: &mut String, value: &Value, depth: usize) {
    match value {
        Value::Object(entries) if !entries.is_empty() => {
            text.push('\n');
            map(text, entries, depth + 1);
        }
        Value::Array(items) if !items.is_empty() => {
            text.push('\n');
            list(text, items, depth);
        }
        other => {
            text.push(' ');
            text.push_str(&scalar(other));
            text.push('\n');
        }
    }
}

fn list(text: &mut String, items: &[Value], depth: usize) {
    for item in items {
        text.push_str(&"  ".repeat(depth));
        text.push('-');
        match item {
            Value::Object(entries) if !entries.is_empty() => {
                text.push(' ');
                map(text, entries, depth + 1);
            }
            Value::Array(_) => below(text, item, depth + 1),
            other => below(text, other, depth),
        }
    }
}

/// What a document begins with comes first; everything else by its name.
fn in_order(entries: &Map) -> Vec<(&String, &Value)> {
    const FIRST: [&str; 5] = ["apiVersion", "kind", "metadata", "name", "Version"];
    let mut entries: Vec<_> = entries.iter().collect();
    entries.sort_by_key(|(key, _)| (FIRST.iter().position(|first| first == key).unwrap_or(FIRST.len()), *key));
    entries
}

fn scalar(value: &Value) -> String {
    match value {
        Value::String(text) => word(text),
        // Numbers, true, false, null, {} and []: JSON is YAML.
        other => other.to_string(),
    }
}

/// Plain where that can mean nothing else, else as a JSON string.
fn word(text: &str) -> String {
    let inner = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '/');
    let plain = text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.chars().all(|c| inner(c) || c == ' ')
        && !text.ends_with(' ')
        && !matches!(&*text.to_ascii_lowercase(), "null" | "true" | "false" | "yes" | "no" | "on" | "off" | "y" | "n");
    if plain { text.to_owned() } else { quoted(text) }
}

/// A JSON string, in which no control character stands as it is: a terminal is not to be steered.
fn quoted(text: &str) -> String {
    let json = Value::String(text.to_owned()).to_string();
    let escaped = |c: char| if c.is_control() { format!("\\u{:04x}", u32::from(c)) } else { c.to_string() };
    json.chars().map(escaped).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn back(text: &str) -> Value {
        let nodes = crate::yaml::parse(text).unwrap();
        crate::node::read(&nodes[0], "").unwrap()
    }

    #[test]
    fn it_reads_like_something_that_people_write() {
        let document = json!({
            "spec": {"hosts": ["a.example", "*.b"], "none": [], "policies": [{"name": "x", "a": [[1], {"b": 2}]}], "text": "two\nlines"},
            "kind": "User", "apiVersion": "tidegate/v1", "metadata": {"name": "007", "labels": {}},
        });
        let wanted = "apiVersion: tidegate/v1\nkind: User\nmetadata:\n  name: \"007\"\n  labels: {}\nspec:\n  hosts:\n  - a.example\n  - \"*.b\"\n  \
                      none: []\n  policies:\n  - name: x\n    a:\n    -\n      - 1\n    - b: 2\n  text: \"two\\nlines\"\n";
        assert_eq!(yaml(&document), wanted);
        assert_eq!(back(wanted), document);
    }

    const ODD: &[&str] = &[
        "null", "true", "1e3", "0x1", "-", "---", "~", "<<", "yes", " a", "a ", "#", "a: b", "a #b", "!x", "&x", "*x", "? a", "- a", "|",
        "...",
    ];

    fn any_value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            "[ -~\\n\\t\\r\u{85}\u{a0}\u{2028}\u{feff}é€😀]{0,12}".prop_map(Value::from),
            proptest::sample::select(ODD).prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 40, 5, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
                proptest::collection::btree_map("[a-zA-Z0-9 :#é-]{0,6}", inner, 0..5).prop_map(|m| Value::Object(m.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back(value in any_value()) {
            let document = json!({ "spec": value });
            prop_assert_eq!(back(&yaml(&document)), document);
        }
    }
}
