//! Guards: policies that bound everybody in an account but its root user. What anybody does, the guards have to allow, when
//! there are any, and none may deny it.

use access::{Permit, audit};
use model::{AccountId, Caller, Op, PolicyId, act};
use policy::{ActionPattern, Document, Effect, Matching, ResourcePattern, Statement};
use store::change::{self, Change};
use store::policy::Attachment;
use store::{StoreError, Tx, guard};

use crate::{Identity, IdentityError};

/// Guards of one account.
const MAX: usize = 30;

impl Identity {
    /// Bounds everybody in the account by a policy. The first guard takes from everybody; another one adds what it allows, so
    /// whoever adds it holds that themselves.
    pub async fn attach_guard(&self, permit: Permit<act::AttachGuardPolicy>, name: &str) -> Result<(), IdentityError> {
        let (account, now) = (permit.on().0, permit.op().now);
        let policy = self.policy_id(account, name).await?;
        let before = self.guards_of(account).await?;
        if !before.is_empty() {
            self.may_add_guard(permit.op(), permit.by(), name, policy).await?;
        }
        let (before, record) = (&before, &permit.success().with_detail(name));
        self.change(now, |tx| {
            Box::pin(async move {
                unchanged(tx, account, before).await?;
                if store::policy::by_name(tx, account, name).await?.map(|p| p.id) != policy {
                    return Err(IdentityError::NotFound("policy"));
                }
                if before.len() >= MAX {
                    return Err(IdentityError::Limit { what: "policies that guard an account", max: 30 });
                }
                guard::attach(tx, account, name, policy, now).await?;
                change::append(tx, now, Change::Account(account.as_i64())).await?;
                Ok(audit::write(tx, self.access.audit(), record).await?)
            })
        })
        .await
    }

    /// Takes a guard away. Whoever does holds all that it kept from them: in the end, the root user.
    pub async fn detach_guard(&self, permit: Permit<act::DetachGuardPolicy>, name: &str) -> Result<(), IdentityError> {
        let (account, now) = (permit.on().0, permit.op().now);
        let before = self.guards_of(account).await?;
        let guard = before.iter().find(|guard| guard.name == name).ok_or(IdentityError::NotFound("attached policy"))?;
        let documents = self.access.documents(&[(name.into(), guard.policy)]).await?;
        let freed: Vec<_> = if before.len() == 1 { vec![everything()] } else { documents.iter().map(policy::lifted).collect() };
        self.access.may_loosen_guards(permit.op(), permit.by(), &freed.iter().collect::<Vec<_>>()).await?;
        let (before, record) = (&before, &permit.success().with_detail(name));
        self.change(now, |tx| {
            Box::pin(async move {
                unchanged(tx, account, before).await?;
                guard::detach(tx, account, name).await?;
                change::append(tx, now, Change::Account(account.as_i64())).await?;
                Ok(audit::write(tx, self.access.audit(), record).await?)
            })
        })
        .await
    }

    /// The account's guards.
    pub async fn list_guards(&self, permit: Permit<act::ListGuardPolicies>) -> Result<Vec<Attachment>, IdentityError> {
        self.guards_of(permit.on().0).await
    }

    async fn guards_of(&self, account: AccountId) -> Result<Vec<Attachment>, IdentityError> {
        let found: Result<_, StoreError> = self.read(|tx| Box::pin(guard::of_account(tx, account))).await;
        Ok(found?)
    }

    async fn may_add_guard(&self, op: &Op, by: &Caller, name: &str, policy: Option<PolicyId>) -> Result<(), IdentityError> {
        let documents = self.access.documents(&[(name.into(), policy)]).await?;
        Ok(self.access.may_loosen_guards(op, by, &documents.iter().collect::<Vec<_>>()).await?)
    }

    /// Does this policy guard the account?
    pub(crate) async fn is_guard(&self, account: AccountId, policy: PolicyId) -> Result<bool, IdentityError> {
        Ok(self.guards_of(account).await?.iter().any(|guard| guard.policy == Some(policy)))
    }
}

/// What everybody may do whom nothing bounds.
fn everything() -> Document {
    let any = ActionPattern::parse("*").map_or(Matching::NotAction(Vec::new()), |any| Matching::Action(vec![any]));
    Document { statements: vec![Statement::new(Effect::Allow, any, vec![ResourcePattern::Any], Vec::new())] }
}

/// Are the guards still those that the caller's right was looked at for?
async fn unchanged(tx: &mut Tx<'_>, account: AccountId, before: &[Attachment]) -> Result<(), IdentityError> {
    let now = guard::of_account(tx, account).await?;
    if now.iter().map(|guard| (&guard.name, guard.policy)).eq(before.iter().map(|guard| (&guard.name, guard.policy))) {
        return Ok(());
    }
    Err(IdentityError::InUse("somebody else changed the guards meanwhile: look again, then try again".into()))
}
