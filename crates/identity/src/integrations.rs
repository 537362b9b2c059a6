//! Integrations: what credentials are made for, so that nobody deletes a live one or forgets a dead one.

use access::{Permit, audit};
use model::{Caller, IntegrationId, OnIntegration, Seconds, Timestamp, act};
use store::integration::{self, Integration, Kind};
use store::{StoreError, Tx};

use crate::{Identity, IdentityError};

/// Integrations of one account.
const MAX: i64 = 1000;
/// Credentials of one integration that are counted.
const COUNTED: i64 = 10_000;
const MISSING: IdentityError = IdentityError::NotFound("integration");

/// An integration with what its credentials tell of it.
#[derive(Clone, Debug)]
pub struct IntegrationUse {
    /// The integration.
    pub integration: Integration,
    /// How many credentials were made for it and are there; from 10,000 on, that many.
    pub credentials: i64,
    /// When one of them was last used.
    pub last_used: Option<Timestamp>,
}

/// An integration that is asked for.
#[derive(Clone, Debug)]
pub struct CreateIntegration {
    /// What kind of thing it is.
    pub kind: Kind,
    /// Where people find it: an https URL, which is never fetched.
    pub link: Option<String>,
}

/// What may change; what is none stays.
#[derive(Clone, Default, Debug)]
pub struct UpdateIntegration {
    /// What kind of thing it is.
    pub kind: Option<Kind>,
    /// Where people find it; empty: nowhere.
    pub link: Option<String>,
    /// Is it gone?
    pub gone: Option<bool>,
}

impl Identity {
    /// The integration that a name or id means in the caller's account, there or not.
    pub async fn integration(&self, caller: &Caller, text: &str) -> Result<OnIntegration, IdentityError> {
        let account = caller.known().ok_or(MISSING)?.account;
        if text.contains(char::is_control) || text.len() > 64 {
            return Err(MISSING);
        }
        let found = self.read(|tx| Box::pin(integration::find(tx, account, text))).await?;
        Ok(match found {
            Some(i) => OnIntegration { account, id: Some(i.id), name: i.name.into() },
            None => OnIntegration { account, id: None, name: text.into() },
        })
    }

    /// Creates an integration.
    pub async fn create_integration(
        &self,
        permit: Permit<act::CreateIntegration>,
        wanted: CreateIntegration,
    ) -> Result<IntegrationUse, IdentityError> {
        let new = &Integration {
            id: IntegrationId::from_random(self.dice.bits()),
            account: permit.on().account,
            kind: wanted.kind,
            name: checked_name(&permit.on().name)?,
            link: checked_link(wanted.link)?,
            created: permit.op().now,
            created_by: permit.by().known().map_or_else(String::new, |known| known.name.to_string()),
            gone: None,
        };
        let record = &permit.success().with_detail(new.id.to_string());
        self.change(permit.op().now, |tx| {
            Box::pin(async move {
                if integration::find(tx, new.account, &new.name).await?.is_some() {
                    return Err(IdentityError::Taken { what: "integration", name: new.name.clone() });
                }
                if integration::count(tx, new.account).await? >= MAX {
                    return Err(IdentityError::Limit { what: "integrations an account", max: MAX });
                }
                integration::insert(tx, new).await?;
                Ok(audit::write(tx, self.access.audit(), record).await?)
            })
        })
        .await?;
        Ok(IntegrationUse { integration: new.clone(), credentials: 0, last_used: None })
    }

    /// Integrations by name after `after`, at most `limit`.
    pub async fn list_integrations(
        &self,
        permit: Permit<act::ListIntegrations>,
        after: &str,
        limit: i64,
    ) -> Result<Vec<IntegrationUse>, IdentityError> {
        let account = permit.on().0;
        let found: Result<_, StoreError> = self
            .store
            .scan(|tx| {
                Box::pin(async move {
                    let mut all = Vec::new();
                    for integration in integration::list(tx, account, after, limit).await? {
                        all.push(with_use(tx, integration).await?);
                    }
                    Ok(all)
                })
            })
            .await;
        Ok(found?)
    }

    /// One integration.
    pub async fn show_integration(&self, permit: Permit<act::GetIntegration>) -> Result<IntegrationUse, IdentityError> {
        let id = permit.on().id.ok_or(MISSING)?;
        self.store
            .read(|tx| {
                Box::pin(async move {
                    let found = integration::by_id(tx, id).await?.ok_or(MISSING)?;
                    Ok(with_use(tx, found).await?)
                })
            })
            .await
    }

    /// Changes an integration, or says that it is gone, or back.
    pub async fn update_integration(
        &self,
        permit: Permit<act::UpdateIntegration>,
        change: UpdateIntegration,
    ) -> Result<IntegrationUse, IdentityError> {
        let id = permit.on().id.ok_or(MISSING)?;
        let link = &match change.link {
            Some(link) => Some(checked_link(Some(link).filter(|link| !link.is_empty()))?),
            None => None,
        };
        let (now, record, change) = (permit.op().now, &permit.success(), &UpdateIntegration { link: None, ..change });
        self.change(now, |tx| {
            Box::pin(async move {
                let old = integration::by_id(tx, id).await?.ok_or(MISSING)?;
                let gone = match change.gone {
                    Some(true) => old.gone.or(Some(now)),
                    Some(false) => None,
                    None => old.gone,
                };
                let kind = change.kind.unwrap_or(old.kind);
                let new = Integration { kind, gone, link: link.clone().unwrap_or_else(|| old.link.clone()), ..old };
                integration::update(tx, &new).await?;
                audit::write(tx, self.access.audit(), record).await?;
                Ok(with_use(tx, new).await?)
            })
        })
        .await
    }

    /// Deletes an integration for which no credential is left.
    pub async fn delete_integration(&self, permit: Permit<act::DeleteIntegration>) -> Result<(), IdentityError> {
        let id = permit.on().id.ok_or(MISSING)?;
        let record = &permit.success();
        self.change(permit.op().now, |tx| {
            Box::pin(async move {
                let (left, _) = integration::used(tx, id, COUNTED).await?;
                if left > 0 {
                    let what = format!("{left} credentials were made for it: delete them first (`tidegate credential list --integration`)");
                    return Err(IdentityError::InUse(what));
                }
                if !integration::delete(tx, id).await? {
                    return Err(MISSING);
                }
                Ok(audit::write(tx, self.access.audit(), record).await?)
            })
        })
        .await
    }

    /// The integration that a new credential is to be made for.
    pub(crate) async fn present_integration(&self, id: Option<IntegrationId>) -> Result<Option<IntegrationId>, IdentityError> {
        let Some(id) = id else { return Ok(None) };
        let found = self.read(|tx| Box::pin(integration::by_id(tx, id))).await?.ok_or(MISSING)?;
        match found.gone {
            None => Ok(Some(found.id)),
            Some(_) => Err(IdentityError::invalid("integration", "it is gone: nothing is made for it any longer")),
        }
    }
}

impl IntegrationUse {
    /// Is it gone, or has none of its credentials been used for so long?
    pub fn is_stale(&self, now: Timestamp, unused_for: Seconds) -> bool {
        let last = self.last_used.unwrap_or(self.integration.created);
        self.integration.gone.is_some() || last.plus(unused_for) < now
    }
}

async fn with_use(tx: &mut Tx<'_>, integration: Integration) -> Result<IntegrationUse, StoreError> {
    let (credentials, last_used) = integration::used(tx, integration.id, COUNTED).await?;
    Ok(IntegrationUse { integration, credentials, last_used })
}

fn checked_name(name: &str) -> Result<String, IdentityError> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    let fits = (1..=64).contains(&name.len()) && name.chars().all(plain) && name.starts_with(|c: char| c.is_ascii_alphanumeric());
    if fits && name.parse::<IntegrationId>().is_err() {
        return Ok(name.to_owned());
    }
    Err(IdentityError::invalid("name", "1 to 64 letters, digits, dots, underscores and hyphens, with a letter or digit first"))
}

/// An https URL as people click on it: a host, and no user name or password, which would be a secret.
fn checked_link(link: Option<String>) -> Result<Option<String>, IdentityError> {
    let Some(link) = link else { return Ok(None) };
    let rest = link.strip_prefix("https://").unwrap_or_default();
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let is_host = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | ':' | '[' | ']');
    let fits = link.len() <= 512 && !authority.is_empty() && authority.chars().all(is_host);
    if fits && link.chars().all(|c| c.is_ascii_graphic() && !matches!(c, '"' | '<' | '>' | '\\' | '`')) {
        return Ok(Some(link));
    }
    Err(IdentityError::invalid("link", "an https:// URL of at most 512 characters, without a user name"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_is_https_and_holds_no_password() {
        for good in ["https://ci.example/team/app", "https://[2001:db8::1]:8443/", "https://gitlab.example/a?b=c#d@e"] {
            assert!(checked_link(Some(good.into())).is_ok(), "{good}");
        }
        for bad in [
            "http://ci.example",
            "https://",
            "https:///x",
            "javascript:alert(1)",
            "https://u:p@ci.example",
            "https://a\nb",
            "https://ci.example/<x>",
            "HTTPS://x",
        ] {
            assert!(checked_link(Some(bad.into())).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_name_is_no_id() {
        assert!(checked_name("prod.eu-1").is_ok());
        for bad in ["", "-a", "a b", "a/b", "int-0123456789abcdef", &"a".repeat(65)] {
            assert!(checked_name(bad).is_err(), "{bad}");
        }
    }
}
