//! Service accounts: programs, each with a client id, up to five secrets, and rights of its own.

use access::{Permit, audit};
use model::{AccountId, LoginName, PolicyId, PrincipalId, PrincipalKind, Seconds, act};
use store::account::{self, Principal};
use store::change::{self, Change};
use store::policy::Policy;

use crate::credentials::{NewCredential, checked_expiry};
use crate::principals::{checked_description, insert, there};
use crate::rights::Rights;
use crate::{Identity, IdentityError};

/// A service account that is asked for.
#[derive(Clone, Debug, Default)]
pub struct CreateServiceAccount {
    /// What it is for.
    pub description: String,
    /// When the whole account ends by itself; none: never.
    pub expires_in: Option<Seconds>,
    /// What it may do from the start.
    pub rights: Rights,
}

/// What to change of a service account; none: as it is.
#[derive(Clone, Debug, Default)]
pub struct UpdateServiceAccount {
    /// What it is for.
    pub description: Option<String>,
    /// Disabled ones are nobody.
    pub enabled: Option<bool>,
    /// When it ends, from now; none in it: never.
    pub expires_in: Option<Option<Seconds>>,
}

/// A new service account with its first secret.
#[derive(Debug)]
pub struct NewServiceAccount {
    /// The account.
    pub account: Principal,
    /// Its first secret, the only time it is seen.
    pub secret: NewCredential,
}

impl Identity {
    /// Creates a service account with its first secret, and with rights that its maker holds. `attach` is the permit to attach
    /// policies to it, where it is to have any.
    pub async fn create_service_account(
        &self,
        permit: Permit<act::CreateServiceAccount>,
        wanted: &CreateServiceAccount,
        attach: Option<Permit<act::AttachPolicyToServiceAccount>>,
    ) -> Result<NewServiceAccount, IdentityError> {
        let (on, op) = (permit.on(), permit.op());
        let name = LoginName::parse(&on.name).map_err(|e| IdentityError::invalid("name", e.rule))?;
        let blank = self.new_principal(on.account, PrincipalKind::ServiceAccount, name.as_str(), op.now);
        let expires = checked_expiry(op, wanted.expires_in)?;
        let account = Principal { description: checked_description(&wanted.description)?, expires, ..blank };
        if attach.is_none() && !wanted.rights.is_empty() {
            return Err(IdentityError::invalid("role", "to give it rights needs ram:AttachPolicyToServiceAccount"));
        }
        self.access.may_become(op, permit.by(), PrincipalKind::ServiceAccount, name.as_str()).await?;
        let given = self.resolve_rights(op, permit.by(), on.account, &wanted.rights).await?;
        let secret = self.new_client_secret(op, permit.by(), &account, "made with the service account", None)?;
        let scoped = given.scoped.as_ref().map(|text| (self.own_policy(&account), text));
        let (new, first, given, scoped, record) =
            (&account, &secret, &given, &scoped, &permit.success().with_detail(account.id.to_string()));
        self.change(op.now, |tx| {
            Box::pin(async move {
                insert(tx, new).await?;
                for (name, id) in &given.attached {
                    store::policy::attach(tx, new.id, name, *id, op.now).await?;
                }
                if let Some((policy, text)) = scoped {
                    store::policy::insert(tx, policy, text).await?;
                    store::policy::attach(tx, new.id, &policy.name, Some(policy.id), op.now).await?;
                }
                store::credential::insert(tx, &first.0.credential, None, &first.1).await?;
                Ok(audit::write(tx, self.access.audit(), record).await?)
            })
        })
        .await?;
        Ok(NewServiceAccount { account, secret: secret.0 })
    }

    /// The policy that holds a service account's rights over some repositories alone.
    fn own_policy(&self, of: &Principal) -> Policy {
        Policy {
            id: PolicyId::from_random(self.dice.bits()),
            account: of.account,
            name: own_policy_name(of.id),
            description: format!("the rights of the service account {}", of.name),
            default_version: 1,
            last_version: 1,
            created: of.created,
            updated: of.created,
        }
    }

    /// Service accounts by name, after `after`, at most `limit`.
    pub async fn list_service_accounts(
        &self,
        permit: Permit<act::ListServiceAccounts>,
        after: &str,
        limit: i64,
    ) -> Result<Vec<Principal>, IdentityError> {
        self.listed(permit.on().0, PrincipalKind::ServiceAccount, after, limit).await
    }

    /// One service account.
    pub async fn show_service_account(&self, permit: Permit<act::GetServiceAccount>) -> Result<Principal, IdentityError> {
        self.shown(&permit).await
    }

    /// Describes, enables or disables a service account, or says when it ends.
    pub async fn update_service_account(
        &self,
        permit: Permit<act::UpdateServiceAccount>,
        wanted: &UpdateServiceAccount,
    ) -> Result<Principal, IdentityError> {
        let (id, now) = (there(permit.on())?, permit.op().now);
        let description = &wanted.description.as_deref().map(checked_description).transpose()?;
        let expires = wanted.expires_in.map(|life| checked_expiry(permit.op(), life)).transpose()?;
        let old = self.shown(&permit).await?;
        let lives_longer = expires.is_some_and(|new| old.expires.is_some_and(|old| new.is_none_or(|new| new > old)));
        if wanted.enabled == Some(true) || lives_longer {
            // Its secrets live again, for whoever has one.
            self.access.may_stand_in_for(permit.op(), permit.by(), id).await?;
        }
        let record = &permit.success();
        self.change(now, |tx| {
            Box::pin(async move {
                let old = account::principal_by_id(tx, id).await?.ok_or(IdentityError::NotFound("service account"))?;
                let new = Principal {
                    description: description.clone().unwrap_or(old.description),
                    enabled: wanted.enabled.unwrap_or(old.enabled),
                    expires: expires.unwrap_or(old.expires),
                    ..old
                };
                account::describe(tx, id, &new.description, new.expires).await?;
                account::set_enabled(tx, id, new.enabled).await?;
                change::append(tx, now, Change::Principal(id.as_i64())).await?;
                audit::write(tx, self.access.audit(), record).await?;
                Ok(new)
            })
        })
        .await
    }

    /// Deletes a service account with all its secrets and the policy that was made for it alone.
    pub async fn delete_service_account(&self, permit: Permit<act::DeleteServiceAccount>) -> Result<(), IdentityError> {
        let id = there(permit.on())?;
        self.delete_principal(permit.op(), permit.on(), &permit.success()).await?;
        self.drop_own_policy(permit.on().account, id, permit.op().now).await
    }

    async fn drop_own_policy(&self, account: AccountId, of: PrincipalId, now: model::Timestamp) -> Result<(), IdentityError> {
        let name = &own_policy_name(of);
        self.change(now, |tx| {
            Box::pin(async move {
                let Some(policy) = store::policy::by_name(tx, account, name).await? else { return Ok(()) };
                if store::policy::attached_to(tx, policy.id).await? == 0 {
                    store::policy::delete(tx, policy.id).await?;
                    change::append(tx, now, Change::Policy(policy.id.as_i64())).await?;
                }
                Ok::<_, IdentityError>(())
            })
        })
        .await
    }
}

fn own_policy_name(of: PrincipalId) -> String {
    format!("service-account-{of}")
}
