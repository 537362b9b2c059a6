//! The printer: canonical, compact JSON that the reader reads back into the same tree.

use crate::{Clause, Document, Effect, Matching, Operator, PrincipalPattern, Statement};

/// Prints a document of version "1": one entry bare, several as a list, every value as a string.
pub fn print(document: &Document) -> String {
    object([("Version", quoted("1")), ("Statement", list(document.statements.iter().map(statement)))])
}

fn statement(statement: &Statement) -> String {
    let effect = match statement.effect() {
        Effect::Allow => "Allow",
        Effect::Deny => "Deny",
    };
    let (element, patterns) = match statement.matching() {
        Matching::Action(patterns) => ("Action", patterns),
        Matching::NotAction(patterns) => ("NotAction", patterns),
    };
    let condition = Some(statement.condition()).filter(|clauses| !clauses.is_empty());
    let members = [
        ("Effect", quoted(effect)),
        (element, one_or_more(patterns.iter().map(|p| quoted(p.as_str())))),
        ("Resource", one_or_more(statement.resources().iter().map(|p| quoted(&p.to_string())))),
    ];
    let principals = statement.principals().map(|named| ("Principal", principals(named)));
    object(members.into_iter().chain(principals).chain(condition.map(|clauses| ("Condition", operators(clauses)))))
}

/// The principals by the element that they stand under.
fn principals(named: &[PrincipalPattern]) -> String {
    let under = |element: &'static str| {
        let entries: Vec<_> = named.iter().filter(|p| p.element() == element).map(|p| quoted(&p.to_string())).collect();
        (!entries.is_empty()).then(|| (element, one_or_more(entries.into_iter())))
    };
    object(["RAM", "Federated", "Service"].into_iter().filter_map(under))
}

/// The clauses by operator, in the order in which each operator first appears.
fn operators(clauses: &[Clause]) -> String {
    let mut operators: Vec<Operator> = Vec::new();
    for clause in clauses {
        if !operators.contains(&clause.operator) {
            operators.push(clause.operator);
        }
    }
    object(operators.into_iter().map(|operator| (operator.name(), keys(clauses.iter().filter(|c| c.operator == operator)))))
}

fn keys<'c>(clauses: impl Iterator<Item = &'c Clause>) -> String {
    object(clauses.map(|clause| (clause.key.to_string(), one_or_more(clause.values.iter().map(|v| quoted(v.as_str()))))))
}

fn object<N: AsRef<str>>(members: impl IntoIterator<Item = (N, String)>) -> String {
    let members: Vec<_> = members.into_iter().map(|(name, value)| format!("{}:{value}", quoted(name.as_ref()))).collect();
    format!("{{{}}}", members.join(","))
}

fn one_or_more(entries: impl Iterator<Item = String>) -> String {
    let mut entries: Vec<_> = entries.collect();
    if entries.len() == 1 { entries.remove(0) } else { list(entries.into_iter()) }
}

fn list(entries: impl Iterator<Item = String>) -> String {
    format!("[{}]", entries.collect::<Vec<_>>().join(","))
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
