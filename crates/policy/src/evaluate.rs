//! The decision: explicit deny > allow > default deny.

use model::{Action, Resource};

use crate::{Context, Document, Effect, Spelling, Statement, ram};

/// One question: may this be done to that, now and from there?
#[derive(Clone, Debug)]
pub struct Request<'r> {
    action: Action,
    resource: &'r Resource,
    context: &'r Context,
    spelling: Spelling,
}

impl<'r> Request<'r> {
    /// Spells the resource once, for however many documents it is held against.
    pub fn new(action: Action, resource: &'r Resource, context: &'r Context) -> Self {
        Self { action, resource, context, spelling: ram::spell(action, resource) }
    }

    /// What is to be done.
    pub const fn action(&self) -> Action {
        self.action
    }

    /// To what.
    pub const fn resource(&self) -> &'r Resource {
        self.resource
    }

    /// Under which circumstances.
    pub const fn context(&self) -> &'r Context {
        self.context
    }

    /// The resource as documents spell it.
    pub const fn spelling(&self) -> &Spelling {
        &self.spelling
    }

    fn is_matched_by(&self, statement: &Statement) -> bool {
        statement.names(&self.spelling) && statement.unmet(self.context).is_none()
    }
}

/// How it was decided.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Outcome {
    /// A statement allows it and none denies it.
    Allow,
    /// A statement denies it.
    Deny,
    /// No statement speaks of it.
    DefaultDeny,
}

/// Which statement decided.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct By<L> {
    /// The label of its document.
    pub policy: L,
    /// Its index in the document, from 0.
    pub statement: usize,
    /// The action for which it counted: the one asked for, or one that includes it ([`implied_by`]).
    pub action: Action,
}

/// A decision and what made it; a default deny was made by nothing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Decision<L> {
    /// How it was decided.
    pub outcome: Outcome,
    /// By which statement: the first of those that deny, else of those that allow.
    pub by: Option<By<L>>,
}

impl<L> Decision<L> {
    /// Is it allowed?
    pub fn is_allowed(&self) -> bool {
        self.outcome == Outcome::Allow
    }
}

/// The action whose permission includes this one: whoever may push may pull, on the same resource, unless a statement denies
/// the pull (pushing clients look for what is there already). Where the push itself is denied it includes nothing.
pub const fn implied_by(action: Action) -> Option<Action> {
    match action {
        Action::PullRepository => Some(Action::PushRepository),
        _ => None,
    }
}

/// Decides by all the documents together, whatever their order. The label is handed back: a name, or an index.
pub fn evaluate<'d, L: Clone>(documents: impl IntoIterator<Item = (L, &'d Document)>, request: &Request<'_>) -> Decision<L> {
    let implying = implied_by(request.action);
    let (mut allowed, mut included, mut implying_denied) = (None, None, false);
    for (label, document) in documents {
        for (index, statement) in document.statements.iter().enumerate() {
            let direct = statement.actions().contains(request.action);
            let including = implying.filter(|action| statement.actions().contains(*action));
            let Some(action) = Some(request.action).filter(|_| direct).or(including) else { continue };
            let news = match statement.effect() {
                Effect::Deny => true,
                Effect::Allow if direct => allowed.is_none(),
                Effect::Allow => included.is_none(),
            };
            if !news || !request.is_matched_by(statement) {
                continue;
            }
            let by = Some(By { policy: label.clone(), statement: index, action });
            match statement.effect() {
                Effect::Deny if direct => return Decision { outcome: Outcome::Deny, by },
                Effect::Deny => implying_denied = true,
                Effect::Allow if direct => allowed = by,
                Effect::Allow => included = by,
            }
        }
    }
    let by = allowed.or_else(|| included.filter(|_| !implying_denied));
    Decision { outcome: if by.is_some() { Outcome::Allow } else { Outcome::DefaultDeny }, by }
}
