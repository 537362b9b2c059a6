//! As XML: an element a field, and a list as an element repeated.

use super::{Object, Value};

pub(super) fn print(root: &str, object: &Object) -> String {
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\" ?>");
    element(&mut out, root, |out| fields(out, object));
    out
}

fn fields(out: &mut String, object: &Object) {
    for (name, value) in &object.fields {
        write(out, name, value);
    }
}

fn write(out: &mut String, name: &str, value: &Value) {
    match value {
        Value::List(values) => values.iter().for_each(|value| write(out, name, value)),
        Value::Text(text) => element(out, name, |out| escaped(out, text)),
        Value::Int(number) => element(out, name, |out| out.push_str(&number.to_string())),
        Value::Bool(truth) => element(out, name, |out| out.push_str(if *truth { "true" } else { "false" })),
        Value::Object(object) => element(out, name, |out| fields(out, object)),
    }
}

fn element(out: &mut String, name: &str, content: impl FnOnce(&mut String)) {
    out.push('<');
    out.push_str(name);
    out.push('>');
    content(out);
    out.push_str("</");
    out.push_str(name);
    out.push('>');
}

/// What XML 1.0 cannot carry at all (section 2.2) becomes a replacement character.
fn escaped(out: &mut String, text: &str) {
    for c in text.chars() {
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&apos;"),
            '\r' => out.push_str("&#13;"),
            '\n' | '\t' => out.push(c),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
}
