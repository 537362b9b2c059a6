//! The reader: everything that RAM's grammar does not know is refused, because what is silently ignored in a policy is a hole.

use super::json::{Json, Node};
use crate::{
    ActionPattern, Clause, Document, Effect, Key, MAX_CHARS, MAX_STATEMENTS, Matching, Operator, PolicyError, ResourcePattern, Statement,
    Value,
};

/// Reads a document of version "1". At most [`MAX_CHARS`] characters and [`MAX_STATEMENTS`] statements; an action pattern
/// has at most [`ActionPattern::MAX`] characters, a resource pattern [`ResourcePattern::MAX`], a value [`Value::MAX`].
pub fn parse(text: &str) -> Result<Document, PolicyError> {
    read(text, MAX_CHARS, statement)
}

/// Reads a document of at most `max` characters by the reader of its statements.
pub(super) fn read(
    text: &str,
    max: usize,
    statement: impl Fn(&Node<'_>) -> Result<Statement, PolicyError>,
) -> Result<Document, PolicyError> {
    let chars = text.chars().count();
    if chars > max {
        return Err(PolicyError::TooLong { chars, max });
    }
    let json: Json = serde_json::from_str(text).map_err(|e| syntax(&e))?;
    document(&Node::root(&json), statement)
}

fn syntax(error: &serde_json::Error) -> PolicyError {
    let text = error.to_string();
    let problem = text.split(" at line ").next().unwrap_or_default();
    PolicyError::Syntax { line: error.line(), column: error.column(), problem: format!("this is no JSON: {problem}") }
}

fn document(root: &Node<'_>, statement: impl Fn(&Node<'_>) -> Result<Statement, PolicyError>) -> Result<Document, PolicyError> {
    let [version, statements] = elements(root, ["Version", "Statement"])?;
    let version = version.ok_or_else(|| root.wants("\"Version\": \"1\" is missing"))?;
    if version.text()? != "1" {
        return Err(version.wants("the version must be \"1\""));
    }
    let statements = statements.ok_or_else(|| root.wants("\"Statement\", a list of statements, is missing"))?;
    let list = statements.elements()?;
    if list.len() > MAX_STATEMENTS {
        return Err(statements.wants(format!("at most {MAX_STATEMENTS} statements are allowed; these are {}", list.len())));
    }
    Ok(Document { statements: list.iter().map(statement).collect::<Result<_, _>>()? })
}

/// The elements of an object that may have these and no others.
pub(super) fn elements<'j, const N: usize>(node: &Node<'j>, known: [&str; N]) -> Result<[Option<Node<'j>>; N], PolicyError> {
    let mut found = [const { None }; N];
    for (name, member) in node.members()? {
        match known.iter().position(|k| *k == name).and_then(|index| found.get_mut(index)) {
            Some(slot) => *slot = Some(member),
            None => return Err(member.wants(unknown(name, &known))),
        }
    }
    Ok(found)
}

fn unknown(name: &str, known: &[&str]) -> String {
    match name {
        "Principal" => "Principal belongs in a trust policy or the policy of a namespace or repository, not here".into(),
        "NotResource" => "NotResource is not known; name the resources under Resource".into(),
        _ => format!("this element is not known; known here are {}", known.join(", ")),
    }
}

fn statement(node: &Node<'_>) -> Result<Statement, PolicyError> {
    let [effect, action, not_action, resource, condition] = elements(node, ["Effect", "Action", "NotAction", "Resource", "Condition"])?;
    let effect = effect_of(node, effect.as_ref())?;
    let matching = matching_of(node, action.as_ref(), not_action.as_ref())?;
    let resources = resources_of(node, resource.as_ref())?;
    Ok(Statement::new(effect, matching, resources, conditions_of(condition.as_ref())?))
}

pub(super) fn effect_of(statement: &Node<'_>, node: Option<&Node<'_>>) -> Result<Effect, PolicyError> {
    let node = node.ok_or_else(|| statement.wants("\"Effect\", \"Allow\" or \"Deny\", is missing"))?;
    match node.text()? {
        "Allow" => Ok(Effect::Allow),
        "Deny" => Ok(Effect::Deny),
        _ => Err(node.wants("the effect must be \"Allow\" or \"Deny\"")),
    }
}

pub(super) fn matching_of(statement: &Node<'_>, action: Option<&Node<'_>>, not_action: Option<&Node<'_>>) -> Result<Matching, PolicyError> {
    match (action, not_action) {
        (Some(patterns), None) => Ok(Matching::Action(entries(patterns, ActionPattern::parse)?)),
        (None, Some(patterns)) => Ok(Matching::NotAction(entries(patterns, ActionPattern::parse)?)),
        (Some(_), Some(both)) => Err(both.wants("Action and NotAction exclude each other; keep one")),
        (None, None) => Err(statement.wants("\"Action\" or \"NotAction\" is missing")),
    }
}

pub(super) fn action_of(statement: &Node<'_>, node: Option<&Node<'_>>) -> Result<Vec<ActionPattern>, PolicyError> {
    entries(node.ok_or_else(|| statement.wants("\"Action\" is missing"))?, ActionPattern::parse)
}

pub(super) fn resources_of(statement: &Node<'_>, node: Option<&Node<'_>>) -> Result<Vec<ResourcePattern>, PolicyError> {
    entries(node.ok_or_else(|| statement.wants("\"Resource\" is missing; * means every resource"))?, ResourcePattern::parse)
}

/// One entry or a list of them, each read by `parse`, whose error says what is wanted.
pub(super) fn entries<T, E: Into<String>>(node: &Node<'_>, parse: impl Fn(&str) -> Result<T, E>) -> Result<Vec<T>, PolicyError> {
    node.one_or_more()?.iter().map(|n| parse(n.text()?).map_err(|wanted| n.wants(wanted))).collect()
}

pub(super) fn conditions_of(node: Option<&Node<'_>>) -> Result<Vec<Clause>, PolicyError> {
    node.map_or(Ok(Vec::new()), clauses)
}

fn clauses(node: &Node<'_>) -> Result<Vec<Clause>, PolicyError> {
    let mut clauses = Vec::new();
    for (name, block) in node.members()? {
        let operator = Operator::parse(name)
            .ok_or_else(|| block.wants(format!("unknown operator; known are {}", Operator::ALL.map(Operator::name).join(", "))))?;
        let keys = block.members()?;
        if keys.is_empty() {
            return Err(block.wants("a condition key is wanted here, as \"acs:SourceIp\""));
        }
        for (key, values) in keys {
            clauses.push(clause(operator, key, &values)?);
        }
    }
    Ok(clauses)
}

fn clause(operator: Operator, key: &str, values: &Node<'_>) -> Result<Clause, PolicyError> {
    let key = Key::parse(key).map_err(|e| values.wants(e.to_string()))?;
    if !operator.suits(&key) {
        return Err(values.wants(format!("{} cannot be asked of {key}, which is {}", operator.name(), key.family().wanted())));
    }
    let value = |node: &Node<'_>| Value::parse(operator, node.scalar()?).map_err(|wanted| node.wants(format!("wanted is {wanted}")));
    let values = values.one_or_more()?.iter().map(value).collect::<Result<_, _>>()?;
    Ok(Clause { operator, key, values })
}
