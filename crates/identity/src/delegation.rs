//! Delegation that cannot escalate: whoever gives a right, or takes a denial away, must hold what that lets somebody do.
//!
//! The decision itself is one function, [`access::Access::may_hand_over`]; here is what each way of giving gives.

use std::sync::Arc;

use model::{Caller, OnPolicy, Op, PolicyId, PrincipalId};
use policy::Document;
use store::StoreError;

use crate::{Identity, IdentityError};

impl Identity {
    /// May the caller give somebody this policy?
    pub(crate) async fn may_give(&self, op: &Op, by: &Caller, name: &str, id: Option<PolicyId>) -> Result<(), IdentityError> {
        let documents = self.access.documents(&[(Arc::from(name), id)]).await?;
        Ok(self.access.may_hand_over(op, by, &documents.iter().collect::<Vec<_>>()).await?)
    }

    /// May the caller take this policy away from somebody? What it allows ends, what it denies begins.
    pub(crate) async fn may_lift(&self, op: &Op, by: &Caller, name: &str, id: Option<PolicyId>) -> Result<(), IdentityError> {
        let documents = self.access.documents(&[(Arc::from(name), id)]).await?;
        let lifted: Vec<_> = documents.iter().map(policy::lifted).collect();
        Ok(self.access.may_hand_over(op, by, &lifted.iter().collect::<Vec<_>>()).await?)
    }

    /// May the caller take away all that somebody, or a group, holds?
    pub(crate) async fn may_lift_all(&self, op: &Op, by: &Caller, from: PrincipalId) -> Result<(), IdentityError> {
        let attached: Result<_, StoreError> = self.read(|tx| Box::pin(store::policy::attachments(tx, from))).await;
        for attachment in attached? {
            self.may_lift(op, by, &attachment.name, attachment.policy).await?;
        }
        Ok(self.access.may_leave(op, by, from).await?)
    }

    /// The same for a policy's document in force, which may guard the account as well.
    pub(crate) async fn may_replace_version(
        &self,
        op: &Op,
        by: &Caller,
        on: &OnPolicy,
        (old, new): (&Document, &Document),
    ) -> Result<(), IdentityError> {
        self.may_replace(op, by, old, new).await?;
        match on.id {
            Some(id) if self.is_guard(on.account, id).await? => Ok(self.access.may_loosen_guards(op, by, &[new, &lost(old, new)]).await?),
            _ => Ok(()),
        }
    }

    /// May the caller put `new` in the place of `old`? What the new one allows is given to whoever holds the policy, and what
    /// the old one alone denied is lifted.
    pub(crate) async fn may_replace(&self, op: &Op, by: &Caller, old: &Document, new: &Document) -> Result<(), IdentityError> {
        Ok(self.access.may_hand_over(op, by, &[new, &lost(old, new)]).await?)
    }
}

/// What the old document alone denied, as a document that allows it.
fn lost(old: &Document, new: &Document) -> Document {
    let gone = old.statements.iter().filter(|statement| !new.statements.contains(statement)).cloned();
    policy::lifted(&Document { statements: gone.collect() })
}
