//! The decision: explicit deny > allow > default deny.

use model::{Action, Resource};

use crate::{Context, Document, Effect, Spelling, Statement, ram};

/// One question: may this be done to that, now and from there?
#[derive(Clone, Copy, Debug)]
pub struct Request<'r> {
    /// What is to be done.
    pub action: Action,
    /// To what.
    pub resource: &'r Resource,
    /// Under which circumstances.
    pub context: &'r Context,
}

/// What policies say.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Effective {
    /// A statement allows it and none denies it.
    Allowed,
    /// A statement denies it.
    Denied,
    /// No statement speaks of it: denied by default.
    NotSaid,
}

/// Which statement decided.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct By<'d> {
    /// The name of its policy.
    pub policy: &'d str,
    /// Its index in the document, from 0.
    pub statement: usize,
    /// The action for which it counted: the one asked for, or one that includes it ([`implied_by`]).
    pub action: Action,
}

/// A decision and what made it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Decision<'d> {
    effective: Effective,
    by: Option<By<'d>>,
}

impl<'d> Decision<'d> {
    /// How it was decided.
    pub const fn effective(&self) -> Effective {
        self.effective
    }

    /// Is it allowed?
    pub fn is_allowed(&self) -> bool {
        self.effective == Effective::Allowed
    }

    /// By which statement: the first that denies, else the first that allows; none for a default deny.
    pub const fn by(&self) -> Option<By<'d>> {
        self.by
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

/// Decides by all the documents together, whatever their order. Each comes with its policy's name.
pub fn evaluate<'d>(documents: &[(&'d str, &Document)], request: &Request<'_>) -> Decision<'d> {
    let spelling = ram::spell(request.action, request.resource);
    let (mut allowed, mut included, mut implying_denied) = (None, None, false);
    for (policy, document) in documents {
        for (index, statement) in document.statements.iter().enumerate() {
            let Some(action) = counts_for(statement, request.action) else { continue };
            let is_direct = action == request.action;
            // A second statement that allows changes nothing.
            let is_known = statement.effect() == Effect::Allow && if is_direct { allowed.is_some() } else { included.is_some() };
            if is_known || !applies(statement, &spelling, request.context) {
                continue;
            }
            let by = Some(By { policy, statement: index, action });
            match (statement.effect(), is_direct) {
                (Effect::Deny, true) => return Decision { effective: Effective::Denied, by },
                (Effect::Deny, false) => implying_denied = true,
                (Effect::Allow, true) => allowed = by,
                (Effect::Allow, false) => included = by,
            }
        }
    }
    let by = allowed.or_else(|| included.filter(|_| !implying_denied));
    Decision { effective: if by.is_some() { Effective::Allowed } else { Effective::NotSaid }, by }
}

/// The action for which the statement has a say: this one before one that includes it.
pub(crate) fn counts_for(statement: &Statement, action: Action) -> Option<Action> {
    [Some(action), implied_by(action)].into_iter().flatten().find(|action| statement.actions().contains(*action))
}

fn applies(statement: &Statement, spelling: &Spelling, context: &Context) -> bool {
    statement.names(spelling) && statement.is_about(context) && statement.unmet(context).is_none()
}
