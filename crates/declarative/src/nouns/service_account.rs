//! `kind: ServiceAccount`

use std::path::Path;

use api::{CreateServiceAccount, UpdateServiceAccount};
use client::{ClientError, Holder, LabelOwner, Tidegate};
use model::{Seconds, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::attachments;
use super::federated::{self, Federated};
use crate::Trouble;
use crate::diff;
use crate::error::found;
use crate::noun::{Here, Noun};
use crate::secrets::{SecretFile, room};
use crate::step::{Call, Change, Key, Step, call};

pub(crate) struct ServiceAccount;

/// A service account: a program.
#[derive(Clone, Serialize, Deserialize, ToSchema, Default, Debug)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct ServiceAccountSpec {
    /// What it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    /// Disabled ones are nobody; new ones are enabled unless told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    enabled: Option<bool>,
    /// When the whole account ends by itself, to the minute; left out: as it is, never for a new one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    expires_at: Option<Timestamp>,
    /// All policies that are attached to it, by name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    policies: Option<Vec<String>>,
    /// All federated credentials of it: whom of which issuer it trusts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    federated_credentials: Option<Vec<Federated>>,
    /// Where a new service account's first secret is written: a file, relative to this one, that its owner alone can read. Left
    /// out, a new service account has no secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    write_secret_to: Option<String>,
}

/// What is not compared field by field.
const APART: [&str; 4] = ["policies", "federatedCredentials", "writeSecretTo", "expiresAt"];

impl Noun for ServiceAccount {
    const KIND: &'static str = "ServiceAccount";
    const LABEL: Option<&'static str> = Some("service_account");
    type Spec = ServiceAccountSpec;

    fn resolve(spec: &mut ServiceAccountSpec, base: &Path) -> Result<(), Trouble> {
        spec.write_secret_to = spec.write_secret_to.take().map(|path| base.join(path).display().to_string());
        spec.expires_at = spec.expires_at.map(minute);
        Ok(())
    }

    async fn list(here: &Here<'_>, _instance: &str) -> Result<Vec<String>, ClientError> {
        Ok(here.client.service_accounts().list().await?.into_iter().map(|account| account.name).collect())
    }

    async fn read(here: &Here<'_>, key: &Key, wanted: Option<&ServiceAccountSpec>) -> Result<Option<ServiceAccountSpec>, ClientError> {
        let Some(there) = found(here.client.service_accounts().show(&key.name).await)? else { return Ok(None) };
        let policies = wanted.is_none_or(|wanted| wanted.policies.is_some());
        let policies = attachments::read(here, &Holder::ServiceAccount(there.name), policies).await?;
        let asked = wanted.is_none_or(|wanted| wanted.federated_credentials.is_some());
        let federated_credentials = federated::read(here, &key.name, asked).await?;
        Ok(Some(ServiceAccountSpec {
            description: Some(there.description),
            enabled: Some(there.enabled),
            expires_at: there.expires_at.map(minute),
            policies,
            federated_credentials,
            write_secret_to: None,
        }))
    }

    fn plan(here: &Here<'_>, key: &Key, wanted: &ServiceAccountSpec, there: Option<ServiceAccountSpec>) -> Result<Vec<Step>, Trouble> {
        let (mut steps, name) = (Vec::new(), key.name.clone());
        let expires_in = wanted.expires_at.map(|at| until(here.now, at));
        let there = if let Some(there) = there {
            there
        } else {
            steps.push(create(here, key, wanted, expires_in)?);
            let (description, expires_at) = (wanted.description.clone(), wanted.expires_at);
            ServiceAccountSpec { description, expires_at, enabled: Some(true), ..ServiceAccountSpec::default() }
        };
        let mut changes = diff::changes(wanted, &there, &APART);
        let later = wanted.expires_at.filter(|at| Some(*at) != there.expires_at);
        changes.extend(later.map(|at| Change::new("expiresAt", there.expires_at.map(|t| t.to_string()), at.to_string())));
        if !changes.is_empty() {
            let touched = |field| diff::touches(&changes, &[field]);
            let change = UpdateServiceAccount {
                description: wanted.description.clone().filter(|_| touched("description")),
                enabled: wanted.enabled.filter(|_| touched("enabled")),
                expires_in: expires_in.filter(|_| touched("expiresAt")),
            };
            let name = name.clone();
            steps.push(Step::update(key, changes, call!(client => client.service_accounts().update(&name, &change))));
        }
        steps.extend(federated::plan(key, wanted.federated_credentials.as_ref(), there.federated_credentials.as_ref()));
        steps.extend(attachments::plan(key, &Holder::ServiceAccount(name), wanted.policies.as_ref(), there.policies.as_ref()));
        Ok(steps)
    }

    fn delete(key: &Key) -> Option<Call> {
        let name = key.name.clone();
        Some(call!(client => client.service_accounts().delete(&name)))
    }

    fn owner(key: &Key) -> Option<LabelOwner> {
        Some(LabelOwner::ServiceAccount(key.name.clone()))
    }
}

/// The server is told how long from now, so that only the minute can be compared.
const fn minute(at: Timestamp) -> Timestamp {
    const MINUTE: i64 = 60_000;
    Timestamp::from_millis((at.millis() + MINUTE / 2).div_euclid(MINUTE) * MINUTE)
}

/// Whole seconds from now, rounded up; what is past is refused by the server.
const fn until(now: Timestamp, at: Timestamp) -> Seconds {
    Seconds((at.millis_since(now) + 999).div_euclid(1000))
}

fn create(here: &Here<'_>, key: &Key, wanted: &ServiceAccountSpec, expires_in: Option<Seconds>) -> Result<Step, Trouble> {
    if let Some(path) = &wanted.write_secret_to {
        room(path)?;
    }
    let description = wanted.description.clone().unwrap_or_default();
    let new = CreateServiceAccount { name: key.name.clone(), description, expires_in, ..CreateServiceAccount::default() };
    let (path, show) = (wanted.write_secret_to.clone(), here.show_secrets);
    let call: Call = Box::new(move |client| Box::pin(make(client, new, path, show)));
    Ok(Step::create(key, diff::all(wanted, &["policies", "federatedCredentials", "enabled"]), call))
}

/// The first secret goes to its file, to whoever asked to see it, or away: none is left that nobody knows.
async fn make(client: &Tidegate, new: CreateServiceAccount, path: Option<String>, show: bool) -> Result<Option<api::Secret>, Trouble> {
    let file = path.as_deref().map(SecretFile::open).transpose()?;
    let accounts = client.service_accounts();
    let made = accounts.create(&new).await?;
    match file {
        Some(file) => file.write(&made.secret).map(|()| None),
        None if show => Ok(Some(made.secret)),
        None => {
            accounts.delete_secret(&new.name, &made.credential_id, false).await?;
            Ok(None)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_compared_to_the_minute() {
        let at = Timestamp::parse("2027-01-01T00:00:00Z").unwrap();
        assert_eq!(minute(Timestamp::from_millis(at.millis() + 999)), at);
        assert_eq!(minute(Timestamp::from_millis(at.millis() - 29_999)), at);
        assert_eq!(until(Timestamp::from_millis(at.millis() - 1), at), Seconds(1));
    }
}
