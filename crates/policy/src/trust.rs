//! Who may assume a role: the role's trust policy.

use crate::{ActionPattern, Context, Document, Effect, Effective, Matching, Pattern, Statement};

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
