//! Whose things somebody may see, all over an account.

use std::collections::HashMap;
use std::sync::Arc;

use model::{AccountId, Action, Caller, OnPrincipal, Op, PrincipalId, Resource};

use crate::{Access, Refusal};

/// Whose things of one kind a caller may see: what a list over a whole account takes in a permit's stead. Made by
/// [`Access::owners`] alone. Each owner is decided once, by the rights of the moment.
#[derive(Debug)]
pub struct Owners<'a> {
    access: &'a Access,
    op: Op,
    caller: Caller,
    account: AccountId,
    action: Action,
    decided: HashMap<PrincipalId, Option<Arc<str>>>,
}

impl Access {
    /// Of whom in the caller's account may `caller` see what `action` lists? Of oneself without any grant.
    pub async fn owners(&self, op: &Op, caller: &Caller, action: Action) -> Result<Owners<'_>, Refusal> {
        self.directory().fresh(op.now).await?;
        let account = caller.known().ok_or(Refusal::Unauthenticated)?.account;
        Ok(Owners { access: self, op: op.clone(), caller: caller.clone(), account, action, decided: HashMap::new() })
    }
}

impl Owners<'_> {
    /// The account.
    pub const fn account(&self) -> AccountId {
        self.account
    }

    /// In which request.
    pub const fn op(&self) -> &Op {
        &self.op
    }

    /// The owner's name, if what that owner has may be seen.
    pub async fn sees(&mut self, owner: PrincipalId) -> Result<Option<Arc<str>>, Refusal> {
        if let Some(known) = self.decided.get(&owner) {
            return Ok(known.clone());
        }
        let decided = self.decide(owner).await?;
        self.decided.insert(owner, decided.clone());
        Ok(decided)
    }

    async fn decide(&self, owner: PrincipalId) -> Result<Option<Arc<str>>, Refusal> {
        let Some(found) = self.access.directory().principal(owner).await? else { return Ok(None) };
        let name = Arc::clone(&found.name);
        let on = Resource::Principal(OnPrincipal { account: found.account, id: Some(owner), kind: found.kind, name: Arc::clone(&name) });
        match self.access.sees(&self.op, &self.caller, self.action, &on).await {
            Ok(()) => Ok(Some(name)),
            Err(Refusal::Unavailable) => Err(Refusal::Unavailable),
            Err(_) => Ok(None),
        }
    }
}
