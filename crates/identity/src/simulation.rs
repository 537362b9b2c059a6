//! Asking what policies say: why, over many requests, and who may.

use access::{Explained, Permit, Proposed, Question, Refusal};
use model::{PrincipalId, act};
use store::account::Principal;

use crate::principals::there;
use crate::{Identity, IdentityError};

/// Principals that are looked at in one go.
const SCANNED: i64 = 1000;

/// Some of those who may do something.
#[derive(Clone, Debug)]
pub struct Permitted {
    /// Who, and which layer says so.
    pub found: Vec<(Principal, Explained)>,
    /// Go on behind this principal; none: all were looked at.
    pub next: Option<PrincipalId>,
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

    /// Who of the account may do something? Looks at no more than `limit` principals behind `after`, by their ids.
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
        let mut found = Vec::new();
        for principal in looked.into_iter().filter(|p| p.kind != model::PrincipalKind::Group) {
            match self.access.explain(principal.id, question, None).await {
                Ok(said) if said.is_allowed() => found.push((principal, said)),
                // Deleted meanwhile.
                Ok(_) | Err(Refusal::NotFound) => {}
                Err(refusal) => return Err(refusal.into()),
            }
        }
        Ok(Permitted { found, next })
    }
}
