//! Gathers the documents that have a say.

use std::sync::Arc;

use model::{AccountId, OnInstance, PolicyId, PrincipalKind, Resource};
use policy::Who;
use store::StoreError;

use crate::layers::{Document, Entry, Layer, Layers};
use crate::{Access, PrincipalRights, SessionRights, admin};

/// What a decision is about.
#[derive(Clone, Copy)]
pub(crate) enum Place<'p> {
    /// One thing.
    On(&'p Resource),
    /// Everything in an instance.
    In(&'p Arc<OnInstance>),
}

impl<'p> Place<'p> {
    fn instance(self) -> Option<&'p Arc<OnInstance>> {
        match self {
            Self::On(resource @ (Resource::Namespace(_) | Resource::Repository(_))) => resource.instance(),
            Self::On(_) => None,
            Self::In(instance) => Some(instance),
        }
    }
}

/// A caller as rights are decided for them: today's rights of the principal, and what bounds them in a role's session.
pub(crate) struct Standing {
    pub(crate) rights: Arc<PrincipalRights>,
    pub(crate) session: Option<Arc<SessionRights>>,
}

impl Standing {
    /// What bounds the principal's own rights in this session.
    pub(crate) fn bound(&self) -> Option<Vec<Entry>> {
        let session = self.session.as_ref().filter(|session| session.policy.is_some())?;
        let document = Document::Bound(Arc::clone(session));
        Some(vec![Entry { layer: Layer::Session, name: Arc::clone(&session.name), document }])
    }
}

impl Access {
    /// Everything that has a say for somebody about something.
    pub(crate) async fn layers(&self, standing: &Standing, place: Place<'_>) -> Result<Layers, StoreError> {
        let mut own = self.held(&standing.rights).await?;
        let owned = self.owned(place).await?;
        let who = if owned.is_empty() { None } else { Some(self.who(&standing.rights).await?) };
        own.extend(owned);
        let guards = self.guards(standing.rights.account).await?;
        Ok(Layers { own, bounds: standing.bound().into_iter().chain(guards).collect(), who })
    }

    /// Somebody's own documents and those of their groups; an admin user's is always the same.
    pub(crate) async fn held(&self, rights: &PrincipalRights) -> Result<Vec<Entry>, StoreError> {
        if rights.kind == PrincipalKind::Admin {
            let document = Document::BuiltIn(&admin::EVERYWHERE);
            return Ok(vec![Entry { layer: Layer::Own, name: "admin user".into(), document }]);
        }
        let mut held = self.documents_of(&rights.policies, &Layer::Own).await?;
        for group in &rights.groups {
            if let Some(group) = self.directory().principal(*group).await? {
                held.extend(self.documents_of(&group.policies, &Layer::Group(Arc::clone(&group.name))).await?);
            }
        }
        Ok(held)
    }

    pub(crate) async fn documents_of(&self, policies: &[(Arc<str>, Option<PolicyId>)], layer: &Layer) -> Result<Vec<Entry>, StoreError> {
        let mut held = Vec::with_capacity(policies.len());
        for (name, id) in policies {
            let document = match id {
                Some(id) => self.directory().in_force(*id).await?.map(Document::Own),
                None => policy::builtin(name).map(|b| Document::BuiltIn(b.document())),
            };
            // A policy deleted between two reads grants nothing; one that denied was detached by the same hand.
            if let Some(document) = document {
                held.push(Entry { layer: layer.clone(), name: Arc::clone(name), document });
            }
        }
        Ok(held)
    }

    /// The policies that belong to the place.
    async fn owned(&self, place: Place<'_>) -> Result<Vec<Entry>, StoreError> {
        let Some(instance) = place.instance() else { return Ok(Vec::new()) };
        let Some(owned) = self.directory().owned(instance).await? else { return Ok(Vec::new()) };
        let entry = |(index, name): (usize, &Arc<str>)| {
            let document = Document::Place(Arc::clone(&owned), index);
            Entry { layer: Layer::Resource, name: Arc::clone(name), document }
        };
        Ok(match place {
            Place::On(resource) => owned.over(resource).map(entry).collect(),
            Place::In(_) => owned.all().map(entry).collect(),
        })
    }

    /// What bounds everybody in an account; none: nothing does.
    pub(crate) async fn guards(&self, account: AccountId) -> Result<Option<Vec<Entry>>, StoreError> {
        let attached = self.directory().guards(account).await?.filter(|attached| !attached.is_empty());
        match attached {
            Some(attached) => Ok(Some(self.documents_of(&attached, &Layer::Guard).await?)),
            None => Ok(None),
        }
    }

    /// Somebody as documents name them.
    pub async fn who(&self, rights: &PrincipalRights) -> Result<Who, StoreError> {
        let mut who = Who::named(rights.account, &format!("{}/{}", rights.kind.noun(), rights.name));
        for group in &rights.groups {
            if let Some(group) = self.directory().principal(*group).await? {
                who = who.in_group(&group.name);
            }
        }
        Ok(who)
    }
}
