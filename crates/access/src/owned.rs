//! Policies that belong to namespaces and repositories, as this node keeps them: those of one instance together.

use std::collections::HashMap;
use std::sync::Arc;

use model::{OnInstance, OnNamespace, OnRepository, Resource};
use policy::{Effect, Statement, Who, ram};
use store::resource_policy::Place;
use store::{StoreError, Tx};

/// The policies of an instance's namespaces and repositories.
#[derive(Debug, Default)]
pub(crate) struct OwnedPolicies {
    policies: Vec<Owned>,
    /// Where in the list; a namespace's name has no slash at its end, so a repository's cannot be mistaken for it.
    places: HashMap<String, usize>,
}

#[derive(Debug)]
struct Owned {
    /// `namespace/local/demo`.
    name: Arc<str>,
    document: policy::Document,
}

impl OwnedPolicies {
    /// Reads those of an instance. `Corrupt` when a text no longer reads: that must never widen a right.
    pub(crate) async fn load(tx: &mut Tx<'_>, instance: &Arc<OnInstance>) -> Result<Self, StoreError> {
        let mut all = Self::default();
        for (place, text) in store::resource_policy::of_instance(tx, instance.id).await? {
            let of = resource(instance, place);
            let document = ram::reread_resource_policy(&text, &of).map_err(|_| StoreError::corrupt("resource_policy.document"))?;
            all.places.insert(key(&of), all.policies.len());
            all.policies.push(Owned { name: of.to_string().into(), document });
        }
        Ok(all)
    }

    /// One of them.
    pub(crate) fn document(&self, index: usize) -> Option<&policy::Document> {
        self.policies.get(index).map(|owned| &owned.document)
    }

    /// What they allow to somebody who is named, or in a group that is, and not to `others` as well.
    pub(crate) fn given_to(&self, who: &Who, others: Option<&Who>) -> policy::Document {
        let statements = self.policies.iter().flat_map(|owned| &owned.document.statements);
        let of_others = |s: &Statement| others.is_some_and(|others| s.is_of(others));
        let given = statements.filter(|s| s.effect() == Effect::Allow && s.is_of(who) && !of_others(s));
        policy::Document { statements: given.cloned().collect() }
    }

    /// What they deny to somebody who is named, or in a group that is.
    pub(crate) fn denied_to(&self, who: &Who) -> policy::Document {
        let statements = self.policies.iter().flat_map(|owned| &owned.document.statements);
        policy::Document { statements: statements.filter(|s| s.effect() == Effect::Deny && s.is_of(who)).cloned().collect() }
    }

    /// All of them, by name.
    pub(crate) fn all(&self) -> impl Iterator<Item = (usize, &Arc<str>)> {
        self.policies.iter().map(|owned| &owned.name).enumerate()
    }

    /// Those that have a say about something: its own, and its namespace's.
    pub(crate) fn over(&self, resource: &Resource) -> impl Iterator<Item = (usize, &Arc<str>)> {
        let namespace = match resource {
            Resource::Repository(on) if !self.policies.is_empty() => {
                Some(Resource::Namespace(OnNamespace { instance: Arc::clone(&on.instance), name: on.name.namespace() }))
            }
            _ => None,
        };
        let own = Some(resource).filter(|_| !self.policies.is_empty());
        let keys = own.map(key).into_iter().chain(namespace.as_ref().map(key));
        let found: Vec<usize> = keys.filter_map(|key| self.places.get(&key).copied()).collect();
        found.into_iter().filter_map(|index| Some((index, &self.policies.get(index)?.name)))
    }
}

fn key(of: &Resource) -> String {
    match of {
        Resource::Namespace(on) => format!("{}/", on.name),
        Resource::Repository(on) => on.name.to_string(),
        _ => String::new(),
    }
}

fn resource(instance: &Arc<OnInstance>, place: Place) -> Resource {
    let instance = Arc::clone(instance);
    match place {
        Place::Namespace(name) => Resource::Namespace(OnNamespace { instance, name }),
        Place::Repository(name) => Resource::Repository(OnRepository { instance, name }),
    }
}
