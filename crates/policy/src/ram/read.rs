//! The reader: everything that RAM's grammar does not know is refused, because what is silently ignored in a policy is a hole.

use super::json::{Json, Node};
use crate::{
    ActionPattern, Clause, Document, Effect, Key, MAX_CHARS, MAX_STATEMENTS, Matching, Operator, PolicyError, ResourcePattern, Statement,
    Value,
};

/// Reads a document of version "1". At most [`MAX_CHARS`] characters and [`MAX_STATEMENTS`] statements; an action pattern
/// has at most [`ActionPattern::MAX`] characters, a resource pattern [`ResourcePattern::MAX`], a value [`Value::MAX`].
pub fn parse(text: &str) -> Result<Document, PolicyError> {
    let chars = text.chars().count();
    if chars > MAX_CHARS {
        return Err(PolicyError::TooLong { chars });
    }
    let json: Json = serde_json::from_str(text).map_err(|e| syntax(&e))?;
    document(&Node::root(&json))
}

fn syntax(error: &serde_json::Error) -> PolicyError {
    let text = error.to_string();
    let problem = text.split(" at line ").next().unwrap_or_default();
    PolicyError::Syntax { line: error.line(), column: error.column(), problem: format!("this is no JSON: {problem}") }
}

fn document(root: &Node<'_>) -> Result<Document, PolicyError> {
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
fn elements<'j, const N: usize>(node: &Node<'j>, known: [&str; N]) -> Result<[Option<Node<'j>>; N], PolicyError> {
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
        "Principal" => "Principal belongs in a role's trust policy, not here".into(),
        "NotResource" => "NotResource is not known; name the resources under Resource".into(),
        _ => format!("this element is not known; known here are {}", known.join(", ")),
    }
}

fn statement(node: &Node<'_>) -> Result<Statement, PolicyError> {
    let [effect, action, not_action, resource, condition] = elements(node, ["Effect", "Action", "NotAction", "Resource", "Condition"])?;
    let effect = effect.ok_or_else(|| node.wants("\"Effect\", \"Allow\" or \"Deny\", is missing"))?;
    let matching = match (&action, &not_action) {
        (Some(patterns), None) => Matching::Action(action_patterns(patterns)?),
        (None, Some(patterns)) => Matching::NotAction(action_patterns(patterns)?),
        (Some(_), Some(both)) => return Err(both.wants("Action and NotAction exclude each other; keep one")),
        (None, None) => return Err(node.wants("\"Action\" or \"NotAction\" is missing")),
    };
    let resources = resource.ok_or_else(|| node.wants("\"Resource\" is missing; * means every resource"))?;
    let condition = condition.as_ref().map_or(Ok(Vec::new()), clauses)?;
    Ok(Statement::new(read_effect(&effect)?, matching, resource_patterns(&resources)?, condition))
}

fn read_effect(node: &Node<'_>) -> Result<Effect, PolicyError> {
    match node.text()? {
        "Allow" => Ok(Effect::Allow),
        "Deny" => Ok(Effect::Deny),
        _ => Err(node.wants("the effect must be \"Allow\" or \"Deny\"")),
    }
}

fn action_patterns(node: &Node<'_>) -> Result<Vec<ActionPattern>, PolicyError> {
    node.one_or_more()?.iter().map(|n| ActionPattern::parse(n.text()?).map_err(|wanted| n.wants(wanted))).collect()
}

fn resource_patterns(node: &Node<'_>) -> Result<Vec<ResourcePattern>, PolicyError> {
    node.one_or_more()?.iter().map(|n| ResourcePattern::parse(n.text()?).map_err(|wanted| n.wants(wanted))).collect()
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
