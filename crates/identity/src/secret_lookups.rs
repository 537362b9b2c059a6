//! Whose is a secret that was found somewhere?

use std::sync::Arc;

use access::{Permit, audit};
use model::{CredentialId, act};
use secrets::{Plain, Recognised};
use store::StoreError;
use store::credential::{self, Credential};
use tokens::TokenError;

use crate::{Identity, IdentityError};

/// Secrets in one question.
const MAX: usize = 100;

/// A secret that is known in the account.
#[derive(Clone, Debug)]
pub struct Identified {
    /// The credential that it is, or that it was made from.
    pub credential: Credential,
    /// What kind of token it is; none: the credential itself.
    pub token: Option<&'static str>,
    /// Whose.
    pub owner: Arc<str>,
}

impl Identity {
    /// Says of each secret whose it is, in the same order; none: unknown in this account. Chosen passwords are not looked up:
    /// else this would be a place to guess them. What it answers for a secret of another account is what it answers for one
    /// that never was.
    pub async fn identify_secrets(
        &self,
        permit: Permit<act::IdentifySecret>,
        secrets: Vec<Plain>,
    ) -> Result<Vec<Option<Identified>>, IdentityError> {
        if !(1..=MAX).contains(&secrets.len()) {
            return Err(IdentityError::invalid("secrets", format!("1 to {MAX} of them")));
        }
        let mut answers = Vec::with_capacity(secrets.len());
        for secret in &secrets {
            answers.push(self.identify(&permit, secret).await?);
        }
        let known = answers.iter().flatten().count();
        let record = &permit.success().with_detail(format!("{known} known of {}", secrets.len()));
        self.change(permit.op().now, |tx| Box::pin(async move { Ok(audit::write(tx, self.access.audit(), record).await?) })).await?;
        Ok(answers)
    }

    async fn identify(&self, permit: &Permit<act::IdentifySecret>, secret: &Plain) -> Result<Option<Identified>, IdentityError> {
        let found = match secrets::Kind::recognise(secret.reveal()) {
            Recognised::Generated(secrets::Kind::SecurityToken) => {
                let hash = &self.keeper.pepper.hash(secret).as_bytes().to_owned();
                let found: Result<_, StoreError> = self.read(|tx| Box::pin(credential::by_session_token(tx, hash))).await;
                found?.map(|credential| (credential, Some("security_token")))
            }
            Recognised::Generated(_) => self.credential_of_secret(secret).await?.map(|credential| (credential, None)),
            Recognised::MalformedOf(_) => None,
            Recognised::Chosen => self.by_token(permit, secret).await?.map(|(credential, kind)| (credential, Some(kind))),
        };
        let Some((credential, token)) = found.filter(|(c, _)| c.account == permit.on().0) else { return Ok(None) };
        let owner = self.access.directory().principal(credential.principal).await?;
        Ok(owner.map(|owner| Identified { credential, token, owner: Arc::clone(&owner.name) }))
    }

    async fn credential_of_secret(&self, secret: &Plain) -> Result<Option<Credential>, StoreError> {
        let hash = &self.keeper.pepper.hash(secret).as_bytes().to_owned();
        self.read(|tx| Box::pin(credential::by_hash(tx, hash))).await
    }

    /// The credential that a token was made from, and what kind of token it is.
    async fn by_token(
        &self,
        permit: &Permit<act::IdentifySecret>,
        token: &Plain,
    ) -> Result<Option<(Credential, &'static str)>, IdentityError> {
        let said = match self.tokens.identify(token.reveal(), permit.op().now).await {
            Ok(Some(said)) => said,
            Ok(None) => return Ok(None),
            Err(TokenError::Store(error)) => return Err(error.into()),
            Err(_) => return Err(IdentityError::Sealing),
        };
        let Some(id) = said.1.credential else { return Ok(None) };
        let found = self.credential_of_token(id).await?;
        Ok(found.filter(|c| Some(c.principal) == said.1.principal).map(|credential| (credential, said.0.as_str())))
    }

    async fn credential_of_token(&self, id: CredentialId) -> Result<Option<Credential>, StoreError> {
        self.read(|tx| Box::pin(credential::by_id(tx, id))).await
    }
}
