//! The decision in words: which statement, and what was missing.

use crate::evaluate::counts_for;
use crate::{Clause, Document, Effect, Effective, Request, Statement, evaluate, ram};

/// A decision with its reason.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Explanation {
    /// How it was decided.
    pub effective: Effective,
    /// The policy that decided; none for a default deny.
    pub policy: Option<String>,
    /// Its statement, counted from 1 as in the reason.
    pub statement: Option<usize>,
    /// A sentence for people.
    pub reason: String,
}

impl Explanation {
    /// Allowed by something other than a policy.
    pub fn allowed(reason: &str) -> Self {
        Self { effective: Effective::Allowed, policy: None, statement: None, reason: reason.into() }
    }

    /// Refused by something other than a policy.
    pub fn refused(reason: &str) -> Self {
        Self { effective: Effective::Denied, policy: None, statement: None, reason: reason.into() }
    }
}

/// Decides as [`evaluate()`] does, and says why; of a default deny, which statement came nearest.
pub fn explain(documents: &[(&str, &Document)], request: &Request<'_>) -> Explanation {
    let decision = evaluate(documents, request);
    let (effective, action, resource) = (decision.effective(), request.action.as_str(), request.resource);
    let Some(by) = decision.by() else {
        let reason = format!("no statement allows {action} on {resource}; {}", nearest(documents, request));
        return Explanation { effective, policy: None, statement: None, reason };
    };
    let verb = if effective == Effective::Denied { "denies" } else { "allows" };
    let number = by.statement + 1;
    let included = if by.action == request.action { String::new() } else { format!(", which includes {action},") };
    let reason = format!("statement {number} of policy {} {verb} {}{included} on {resource}", by.policy, by.action.as_str());
    Explanation { effective, policy: Some(by.policy.into()), statement: Some(number), reason }
}

/// How far a statement that allows the action came; later is nearer.
#[derive(Clone, Copy)]
enum Missed<'d> {
    Resource,
    Condition(&'d Clause),
    /// It applies, but only includes the action, and what it allows is denied.
    Denied,
}

impl Missed<'_> {
    const fn rank(self) -> u8 {
        match self {
            Self::Resource => 0,
            Self::Condition(_) => 1,
            Self::Denied => 2,
        }
    }
}

fn nearest(documents: &[(&str, &Document)], request: &Request<'_>) -> String {
    let mut best: Option<(Missed<'_>, usize, &str)> = None;
    for (policy, document) in documents {
        for (index, statement) in document.statements.iter().enumerate() {
            if let Some(missed) = missed(statement, request)
                && best.is_none_or(|(known, ..)| known.rank() < missed.rank())
            {
                best = Some((missed, index + 1, policy));
            }
        }
    }
    match best {
        None if documents.is_empty() => "no policy is attached".into(),
        None => "no policy names the action under Allow".into(),
        Some((missed, number, policy)) => format!("nearest: statement {number} of policy {policy} {}", describe(missed, request)),
    }
}

fn missed<'d>(statement: &'d Statement, request: &Request<'_>) -> Option<Missed<'d>> {
    let silent = statement.effect() == Effect::Deny || !statement.is_about(request.context);
    if silent || counts_for(statement, request.action).is_none() {
        return None;
    }
    if !statement.names(&ram::spell(request.action, request.resource)) {
        return Some(Missed::Resource);
    }
    Some(statement.unmet(request.context).map_or(Missed::Denied, Missed::Condition))
}

fn describe(missed: Missed<'_>, request: &Request<'_>) -> String {
    match missed {
        Missed::Resource => "allows the action, but on other resources".into(),
        Missed::Denied => "allows an action that would include it, but another statement denies that one".into(),
        Missed::Condition(clause) => format!("allows it, but its {}", clause.describe(request.context)),
    }
}
