//! The only place that prints: answers on standard output, everything else on standard error.

use std::io::{self, IsTerminal as _, Write as _};
use std::process::ExitCode;

use clap::ValueEnum;
use comfy_table::{ContentArrangement, Table, presets};
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::manage::CommandError;

/// How answers are printed.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum, Debug)]
pub(crate) enum Format {
    /// JSON, lists as bare arrays.
    Json,
    /// Tables for people.
    Table,
}

/// What a command answers.
#[derive(Debug)]
pub(crate) enum Output {
    /// One thing, by its keys.
    One(Value),
    /// One thing that holds a secret, which is shown this once.
    Secret(Value),
    /// Several things; in a table, these keys of them.
    Many(Vec<Value>, &'static [&'static str]),
    /// Changes, one by one and as a text for people, and what stopped them.
    Report(Vec<Value>, String, Option<Box<CommandError>>),
    /// One thing by its keys, and in words for people.
    Told(Value, String),
    /// A text that stands for itself in every format.
    Text(String),
    /// Another answer, as something that a script must notice: exit code 1.
    Alarm(Box<Output>),
    /// What was found, by its keys; and what is wrong, for people: then the command has failed.
    Verdict(Value, Option<Harm>),
    /// Nothing but the news that it is done.
    Done(String),
    /// Nothing at all: the answer is out already.
    Nothing,
}

/// What is wrong with what was found.
#[derive(Debug)]
pub(crate) struct Harm {
    /// One word, for scripts.
    pub(crate) code: &'static str,
    /// What it is, and what to do.
    pub(crate) text: String,
}

impl Output {
    /// One thing.
    pub(crate) fn one(thing: &impl Serialize) -> Self {
        Self::One(value(thing))
    }

    /// One thing with a secret in it.
    pub(crate) fn secret(thing: &impl Serialize) -> Self {
        Self::Secret(value(thing))
    }

    /// One thing, and the same in words.
    pub(crate) fn told(thing: &impl Serialize, text: String) -> Self {
        Self::Told(value(thing), text)
    }

    /// The same for what was looked at: exit code 1 unless it is sound.
    pub(crate) fn found(thing: &impl Serialize, text: String, sound: bool) -> Self {
        let told = Self::told(thing, text);
        if sound { told } else { Self::Alarm(Box::new(told)) }
    }

    /// Changes, and what stopped them.
    pub(crate) fn report(changes: &[impl Serialize], text: String, failure: Option<CommandError>) -> Self {
        Self::Report(changes.iter().map(value).collect(), text, failure.map(Box::new))
    }

    /// Several things.
    pub(crate) fn many(things: &[impl Serialize], columns: &'static [&'static str]) -> Self {
        Self::Many(things.iter().map(value).collect(), columns)
    }
}

fn value(thing: &impl Serialize) -> Value {
    serde_json::to_value(thing).unwrap_or_default()
}

/// Prints in one format.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Printer {
    asked: Option<Format>,
    terminal: bool,
}

impl Printer {
    /// In the format that was asked for; else tables on a terminal and JSON elsewhere.
    pub(crate) fn new(asked: Option<Format>) -> Self {
        Self { asked, terminal: io::stdout().is_terminal() }
    }

    fn format(self) -> Format {
        self.asked.unwrap_or(if self.terminal { Format::Table } else { Format::Json })
    }

    /// Prints a command's answer; its exit code.
    pub(crate) fn finish(self, result: Result<Output, CommandError>) -> ExitCode {
        match result {
            Ok(output) => self.output(&output),
            Err(error) => self.error(&error),
        }
    }

    fn output(self, output: &Output) -> ExitCode {
        let text = match (output, self.format()) {
            (Output::Alarm(inner), _) => {
                self.output(inner);
                return ExitCode::FAILURE;
            }
            (Output::Text(text), _) => text.trim_end().to_owned(),
            (Output::Done(_), Format::Json) | (Output::Nothing, _) => return ExitCode::SUCCESS,
            (Output::Done(news), Format::Table) => news.clone(),
            (Output::One(thing) | Output::Secret(thing) | Output::Verdict(thing, _) | Output::Told(thing, _), Format::Json) => {
                pretty(thing)
            }
            (Output::Many(things, _) | Output::Report(things, ..), Format::Json) => pretty(things),
            (Output::Report(_, text, _) | Output::Told(_, text), Format::Table) => harmless(text),
            (Output::One(thing) | Output::Secret(thing), Format::Table) => describe(thing),
            (Output::Many(things, columns), Format::Table) => table(things, columns),
            (Output::Verdict(thing, _), Format::Table) => describe(&without_lists(thing)),
        };
        let written = print(&(text + "\n"));
        if matches!(output, Output::Secret(_)) && self.format() == Format::Table {
            note("Keep the secret now: it is shown this once.");
        }
        if let Output::Verdict(_, Some(harm)) = output {
            return self.complain(harm.code, &harm.text);
        }
        if let Output::Report(_, _, Some(error)) = output {
            return self.error(error);
        }
        match written {
            // Whoever reads has seen enough.
            Err(e) if e.kind() != io::ErrorKind::BrokenPipe => ExitCode::FAILURE,
            _ => ExitCode::SUCCESS,
        }
    }

    /// Says what went wrong where no server was asked; the exit code.
    pub(crate) fn complain(self, code: &str, text: &str) -> ExitCode {
        if self.asked == Some(Format::Json) {
            note(&json!({ "error": { "code": code, "message": text, "request_id": null } }).to_string());
        } else {
            note(&format!("error: {text}"));
        }
        ExitCode::FAILURE
    }

    fn error(self, error: &CommandError) -> ExitCode {
        if self.asked == Some(Format::Json) {
            note(&error_json(error).to_string());
        } else {
            let id = error.request_id().map_or_else(String::new, |id| format!("\n(request {id})"));
            note(&format!("error: {error}{id}"));
        }
        ExitCode::from(error.exit_code())
    }
}

/// Data on standard output.
pub(crate) fn print(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()
}

/// Says something to a person without touching the answer.
pub(crate) fn note(text: &str) {
    // There is nowhere left to say that standard error cannot be written.
    drop(writeln!(io::stderr().lock(), "{}", harmless(text)));
}

fn error_json(error: &CommandError) -> Value {
    let mut detail = Map::new();
    detail.insert("code".into(), error.code().into());
    detail.insert("message".into(), error.to_string().into());
    detail.insert("request_id".into(), error.request_id().into());
    if let Some(field) = error.field() {
        detail.insert("field".into(), field.into());
    }
    json!({ "error": detail })
}

fn pretty(thing: &impl Serialize) -> String {
    serde_json::to_string_pretty(thing).unwrap_or_default()
}

fn describe(thing: &Value) -> String {
    let mut table = bare_table();
    for (key, value) in thing.as_object().into_iter().flatten() {
        table.add_row([key.clone(), cell(value)]);
    }
    table.trim_fmt()
}

/// A report in a table: its lists are told otherwise.
fn without_lists(report: &Value) -> Value {
    let fields = report.as_object().into_iter().flatten().filter(|(_, value)| !value.is_array());
    Value::Object(fields.map(|(key, value)| (key.clone(), flat(value))).collect())
}

/// A place in the trail, or whatever has fields of its own, in one cell.
fn flat(value: &Value) -> Value {
    match value.as_object() {
        Some(fields) => fields.values().map(cell).collect::<Vec<_>>().join(" ").into(),
        None => value.clone(),
    }
}

fn table(things: &[Value], columns: &[&str]) -> String {
    if things.is_empty() {
        return "None.".to_owned();
    }
    let mut table = bare_table();
    table.set_header(columns.iter().map(|c| c.replace('_', " ").to_uppercase()));
    for thing in things {
        table.add_row(columns.iter().map(|c| cell(thing.get(c).unwrap_or(&Value::Null))));
    }
    table.trim_fmt()
}

fn bare_table() -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    table
}

fn cell(value: &Value) -> String {
    match value {
        Value::Null => "-".to_owned(),
        Value::Bool(yes) => if *yes { "yes" } else { "no" }.to_owned(),
        Value::String(text) => harmless(text),
        Value::Array(items) => items.iter().map(cell).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    }
}

/// What a server says must not be able to steer the terminal.
pub(crate) fn harmless(text: &str) -> String {
    text.chars().map(|c| if c.is_control() && c != '\n' { '\u{fffd}' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_shows_the_chosen_columns() {
        let things = [json!({"name": "a", "enabled": true, "last_used_at": null, "hosts": ["x", "y"], "hidden": 1})];
        let text = table(&things, &["name", "enabled", "last_used_at", "hosts"]);
        let rows: Vec<Vec<&str>> = text.lines().map(|l| l.split("  ").map(str::trim).filter(|w| !w.is_empty()).collect()).collect();
        assert_eq!(rows, [vec!["NAME", "ENABLED", "LAST USED AT", "HOSTS"], vec!["a", "yes", "-", "x, y"]]);
        assert_eq!(table(&[], &["name"]), "None.");
    }

    #[test]
    fn an_answer_cannot_steer_the_terminal() {
        assert_eq!(cell(&json!("a\u{1b}[31m")), "a\u{fffd}[31m");
    }
}
