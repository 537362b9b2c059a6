//! What somebody can become: the roles whose trust lets them in, and the roles that those can assume in turn.

use std::collections::HashSet;
use std::sync::Arc;

use model::{AccountId, Action, PrincipalId};
use policy::{TrustDocument, Who, Why};

use crate::{Access, PrincipalRights, Refusal};

/// A role that is assumed by a role, and so on: this many times.
pub const LONGEST_CHAIN: usize = 3;
/// Roles that are read in one go.
pub(crate) const PIECE: i64 = 500;
/// Roles that somebody can become; with more, nobody but the root user stands in for them.
pub(crate) const MAX_REACHED: usize = 200;

/// A role that somebody can become.
#[derive(Clone, Debug)]
pub(crate) struct Reached {
    /// The role.
    pub(crate) role: Arc<PrincipalRights>,
    /// As documents name it.
    pub(crate) who: Who,
    /// Whom it trusts.
    pub(crate) trust: TrustDocument,
}

impl Access {
    /// The roles that `who` can become and `others` cannot in the same way, the nearest first. What the roles' conditions ask for
    /// is taken as given, and so is the right to assume them, which is a policy's business.
    pub(crate) async fn reached(&self, account: AccountId, who: &Who, others: Option<&Who>) -> Result<Vec<Reached>, Refusal> {
        let (mut all, mut seen, mut nearest) = (Vec::new(), HashSet::new(), vec![who.clone()]);
        for _ in 0..LONGEST_CHAIN {
            let opens = |trust: &TrustDocument| nearest.iter().any(|who| trust.opens_to(who, others));
            let next = self.roles_where(account, |id, trust| !seen.contains(&id) && opens(trust)).await?;
            if next.is_empty() {
                break;
            }
            seen.extend(next.iter().map(|reached| reached.role.id));
            nearest = next.iter().map(|reached| reached.who.clone()).collect();
            all.extend(next);
            if all.len() > MAX_REACHED {
                return Err(too_many());
            }
        }
        Ok(all)
    }

    /// The roles that trust an OIDC provider of this name, whatever their conditions.
    pub async fn roles_of_provider(&self, account: AccountId, provider: &str) -> Result<Vec<PrincipalId>, Refusal> {
        let who = Who::federated(account, provider);
        let found = self.roles_where(account, |_, trust| trust.opens_to(&who, None)).await?;
        Ok(found.into_iter().map(|reached| reached.role.id).collect())
    }

    /// The account's roles that are meant; too many are refused.
    pub(crate) async fn roles_where(
        &self,
        account: AccountId,
        mut is_meant: impl FnMut(PrincipalId, &TrustDocument) -> bool,
    ) -> Result<Vec<Reached>, Refusal> {
        let (mut found, mut after) = (Vec::new(), 0);
        loop {
            let piece = self.directory().trusts(account, after, PIECE).await?;
            let last = i64::try_from(piece.len()).unwrap_or(0) < PIECE;
            after = piece.last().map_or(after, |(id, _)| id.as_i64());
            for (id, trust) in piece {
                if !is_meant(id, &trust) {
                    continue;
                }
                // Deleted meanwhile: nobody.
                let Some(role) = self.directory().principal(id).await? else { continue };
                found.push(Reached { who: self.who(&role).await?, role, trust });
            }
            if found.len() > MAX_REACHED {
                return Err(too_many());
            }
            if last {
                return Ok(found);
            }
        }
    }
}

fn too_many() -> Refusal {
    Refusal::Exceeds { action: Action::AssumeRole, resource: "*".into(), through: None, why: Why::Undecided }
}
