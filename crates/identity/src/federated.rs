//! Federated credentials: whom of which issuer a service account trusts. There is no secret to keep, to leak or to renew.

use std::collections::BTreeMap;

use access::{Permit, audit};
use federation::{Conditions, IssuerUrl};
use model::{CredentialKind, ProviderId, Seconds, act};
use store::change::{self, Change};
use store::credential::{self, Credential, Kept};
use store::federated::{self, Federated};
use store::provider::Provider;
use store::{StoreError, Tx};

use crate::credentials::checked_expiry;
use crate::principals::{checked_description, there};
use crate::{Identity, IdentityError};

/// Federated credentials of one service account (Entra: 20).
const MAX: i64 = 20;

/// A federated credential that is asked for.
#[derive(Clone, Debug)]
pub struct CreateFederated {
    /// Its name among its owner's: 3 to 120 letters, digits, `-` and `_`.
    pub name: String,
    /// The issuer; the account's provider for it says where its keys are.
    pub issuer: String,
    /// Whom of the issuer's it trusts.
    pub conditions: Conditions,
    /// What it is for.
    pub description: String,
    /// When it ends by itself; none: never.
    pub expires_in: Option<Seconds>,
}

/// What to change of a federated credential; none: as it is.
#[derive(Clone, Debug, Default)]
pub struct UpdateFederated {
    /// The audience.
    pub audience: Option<String>,
    /// The subject or a pattern.
    pub subject: Option<String>,
    /// The further claims, all of them.
    pub claims: Option<BTreeMap<String, Vec<String>>>,
    /// What it is for.
    pub description: Option<String>,
    /// A disabled one lets nobody in, running tokens included.
    pub enabled: Option<bool>,
}

/// A federated credential.
#[derive(Clone, Debug)]
pub struct FederatedCredential {
    /// What every credential has.
    pub credential: Credential,
    /// Its name among its owner's.
    pub name: String,
    /// The provider's name.
    pub provider: String,
    /// The issuer.
    pub issuer: String,
    /// Whom of the issuer's it trusts.
    pub conditions: Conditions,
}

impl CreateFederated {
    /// Can it be kept, and can somebody mean it? Before anything is made for it.
    pub fn check(&self) -> Result<(), IdentityError> {
        check(&self.issuer, &self.conditions)
    }
}

impl Identity {
    /// Lets workloads of an issuer be a service account. Whoever makes one can be the service account, so they must hold all
    /// that it holds.
    pub async fn create_federated_credential(
        &self,
        permit: Permit<act::CreateFederatedCredential>,
        wanted: &CreateFederated,
    ) -> Result<FederatedCredential, IdentityError> {
        let (op, owner, account) = (permit.op(), there(permit.on())?, permit.on().account);
        wanted.check()?;
        self.access.may_stand_in_for(op, permit.by(), owner).await?;
        let issuer = &*wanted.issuer;
        let found = self.read(|tx| Box::pin(store::provider::by_issuer(tx, account, issuer))).await?;
        let provider = found.ok_or_else(|| IdentityError::invalid("issuer", "no OIDC provider of the account stands for it"))?;
        let blank = self.blank(op, permit.by(), permit.on(), CredentialKind::FederatedCredential)?;
        let credential = Credential {
            description: checked_description(&wanted.description)?,
            expires: checked_expiry(op, wanted.expires_in)?,
            provider: Some(provider.id),
            ..blank
        };
        let made = federated(&credential, provider.id, &checked_name(&wanted.name)?, &wanted.conditions)?;
        let detail = format!("{}: {} {} for {}", made.name, provider.issuer, made.subject, made.audience);
        let (new, row, record) = (&credential, &made, &permit.success().with_detail(detail));
        self.change(op.now, |tx| {
            Box::pin(async move {
                if credential::count(tx, owner, CredentialKind::FederatedCredential).await? >= MAX {
                    return Err(IdentityError::Limit { what: "federated credentials a service account", max: MAX });
                }
                if federated::by_name(tx, owner, &row.name).await?.is_some() {
                    return Err(IdentityError::Taken { what: "federated credential", name: row.name.clone() });
                }
                credential::insert(tx, new, None, &Kept::Nothing).await?;
                federated::insert(tx, row).await?;
                change::append(tx, op.now, Change::Provider(row.provider.as_i64())).await?;
                Ok(audit::write(tx, self.access.audit(), record).await?)
            })
        })
        .await?;
        shown(credential, made, &provider)
    }

    /// All of a service account's, by name.
    pub async fn list_federated_credentials(
        &self,
        permit: Permit<act::ListFederatedCredentials>,
    ) -> Result<Vec<FederatedCredential>, IdentityError> {
        let owner = there(permit.on())?;
        let found: Result<Vec<_>, StoreError> = self
            .read(|tx| {
                Box::pin(async move {
                    let mut all = Vec::new();
                    for row in federated::of_principal(tx, owner).await? {
                        all.extend(whole(tx, row).await?);
                    }
                    Ok(all)
                })
            })
            .await;
        found?.into_iter().map(|(credential, row, provider)| shown(credential, row, &provider)).collect()
    }

    /// One of them.
    pub async fn show_federated_credential(
        &self,
        permit: Permit<act::ListFederatedCredentials>,
        name: &str,
    ) -> Result<FederatedCredential, IdentityError> {
        let all = self.list_federated_credentials(permit).await?;
        all.into_iter().find(|one| one.name == name).ok_or(IdentityError::NotFound("federated credential"))
    }

    /// Changes one, never its issuer. Whoever changes whom it trusts can be the service account.
    pub async fn update_federated_credential(
        &self,
        permit: Permit<act::UpdateFederatedCredential>,
        name: &str,
        wanted: &UpdateFederated,
    ) -> Result<FederatedCredential, IdentityError> {
        let (op, owner) = (permit.op(), there(permit.on())?);
        if wanted.audience.is_some() || wanted.subject.is_some() || wanted.claims.is_some() || wanted.enabled == Some(true) {
            self.access.may_stand_in_for(op, permit.by(), owner).await?;
        }
        let description = &wanted.description.as_deref().map(checked_description).transpose()?;
        let record = &permit.success().with_detail(name.chars().take(120).collect::<String>());
        let changed = self.change(op.now, |tx| {
            Box::pin(async move {
                let missing = IdentityError::NotFound("federated credential");
                let Some(row) = federated::by_name(tx, owner, name).await? else { return Err(missing) };
                let Some((old, row, provider)) = whole(tx, row).await? else { return Err(missing) };
                let conditions = conditions(&row)?;
                let conditions = Conditions {
                    audience: wanted.audience.clone().unwrap_or(conditions.audience),
                    subject: wanted.subject.clone().unwrap_or(conditions.subject),
                    claims: wanted.claims.clone().unwrap_or(conditions.claims),
                };
                check(&provider.issuer, &conditions)?;
                let row = federated(&old, provider.id, &row.name, &conditions)?;
                let new = Credential {
                    description: description.clone().unwrap_or(old.description),
                    enabled: wanted.enabled.unwrap_or(old.enabled),
                    ..old
                };
                federated::update(tx, &row).await?;
                credential::describe(tx, new.id, &new.description).await?;
                credential::set_enabled(tx, new.id, new.enabled).await?;
                change::append(tx, op.now, Change::Credential(new.id.as_i64())).await?;
                change::append(tx, op.now, Change::Provider(provider.id.as_i64())).await?;
                audit::write(tx, self.access.audit(), record).await?;
                Ok((new, row, provider))
            })
        });
        let (credential, row, provider) = changed.await?;
        shown(credential, row, &provider)
    }

    /// Deletes one; every token made from it ends.
    pub async fn delete_federated_credential(
        &self,
        permit: Permit<act::DeleteFederatedCredential>,
        name: &str,
    ) -> Result<(), IdentityError> {
        let (op, owner) = (permit.op(), there(permit.on())?);
        let record = &permit.success().with_detail(name.chars().take(120).collect::<String>());
        self.change(op.now, |tx| {
            Box::pin(async move {
                let row = federated::by_name(tx, owner, name).await?.ok_or(IdentityError::NotFound("federated credential"))?;
                credential::delete(tx, row.credential).await?;
                change::append(tx, op.now, Change::Credential(row.credential.as_i64())).await?;
                change::append(tx, op.now, Change::Provider(row.provider.as_i64())).await?;
                Ok(audit::write(tx, self.access.audit(), record).await?)
            })
        })
        .await
    }
}

/// With its row among all credentials and its provider; none where one of them has just gone.
async fn whole(tx: &mut Tx<'_>, row: Federated) -> Result<Option<(Credential, Federated, Provider)>, StoreError> {
    let credential = credential::by_id(tx, row.credential).await?;
    let provider = store::provider::by_id(tx, row.provider).await?;
    Ok(credential.zip(provider).map(|(credential, provider)| (credential, row, provider)))
}

fn shown(credential: Credential, row: Federated, provider: &Provider) -> Result<FederatedCredential, IdentityError> {
    let conditions = conditions(&row)?;
    Ok(FederatedCredential { credential, name: row.name, provider: provider.name.clone(), issuer: provider.issuer.clone(), conditions })
}

/// What a stored one asks of a token.
pub(crate) fn conditions(row: &Federated) -> Result<Conditions, StoreError> {
    let claims = serde_json::from_str(&row.claims).map_err(|_| StoreError::corrupt("federated_credential.claims"))?;
    Ok(Conditions { audience: row.audience.clone(), subject: row.subject.clone(), claims })
}

fn federated(of: &Credential, provider: ProviderId, name: &str, conditions: &Conditions) -> Result<Federated, IdentityError> {
    Ok(Federated {
        credential: of.id,
        provider,
        principal: of.principal,
        name: name.to_owned(),
        audience: conditions.audience.clone(),
        subject: conditions.subject.clone(),
        exact: !conditions.subject.contains(['*', '?']),
        claims: serde_json::to_string(&conditions.claims).map_err(|_| IdentityError::invalid("claims", "texts by name"))?,
    })
}

/// Conditions that can be kept, of an issuer that is one, and that somebody can mean.
fn check(issuer: &str, conditions: &Conditions) -> Result<(), IdentityError> {
    IssuerUrl::parse(issuer, true).map_err(|e| IdentityError::invalid("issuer", e.to_string()))?;
    conditions.check().map_err(|e| IdentityError::invalid(e.field, e.problem))?;
    match federation::danger(issuer, conditions) {
        Some(why) => Err(IdentityError::invalid("subject", why)),
        None => Ok(()),
    }
}

fn checked_name(text: &str) -> Result<String, IdentityError> {
    let fits = (3..=120).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'));
    if fits { Ok(text.to_owned()) } else { Err(IdentityError::invalid("name", "3 to 120 letters, digits, - and _")) }
}
