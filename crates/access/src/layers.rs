//! Everything that has a say in a decision: what somebody holds, what the place's own policies say, and what bounds it all.
//!
//! Any denial wins. Else it is allowed if what is held or the place's own policies allow it, and every bound allows it too: a
//! session's own policy, and the account's guards.

use std::borrow::Cow;
use std::sync::Arc;

use model::{Action, OnInstance};
use policy::{Context, Effective, Explanation, Filter, Request, Who};

use crate::SessionRights;
use crate::directory::InForce;
use crate::owned::OwnedPolicies;

/// Where a document comes from.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Layer {
    /// It is attached to the principal.
    Own,
    /// It is attached to a group of theirs.
    Group(Arc<str>),
    /// It belongs to the namespace or repository.
    Resource,
    /// It bounds the session.
    Session,
    /// It bounds everybody in the account.
    Guard,
    /// It is not stored: somebody asks what it would do.
    Proposed,
    /// No document: the root user.
    Root,
    /// No document: anybody may read the repository.
    Public,
}

impl Layer {
    /// As answers name it.
    pub fn name(&self) -> Cow<'static, str> {
        match self {
            Self::Own => "own".into(),
            Self::Group(name) => format!("group/{name}").into(),
            Self::Resource => "resource".into(),
            Self::Session => "session".into(),
            Self::Guard => "guard".into(),
            Self::Proposed => "proposed".into(),
            Self::Root => "root".into(),
            Self::Public => "public".into(),
        }
    }

    /// Behind the policy's name, where that alone would not say whose it is.
    fn remark(&self) -> Option<String> {
        match self {
            Self::Group(name) => Some(format!("of group {name}")),
            Self::Guard => Some("that guards the account".into()),
            _ => None,
        }
    }
}

/// Why something is allowed or not, and which layer said so.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Explained {
    /// The decision with its reason.
    pub explanation: Explanation,
    /// Who said so; none: nobody allowed it.
    pub layer: Option<Layer>,
}

impl Explained {
    /// Is it allowed?
    pub fn is_allowed(&self) -> bool {
        self.explanation.effective == Effective::Allowed
    }

    /// Decided by something other than a policy.
    pub(crate) const fn by(explanation: Explanation, layer: Option<Layer>) -> Self {
        Self { explanation, layer }
    }
}

static NOTHING: policy::Document = policy::Document { statements: Vec::new() };

/// A document, held while it is evaluated.
#[derive(Clone)]
pub(crate) enum Document {
    Own(Arc<InForce>),
    BuiltIn(&'static policy::Document),
    Bound(Arc<SessionRights>),
    Place(Arc<OwnedPolicies>, usize),
    Proposed(Arc<policy::Document>),
}

impl Document {
    pub(crate) fn get(&self) -> &policy::Document {
        match self {
            Self::Own(own) => &own.document,
            Self::BuiltIn(built_in) => built_in,
            Self::Bound(session) => session.policy.as_ref().unwrap_or(&NOTHING),
            Self::Place(policies, index) => policies.document(*index).unwrap_or(&NOTHING),
            Self::Proposed(document) => document,
        }
    }
}

/// A document with its name and where it comes from.
#[derive(Clone)]
pub(crate) struct Entry {
    pub(crate) layer: Layer,
    pub(crate) name: Arc<str>,
    pub(crate) document: Document,
}

/// All of them for one principal and one place.
pub(crate) struct Layers {
    pub(crate) own: Vec<Entry>,
    /// Each of these has to allow it too.
    pub(crate) bounds: Vec<Vec<Entry>>,
    /// Who asks, where a document names principals.
    pub(crate) who: Option<Who>,
}

impl Layers {
    /// The circumstances with what documents here can ask besides.
    pub(crate) fn context(&self, context: Context) -> Context {
        match &self.who {
            Some(who) => context.by(who.clone()),
            None => context,
        }
    }

    pub(crate) fn evaluate(&self, request: &Request<'_>) -> Effective {
        let say = |entries: &[Entry]| policy::evaluate(&labelled(entries), request).effective();
        self.bounds.iter().fold(say(&self.own), |said, bound| narrower(said, || say(bound)))
    }

    pub(crate) fn filter(&self, action: Action, context: &Context, instance: &OnInstance) -> Filter {
        let filter = |entries: &[Entry]| policy::filter(&labelled(entries), action, context, instance);
        self.bounds.iter().fold(filter(&self.own), |shown, bound| shown.bounded_by(filter(bound)))
    }

    pub(crate) fn explain(&self, request: &Request<'_>) -> Explained {
        let own = explain(&self.own, request);
        if own.explanation.effective == Effective::Denied {
            return own;
        }
        let bounds: Vec<_> = self.bounds.iter().map(|bound| explain(bound, request)).collect();
        if let Some(denied) = bounds.iter().find(|said| said.explanation.effective == Effective::Denied) {
            return denied.clone();
        }
        match bounds.into_iter().find(|said| said.explanation.effective == Effective::NotSaid).filter(|_| own.is_allowed()) {
            Some(bound) => bounded(&own, bound),
            None => own,
        }
    }
}

/// Allowed by what is held, but not by what bounds it.
fn bounded(own: &Explained, bound: Explained) -> Explained {
    let by = match bound.layer {
        Some(Layer::Session) => "the session's own policy does not",
        _ => "no policy that guards the account does",
    };
    let reason = format!("{}, but {by}: {}", own.explanation.reason, bound.explanation.reason);
    Explained { explanation: Explanation { reason, ..bound.explanation }, layer: bound.layer }
}

/// What two layers say together that both have to allow.
fn narrower(one: Effective, other: impl Fn() -> Effective) -> Effective {
    match (one, other()) {
        (Effective::Denied, _) | (_, Effective::Denied) => Effective::Denied,
        (Effective::Allowed, Effective::Allowed) => Effective::Allowed,
        _ => Effective::NotSaid,
    }
}

fn labelled(entries: &[Entry]) -> Vec<(&str, &policy::Document)> {
    entries.iter().map(|entry| (&*entry.name, entry.document.get())).collect()
}

fn explain(entries: &[Entry], request: &Request<'_>) -> Explained {
    let labels: Vec<_> = entries.iter().map(|e| e.layer.remark().map_or(e.name.to_string(), |r| format!("{} {r}", e.name))).collect();
    let documents: Vec<_> = labels.iter().zip(entries).map(|(label, entry)| (label.as_str(), entry.document.get())).collect();
    let said = policy::explain(&documents, request);
    let by = said.policy.as_ref().and_then(|by| labels.iter().position(|label| label == by)).and_then(|index| entries.get(index));
    let layer = by.map(|entry| entry.layer.clone()).or_else(|| entries.first().map(|e| e.layer.clone()).filter(|_| is_bound(entries)));
    Explained { explanation: Explanation { policy: by.map(|entry| entry.name.to_string()), ..said }, layer }
}

fn is_bound(entries: &[Entry]) -> bool {
    entries.first().is_some_and(|e| matches!(e.layer, Layer::Session | Layer::Guard))
}

#[cfg(test)]
mod tests {
    use model::{AccountId, OnAccount, Resource, Timestamp};

    use super::*;

    fn entry(layer: Layer, statements: &str) -> Entry {
        let document = policy::ram::parse(&format!(r#"{{"Version":"1","Statement":[{statements}]}}"#)).unwrap();
        Entry { layer, name: "p".into(), document: Document::Proposed(Arc::new(document)) }
    }

    const ALLOWS: &str = r#"{"Effect":"Allow","Action":"ram:ListUsers","Resource":"*"}"#;
    const DENIES: &str = r#"{"Effect":"Deny","Action":"ram:ListUsers","Resource":"*"}"#;
    const SILENT: &str = r#"{"Effect":"Allow","Action":"ram:ListGroups","Resource":"*"}"#;

    /// What each says when it is asked alone.
    const ALONE: [(&str, Effective); 3] = [(ALLOWS, Effective::Allowed), (DENIES, Effective::Denied), (SILENT, Effective::NotSaid)];

    /// Any denial wins; else all have to allow it. Explaining says the same.
    #[test]
    fn every_layer_has_its_say() {
        let resource = Resource::Account(OnAccount(AccountId::from_i64(7)));
        let context = Context::new(Timestamp::from_millis(0), "192.0.2.1".parse().unwrap(), true);
        let request = Request { action: Action::ListUsers, resource: &resource, context: &context };
        for (own, own_says) in ALONE {
            for (session, session_says) in ALONE {
                for (guard, guard_says) in ALONE {
                    let bounds = vec![vec![entry(Layer::Session, session)], vec![entry(Layer::Guard, guard)]];
                    let layers = Layers { own: vec![entry(Layer::Own, own)], bounds, who: None };
                    let said = [own_says, session_says, guard_says];
                    let wanted = match said {
                        _ if said.contains(&Effective::Denied) => Effective::Denied,
                        _ if said.contains(&Effective::NotSaid) => Effective::NotSaid,
                        _ => Effective::Allowed,
                    };
                    assert_eq!(layers.evaluate(&request), wanted, "{said:?}");
                    let explained = layers.explain(&request);
                    assert_eq!(explained.explanation.effective, wanted, "{said:?}");
                    assert!(!explained.explanation.reason.is_empty());
                }
            }
        }
    }

    #[test]
    fn a_bound_without_a_document_allows_nothing() {
        let resource = Resource::Account(OnAccount(AccountId::from_i64(7)));
        let context = Context::new(Timestamp::from_millis(0), "192.0.2.1".parse().unwrap(), true);
        let layers = Layers { own: vec![entry(Layer::Own, ALLOWS)], bounds: vec![Vec::new()], who: None };
        assert_eq!(layers.evaluate(&Request { action: Action::ListUsers, resource: &resource, context: &context }), Effective::NotSaid);
    }
}
