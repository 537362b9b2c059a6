//! Delegation: does whoever holds these documents hold everything that another one would give?
//!
//! Decided for every action of the table, every resource of the account and every circumstance at once. A yes is always right;
//! where it cannot be seen, the answer is no. Actions of several statements are joined; resources and conditions are not. So somebody
//! who may do `repository/?/*` piece by piece may have to give it piece by piece.

use model::{AccountId, Action, OnInstance};

use crate::meet::{Budget, is_free};
use crate::{ActionSet, Clause, Document, Effect, Pattern, ResourcePattern, Statement, implied_by};

/// What a document would give that its giver does not hold.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("statement {statement} allows {} on {resource}, {why}", action.as_str())]
pub struct Uncovered {
    /// The statement of the given document, counted from 1.
    pub statement: usize,
    /// The first action that is missing.
    pub action: Action,
    /// On what, as the statement writes it.
    pub resource: String,
    /// What is in the way.
    pub why: Why,
}

/// Why something is not held.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Why {
    /// No statement allows all of it under these conditions.
    #[error("which the giver is not allowed")]
    NotAllowed,
    /// A statement denies some of it.
    #[error("of which the giver is denied a part")]
    Denied,
    /// The documents are too many or too intricate to compare.
    #[error("which could not be compared with what the giver holds: give less at a time, or with fewer wildcards")]
    Undecided,
}

/// Does whoever holds all of `holder` in this account hold everything that `given` allows?
///
/// Statements of `holder` that name principals allow nothing here, but deny; those of `given` count as if they named everybody.
pub fn covers(account: AccountId, holder: &[&Document], given: &Document) -> Result<(), Uncovered> {
    let cover = Cover::new(account, holder, given);
    for (index, statement) in given.statements.iter().enumerate().filter(|(_, s)| s.effect() == Effect::Allow) {
        for resource in statement.resources().iter().filter(|r| cover.is_here(r)) {
            cover.check(statement, resource).map_err(|(action, why)| Uncovered {
                statement: index + 1,
                action,
                resource: resource.to_string(),
                why: if cover.budget.is_spent() { Why::Undecided } else { why },
            })?;
        }
    }
    Ok(())
}

/// What taking a document away would newly allow to those whom it denies, as a document that allows it.
#[must_use]
pub fn lifted(document: &Document) -> Document {
    let denying = document.statements.iter().filter(|s| s.effect() == Effect::Deny);
    Document { statements: denying.map(|s| s.clone().with_effect(Effect::Allow)).collect() }
}

/// The same document where each resource that is spelled by an instance's name is spelled by its id as well: what somebody holds
/// by a name they hold by the id, as long as the instance is there. (The other way round a later instance might take the name.)
#[must_use]
pub fn spelled_by_id(document: &Document, instances: &[&OnInstance]) -> Document {
    let spelled = |statement: &Statement| {
        let by_id = statement.resources().iter().flat_map(|resource| instances.iter().filter_map(|instance| by_id(resource, instance)));
        let resources = statement.resources().iter().cloned().chain(by_id).collect();
        statement.clone().on(resources)
    };
    Document { statements: document.statements.iter().map(spelled).collect() }
}

fn by_id(resource: &ResourcePattern, instance: &OnInstance) -> Option<ResourcePattern> {
    let ResourcePattern::Parts { service, region, account, relative } = resource else { return None };
    let text = relative.to_string();
    let (kind, rest) = text.split_once('/').filter(|(kind, _)| matches!(*kind, "repository" | "instance"))?;
    let behind = rest.strip_prefix(instance.name.as_str()).filter(|behind| behind.is_empty() || behind.starts_with('/'))?;
    let relative = Pattern::new(&format!("{kind}/{}{behind}", instance.id));
    Some(ResourcePattern::Parts { service: service.clone(), region: region.clone(), account: account.clone(), relative })
}

struct Cover<'d> {
    account: String,
    allowing: Vec<&'d Statement>,
    denying: Vec<&'d Statement>,
    /// What the given document denies itself.
    withheld: Vec<&'d Statement>,
    budget: Budget,
}

type Missing = (Action, Why);

impl<'d> Cover<'d> {
    fn new(account: AccountId, holder: &[&'d Document], given: &'d Document) -> Self {
        let of = |effect: Effect| move |s: &&Statement| s.effect() == effect;
        let held = || holder.iter().flat_map(|document| &document.statements);
        Self {
            account: account.to_string(),
            allowing: held().filter(of(Effect::Allow)).filter(|s| s.principals().is_none()).collect(),
            denying: held().filter(of(Effect::Deny)).collect(),
            withheld: given.statements.iter().filter(of(Effect::Deny)).filter(|s| s.principals().is_none()).collect(),
            budget: Budget::full(),
        }
    }

    /// Can it speak of anything in this account?
    fn is_here(&self, resource: &ResourcePattern) -> bool {
        match resource {
            ResourcePattern::Any => true,
            ResourcePattern::Parts { account, .. } => is_free(account) || account.matches(&self.account),
        }
    }

    /// Is all that a statement gives on one of its resources held?
    fn check(&self, statement: &Statement, resource: &ResourcePattern) -> Result<(), Missing> {
        let given = with_included(statement.actions());
        let direct = self.allowed(statement, resource, given);
        let missing = given.without(with_included(direct)).iter().next();
        missing.map_or(Ok(()), |action| Err((action, Why::NotAllowed)))?;
        let included = given.without(direct);
        self.denying.iter().try_for_each(|denial| {
            let implying = included.iter().filter(|a| implied_by(*a).is_some_and(|by| denial.actions().contains(by))).collect();
            let denied = given.intersection(denial.actions()).union(implying);
            self.check_denial(statement, resource, denial, denied)
        })
    }

    /// Which of the actions are allowed by name on all of the resource, whenever the statement applies?
    fn allowed(&self, statement: &Statement, resource: &ResourcePattern, given: ActionSet) -> ActionSet {
        let including: ActionSet = given.iter().filter_map(implied_by).collect();
        let wanted = given.union(including);
        let useful = self.allowing.iter().filter(|held| !held.actions().intersection(wanted).is_empty());
        let holding = useful.filter(|held| self.reaches(held, resource) && implied(statement.condition(), held.condition()));
        holding.fold(ActionSet::default(), |set, held| set.union(held.actions()))
    }

    /// Does one of a statement's resources contain this one?
    fn reaches(&self, held: &Statement, resource: &ResourcePattern) -> bool {
        held.resources().iter().any(|wide| self.is_here(wide) && self.contains(wide, resource))
    }

    fn contains(&self, wide: &ResourcePattern, narrow: &ResourcePattern) -> bool {
        match (wide, narrow) {
            (ResourcePattern::Any, _) => true,
            (ResourcePattern::Parts { service, region, relative, .. }, ResourcePattern::Any) => {
                service.is_everything() && (is_free(region) || region.is_everything()) && relative.is_everything()
            }
            (
                ResourcePattern::Parts { service, region, relative, .. },
                ResourcePattern::Parts { service: services, region: regions, relative: relatives, .. },
            ) => {
                self.budget.spend(1 + relative.len() * relatives.len() / 64)
                    && service.contains(services)
                    && (is_free(region) || region.is_everything() || (!is_free(regions) && region.contains(regions)))
                    && relative.contains(relatives)
            }
        }
    }

    /// Does a denial leave the statement alone, where the given document does not withhold the same?
    fn check_denial(
        &self,
        statement: &Statement,
        resource: &ResourcePattern,
        denial: &Statement,
        denied: ActionSet,
    ) -> Result<(), Missing> {
        if denied.is_empty() || excluded(statement.condition(), denial.condition(), &self.budget) {
            return Ok(());
        }
        let here = denial.resources().iter().filter(|place| self.is_here(place));
        for place in here.filter(|place| resource.may_meet(place, denied, &self.budget)) {
            let open = denied.iter().find(|action| !self.is_withheld(*action, statement, [resource, place], denial));
            open.map_or(Ok(()), |action| Err((action, Why::Denied)))?;
        }
        Ok(())
    }

    /// Does the given document itself deny the action wherever both the statement and the holder's denial apply?
    fn is_withheld(&self, action: Action, statement: &Statement, places: [&ResourcePattern; 2], denial: &Statement) -> bool {
        let by_inclusion = implied_by(action).filter(|_| !statement.actions().contains(action));
        let both = || statement.condition().iter().chain(denial.condition());
        self.withheld.iter().any(|own| {
            [Some(action), by_inclusion].into_iter().flatten().any(|action| own.actions().contains(action))
                && places.iter().any(|place| self.reaches(own, place))
                && own.condition().iter().all(|clause| both().any(|known| known.implies(clause)))
        })
    }
}

/// The actions with those that they include.
fn with_included(actions: ActionSet) -> ActionSet {
    let included = Action::ALL.iter().copied().filter(|a| implied_by(*a).is_some_and(|by| actions.contains(by)));
    actions.union(included.collect())
}

/// Does `wanted` hold whenever `known` does?
fn implied(known: &[Clause], wanted: &[Clause]) -> bool {
    wanted.iter().all(|clause| known.iter().any(|known| known.implies(clause)))
}

/// Is there no request in which both hold?
fn excluded(one: &[Clause], other: &[Clause], budget: &Budget) -> bool {
    one.iter().any(|clause| other.iter().any(|against| clause.excludes(against, budget)))
}
