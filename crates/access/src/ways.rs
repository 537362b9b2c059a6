//! By which roles somebody comes to do something that they may not do themselves.

use std::sync::Arc;

use model::{AccountId, Action, OnPrincipal, Resource};
use policy::{TrustDocument, Who};

use crate::reach::{LONGEST_CHAIN, MAX_REACHED, PIECE, Reached};
use crate::{Access, Explained, PrincipalRights, Question, Refusal};

/// The roles by which one thing can be done, the nearest first. Made by [`Access::ways`]; at most 200.
#[derive(Debug)]
pub struct Ways(Vec<Way>);

/// A role that may do it, or can assume one that may.
#[derive(Debug)]
struct Way {
    entered: Reached,
    /// The roles that are assumed after it.
    then: Vec<Arc<str>>,
    /// Why the last one may.
    said: Explained,
}

impl Access {
    /// The roles of an account that may do what the question says, and those that can assume them.
    pub async fn ways(&self, account: AccountId, question: &Question) -> Result<Ways, Refusal> {
        let mut ways = Ways(Vec::new());
        for _ in 0..LONGEST_CHAIN {
            let known = ways.0.len();
            self.one_step_more(account, question, &mut ways).await?;
            if ways.0.len() == known || known >= MAX_REACHED {
                break;
            }
        }
        Ok(ways)
    }

    /// Adds the roles that may do it, or then those that are one role further away.
    async fn one_step_more(&self, account: AccountId, question: &Question, ways: &mut Ways) -> Result<(), Refusal> {
        let (is_first, mut found, mut after) = (ways.0.is_empty(), Vec::new(), 0);
        loop {
            let piece = self.directory().trusts(account, after, PIECE).await?;
            let last = i64::try_from(piece.len()).unwrap_or(0) < PIECE;
            after = piece.last().map_or(after, |(id, _)| id.as_i64());
            for (id, trust) in piece {
                let known = ways.0.iter().any(|way| way.entered.role.id == id);
                // Deleted meanwhile: nobody.
                let Some(role) = self.directory().principal(id).await?.filter(|_| !known) else { continue };
                found.extend(self.way(question, ways, (role, trust), is_first).await?);
                if ways.0.len() + found.len() >= MAX_REACHED {
                    break;
                }
            }
            if last || ways.0.len() + found.len() >= MAX_REACHED {
                ways.0.extend(found);
                return Ok(());
            }
        }
    }

    async fn way(
        &self,
        question: &Question,
        ways: &Ways,
        (role, trust): (Arc<PrincipalRights>, TrustDocument),
        is_first: bool,
    ) -> Result<Option<Way>, Refusal> {
        let who = self.who(&role).await?;
        let entered = |then, said| Way { entered: Reached { role: Arc::clone(&role), who: who.clone(), trust: trust.clone() }, then, said };
        if is_first {
            let said = gone(self.explain(role.id, question, None).await)?;
            return Ok(said.filter(Explained::is_allowed).map(|said| entered(Vec::new(), said)));
        }
        Ok(self.by_ways(&role, &who, question, ways).await?.map(|(then, said)| entered(then, said)))
    }

    /// How somebody comes to do it: the roles that they assume one after the other, and why the last one may; none: not at all. What
    /// the trust policies' conditions ask for is taken as given.
    pub async fn by_way(
        &self,
        rights: &PrincipalRights,
        question: &Question,
        ways: &Ways,
    ) -> Result<Option<(Vec<Arc<str>>, Explained)>, Refusal> {
        let who = self.who(rights).await?;
        self.by_ways(rights, &who, question, ways).await
    }

    async fn by_ways(
        &self,
        rights: &PrincipalRights,
        who: &Who,
        question: &Question,
        ways: &Ways,
    ) -> Result<Option<(Vec<Arc<str>>, Explained)>, Refusal> {
        for way in ways.0.iter().filter(|way| way.entered.role.id != rights.id && way.entered.trust.opens_to(who, None)) {
            let PrincipalRights { id, account, kind, ref name, .. } = *way.entered.role;
            let resource = Resource::Principal(OnPrincipal { account, id: Some(id), kind, name: Arc::clone(name) });
            let assume = Question { action: Action::AssumeRole, resource, session: None, ..question.clone() };
            if gone(self.explain(rights.id, &assume, None).await)?.is_some_and(|said| said.is_allowed()) {
                let through = std::iter::once(Arc::clone(name)).chain(way.then.iter().cloned()).collect();
                return Ok(Some((through, way.said.clone())));
            }
        }
        Ok(None)
    }
}

/// Whoever was deleted meanwhile does nothing.
fn gone(said: Result<Explained, Refusal>) -> Result<Option<Explained>, Refusal> {
    match said {
        Ok(said) => Ok(Some(said)),
        Err(Refusal::NotFound) => Ok(None),
        Err(refusal) => Err(refusal),
    }
}
