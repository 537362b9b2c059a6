//! OIDC providers: issuers that an account trusts, named so that roles and federated credentials can speak of them.

use std::sync::Arc;

use access::{Permit, Record, audit};
use federation::{Issuer, IssuerUrl, KeySet, Source};
use model::{AccountId, Caller, CredentialKind, OnProvider, Op, ProviderId, act};
use store::change::{self, Change};
use store::provider::{self, Provider};
use store::{StoreError, Tx, federated};

use crate::principals::checked_description;
use crate::{Identity, IdentityError, named};

/// Providers of one account.
const MAX: i64 = 100;
/// Audiences of one provider (RAM, CreateOIDCProvider: 50).
const MAX_CLIENT_IDS: usize = 50;
/// The longest pinned key set, and the longest certificates, in bytes.
const MAX_PINNED: usize = 64 * 1024;
/// Whose trust a change of one provider touches, looked at one by one.
const MAX_TRUSTING: i64 = 5000;
const NAME: &str = "1 to 128 letters, digits and . - _";

/// A provider that is asked for.
#[derive(Clone, Debug, Default)]
pub struct CreateProvider {
    /// The issuer, exactly as in its tokens.
    pub issuer: String,
    /// The audiences that roles accept.
    pub client_ids: Vec<String>,
    /// Its keys, for networks where it cannot be asked: a JSON Web Key Set.
    pub jwks: Option<String>,
    /// Its own certificate authority, PEM, in place of the public ones.
    pub ca: Option<String>,
    /// May it be at an internal address?
    pub allow_internal: bool,
    /// What it is for.
    pub description: String,
}

/// What to change of a provider; none: as it is.
#[derive(Clone, Debug, Default)]
pub struct UpdateProvider {
    /// The audiences that roles accept.
    pub client_ids: Option<Vec<String>>,
    /// One audience more, beside those that there are.
    pub add_client_id: Option<String>,
    /// One audience less.
    pub remove_client_id: Option<String>,
    /// Its keys; none in it: by discovery.
    pub jwks: Option<Option<String>>,
    /// Its own certificate authority; none in it: the public ones.
    pub ca: Option<Option<String>>,
    /// May it be at an internal address?
    pub allow_internal: Option<bool>,
    /// What it is for.
    pub description: Option<String>,
    /// A disabled one lets nobody in, running tokens included.
    pub enabled: Option<bool>,
}

impl Identity {
    /// Names an issuer. Roles that speak of this name already will trust it, so whoever names it must hold what those hold.
    pub async fn create_provider(
        &self,
        permit: Permit<act::CreateOIDCProvider>,
        wanted: &CreateProvider,
    ) -> Result<Provider, IdentityError> {
        let (on, op) = (permit.on(), permit.op());
        let maker = permit.by().known().ok_or(IdentityError::NotFound("user"))?;
        let provider = Provider {
            id: ProviderId::from_random(self.dice.bits()),
            account: on.account,
            name: checked_name(&on.name)?,
            issuer: wanted.issuer.clone(),
            client_ids: checked_client_ids(&wanted.client_ids)?,
            jwks: wanted.jwks.clone(),
            ca: wanted.ca.clone(),
            allow_internal: wanted.allow_internal,
            description: checked_description(&wanted.description)?,
            enabled: true,
            created: op.now,
            created_by_name: maker.name.to_string(),
        };
        issuer_of(&provider)?;
        self.may_vouch(op, permit.by(), on).await?;
        let (new, record) = (&provider, &permit.success().with_detail(provider.issuer.clone()));
        self.change(op.now, |tx| {
            Box::pin(async move {
                if provider::count(tx, new.account).await? >= MAX {
                    return Err(IdentityError::Limit { what: "OIDC providers an account", max: MAX });
                }
                if provider::by_name(tx, new.account, &new.name).await?.is_some() {
                    return Err(IdentityError::Taken { what: "OIDC provider", name: new.name.clone() });
                }
                if let Some(other) = provider::by_issuer(tx, new.account, &new.issuer).await? {
                    return Err(IdentityError::InUse(format!("the OIDC provider {} stands for this issuer already", other.name)));
                }
                named::take(tx, new.account, named::PROVIDER, &new.name).await?;
                provider::insert(tx, new).await?;
                change::append(tx, op.now, Change::Provider(new.id.as_i64())).await?;
                Ok(audit::write(tx, self.access.audit(), record).await?)
            })
        })
        .await?;
        Ok(provider)
    }

    /// Providers by name, after `after`, at most `limit`.
    pub async fn list_providers(
        &self,
        permit: Permit<act::ListOIDCProviders>,
        after: &str,
        limit: i64,
    ) -> Result<Vec<Provider>, IdentityError> {
        let account = permit.on().0;
        Ok(self.read(|tx| Box::pin(provider::of_account(tx, account, after, limit))).await?)
    }

    /// One provider.
    pub async fn show_provider(&self, permit: Permit<act::GetOIDCProvider>) -> Result<Provider, IdentityError> {
        let id = there(permit.on())?;
        self.read(|tx| Box::pin(provider::by_id(tx, id))).await?.ok_or(IdentityError::NotFound("OIDC provider"))
    }

    /// How many keys its issuer has now, asked for anew; or why they cannot be had. For whoever may see the provider. Once the
    /// issuer has answered, every node forgets the keys that it knew, so that a key that was withdrawn verifies nothing any more.
    pub async fn try_provider(&self, permit: Permit<act::GetOIDCProvider>) -> Result<Result<usize, String>, IdentityError> {
        let (id, op) = (there(permit.on())?, permit.op());
        let found = self.read(|tx| Box::pin(provider::by_id(tx, id))).await?.ok_or(IdentityError::NotFound("OIDC provider"))?;
        let count = match self.workloads.issuers.try_out(&issuer_of(&found)?).await {
            Ok(count) => count,
            Err(error) => return Ok(Err(error.to_string())),
        };
        if found.jwks.is_none() {
            let record = &permit.success().with_detail(format!("{count} keys of its issuer, asked for anew"));
            self.change(op.now, |tx| {
                Box::pin(async move {
                    change::append(tx, op.now, Change::IssuerKeys(id.as_i64())).await?;
                    Ok(audit::write(tx, self.access.audit(), record).await?)
                })
            })
            .await?;
        }
        Ok(Ok(count))
    }

    /// Changes a provider; never its issuer. Whoever says which keys an issuer has could be everybody whom they let in, so they
    /// must hold what those hold.
    pub async fn update_provider(
        &self,
        permit: Permit<act::UpdateOIDCProvider>,
        wanted: &UpdateProvider,
    ) -> Result<Provider, IdentityError> {
        let (id, op) = (there(permit.on())?, permit.op());
        let vouches = wanted.client_ids.is_some() || wanted.jwks.is_some() || wanted.ca.is_some() || wanted.allow_internal.is_some();
        if vouches || wanted.enabled == Some(true) {
            self.may_vouch(op, permit.by(), permit.on()).await?;
        }
        let description = &wanted.description.as_deref().map(checked_description).transpose()?;
        let record = &permit.success();
        self.change(op.now, |tx| {
            Box::pin(async move {
                let old = provider::by_id(tx, id).await?.ok_or(IdentityError::NotFound("OIDC provider"))?;
                let new = Provider {
                    client_ids: wanted.client_ids_after(&old)?,
                    jwks: wanted.jwks.clone().unwrap_or(old.jwks),
                    ca: wanted.ca.clone().unwrap_or(old.ca),
                    allow_internal: wanted.allow_internal.unwrap_or(old.allow_internal),
                    description: description.clone().unwrap_or(old.description),
                    enabled: wanted.enabled.unwrap_or(old.enabled),
                    ..old
                };
                issuer_of(&new)?;
                provider::update(tx, &new).await?;
                change::append(tx, op.now, Change::Provider(id.as_i64())).await?;
                audit::write(tx, self.access.audit(), record).await?;
                Ok(new)
            })
        })
        .await
    }

    /// Deletes a provider with the federated credentials that speak of its issuer and the sessions that its tokens began.
    pub async fn delete_provider(&self, permit: Permit<act::DeleteOIDCProvider>) -> Result<(), IdentityError> {
        let (id, op) = (there(permit.on())?, permit.op());
        let record = &permit.success();
        let on = permit.on();
        self.change(op.now, |tx| {
            Box::pin(async move {
                named::free(tx, on.account, named::PROVIDER, &on.name, op.now).await?;
                self.drop_provider(tx, op, id, record).await
            })
        })
        .await
    }

    async fn drop_provider(&self, tx: &mut Tx<'_>, op: &Op, id: ProviderId, record: &Record) -> Result<(), IdentityError> {
        let ended = store::credential::of_provider(tx, id).await?;
        for credential in &ended {
            match credential.kind {
                CredentialKind::Session => store::role::delete_session(tx, credential.id).await?,
                _ => drop(store::credential::delete(tx, credential.id).await?),
            }
            change::append(tx, op.now, Change::Credential(credential.id.as_i64())).await?;
        }
        if !provider::delete(tx, id).await? {
            return Err(IdentityError::NotFound("OIDC provider"));
        }
        change::append(tx, op.now, Change::Provider(id.as_i64())).await?;
        let record = record.clone().with_detail(format!("{} credentials with it", ended.len()));
        Ok(audit::write(tx, self.access.audit(), &record).await?)
    }

    /// The provider of this name in the caller's account, as something to ask a permit for: there or not.
    pub async fn provider(&self, caller: &Caller, name: &str) -> Result<OnProvider, IdentityError> {
        let account = caller.known().ok_or(IdentityError::NotFound("OIDC provider"))?.account;
        let found = match checked_name(name) {
            Ok(name) => self.read(|tx| Box::pin(provider::by_name(tx, account, &name))).await?,
            Err(_) => None,
        };
        Ok(OnProvider { account, id: found.map(|p| p.id), name: name.chars().take(128).collect::<String>().into() })
    }

    /// The account's provider for this issuer; or what one made for it would be called.
    pub async fn provider_for(&self, caller: &Caller, issuer: &str) -> Result<OnProvider, IdentityError> {
        let account = caller.known().ok_or(IdentityError::NotFound("OIDC provider"))?.account;
        let found = self.read(|tx| Box::pin(provider::by_issuer(tx, account, issuer))).await?;
        Ok(match found {
            Some(p) => OnProvider { account, id: Some(p.id), name: p.name.into() },
            None => OnProvider { account, id: None, name: self.free_name(account, issuer).await?.into() },
        })
    }

    /// After the issuer's host; with a few letters more if that is taken.
    async fn free_name(&self, account: AccountId, issuer: &str) -> Result<String, IdentityError> {
        let url = IssuerUrl::parse(issuer, true).map_err(|e| IdentityError::invalid("issuer", e.to_string()))?;
        let host: String = url.host().chars().map(|c| if c.is_ascii_alphanumeric() || c == '.' { c } else { '-' }).take(100).collect();
        let taken = self.read(|tx| Box::pin(provider::by_name(tx, account, &host))).await?.is_some();
        Ok(if taken { format!("{host}-{:08x}", self.dice.bits() >> 32) } else { host })
    }

    /// May the caller say who this issuer is? Everybody who trusts it would believe tokens of the caller's own making.
    async fn may_vouch(&self, op: &Op, by: &Caller, on: &OnProvider) -> Result<(), IdentityError> {
        let mut trusting = self.access.roles_of_provider(on.account, &on.name).await?;
        if let Some(id) = on.id {
            let accounts: Result<_, StoreError> = self.read(|tx| Box::pin(federated::principals_of(tx, id, MAX_TRUSTING + 1))).await;
            trusting.extend(accounts?);
        }
        if i64::try_from(trusting.len()).map_or(true, |all| all > MAX_TRUSTING) {
            return Err(IdentityError::Limit {
                what: "service accounts and roles that trust a provider which is changed",
                max: MAX_TRUSTING,
            });
        }
        for principal in trusting {
            self.access.may_stand_in_for(op, by, principal).await?;
        }
        Ok(())
    }
}

impl UpdateProvider {
    /// The audiences of a provider once it is changed.
    fn client_ids_after(&self, old: &Provider) -> Result<String, IdentityError> {
        let mut all = self.client_ids.clone().map_or_else(|| client_ids(old), Ok)?;
        all.extend(self.add_client_id.clone().filter(|one| !all.contains(one)));
        all.retain(|one| self.remove_client_id.as_ref() != Some(one));
        checked_client_ids(&all)
    }
}

/// As [`federation`] asks for its keys. An error says which part cannot be used.
pub(crate) fn issuer_of(p: &Provider) -> Result<Issuer, IdentityError> {
    let url = IssuerUrl::parse(&p.issuer, p.allow_internal).map_err(|e| IdentityError::invalid("issuer", e.to_string()))?;
    if [&p.jwks, &p.ca].into_iter().flatten().any(|text| text.len() > MAX_PINNED) {
        return Err(IdentityError::invalid("jwks", "keys and certificates of at most 65536 bytes"));
    }
    let source = match (&p.jwks, &p.ca) {
        (Some(jwks), _) => {
            Source::Pinned(Arc::new(KeySet::parse(jwks.as_bytes()).map_err(|e| IdentityError::invalid("jwks", e.to_string()))?))
        }
        (None, ca) => {
            if let Some(ca) = ca {
                fetch::Trust::own(ca).map_err(|e| IdentityError::invalid("ca", e.to_string()))?;
            }
            Source::Discovered { ca: ca.as_deref().map(Arc::from), internal: p.allow_internal }
        }
    };
    Ok(Issuer { url, source })
}

/// The audiences that roles accept.
pub(crate) fn client_ids(p: &Provider) -> Result<Vec<String>, StoreError> {
    serde_json::from_str(&p.client_ids).map_err(|_| StoreError::corrupt("oidc_provider.client_ids"))
}

fn there(on: &OnProvider) -> Result<ProviderId, IdentityError> {
    on.id.ok_or(IdentityError::NotFound("OIDC provider"))
}

fn checked_name(text: &str) -> Result<String, IdentityError> {
    let fits = (1..=128).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_'));
    if fits { Ok(text.to_owned()) } else { Err(IdentityError::invalid("name", NAME)) }
}

fn checked_client_ids(all: &[String]) -> Result<String, IdentityError> {
    let fits = |id: &String| (1..=255).contains(&id.chars().count()) && !id.contains(|c: char| c.is_control() || c.is_whitespace());
    if all.len() > MAX_CLIENT_IDS || !all.iter().all(fits) {
        return Err(IdentityError::invalid("client_ids", "at most 50 audiences of 1 to 255 characters without space"));
    }
    serde_json::to_string(all).map_err(|_| IdentityError::invalid("client_ids", "at most 50 texts"))
}
