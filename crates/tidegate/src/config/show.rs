//! The effective settings with the origin of each, secrets masked.

use super::layers::Values;
use super::table::{SETTINGS, Setting};

/// As a table of text.
pub(crate) fn show(values: &Values) -> String {
    let rows: Vec<[String; 3]> = SETTINGS.iter().map(|setting| row(setting, values)).collect();
    let width = |column: usize| rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max().unwrap_or(0);
    let (keys, shown) = (width(0), width(1));
    let lines: Vec<_> = rows.iter().map(|[key, value, origin]| format!("{key:keys$}  {value:shown$}  {origin}\n")).collect();
    lines.concat()
}

fn row(setting: &Setting, values: &Values) -> [String; 3] {
    let given = values.get(setting.key);
    let value = given.map(|given| given.values.join(",")).unwrap_or_default();
    let shown = if setting.secret { mask(setting, &value) } else { value };
    let shown = if shown.is_empty() { "(not set)".to_owned() } else { shown };
    [setting.key.to_owned(), shown, given.map(|given| given.origin.to_string()).unwrap_or_default()]
}

/// The default is no secret; of a URL the scheme is shown.
fn mask(setting: &Setting, value: &str) -> String {
    match value.split_once("://") {
        _ if value == setting.default => value.to_owned(),
        Some((scheme, _)) if scheme.bytes().all(|b| b.is_ascii_alphabetic()) => format!("{scheme}://***"),
        _ => "***".to_owned(),
    }
}
