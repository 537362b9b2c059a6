//! Access keys: an id and a secret that sign API requests. The secret is sealed, since checking a signature needs it.

use access::{Permit, audit};
use model::{CredentialKind, OnPrincipal, PrincipalKind, Timestamp, act};
use secrets::{Kind, Plain, Row};
use store::StoreError;
use store::credential::{self, Credential, Kept};

use crate::principals::there;
use crate::{Identity, IdentityError};

/// Access keys of one user (RAM's limit): two, so that one can be renewed while the other works.
pub(crate) const MAX: i64 = 2;
const KINDS: &[CredentialKind] = &[CredentialKind::AccessKey];

/// A new access key: the only time its secret is seen.
#[derive(Debug)]
pub struct NewAccessKey {
    /// Everything but the secret.
    pub credential: Credential,
    /// The public half.
    pub access_key_id: String,
    /// The secret.
    pub secret: Plain,
}

impl Identity {
    /// Creates an access key for a user.
    pub async fn create_access_key(&self, permit: Permit<act::CreateAccessKey>) -> Result<NewAccessKey, IdentityError> {
        let owner = there(permit.on())?;
        // A role is assumed, and a key would outlive that.
        if matches!(permit.on().kind, PrincipalKind::Role | PrincipalKind::Group | PrincipalKind::Admin) {
            return Err(IdentityError::invalid("user", "a role has sessions, and no access keys"));
        }
        self.access.may_stand_in_for(permit.op(), permit.by(), owner).await?;
        let blank = self.blank(permit.op(), permit.by(), permit.on(), CredentialKind::AccessKey)?;
        let (new, kept) = self.generate_access_key(blank)?;
        let (credential, kept, record) = (&new.credential, &kept, &permit.success().with_detail(new.access_key_id.clone()));
        self.change(permit.op().now, |tx| {
            Box::pin(async move {
                if credential::count(tx, owner, CredentialKind::AccessKey).await? >= MAX {
                    return Err(IdentityError::Limit { what: "access keys a user", max: MAX });
                }
                credential::insert(tx, credential, None, kept).await?;
                Ok(audit::write(tx, self.access.audit(), record).await?)
            })
        })
        .await?;
        Ok(new)
    }

    pub(crate) fn generate_access_key(&self, blank: Credential) -> Result<(NewAccessKey, Kept), IdentityError> {
        let access_key_id = self.dice.with(|random| secrets::generate_access_key_id(random));
        let secret = self.dice.with(|random| secrets::generate(Kind::AccessKeySecret, random));
        let row = Row { noun: "credential.sealed", id: &access_key_id };
        let sealed = self.dice.with(|random| self.keeper.sealing.seal(&secret, row, random)).map_err(|_| IdentityError::Sealing)?;
        let kept = Kept::Sealed(sealed.as_bytes().to_vec(), *self.keeper.pepper.hash(&secret).as_bytes());
        let credential = Credential { access_key_id: Some(access_key_id.clone()), ..blank };
        Ok((NewAccessKey { credential, access_key_id, secret }, kept))
    }

    /// A user's access keys, without secrets.
    pub async fn list_access_keys(&self, permit: Permit<act::ListAccessKeys>) -> Result<Vec<Credential>, IdentityError> {
        let owner = permit.on().id.ok_or(IdentityError::NotFound("user"))?;
        let all = self.read(|tx| Box::pin(credential::of_principal(tx, owner))).await?;
        Ok(all.into_iter().filter(|c| c.kind == CredentialKind::AccessKey).collect())
    }

    /// When an access key was last used, to the minute; none: never.
    pub async fn access_key_last_used(
        &self,
        permit: Permit<act::GetAccessKeyLastUsed>,
        access_key_id: &str,
    ) -> Result<Option<Timestamp>, IdentityError> {
        Ok(self.own_key(permit.on(), access_key_id).await?.last_used)
    }

    /// Enables or disables an access key.
    pub async fn set_access_key_enabled(
        &self,
        permit: Permit<act::UpdateAccessKey>,
        access_key_id: &str,
        enabled: bool,
    ) -> Result<Credential, IdentityError> {
        let found = self.own_key(permit.on(), access_key_id).await?;
        let record = permit.success().with_detail(format!("{} {access_key_id}", if enabled { "enable" } else { "disable" }));
        self.enable(&permit, (found.id, KINDS), enabled, &record).await
    }

    /// Deletes an access key.
    pub async fn delete_access_key(&self, permit: Permit<act::DeleteAccessKey>, access_key_id: &str) -> Result<(), IdentityError> {
        let found = self.own_key(permit.on(), access_key_id).await?;
        let record = permit.success().with_detail(access_key_id);
        self.delete(permit.op(), permit.on(), (found.id, KINDS), &record).await
    }

    pub(crate) async fn own_key(&self, owner: &OnPrincipal, access_key_id: &str) -> Result<Credential, IdentityError> {
        let found: Result<_, StoreError> = self.read(|tx| Box::pin(credential::by_access_key(tx, access_key_id))).await;
        let credential = found?.map(|(credential, _)| credential).filter(|c| Some(c.principal) == owner.id);
        credential.ok_or(IdentityError::NotFound("access key"))
    }
}
