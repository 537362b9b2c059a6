//! Who may assume a role: the role's trust policy.

use model::AccountId;

use crate::{ActionPattern, Context, Document, Effect, Effective, Matching, Pattern, PrincipalPattern, Statement, Who};

/// A role's trust policy, read by [`crate::ram::parse_trust`].
#[derive(Clone, PartialEq, Debug)]
pub struct TrustDocument {
    document: Document,
}

/// What a trust policy says to somebody.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Trust {
    /// How it was decided.
    pub effective: Effective,
    /// The statement that decided, or whose condition came nearest; counted from 1.
    pub statement: Option<usize>,
    /// Of that one, the condition that does not hold and the value that was presented, in words.
    pub unmet: Option<String>,
}

/// What a trust policy has to allow, whoever vouches.
const ASSUME: &str = "sts:assumerole";

impl TrustDocument {
    pub(crate) const fn new(document: Document) -> Self {
        Self { document }
    }

    /// Its statements.
    pub const fn document(&self) -> &Document {
        &self.document
    }

    /// Does it let `who` in under some circumstances? What conditions ask for is taken as given where they allow, and as not given
    /// where they deny. Statements that let `others` in as well do not count, unless one keeps `others` out and not `who`.
    pub fn opens_to(&self, who: &Who, others: Option<&Who>) -> bool {
        let says = |effect: Effect| self.document.statements.iter().filter(move |s| s.effect() == effect && assumes(s));
        let closed = says(Effect::Deny).any(|s| s.condition().is_empty() && s.is_of(who));
        let kept_out = |others: &Who| says(Effect::Deny).any(|s| s.is_of(others) && !s.is_of(who));
        let others = others.filter(|others| !kept_out(others));
        !closed && says(Effect::Allow).any(|s| s.is_of(who) && !others.is_some_and(|others| s.is_of(others)))
    }

    /// Does it keep somebody of this name (`group/barred`) out by name, under some circumstances?
    pub fn denies_by_name(&self, account: AccountId, relative: &str) -> bool {
        let named = |p: &PrincipalPattern| matches!(p, PrincipalPattern::Named(of, name) if *of == account && **name == *relative);
        let denying = self.document.statements.iter().filter(|s| s.effect() == Effect::Deny && assumes(s));
        denying.filter_map(Statement::principals).flatten().any(named)
    }

    /// May who asks ([`Context::by`]) assume the role under these circumstances? Any denial wins, else any that allows.
    pub fn evaluate(&self, context: &Context) -> Trust {
        let speaking = || self.document.statements.iter().enumerate().filter(|(_, s)| s.is_about(context) && assumes(s));
        let applying = |effect: Effect| speaking().find(|(_, s)| s.effect() == effect && s.unmet(context).is_none());
        let by = |effective, (index, _): (usize, &Statement)| Trust { effective, statement: Some(index + 1), unmet: None };
        if let Some(denial) = applying(Effect::Deny) {
            return by(Effective::Denied, denial);
        }
        if let Some(allowing) = applying(Effect::Allow) {
            return by(Effective::Allowed, allowing);
        }
        let nearest = speaking().filter(|(_, s)| s.effect() == Effect::Allow).find_map(|(i, s)| Some((i + 1, s.unmet(context)?)));
        Trust {
            effective: Effective::NotSaid,
            statement: nearest.map(|(number, _)| number),
            unmet: nearest.map(|(_, clause)| clause.describe(context)),
        }
    }
}

/// Does it speak of assuming a role?
fn assumes(statement: &Statement) -> bool {
    let named = |patterns: &[ActionPattern]| patterns.iter().any(|p| Pattern::new(&p.as_str().to_ascii_lowercase()).matches(ASSUME));
    match statement.matching() {
        Matching::Action(patterns) => named(patterns),
        Matching::NotAction(patterns) => !named(patterns),
    }
}
