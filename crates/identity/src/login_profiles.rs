//! A user's sign-in password as something that is there or not.

use access::{Permit, audit};
use model::{PrincipalId, PrincipalKind, Timestamp, act};
use secrets::ChosenPassword;
use store::change::{self, Change};
use store::{StoreError, credential};

use crate::passwords::SIGN_IN;
use crate::principals::there;
use crate::{Identity, IdentityError};

/// A sign-in password, without it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LoginProfile {
    /// Set when.
    pub created: Timestamp,
    /// A disabled one opens nothing.
    pub enabled: bool,
}

impl Identity {
    /// Sets the sign-in password of a user who has none.
    pub async fn create_login_profile(
        &self,
        permit: Permit<act::CreateLoginProfile>,
        password: ChosenPassword,
    ) -> Result<LoginProfile, IdentityError> {
        let (id, created) = (there(permit.on())?, permit.op().now);
        if self.login_profile(id).await?.is_some() {
            return Err(IdentityError::Taken { what: "sign-in password of a user", name: permit.on().name.to_string() });
        }
        self.set_first_sign_in_password(&permit, password).await?;
        Ok(LoginProfile { created, enabled: true })
    }

    /// Has a user a sign-in password, and since when?
    pub async fn show_login_profile(&self, permit: Permit<act::GetLoginProfile>) -> Result<LoginProfile, IdentityError> {
        self.login_profile(there(permit.on())?).await?.ok_or(IdentityError::NotFound("sign-in password"))
    }

    /// Deletes a user's sign-in password; what they signed in with by it ends.
    pub async fn delete_login_profile(&self, permit: Permit<act::DeleteLoginProfile>) -> Result<(), IdentityError> {
        let (id, now, record) = (there(permit.on())?, permit.op().now, &permit.success());
        if permit.on().kind == PrincipalKind::Root {
            return Err(IdentityError::invalid("user", "the root user keeps its sign-in password"));
        }
        // Whoever could delete their own disabled password could set another one, and be in again.
        let own = permit.by().known().is_some_and(|known| known.principal == id);
        if own && self.login_profile(id).await?.is_some_and(|profile| !profile.enabled) {
            return Err(IdentityError::Disabled);
        }
        self.change(now, |tx| {
            Box::pin(async move {
                let gone = credential::clear_slot(tx, id, SIGN_IN).await?.ok_or(IdentityError::NotFound("sign-in password"))?;
                change::append(tx, now, Change::Credential(gone.as_i64())).await?;
                Ok(audit::write(tx, self.access.audit(), record).await?)
            })
        })
        .await
    }

    async fn login_profile(&self, id: PrincipalId) -> Result<Option<LoginProfile>, StoreError> {
        let found = self.read(|tx| Box::pin(credential::in_slot(tx, id, SIGN_IN))).await?;
        Ok(found.map(|password| LoginProfile { created: password.created, enabled: password.enabled }))
    }
}
