//! `kind: OidcProvider`

use std::path::Path;

use api::{CreateProvider, UpdateProvider};
use client::{ClientError, LabelOwner};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::policy::fixed;
use crate::Trouble;
use crate::diff;
use crate::error::found;
use crate::files::read_file;
use crate::noun::{Here, Noun};
use crate::step::{Call, Key, Step, call};

pub(crate) struct OidcProvider;

/// An issuer that roles and service accounts may trust.
#[derive(Clone, Serialize, Deserialize, ToSchema, Debug)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct OidcProviderSpec {
    /// The issuer, exactly as in the `iss` of its tokens; said when it is made, and not changed later.
    issuer: String,
    /// All audiences that roles accept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    client_ids: Option<Vec<String>>,
    /// The issuer's keys (the text of a JSON Web Key Set), where it cannot be asked; empty: the issuer is asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    jwks: Option<String>,
    /// The same in a file, relative to this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    jwks_file: Option<String>,
    /// Certificates (PEM) of the issuer's own authority; empty: the public ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ca: Option<String>,
    /// The same in a file, relative to this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ca_file: Option<String>,
    /// May it be at an internal address, and speak plain http? No unless told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    allow_internal: Option<bool>,
    /// What it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    /// A disabled one lets nobody in; new ones are enabled unless told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    enabled: Option<bool>,
}

impl Noun for OidcProvider {
    const KIND: &'static str = "OidcProvider";
    const LABEL: Option<&'static str> = Some("oidc_provider");
    type Spec = OidcProviderSpec;

    fn resolve(spec: &mut OidcProviderSpec, base: &Path) -> Result<(), Trouble> {
        for (text, file) in [(&mut spec.jwks, &mut spec.jwks_file), (&mut spec.ca, &mut spec.ca_file)] {
            if let Some(path) = file.take() {
                *text = Some(read_file(&base.join(path))?);
            }
        }
        if let Some(ids) = &mut spec.client_ids {
            ids.sort();
        }
        Ok(())
    }

    async fn list(here: &Here<'_>, _instance: &str) -> Result<Vec<String>, ClientError> {
        Ok(here.client.providers().list().await?.into_iter().map(|provider| provider.name).collect())
    }

    async fn read(here: &Here<'_>, key: &Key, _wanted: Option<&OidcProviderSpec>) -> Result<Option<OidcProviderSpec>, ClientError> {
        Ok(found(here.client.providers().show(&key.name).await)?.map(spec))
    }

    fn plan(_here: &Here<'_>, key: &Key, wanted: &OidcProviderSpec, there: Option<OidcProviderSpec>) -> Result<Vec<Step>, Trouble> {
        let (mut steps, name) = (Vec::new(), key.name.clone());
        let changes = if let Some(there) = &there {
            diff::changes(wanted, there, &[])
        } else {
            steps.push(create(key, wanted));
            diff::all(wanted, &[]).into_iter().filter(|change| change.field == "enabled" && change.to == false).collect()
        };
        if diff::touches(&changes, &["issuer"]) {
            return Err(fixed(key, "issuer"));
        }
        if !changes.is_empty() {
            let touched = |field| diff::touches(&changes, &[field]);
            let change = UpdateProvider {
                client_ids: wanted.client_ids.clone().filter(|_| touched("clientIds")),
                jwks: wanted.jwks.clone().filter(|_| touched("jwks")),
                ca: wanted.ca.clone().filter(|_| touched("ca")),
                allow_internal: wanted.allow_internal.filter(|_| touched("allowInternal")),
                description: wanted.description.clone().filter(|_| touched("description")),
                enabled: wanted.enabled.filter(|_| touched("enabled")),
            };
            steps.push(Step::update(key, changes, call!(client => client.providers().update(&name, &change))));
        }
        Ok(steps)
    }

    fn delete(key: &Key) -> Option<Call> {
        let name = key.name.clone();
        Some(call!(client => client.providers().delete(&name)))
    }

    fn owner(key: &Key) -> Option<LabelOwner> {
        Some(LabelOwner::OidcProvider(key.name.clone()))
    }
}

fn create(key: &Key, wanted: &OidcProviderSpec) -> Step {
    let new = CreateProvider {
        name: key.name.clone(),
        issuer: wanted.issuer.clone(),
        client_ids: wanted.client_ids.clone().unwrap_or_default(),
        jwks: wanted.jwks.clone().filter(|text| !text.is_empty()),
        ca: wanted.ca.clone().filter(|text| !text.is_empty()),
        allow_internal: wanted.allow_internal.unwrap_or_default(),
        description: wanted.description.clone().unwrap_or_default(),
    };
    Step::create(key, diff::all(wanted, &["enabled"]), call!(client => client.providers().create(&new)))
}

fn spec(there: api::Provider) -> OidcProviderSpec {
    let mut client_ids = there.client_ids;
    client_ids.sort();
    OidcProviderSpec {
        issuer: there.issuer,
        client_ids: Some(client_ids),
        jwks: Some(there.jwks.unwrap_or_default()),
        jwks_file: None,
        ca: Some(there.ca.unwrap_or_default()),
        ca_file: None,
        allow_internal: Some(there.allow_internal),
        description: Some(there.description),
        enabled: Some(there.enabled),
    }
}
