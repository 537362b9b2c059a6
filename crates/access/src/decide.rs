//! The one place where rights are decided.

use std::sync::Arc;

use model::{
    Action, ActionKind, Caller, InstanceId, Known, OnInstance, OnRepository, Op, PolicyId, PrincipalKind, RepositoryAction, Resource,
    Scope, Scopes, Target,
};
use policy::{Context, Effective, Filter, Request};
use store::StoreError;

use crate::gather::{Place, Standing};
use crate::layers::Layer;
use crate::rules::Crowd;
use crate::{Audit, Directory, Granted, Meters, Networks, Outcome, Permit, PrincipalRights, Record, Refusal};

/// Decides, and writes down what it refuses.
#[derive(Debug)]
pub struct Access {
    directory: Arc<Directory>,
    audit: Arc<Audit>,
    networks: Networks,
    crowd: Crowd,
    meters: Meters,
}

/// What policies say, before a token's scopes are looked at.
enum Say {
    Allow,
    Refuse,
}

impl Access {
    /// Decides over `directory`, writes refusals to `audit`.
    pub fn new(directory: Arc<Directory>, audit: Arc<Audit>) -> Self {
        Self { directory, audit, networks: Networks::none(), crowd: Crowd::new(), meters: Meters::default() }
    }

    /// The same, on a server with named networks.
    #[must_use]
    pub fn among(self, networks: Networks) -> Self {
        Self { networks, ..self }
    }

    /// The server's named networks.
    pub const fn networks(&self) -> &Networks {
        &self.networks
    }

    /// What is counted of decisions.
    pub const fn meters(&self) -> &Meters {
        &self.meters
    }

    pub(crate) const fn crowd(&self) -> &Crowd {
        &self.crowd
    }

    /// This node's memory.
    pub fn directory(&self) -> &Directory {
        &self.directory
    }

    /// The audit trail.
    pub fn audit(&self) -> &Audit {
        &self.audit
    }

    /// May `caller` do `A` to `on`, today, from there?
    pub async fn admit<A: ActionKind>(&self, op: &Op, caller: &Caller, on: A::On) -> Result<Permit<A>, Refusal> {
        let resource = on.resource();
        match self.meters.decided(self.may(op, caller, A::ACTION, &resource).await) {
            Ok(()) => Ok(Permit::new(op.clone(), caller.clone(), on)),
            Err(refusal) => {
                Box::pin(self.write_down(op, caller, A::ACTION, &resource, &refusal)).await;
                Err(refusal)
            }
        }
    }

    /// Like [`Self::admit`], for what everybody may do to themselves without any grant (unless a statement denies it): set
    /// one's own passwords, see, disable and delete one's own keys.
    pub async fn admit_own<A: ActionKind<On = model::OnPrincipal>>(
        &self,
        op: &Op,
        caller: &Caller,
        on: model::OnPrincipal,
    ) -> Result<Permit<A>, Refusal> {
        // A role is nobody's self, and an admin user is many people's.
        let person = |k: &Known| matches!(k.kind, PrincipalKind::Root | PrincipalKind::User | PrincipalKind::ServiceAccount);
        let own = caller.known().is_some_and(|k| Some(k.principal) == on.id && k.scopes.is_none() && person(k));
        if own && !self.is_denied(op, caller, A::ACTION, &on.resource()).await? {
            return Ok(Permit::new(op.clone(), caller.clone(), on));
        }
        self.admit::<A>(op, caller, on).await
    }

    /// Like [`Self::admit`], where a caller who may not even do `see` must not learn that `on` exists.
    pub async fn admit_or_hide<A: ActionKind>(&self, op: &Op, caller: &Caller, on: A::On, see: Action) -> Result<Permit<A>, Refusal> {
        let resource = on.resource();
        match self.admit::<A>(op, caller, on).await {
            Err(denied @ Refusal::Denied { .. }) => match self.sees(op, caller, see, &resource).await {
                Ok(()) => Err(denied),
                Err(Refusal::Unavailable) => Err(Refusal::Unavailable),
                Err(_) => Err(Refusal::NotFound),
            },
            answer => answer,
        }
    }

    /// May `caller` know that `resource` exists? Themselves, and what they hold, without any grant.
    pub(crate) async fn sees(&self, op: &Op, caller: &Caller, see: Action, resource: &Resource) -> Result<(), Refusal> {
        let own_sight = matches!(see, Action::GetUser | Action::ListAccessCredential | Action::ListAccessKeys);
        let own = matches!(resource, Resource::Principal(on) if on.id.is_some() && caller.known().map(|k| k.principal) == on.id);
        if own && own_sight && !self.is_denied(op, caller, see, resource).await? {
            return Ok(());
        }
        self.may(op, caller, see, resource).await
    }

    /// Of what a token request asks for, what is allowed now.
    pub async fn narrow(&self, op: &Op, caller: &Caller, instance: &Arc<OnInstance>, asked: &Scopes) -> Result<Granted, Refusal> {
        self.directory.fresh(op.now).await?;
        let mut granted = Scopes::default();
        for scope in asked.iter() {
            match scope {
                Scope::Catalog => granted.add(Scope::Catalog),
                Scope::Repository(name, actions) => {
                    let on = Resource::Repository(OnRepository { instance: Arc::clone(instance), name: name.clone() });
                    let mut allowed = Vec::with_capacity(actions.len());
                    for action in actions {
                        match self.may(op, caller, needed(*action), &on).await {
                            Ok(()) => allowed.push(*action),
                            Err(Refusal::Unavailable) => return Err(Refusal::Unavailable),
                            Err(_) => {}
                        }
                    }
                    self.meters.granted(allowed.len(), actions.len());
                    if !allowed.is_empty() {
                        granted.add(Scope::Repository(name.clone(), allowed));
                    }
                }
            }
        }
        Ok(Granted::new(caller.clone(), granted))
    }

    /// Which repositories of `instance` may `caller` do `action` to? Lists seek by its ranges and never scan what is hidden.
    pub async fn visible(&self, op: &Op, caller: &Caller, action: Action, instance: &Arc<OnInstance>) -> Result<Filter, Refusal> {
        let seen = self.meters.decided(self.filter(op, caller, action, instance).await);
        if let Err(refusal) = &seen {
            self.write_down(op, caller, action, &Resource::Instance(Arc::clone(instance)), refusal).await;
        }
        seen
    }

    async fn filter(&self, op: &Op, caller: &Caller, action: Action, instance: &Arc<OnInstance>) -> Result<Filter, Refusal> {
        self.directory.fresh(op.now).await?;
        let Some(known) = caller.known() else { return Ok(Filter::nothing()) };
        let bound_elsewhere = known.instance.is_some_and(|bound| bound != instance.id);
        let without_scope = known.scopes.as_ref().is_some_and(|s| !s.allow_catalog());
        if without_scope {
            return Err(Refusal::InsufficientScope { action, resource: Resource::Instance(Arc::clone(instance)) });
        }
        if bound_elsewhere || known.account != instance.account {
            return Ok(Filter::nothing());
        }
        self.reach(op, caller, action, &Resource::Instance(Arc::clone(instance))).await?;
        let standing = self.standing(op, known).await?;
        if standing.rights.instance.is_some_and(|own| own != instance.id) {
            return Ok(Filter::nothing());
        }
        if standing.rights.kind == PrincipalKind::Root {
            return Ok(Filter::everything());
        }
        let layers = self.layers(&standing, Place::In(instance)).await?;
        let context = layers.context(Context::from(op));
        Ok(layers.filter(action, &context, instance))
    }

    /// The documents of these policies of an account: what attaching them would give.
    pub async fn documents(&self, policies: &[(Arc<str>, Option<PolicyId>)]) -> Result<Vec<policy::Document>, Refusal> {
        let held = self.documents_of(policies, &Layer::Own).await?;
        Ok(held.iter().map(|entry| entry.document.get().clone()).collect())
    }

    async fn may(&self, op: &Op, caller: &Caller, action: Action, resource: &Resource) -> Result<(), Refusal> {
        self.directory.fresh(op.now).await?;
        self.has_right(op, caller, action, resource).await?;
        self.reach(op, caller, action, resource).await
    }

    async fn has_right(&self, op: &Op, caller: &Caller, action: Action, resource: &Resource) -> Result<(), Refusal> {
        let Some(known) = caller.known() else { return self.may_anybody(action, resource).await };
        let allowed = self.say(op, known, action, resource).await?;
        let bearer = known.scopes.is_some();
        let in_scope = known.scopes.as_ref().is_none_or(|scopes| carries(scopes, action, resource));
        match (allowed, in_scope, bearer) {
            (Say::Allow, true, _) => Ok(()),
            (Say::Refuse, _, false) => Err(Refusal::Denied { action, resource: resource.clone() }),
            // A client answers 401 by asking for another token, and then learns what it lacks.
            (_, _, _) => Err(Refusal::InsufficientScope { action, resource: resource.clone() }),
        }
    }

    async fn may_anybody(&self, action: Action, resource: &Resource) -> Result<(), Refusal> {
        if self.is_public(action, resource).await? { Ok(()) } else { Err(Refusal::Unauthenticated) }
    }

    pub(crate) async fn is_public(&self, action: Action, resource: &Resource) -> Result<bool, StoreError> {
        match (action, resource) {
            // A suspended account shows nothing to anybody.
            (Action::PullRepository, Resource::Repository(on)) => {
                Ok(self.directory.is_public(on.instance.id, &on.name).await? && self.directory.holds(on.instance.account).await?)
            }
            _ => Ok(false),
        }
    }

    async fn say(&self, op: &Op, known: &Known, action: Action, resource: &Resource) -> Result<Say, Refusal> {
        let standing = self.standing(op, known).await?;
        let rights = &standing.rights;
        let not_here = |bound: InstanceId| resource.instance().is_none_or(|i| i.id != bound);
        let bound_elsewhere = known.instance.is_some_and(not_here) || rights.instance.is_some_and(not_here);
        let elsewhere = rights.account != resource.account() || bound_elsewhere || is_root_of(resource, rights);
        let elsewhere = elsewhere || (is_of_server(action) && self.directory.first_account().await? != Some(rights.account));
        let outcome = match (elsewhere, rights.kind) {
            (true, _) => Effective::NotSaid,
            (false, PrincipalKind::Root) => Effective::Allowed,
            (false, _) => self.decide(op, &standing, action, resource).await?,
        };
        match outcome {
            Effective::Allowed => Ok(Say::Allow),
            Effective::NotSaid if self.is_public(action, resource).await? => Ok(Say::Allow),
            Effective::Denied | Effective::NotSaid => Ok(Say::Refuse),
        }
    }

    async fn is_denied(&self, op: &Op, caller: &Caller, action: Action, resource: &Resource) -> Result<bool, Refusal> {
        self.directory.fresh(op.now).await?;
        let Some(known) = caller.known() else { return Ok(true) };
        let standing = self.standing(op, known).await?;
        if standing.rights.kind == PrincipalKind::Root {
            return Ok(false);
        }
        Ok(self.decide(op, &standing, action, resource).await? == Effective::Denied)
    }

    async fn decide(&self, op: &Op, standing: &Standing, action: Action, resource: &Resource) -> Result<Effective, Refusal> {
        let layers = self.layers(standing, Place::On(resource)).await?;
        let context = layers.context(Context::from(op));
        Ok(layers.evaluate(&Request { action, resource, context: &context }))
    }

    /// A known caller's standing today; a principal who is gone, disabled or at its end is nobody, and so is a role whose session
    /// is gone.
    pub(crate) async fn standing(&self, op: &Op, known: &Known) -> Result<Standing, Refusal> {
        let rights = self.directory.somebody(known.principal, op.now).await?.ok_or(Refusal::Unauthenticated)?;
        let session = match rights.kind {
            PrincipalKind::Role => Some(self.directory.session(known.credential.id).await?.ok_or(Refusal::Unauthenticated)?),
            _ => None,
        };
        Ok(Standing { rights, session })
    }

    async fn write_down(&self, op: &Op, caller: &Caller, action: Action, resource: &Resource, refusal: &Refusal) {
        // An anonymous request that is asked to log in is the protocol at work, not an event; nor is a failing store. What network
        // rules refuse has been written down where they were asked.
        if caller.is_anonymous() || matches!(refusal, Refusal::Unavailable | Refusal::Network(_)) {
            return;
        }
        self.audit.note(Record::new(op, caller, action.as_str(), resource, Outcome::Denied)).await;
    }
}

/// Is this the account's root user, and the caller somebody else? No policy reaches the root user's keys and passwords.
pub(crate) fn is_root_of(resource: &Resource, caller: &PrincipalRights) -> bool {
    matches!(resource, Resource::Principal(on) if on.id == Some(on.account.root()) && caller.kind != PrincipalKind::Root)
}

/// Is this done to the server as a whole? Then its first account does it, and no other.
pub(crate) const fn is_of_server(action: Action) -> bool {
    matches!(action, Action::RotateSigningKey | Action::RotateAuditKey | Action::ReadMetrics | Action::ListNodes)
}

/// The right that a scope's action asks for.
const fn needed(action: RepositoryAction) -> Action {
    match action {
        RepositoryAction::Pull => Action::PullRepository,
        RepositoryAction::Push => Action::PushRepository,
        RepositoryAction::Delete => Action::DeleteRepositoryTag,
    }
}

/// Do a bearer token's scopes carry `action`? What no scope can name, no bearer of scopes may do.
fn carries(scopes: &Scopes, action: Action, resource: &Resource) -> bool {
    let Resource::Repository(on) = resource else { return false };
    match action {
        Action::PullRepository => scopes.allow(&on.name, RepositoryAction::Pull) || scopes.allow(&on.name, RepositoryAction::Push),
        Action::PushRepository => scopes.allow(&on.name, RepositoryAction::Push),
        Action::DeleteRepositoryTag => scopes.allow(&on.name, RepositoryAction::Delete),
        _ => false,
    }
}
