//! Users: create, list, show, enable and disable, delete.

use std::sync::Arc;

use access::{Permit, audit};
use model::{LoginName, PrincipalId, PrincipalKind, Timestamp, act};
use store::account::{self, Principal};
use store::change::{self, Change};

use crate::{Identity, IdentityError};

/// A user.
pub type User = Principal;

impl Identity {
    /// Creates a user. The numeric id and the UUID exist from this moment.
    pub async fn create_user(&self, permit: Permit<act::CreateUser>) -> Result<User, IdentityError> {
        let on = permit.on();
        let name = LoginName::parse(&on.name).map_err(|e| IdentityError::invalid("name", e.rule))?;
        let user = self.new_principal(on.account.as_i64(), PrincipalKind::User, name.as_str(), permit.op().now);
        let (new, record) = (&user, &permit.success().with_detail(user.id.to_string()));
        self.change(permit.op().now, |tx| {
            Box::pin(async move {
                if !account::take_login_name(tx, new.account, &new.name, "user", new.id.as_i64()).await? {
                    return Err(IdentityError::Taken { what: "user, service account or instance", name: new.name.to_string() });
                }
                account::insert_principal(tx, new).await?;
                change::append(tx, new.created, Change::Principal(new.id.as_i64())).await?;
                Ok(audit::write(tx, self.access.audit(), record).await?)
            })
        })
        .await?;
        Ok(user)
    }

    pub(crate) fn new_principal(&self, account: i64, kind: PrincipalKind, name: &str, now: Timestamp) -> Principal {
        Principal {
            id: PrincipalId::from_random(self.dice.bits()),
            uuid: uuid::Builder::from_random_bytes(self.dice.bits128().to_be_bytes()).into_uuid().to_string(),
            account: model::AccountId::from_i64(account),
            kind,
            name: Arc::from(name),
            enabled: true,
            created: now,
        }
    }

    /// Users by name, after `after`, at most `limit`.
    pub async fn list_users(&self, permit: Permit<act::ListUsers>, after: &str, limit: i64) -> Result<Vec<User>, IdentityError> {
        let account = permit.on().0;
        Ok(self.read(|tx| Box::pin(account::users(tx, account, after, limit))).await?)
    }

    /// One user.
    pub async fn show_user(&self, permit: Permit<act::GetUser>) -> Result<User, IdentityError> {
        let id = permit.on().id.ok_or(IdentityError::NotFound("user"))?;
        let found = self.read(|tx| Box::pin(account::principal_by_id(tx, id))).await?;
        found.ok_or(IdentityError::NotFound("user"))
    }

    /// Enables or disables a user: a disabled one stays so through every way in, running tokens included.
    pub async fn set_user_enabled(&self, permit: Permit<act::UpdateUser>, enabled: bool) -> Result<User, IdentityError> {
        let id = permit.on().id.ok_or(IdentityError::NotFound("user"))?;
        if id == permit.on().account.root() {
            return Err(IdentityError::invalid("enabled", "the root user cannot be disabled"));
        }
        let now = permit.op().now;
        let record = &permit.success().with_detail(if enabled { "enabled" } else { "disabled" });
        self.change(now, |tx| {
            Box::pin(async move {
                account::set_enabled(tx, id, enabled).await?;
                change::append(tx, now, Change::Principal(id.as_i64())).await?;
                audit::write(tx, self.access.audit(), record).await?;
                account::principal_by_id(tx, id).await?.ok_or(IdentityError::NotFound("user"))
            })
        })
        .await
    }

    /// Deletes a user with all credentials and attachments.
    pub async fn delete_user(&self, permit: Permit<act::DeleteUser>) -> Result<(), IdentityError> {
        let id = permit.on().id.ok_or(IdentityError::NotFound("user"))?;
        if id == permit.on().account.root() {
            return Err(IdentityError::invalid("user", "the root user cannot be deleted"));
        }
        let (now, record) = (permit.op().now, &permit.success());
        self.change(now, |tx| {
            Box::pin(async move {
                for credential in store::credential::of_principal(tx, id).await? {
                    change::append(tx, now, Change::Credential(credential.id.as_i64())).await?;
                }
                if !account::delete_principal(tx, id).await? {
                    return Err(IdentityError::NotFound("user"));
                }
                change::append(tx, now, Change::Principal(id.as_i64())).await?;
                Ok(audit::write(tx, self.access.audit(), record).await?)
            })
        })
        .await
    }
}
