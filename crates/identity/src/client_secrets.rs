//! A service account's secrets: one to five side by side, so that one can be renewed while the other works.

use access::{Permit, audit};
use model::{Caller, CredentialId, CredentialKind, IntegrationId, OnPrincipal, Op, Seconds, act};
use secrets::Kind;
use store::account::Principal;
use store::credential::{self, Credential, Kept};

use crate::credentials::{NewCredential, checked_description, checked_expiry};
use crate::principals::there;
use crate::{Identity, IdentityError};

/// Secrets of one service account.
pub(crate) const MAX: i64 = 5;
const KINDS: &[CredentialKind] = &[CredentialKind::ClientSecret];

impl Identity {
    /// Creates a further secret. Whoever makes one can be the service account, so they must hold all that it holds.
    pub async fn create_client_secret(
        &self,
        permit: Permit<act::CreateClientSecret>,
        description: &str,
        expires_in: Option<Seconds>,
        integration: Option<IntegrationId>,
    ) -> Result<NewCredential, IdentityError> {
        let integration = self.present_integration(integration).await?;
        let (op, id) = (permit.op(), there(permit.on())?);
        self.access.may_stand_in_for(op, permit.by(), id).await?;
        let account = self.shown(&permit).await?;
        let (mut new, kept) = self.new_client_secret(op, permit.by(), &account, &checked_description(description)?, expires_in)?;
        new.credential.integration = integration;
        let (credential, kept, record) = (&new.credential, &kept, &permit.success().with_detail(new.credential.id.to_string()));
        self.change(op.now, |tx| {
            Box::pin(async move {
                if credential::count(tx, id, CredentialKind::ClientSecret).await? >= MAX {
                    return Err(IdentityError::Limit { what: "secrets a service account", max: MAX });
                }
                credential::insert(tx, credential, None, kept).await?;
                Ok(audit::write(tx, self.access.audit(), record).await?)
            })
        })
        .await?;
        Ok(new)
    }

    /// A secret that is not written yet.
    pub(crate) fn new_client_secret(
        &self,
        op: &Op,
        by: &Caller,
        of: &Principal,
        description: &str,
        expires_in: Option<Seconds>,
    ) -> Result<(NewCredential, Kept), IdentityError> {
        let secret = self.dice.with(|random| secrets::generate(Kind::ClientSecret, random));
        let kept = Kept::Hash(*self.keeper.pepper.hash(&secret).as_bytes());
        let owner = OnPrincipal { account: of.account, id: Some(of.id), kind: of.kind, name: of.name.clone() };
        let blank = self.blank(op, by, &owner, CredentialKind::ClientSecret)?;
        let credential = Credential { description: description.to_owned(), expires: checked_expiry(op, expires_in)?, ..blank };
        Ok((NewCredential { credential, username: of.uuid.clone(), secret }, kept))
    }

    /// A service account's secrets, oldest first, as far as they can be shown.
    pub async fn list_client_secrets(&self, permit: Permit<act::ListClientSecrets>) -> Result<Vec<Credential>, IdentityError> {
        let id = there(permit.on())?;
        let all = self.read(|tx| Box::pin(credential::of_principal(tx, id))).await?;
        Ok(all.into_iter().filter(|c| KINDS.contains(&c.kind)).collect())
    }

    /// Enables or disables a secret.
    pub async fn set_client_secret_enabled(
        &self,
        permit: Permit<act::UpdateClientSecret>,
        id: CredentialId,
        enabled: bool,
    ) -> Result<Credential, IdentityError> {
        let record = permit.success().with_detail(format!("{} {id}", if enabled { "enable" } else { "disable" }));
        self.enable(&permit, (id, KINDS), enabled, &record).await
    }

    /// Deletes a secret; every token made from it ends. One that an integration has used within the last day is deleted by
    /// `force` alone.
    pub async fn delete_client_secret(
        &self,
        permit: Permit<act::DeleteClientSecret>,
        id: CredentialId,
        force: bool,
    ) -> Result<(), IdentityError> {
        if !force {
            self.not_in_use(permit.op(), permit.on(), id).await?;
        }
        let record = permit.success().with_detail(id.to_string());
        self.delete(permit.op(), permit.on(), (id, KINDS), &record).await
    }
}
