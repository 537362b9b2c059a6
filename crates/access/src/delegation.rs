//! Delegation that cannot escalate: whoever gives something, or can make somebody of themselves, holds all that it lets one do.
//!
//! To be somebody is to hold what is attached to them and to their groups, what namespaces and repositories give them by name, and
//! all that the roles hold that they can assume.

use model::{Action, Caller, OnAccount, Op, PrincipalId, PrincipalKind, Resource};
use policy::{Document, Who, Why};

use crate::gather::Standing;
use crate::layers::Entry;
use crate::reach::Reached;
use crate::{Access, Outcome, PrincipalRights, Record, Refusal};

/// Whoever gives, as what they give is held against it.
struct Giver<'a> {
    access: &'a Access,
    standing: Standing,
    /// Each of these has to cover what is given; none: the root user, whom nothing bounds.
    layers: Option<Vec<Vec<Document>>>,
}

impl Access {
    /// May `caller` hand all of these documents over to somebody else? Whoever grants gives at most what they hold.
    pub async fn may_hand_over(&self, op: &Op, caller: &Caller, given: &[&Document]) -> Result<(), Refusal> {
        let answer = async { self.giver(op, caller).await?.holds(given.iter().copied()) }.await;
        self.noted(op, caller, answer).await
    }

    /// May `caller` let the account's guards allow all of these documents? Guards bound the caller too, so what they keep from
    /// the caller counts as well: in the end only the root user takes away what binds everybody.
    pub async fn may_loosen_guards(&self, op: &Op, caller: &Caller, given: &[&Document]) -> Result<(), Refusal> {
        let answer = async {
            let holder = self.giver(op, caller).await?;
            holder.bound_by_guards().await?.holds(given.iter().copied())
        };
        self.noted(op, caller, answer.await).await
    }

    /// May `caller` be somebody else, or let anybody be them? Everything that makes one able to act as somebody asks here: keys,
    /// credentials, passwords, secrets, trust, membership, and enabling what was disabled.
    pub async fn may_stand_in_for(&self, op: &Op, caller: &Caller, other: PrincipalId) -> Result<(), Refusal> {
        let answer = self.stands_in_for(op, caller, other).await;
        self.noted(op, caller, answer).await
    }

    /// The same for somebody who is not there yet, by the name that they will have: documents may speak of it already.
    pub async fn may_become(&self, op: &Op, caller: &Caller, kind: PrincipalKind, name: &str) -> Result<(), Refusal> {
        let answer = async {
            let holder = self.giver(op, caller).await?;
            let who = Who::named(holder.standing.rights.account, &format!("{}/{name}", kind.noun()));
            holder.holds_all_of(&who).await
        };
        self.noted(op, caller, answer.await).await
    }

    /// May `caller` take away from others what namespaces, repositories and roles deny a group by name?
    pub async fn may_leave(&self, op: &Op, caller: &Caller, group: PrincipalId) -> Result<(), Refusal> {
        let answer = async {
            let Some(rights) = self.directory().principal(group).await? else { return Err(Refusal::NotFound) };
            self.giver(op, caller).await?.holds_lifted(&rights).await
        };
        self.noted(op, caller, answer.await).await
    }

    async fn stands_in_for(&self, op: &Op, caller: &Caller, other: PrincipalId) -> Result<(), Refusal> {
        let Some(rights) = self.directory().principal(other).await? else { return Err(Refusal::NotFound) };
        let holder = self.giver(op, caller).await?;
        // In a session of their own role somebody may have less than the role.
        if holder.standing.rights.id == other && holder.standing.bound().is_none() {
            return Ok(());
        }
        if rights.kind == PrincipalKind::Root {
            // Nobody stands in for the root user: what it holds has no document.
            let resource = "*".into();
            return Err(Refusal::Exceeds { action: Action::PullRepository, resource, through: None, why: Why::NotAllowed });
        }
        let held = self.held(&rights).await?;
        holder.holds(held.iter().map(|entry| entry.document.get()))?;
        holder.holds_all_of(&self.who(&rights).await?).await
    }

    async fn giver(&self, op: &Op, caller: &Caller) -> Result<Giver<'_>, Refusal> {
        self.directory().fresh(op.now).await?;
        let standing = self.standing(op, caller.known().ok_or(Refusal::Unauthenticated)?).await?;
        let giver = Giver { access: self, standing, layers: None };
        if giver.standing.rights.kind == PrincipalKind::Root {
            return Ok(giver);
        }
        // Guards bound whoever is given it as well.
        let held = self.held(&giver.standing.rights).await?;
        let bound = giver.standing.bound();
        giver.bounded_by(std::iter::once(held).chain(bound)).await
    }

    /// Writes down what was refused because it exceeds what the caller holds.
    async fn noted(&self, op: &Op, caller: &Caller, answer: Result<(), Refusal>) -> Result<(), Refusal> {
        if let (Err(Refusal::Exceeds { action, resource, .. }), Some(known)) = (&answer, caller.known()) {
            let account = Resource::Account(OnAccount(known.account));
            let record = Record::new(op, caller, action.as_str(), &account, Outcome::Denied);
            self.audit().note(record.with_detail(format!("giving it on {resource} to somebody else"))).await;
        }
        answer
    }
}

impl Giver<'_> {
    /// The same, where each of these layers has to cover it too.
    async fn bounded_by(mut self, layers: impl Iterator<Item = Vec<Entry>>) -> Result<Self, Refusal> {
        let instances = self.access.directory().instances_of(self.standing.rights.account).await?;
        let instances: Vec<_> = instances.iter().map(|instance| &*instance.on).collect();
        let spelled = |layer: Vec<Entry>| layer.iter().map(|entry| policy::spelled_by_id(entry.document.get(), &instances)).collect();
        self.layers.get_or_insert_default().extend(layers.map(spelled));
        Ok(self)
    }

    async fn bound_by_guards(self) -> Result<Self, Refusal> {
        if self.layers.is_none() {
            return Ok(self);
        }
        let guards = self.access.guards(self.standing.rights.account).await?;
        self.bounded_by(guards.into_iter()).await
    }

    /// Does every layer cover all of these documents?
    fn holds<'d>(&self, given: impl Iterator<Item = &'d Document>) -> Result<(), Refusal> {
        let Some(layers) = &self.layers else { return Ok(()) };
        let layers: Vec<Vec<&Document>> = layers.iter().map(|layer| layer.iter().collect()).collect();
        for document in given {
            layers.iter().try_for_each(|layer| policy::covers(self.standing.rights.account, layer, document))?;
        }
        Ok(())
    }

    /// Does the giver hold what somebody has by being called so, and what all the roles have that they can become?
    async fn holds_all_of(&self, who: &Who) -> Result<(), Refusal> {
        if self.layers.is_none() {
            return Ok(());
        }
        self.holds_given_to(who).await?;
        // A session may be at the end of its chain, or bounded: what it could assume itself says nothing.
        let own = if self.standing.session.is_some() { None } else { Some(self.access.who(&self.standing.rights).await?) };
        for reached in self.access.reached(self.standing.rights.account, who, own.as_ref()).await? {
            self.holds_role(&reached).await?;
        }
        Ok(())
    }

    async fn holds_role(&self, Reached { role, who, .. }: &Reached) -> Result<(), Refusal> {
        let held = self.access.held(role).await?;
        let answer = match self.holds(held.iter().map(|entry| entry.document.get())) {
            Ok(()) => self.holds_given_to(who).await,
            refused => refused,
        };
        answer.map_err(|refusal| match refusal {
            Refusal::Exceeds { action, resource, why, .. } => {
                Refusal::Exceeds { action, resource, through: Some((&*role.name).into()), why }
            }
            other => other,
        })
    }

    /// What namespaces and repositories allow somebody by name, and not the giver.
    async fn holds_given_to(&self, who: &Who) -> Result<(), Refusal> {
        let own = if self.standing.bound().is_some() { None } else { Some(self.access.who(&self.standing.rights).await?) };
        for instance in self.access.directory().instances_of(self.standing.rights.account).await? {
            let owned = self.access.directory().owned(&instance.on).await?;
            self.holds(owned.map(|owned| owned.given_to(who, own.as_ref())).iter())?;
        }
        Ok(())
    }

    /// What a group is denied by name, and what roles have that keep it out.
    async fn holds_lifted(&self, group: &PrincipalRights) -> Result<(), Refusal> {
        if self.layers.is_none() {
            return Ok(());
        }
        let who = self.access.who(group).await?;
        for instance in self.access.directory().instances_of(group.account).await? {
            let owned = self.access.directory().owned(&instance.on).await?;
            self.holds(owned.map(|owned| policy::lifted(&owned.denied_to(&who))).iter())?;
        }
        let name = format!("{}/{}", group.kind.noun(), group.name);
        for closed in self.access.roles_where(group.account, |_, trust| trust.denies_by_name(group.account, &name)).await? {
            self.holds_role(&closed).await?;
            for reached in self.access.reached(group.account, &closed.who, None).await? {
                self.holds_role(&reached).await?;
            }
        }
        Ok(())
    }
}
