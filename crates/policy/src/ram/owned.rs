//! Documents that belong to something: a role's trust policy, a namespace's or repository's policy. Their statements name
//! principals.

use model::{AccountId, Action, Resource};

use super::json::Node;
use super::read::{action_of, conditions_of, effect_of, elements, entries, matching_of, read, resources_of};
use super::spell;
use crate::{Document, Matching, Pattern, PolicyError, PrincipalPattern, ResourcePattern, Statement, TrustDocument};

/// The longest document that belongs to something, in characters (RAM, CreateRole).
pub const MAX_OWNED_CHARS: usize = 2048;

/// Reads the trust policy of a role of this account: Effect, Action, Principal and Condition a statement.
///
/// Principals are of the same account: no account has rights over another.
pub fn parse_trust(account: AccountId, text: &str) -> Result<TrustDocument, PolicyError> {
    let statement = |node: &Node<'_>| {
        let [effect, action, principal, condition] = elements(node, ["Effect", "Action", "Principal", "Condition"])?;
        let matching = Matching::Action(action_of(node, action.as_ref())?);
        let statement =
            Statement::new(effect_of(node, effect.as_ref())?, matching, vec![ResourcePattern::Any], conditions_of(condition.as_ref())?);
        Ok(statement.naming(principals(node, principal.as_ref(), account)?))
    };
    read(text, MAX_OWNED_CHARS, statement).map(TrustDocument::new)
}

/// Reads the policy of a namespace or repository. Its resources have to lie inside; left out, they are all that is inside.
///
/// Principals are of the account that owns it, and no provider and no service: whom those vouch for has a role.
pub fn parse_resource_policy(text: &str, of: &Resource) -> Result<Document, PolicyError> {
    let inside = inside(of);
    let is_inside = |resource: &ResourcePattern| {
        let ResourcePattern::Parts { relative, .. } = resource else { return false };
        inside.iter().any(|wide| wide.contains(relative))
    };
    read_resource_policy(text, of, |node, resource| {
        if is_inside(resource) { Ok(()) } else { Err(node.wants(format!("this is not inside {of}; leave Resource out to mean all of it"))) }
    })
}

/// Reads one that was accepted before: what no longer lies inside (its instance has another name) speaks of nothing.
pub fn reread_resource_policy(text: &str, of: &Resource) -> Result<Document, PolicyError> {
    read_resource_policy(text, of, |_, _| Ok(()))
}

fn read_resource_policy(
    text: &str,
    of: &Resource,
    check: impl Fn(&Node<'_>, &ResourcePattern) -> Result<(), PolicyError>,
) -> Result<Document, PolicyError> {
    let known = ["Effect", "Action", "NotAction", "Principal", "Resource", "Condition"];
    let statement = |node: &Node<'_>| {
        let [effect, action, not_action, principal, resource, condition] = elements(node, known)?;
        let resources = match &resource {
            None => everything(of),
            Some(named) => {
                let resources = resources_of(node, Some(named))?;
                resources.iter().try_for_each(|resource| check(named, resource))?;
                resources
            }
        };
        let principals = principals(node, principal.as_ref(), of.account())?;
        if principals.iter().any(|p| p.element() != "RAM") {
            return Err(node.wants("principals here stand under \"RAM\""));
        }
        let matching = matching_of(node, action.as_ref(), not_action.as_ref())?;
        let statement = Statement::new(effect_of(node, effect.as_ref())?, matching, resources, conditions_of(condition.as_ref())?);
        Ok(statement.naming(principals))
    };
    read(text, MAX_OWNED_CHARS, statement)
}

/// The relative ids of a namespace or repository and of all in it: first by the instance's id, then by its name.
fn inside(of: &Resource) -> Vec<Pattern> {
    let action = if matches!(of, Resource::Namespace(_)) { Action::ListRepository } else { Action::PullRepository };
    spell(action, of).relative.iter().map(|id| Pattern::new(&id.text)).collect()
}

fn everything(of: &Resource) -> Vec<ResourcePattern> {
    let relative = inside(of);
    let by_id = relative.len() / 2;
    let any = || Pattern::new("*");
    let pattern = |relative| ResourcePattern::Parts { service: Pattern::new("cr"), region: any(), account: any(), relative };
    relative.into_iter().take(by_id).map(pattern).collect()
}

fn principals(statement: &Node<'_>, node: Option<&Node<'_>>, account: AccountId) -> Result<Vec<PrincipalPattern>, PolicyError> {
    let missing = || statement.wants("\"Principal\" is missing: {\"RAM\": [\"*\"]} is everybody of the account");
    let node = node.ok_or_else(missing)?;
    let [ram, federated, service] = elements(node, ["RAM", "Federated", "Service"])?;
    let mut principals = Vec::new();
    let mut add = |node: Option<Node<'_>>, parse: &dyn Fn(&str) -> Result<PrincipalPattern, String>| {
        let Some(node) = node else { return Ok(()) };
        principals.extend(entries(&node, parse)?);
        Ok(())
    };
    add(ram, &|text| PrincipalPattern::parse(account, text))?;
    add(federated, &|text| PrincipalPattern::parse_federated(account, text))?;
    add(service, &PrincipalPattern::parse_service)?;
    if principals.is_empty() { Err(missing()) } else { Ok(principals) }
}
