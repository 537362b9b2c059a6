//! Roles: identities that are assumed for a while, never logged in to directly. Who may assume one, its trust policy says.

use access::{Permit, audit};
use model::{AccountId, PrincipalKind, RoleName, Seconds, act};
use policy::TrustDocument;
use store::account::{self, Principal};
use store::change::{self, Change};
use store::{StoreError, role};

use crate::principals::{Leaving, checked_description, insert, room, there};
use crate::{Identity, IdentityError, Limits};

/// A session lasts so long at most: an hour unless told, an hour to twelve (RAM, CreateRole).
const SESSION: Seconds = Seconds::hours(1);
const LONGEST_SESSION: Seconds = Seconds::hours(12);
/// Sessions that are ended in one transaction.
const BATCH: i64 = 500;

/// A role with who may assume it.
#[derive(Clone, Debug)]
pub struct Role {
    /// The role.
    pub principal: Principal,
    /// Its trust policy, as written.
    pub trust: String,
    /// A session lasts so long at most.
    pub max_session: Seconds,
}

/// A role that is asked for.
#[derive(Clone, Debug)]
pub struct CreateRole {
    /// What it is for.
    pub description: String,
    /// Who may assume it.
    pub trust: String,
    /// A session lasts so long at most; an hour unless told.
    pub max_session: Option<Seconds>,
}

/// What to change of a role; none: as it is.
#[derive(Clone, Debug, Default)]
pub struct UpdateRole {
    /// What it is for.
    pub description: Option<String>,
    /// Who may assume it.
    pub trust: Option<String>,
    /// A session lasts so long at most.
    pub max_session: Option<Seconds>,
    /// Disabled ones are nobody, running sessions included.
    pub enabled: Option<bool>,
}

impl Identity {
    /// Creates a role. It holds nothing until a policy is attached, save what speaks of its name already: that its maker must hold.
    pub async fn create_role(&self, permit: Permit<act::CreateRole>, wanted: &CreateRole) -> Result<Role, IdentityError> {
        self.create_role_within(permit, wanted, Limits::HOUSE).await
    }

    /// The same under these limits.
    pub async fn create_role_within(
        &self,
        permit: Permit<act::CreateRole>,
        wanted: &CreateRole,
        limits: Limits,
    ) -> Result<Role, IdentityError> {
        let (on, now) = (permit.on(), permit.op().now);
        let name = RoleName::parse(&on.name).map_err(|e| IdentityError::invalid("name", e.rule))?;
        read_trust(on.account, &wanted.trust)?;
        let max_session = checked_session(wanted.max_session.unwrap_or(SESSION))?;
        self.access.may_become(permit.op(), permit.by(), PrincipalKind::Role, name.as_str()).await?;
        let blank = self.new_principal(on.account, PrincipalKind::Role, name.as_str(), now);
        let principal = Principal { description: checked_description(&wanted.description)?, ..blank };
        let made = Role { principal, trust: wanted.trust.clone(), max_session };
        let (new, record) = (&made, &permit.success().with_detail(made.principal.id.to_string()));
        self.change(now, |tx| {
            Box::pin(async move {
                room(tx, &new.principal, "roles an account", limits.roles).await?;
                insert(tx, &new.principal).await?;
                role::insert(tx, new.principal.id, &role::Role { trust: new.trust.clone(), max_session: new.max_session }).await?;
                Ok(audit::write(tx, self.access.audit(), record).await?)
            })
        })
        .await?;
        Ok(made)
    }

    /// Roles by name, after `after`, at most `limit`.
    pub async fn list_roles(&self, permit: Permit<act::ListRoles>, after: &str, limit: i64) -> Result<Vec<Role>, IdentityError> {
        let account = permit.on().0;
        let found = self.read(|tx| {
            Box::pin(async move {
                let mut roles = Vec::new();
                for principal in account::principals(tx, account, PrincipalKind::Role, after, limit).await? {
                    let kept = role::by_id(tx, principal.id).await?.ok_or_else(|| StoreError::corrupt("role.principal_id"))?;
                    roles.push(Role { principal, trust: kept.trust, max_session: kept.max_session });
                }
                Ok(roles)
            })
        });
        Ok(found.await?)
    }

    /// One role.
    pub async fn show_role(&self, permit: Permit<act::GetRole>) -> Result<Role, IdentityError> {
        let principal = self.shown(&permit).await?;
        let kept = self.role(principal.id).await?;
        Ok(Role { principal, trust: kept.trust, max_session: kept.max_session })
    }

    pub(crate) async fn role(&self, id: model::PrincipalId) -> Result<role::Role, IdentityError> {
        let found: Result<_, StoreError> = self.read(|tx| Box::pin(role::by_id(tx, id))).await;
        found?.ok_or(IdentityError::NotFound("role"))
    }

    /// Changes a role. Whoever says who may assume it could be it, and so could whoever enables it: they must hold all that it holds.
    pub async fn update_role(&self, permit: Permit<act::UpdateRole>, wanted: &UpdateRole) -> Result<Role, IdentityError> {
        let (id, now, account) = (there(permit.on())?, permit.op().now, permit.on().account);
        wanted.trust.as_deref().map(|trust| read_trust(account, trust)).transpose()?;
        if wanted.trust.is_some() || wanted.enabled == Some(true) {
            self.access.may_stand_in_for(permit.op(), permit.by(), id).await?;
        }
        let description = &wanted.description.as_deref().map(checked_description).transpose()?;
        let max_session = wanted.max_session.map(checked_session).transpose()?;
        let changes = wanted.description.is_some() || wanted.trust.is_some() || max_session.is_some() || wanted.enabled.is_some();
        let record = &permit.success();
        self.change(now, |tx| {
            Box::pin(async move {
                let old = account::principal_by_id(tx, id).await?.ok_or(IdentityError::NotFound("role"))?;
                let kept = role::by_id(tx, id).await?.ok_or(IdentityError::NotFound("role"))?;
                let new = Role {
                    trust: wanted.trust.clone().unwrap_or(kept.trust),
                    max_session: max_session.unwrap_or(kept.max_session),
                    principal: Principal {
                        description: description.clone().unwrap_or(old.description),
                        enabled: wanted.enabled.unwrap_or(old.enabled),
                        updated: if changes { Some(now) } else { old.updated },
                        ..old
                    },
                };
                if changes {
                    account::touch(tx, id, now).await?;
                }
                role::update(tx, id, &role::Role { trust: new.trust.clone(), max_session: new.max_session }).await?;
                account::describe(tx, id, &new.principal.description, None).await?;
                account::set_enabled(tx, id, new.principal.enabled).await?;
                change::append(tx, now, Change::Principal(id.as_i64())).await?;
                audit::write(tx, self.access.audit(), record).await?;
                Ok(new)
            })
        })
        .await
    }

    /// Deletes a role; its sessions end.
    pub async fn delete_role(&self, permit: Permit<act::DeleteRole>) -> Result<(), IdentityError> {
        self.delete_role_leaving(permit, Leaving::Nothing).await
    }

    /// Deletes a role, whatever it has, or only if it has nothing.
    pub async fn delete_role_leaving(&self, permit: Permit<act::DeleteRole>, left: Leaving) -> Result<(), IdentityError> {
        self.delete_leaving(permit.op(), permit.on(), left, &permit.success()).await
    }

    /// Ends all sessions of a role; how many they were.
    pub async fn end_sessions(&self, permit: Permit<act::UpdateRole>) -> Result<usize, IdentityError> {
        let (id, now, record) = (there(permit.on())?, permit.op().now, &permit.success().with_detail("sessions ended"));
        let mut ended = 0;
        loop {
            let some = self.change(now, |tx| {
                Box::pin(async move {
                    let sessions = role::sessions_of(tx, id, now, BATCH).await?;
                    for session in &sessions {
                        role::delete_session(tx, *session).await?;
                        change::append(tx, now, Change::Credential(session.as_i64())).await?;
                    }
                    audit::write(tx, self.access.audit(), record).await?;
                    Ok::<_, IdentityError>(sessions.len())
                })
            });
            let some = some.await?;
            ended += some;
            if i64::try_from(some).is_ok_and(|some| some < BATCH) {
                return Ok(ended);
            }
        }
    }
}

/// Reads a trust policy; the error points at the place.
pub(crate) fn read_trust(account: AccountId, text: &str) -> Result<TrustDocument, IdentityError> {
    policy::ram::parse_trust(account, text).map_err(|e| IdentityError::invalid("trust_policy", e.to_string()))
}

fn checked_session(life: Seconds) -> Result<Seconds, IdentityError> {
    if (SESSION..=LONGEST_SESSION).contains(&life) {
        return Ok(life);
    }
    Err(IdentityError::invalid("max_session", "3600 to 43200 seconds"))
}
