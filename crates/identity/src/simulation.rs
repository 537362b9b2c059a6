//! Asking what policies say: why, over many requests, and who may.

use std::sync::Arc;

use access::{Explained, Permit, Proposed, Question, Refusal, Ways};
use model::{PrincipalId, act};
use store::account::Principal;

use crate::principals::there;
use crate::{Identity, IdentityError};

/// Principals that are looked at in one go.
const SCANNED: i64 = 1000;

/// Some of those who may do something.
#[derive(Clone, Debug)]
pub struct Permitted {
    /// Who, and how.
    pub found: Vec<MayDo>,
    /// Go on behind this principal; none: all were looked at.
    pub next: Option<PrincipalId>,
}

/// Somebody who may do something.
#[derive(Clone, Debug)]
pub struct MayDo {
    /// Who.
    pub principal: Principal,
    /// Why, and which layer says so.
    pub said: Explained,
    /// The roles to be assumed for it, one after the other; none: they may themselves.
    pub through: Vec<Arc<str>>,
}

impl Identity {
    /// Why may, or may not, somebody do each of these things, as things stand or with a document that is not stored?
    pub async fn explain_policies(
        &self,
        permit: &Permit<act::SimulatePolicy>,
        questions: &[Question],
        proposed: Option<&Proposed>,
    ) -> Result<Vec<Explained>, IdentityError> {
        let who = there(permit.on())?;
        let mut explained = Vec::with_capacity(questions.len());
        for question in questions {
            explained.push(self.access.explain(who, question, proposed).await?);
        }
        Ok(explained)
    }

    /// Who of the account may do something, themselves or by a role? Looks at no more than `limit` principals behind `after`, by their ids.
    pub async fn list_permitted_principals(
        &self,
        permit: Permit<act::ListPermittedPrincipals>,
        question: &Question,
        after: Option<PrincipalId>,
        limit: i64,
    ) -> Result<Permitted, IdentityError> {
        let (account, limit) = (permit.on().0, limit.clamp(1, SCANNED));
        let after = after.map_or(0, PrincipalId::as_i64);
        let looked = self.read(|tx| Box::pin(store::account::principals_by_id(tx, account, after, limit))).await?;
        let next = looked.last().map(|p| p.id).filter(|_| i64::try_from(looked.len()).is_ok_and(|n| n == limit));
        let ways = self.access.ways(account, question).await?;
        let mut found = Vec::new();
        for principal in looked.into_iter().filter(|p| p.kind != model::PrincipalKind::Group) {
            match self.may_do(principal, question, &ways).await {
                Ok(may_do) => found.extend(may_do),
                // Deleted meanwhile.
                Err(Refusal::NotFound) => {}
                Err(refusal) => return Err(refusal.into()),
            }
        }
        Ok(Permitted { found, next })
    }

    async fn may_do(&self, principal: Principal, question: &Question, ways: &Ways) -> Result<Option<MayDo>, Refusal> {
        let said = self.access.explain(principal.id, question, None).await?;
        if said.is_allowed() {
            return Ok(Some(MayDo { principal, said, through: Vec::new() }));
        }
        let rights = self.access.directory().principal(principal.id).await?.ok_or(Refusal::NotFound)?;
        let by = self.access.by_way(&rights, question, ways).await?;
        Ok(by.map(|(through, said)| MayDo { principal, said, through }))
    }
}
