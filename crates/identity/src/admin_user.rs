//! The admin user of an instance: off by default, named like it, with two passwords that are renewed one at a time.
//!
//! It is many people's: everything on the registry of that one instance, nothing of the management API, and in the audit trail
//! `admin:NAME`.

use std::sync::Arc;

use access::{Permit, admin_rights, audit};
use model::{CredentialId, CredentialKind, InstanceId, OnInstance, PrincipalId, PrincipalKind, Timestamp, act};
use secrets::{Kind, Plain};
use store::account::{self, Principal};
use store::change::{self, Change};
use store::credential::{self, Credential, Kept};
use store::{StoreError, Tx};

use crate::{Identity, IdentityError};

/// An admin user, there or not: one that nobody has enabled yet is not.
#[derive(Clone, Debug)]
pub struct AdminUser {
    /// Disabled, neither password opens anything.
    pub enabled: bool,
    /// Its user name: the instance's name.
    pub name: Arc<str>,
    /// The instance.
    pub instance: InstanceId,
    /// Its passwords, as far as it has any, without secrets.
    pub passwords: Vec<(AdminPassword, Credential)>,
}

/// Which of the two passwords.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AdminPassword {
    /// The first.
    One,
    /// The second.
    Two,
}

/// A renewed password: the only time it is seen.
#[derive(Debug)]
pub struct RenewedAdminPassword {
    /// The admin user.
    pub user: AdminUser,
    /// The password.
    pub password: Plain,
}

impl AdminPassword {
    /// Both.
    pub const BOTH: [Self; 2] = [Self::One, Self::Two];

    /// The one of this number.
    pub fn of(number: i64) -> Option<Self> {
        Self::BOTH.into_iter().find(|one| one.number() == number)
    }

    /// Its number.
    pub const fn number(self) -> i64 {
        match self {
            Self::One => 1,
            Self::Two => 2,
        }
    }

    const fn slot(self) -> &'static str {
        match self {
            Self::One => "admin-1",
            Self::Two => "admin-2",
        }
    }
}

impl Identity {
    /// The admin user of an instance.
    pub async fn show_admin_user(&self, permit: Permit<act::GetAdminUser>) -> Result<AdminUser, IdentityError> {
        let on = permit.on();
        Ok(self.read(|tx| Box::pin(shown(tx, on))).await?)
    }

    /// Enables or disables the admin user. Whoever enables it can be it, so they must hold what it holds; disabled, it stays out
    /// by either password and by every token made from one.
    pub async fn set_admin_user_enabled(&self, permit: Permit<act::UpdateAdminUser>, enabled: bool) -> Result<AdminUser, IdentityError> {
        let (on, op) = (permit.on(), permit.op());
        if enabled {
            self.may_be_admin(&permit).await?;
        }
        let new = &self.new_admin_user(on, op.now);
        let record = &permit.success().with_detail(if enabled { "enabled" } else { "disabled" });
        self.change(op.now, |tx| {
            Box::pin(async move {
                let id = there_or_made(tx, new).await?;
                account::set_enabled(tx, id, enabled).await?;
                change::append(tx, op.now, Change::Principal(id.as_i64())).await?;
                audit::write(tx, self.access.audit(), record).await?;
                Ok(shown(tx, on).await?)
            })
        })
        .await
    }

    /// Puts a new password in the place of one of the two; the other one works on.
    pub async fn renew_admin_password(
        &self,
        permit: Permit<act::UpdateAdminUser>,
        which: AdminPassword,
    ) -> Result<RenewedAdminPassword, IdentityError> {
        self.may_be_admin(&permit).await?;
        let (on, op) = (permit.on(), permit.op());
        let password = self.dice.with(|random| secrets::generate(Kind::AdminPassword, random));
        let (new, kept) = (&self.new_admin_user(on, op.now), &Kept::Hash(*self.keeper.pepper.hash(&password).as_bytes()));
        let made = &self.new_admin_password(&permit, which)?;
        let record = &permit.success().with_detail(format!("password {}", which.number()));
        let renew = self.change(op.now, |tx| {
            Box::pin(async move {
                let principal = there_or_made(tx, new).await?;
                if let Some(old) = credential::clear_slot(tx, principal, which.slot()).await? {
                    change::append(tx, op.now, Change::Credential(old.as_i64())).await?;
                }
                credential::insert(tx, &Credential { principal, ..made.clone() }, Some(which.slot()), kept).await?;
                audit::write(tx, self.access.audit(), record).await?;
                Ok(shown(tx, on).await?)
            })
        });
        Ok(RenewedAdminPassword { user: renew.await?, password })
    }

    async fn may_be_admin(&self, permit: &Permit<act::UpdateAdminUser>) -> Result<(), IdentityError> {
        let gives = admin_rights(permit.on());
        Ok(self.access.may_hand_over(permit.op(), permit.by(), &[&gives]).await?)
    }

    /// As it is made when it is first needed: disabled.
    fn new_admin_user(&self, on: &OnInstance, now: Timestamp) -> Principal {
        let blank = self.new_principal(on.account, PrincipalKind::Admin, on.name.as_str(), now);
        Principal { enabled: false, instance: Some(on.id), ..blank }
    }

    /// Everything but whose it is.
    fn new_admin_password(&self, permit: &Permit<act::UpdateAdminUser>, which: AdminPassword) -> Result<Credential, IdentityError> {
        let maker = permit.by().known().ok_or(IdentityError::NotFound("user"))?;
        let id = CredentialId::from_random(self.dice.bits());
        let whose = (permit.on().account, PrincipalId::from_i64(0));
        let made = (permit.op().now, maker.principal, maker.name.to_string());
        let fresh = Credential::fresh(id, CredentialKind::AdminPassword, whose, made);
        Ok(Credential { instance: Some(permit.on().id), description: format!("password {}", which.number()), ..fresh })
    }
}

async fn find(tx: &mut Tx<'_>, on: &OnInstance) -> Result<Option<Principal>, StoreError> {
    let found = account::principal_named(tx, on.account, PrincipalKind::Admin, on.name.as_str()).await?;
    Ok(found.filter(|admin| admin.instance == Some(on.id)))
}

async fn shown(tx: &mut Tx<'_>, on: &OnInstance) -> Result<AdminUser, StoreError> {
    let admin = find(tx, on).await?;
    let mut passwords = Vec::new();
    for which in AdminPassword::BOTH {
        let Some(admin) = &admin else { break };
        if let Some(credential) = credential::in_slot(tx, admin.id, which.slot()).await? {
            passwords.push((which, credential));
        }
    }
    let enabled = admin.is_some_and(|admin| admin.enabled);
    Ok(AdminUser { enabled, name: Arc::from(on.name.as_str()), instance: on.id, passwords })
}

/// The admin user's id; `new` is written where there is none.
async fn there_or_made(tx: &mut Tx<'_>, new: &Principal) -> Result<PrincipalId, IdentityError> {
    if let Some(there) = account::principal_named(tx, new.account, PrincipalKind::Admin, &new.name).await? {
        return Ok(there.id);
    }
    crate::principals::insert(tx, new).await?;
    Ok(new.id)
}

/// Ends the admin user of an instance that goes.
pub(crate) async fn forget(tx: &mut Tx<'_>, on: &OnInstance, now: Timestamp) -> Result<(), StoreError> {
    let Some(admin) = find(tx, on).await? else { return Ok(()) };
    for credential in credential::of_principal(tx, admin.id).await? {
        change::append(tx, now, Change::Credential(credential.id.as_i64())).await?;
    }
    account::delete_principal(tx, admin.id).await?;
    change::append(tx, now, Change::Principal(admin.id.as_i64())).await
}
