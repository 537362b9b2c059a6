//! The tree that every policy language is read into. The original text is kept by whoever stores the policy.

use crate::{ActionSet, Clause, Context, Matching, PrincipalPattern, ResourcePattern, Spelling, Who};

/// The longest document, in characters (RAM, CreatePolicy).
pub const MAX_CHARS: usize = 6144;

/// The most statements of one document.
pub const MAX_STATEMENTS: usize = 100;

/// What a statement does to what it matches.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Effect {
    /// Allows it, unless something denies it.
    Allow,
    /// Denies it, whatever allows it.
    Deny,
}

/// A policy. The empty one, which no reader returns, allows nothing.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Document {
    /// Its statements; their order changes no outcome.
    pub statements: Vec<Statement>,
}

/// One statement: what it does to which actions on which resources, and when.
#[derive(Clone, PartialEq, Debug)]
pub struct Statement {
    effect: Effect,
    matching: Matching,
    actions: ActionSet,
    resources: Vec<ResourcePattern>,
    condition: Vec<Clause>,
    principals: Option<Vec<PrincipalPattern>>,
}

impl Statement {
    /// A statement; an empty condition always holds, empty resources never match.
    pub fn new(effect: Effect, matching: Matching, resources: Vec<ResourcePattern>, condition: Vec<Clause>) -> Self {
        Self { effect, actions: matching.actions(), matching, resources, condition, principals: None }
    }

    /// The same for these principals alone: a statement of a document that belongs to a resource.
    #[must_use]
    pub fn naming(self, principals: Vec<PrincipalPattern>) -> Self {
        Self { principals: Some(principals), ..self }
    }

    /// The same on other resources.
    #[must_use]
    pub fn on(self, resources: Vec<ResourcePattern>) -> Self {
        Self { resources, ..self }
    }

    /// The same with another effect.
    #[must_use]
    pub fn with_effect(self, effect: Effect) -> Self {
        Self { effect, ..self }
    }

    /// Allow or deny.
    pub const fn effect(&self) -> Effect {
        self.effect
    }

    /// The actions as the document names them.
    pub const fn matching(&self) -> &Matching {
        &self.matching
    }

    /// The known actions that it speaks of.
    pub const fn actions(&self) -> ActionSet {
        self.actions
    }

    /// The resources that it speaks of: any of them.
    pub fn resources(&self) -> &[ResourcePattern] {
        &self.resources
    }

    /// What has to hold: all of it.
    pub fn condition(&self) -> &[Clause] {
        &self.condition
    }

    /// Of whom it speaks; none: of whoever the document is attached to.
    pub fn principals(&self) -> Option<&[PrincipalPattern]> {
        self.principals.as_deref()
    }

    /// Does it speak of who asks?
    pub fn is_about(&self, context: &Context) -> bool {
        self.principals.is_none() || context.who().is_some_and(|who| self.is_of(who))
    }

    /// Does it name them, or a group of theirs?
    pub fn is_of(&self, who: &Who) -> bool {
        self.principals.as_ref().is_some_and(|named| named.iter().any(|p| p.is(who)))
    }

    /// Does it speak of this resource?
    pub fn names(&self, resource: &Spelling) -> bool {
        self.resources.iter().any(|pattern| pattern.matches(resource))
    }

    /// The first part of the condition that does not hold; none: it applies.
    pub fn unmet(&self, context: &Context) -> Option<&Clause> {
        self.condition.iter().find(|clause| !clause.holds(context.get(&clause.key)))
    }
}
