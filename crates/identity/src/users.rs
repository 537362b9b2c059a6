//! Users: create, list, show, enable and disable, delete.

use access::{Permit, audit};
use model::{LoginName, PrincipalKind, act};
use store::account::Principal;

use crate::principals::{insert, there};
use crate::{Identity, IdentityError};

/// A user.
pub type User = Principal;

impl Identity {
    /// Creates a user. The numeric id and the UUID exist from this moment.
    pub async fn create_user(&self, permit: Permit<act::CreateUser>) -> Result<User, IdentityError> {
        let on = permit.on();
        let name = LoginName::parse(&on.name).map_err(|e| IdentityError::invalid("name", e.rule))?;
        let user = self.new_principal(on.account, PrincipalKind::User, name.as_str(), permit.op().now);
        let (new, record) = (&user, &permit.success().with_detail(user.id.to_string()));
        self.change(permit.op().now, |tx| {
            Box::pin(async move {
                insert(tx, new).await?;
                Ok(audit::write(tx, self.access.audit(), record).await?)
            })
        })
        .await?;
        Ok(user)
    }

    /// Users by name, after `after`, at most `limit`.
    pub async fn list_users(&self, permit: Permit<act::ListUsers>, after: &str, limit: i64) -> Result<Vec<User>, IdentityError> {
        self.listed(permit.on().0, PrincipalKind::User, after, limit).await
    }

    /// One user.
    pub async fn show_user(&self, permit: Permit<act::GetUser>) -> Result<User, IdentityError> {
        self.shown(&permit).await
    }

    /// Enables or disables a user: a disabled one stays so through every way in, running tokens included. Whoever enables one gives
    /// all that the user holds to whoever has a key of theirs.
    pub async fn set_user_enabled(&self, permit: Permit<act::UpdateUser>, enabled: bool) -> Result<User, IdentityError> {
        if there(permit.on())? == permit.on().account.root() {
            return Err(IdentityError::invalid("enabled", "the root user cannot be disabled"));
        }
        if enabled {
            self.access.may_stand_in_for(permit.op(), permit.by(), there(permit.on())?).await?;
        }
        self.set_enabled(permit.op(), permit.on(), enabled, permit.success()).await
    }

    /// Deletes a user with all credentials and attachments.
    pub async fn delete_user(&self, permit: Permit<act::DeleteUser>) -> Result<(), IdentityError> {
        if there(permit.on())? == permit.on().account.root() {
            return Err(IdentityError::invalid("user", "the root user cannot be deleted"));
        }
        self.delete_principal(permit.op(), permit.on(), &permit.success()).await
    }
}
