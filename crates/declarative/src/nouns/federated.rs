//! Federated credentials of a service account: whom of which issuer it trusts. They hold no secret.

use std::collections::BTreeMap;

use api::{CreateFederatedCredential, UpdateFederatedCredential};
use client::ClientError;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::diff;
use crate::noun::Here;
use crate::step::{Change, Key, Step, call};

const FIELD: &str = "federatedCredentials";

/// Trust in tokens of an issuer for a subject and an audience.
#[derive(Clone, Serialize, Deserialize, ToSchema, PartialEq, Eq, Debug)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct Federated {
    /// Its name among the service account's.
    name: String,
    /// The issuer, exactly as in `iss`; another issuer is another credential.
    issuer: String,
    /// The audience that tokens must be for, exactly.
    audience: String,
    /// The subject, exactly or with `*` and `?`.
    subject: String,
    /// Further claims: one of the values must match.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    claims: BTreeMap<String, Vec<String>>,
    /// What it is for.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    description: String,
    /// A disabled one lets nobody in; enabled unless told.
    #[serde(default = "yes")]
    enabled: bool,
}

const fn yes() -> bool {
    true
}

/// All of a service account, by name, if that is asked for.
pub(crate) async fn read(here: &Here<'_>, account: &str, asked: bool) -> Result<Option<Vec<Federated>>, ClientError> {
    if !asked {
        return Ok(None);
    }
    let mut all: Vec<_> = here.client.federated(account).list().await?.into_iter().map(spec).collect();
    all.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(Some(all))
}

fn spec(there: api::FederatedCredential) -> Federated {
    Federated {
        name: there.name,
        issuer: there.issuer,
        audience: there.audience,
        subject: there.subject,
        claims: there.claims,
        description: there.description,
        enabled: there.enabled,
    }
}

/// What is to be made, changed and deleted; one of another issuer is made anew.
pub(crate) fn plan(key: &Key, wanted: Option<&Vec<Federated>>, there: Option<&Vec<Federated>>) -> Vec<Step> {
    let Some(wanted) = wanted else { return Vec::new() };
    let there = there.map_or(&[][..], Vec::as_slice);
    let same = |a: &Federated, b: &Federated| a.name == b.name && a.issuer == b.issuer;
    let mut steps: Vec<Step> = there.iter().filter(|old| !wanted.iter().any(|new| same(old, new))).map(|old| delete(key, old)).collect();
    for new in wanted {
        match there.iter().find(|old| same(old, new)) {
            Some(old) if old == new => {}
            Some(old) => steps.push(update(key, old, new)),
            None => steps.extend(create(key, new)),
        }
    }
    steps
}

fn delete(key: &Key, old: &Federated) -> Step {
    let (account, name) = (key.name.clone(), old.name.clone());
    Step::tie(key, Change::remove(FIELD, &old.name), call!(client => client.federated(&account).delete(&name)))
}

fn update(key: &Key, old: &Federated, new: &Federated) -> Step {
    let changes = diff::changes(new, old, &[]);
    let fields: Vec<_> = changes.iter().map(|change| change.field.clone()).collect();
    let change = UpdateFederatedCredential {
        audience: Some(new.audience.clone()),
        subject: Some(new.subject.clone()),
        claims: Some(new.claims.clone()),
        description: Some(new.description.clone()),
        enabled: Some(new.enabled),
    };
    let (account, name) = (key.name.clone(), new.name.clone());
    let shown =
        Change::new(&format!("{FIELD}.{name}"), "as it is", if fields.is_empty() { "as said".to_owned() } else { fields.join(", ") });
    Step::tie(key, shown, call!(client => client.federated(&account).update(&name, &change)))
}

fn create(key: &Key, new: &Federated) -> Vec<Step> {
    let wanted = CreateFederatedCredential {
        name: new.name.clone(),
        audience: new.audience.clone(),
        issuer: Some(new.issuer.clone()),
        subject: Some(new.subject.clone()),
        claims: new.claims.clone(),
        description: new.description.clone(),
        ..CreateFederatedCredential::default()
    };
    let account = key.name.clone();
    let made = Step::tie(key, Change::add(FIELD, &new.name), call!(client => client.federated(&account).create(&wanted)));
    if new.enabled {
        return vec![made];
    }
    let (account, name) = (key.name.clone(), new.name.clone());
    let off = UpdateFederatedCredential { enabled: Some(false), ..UpdateFederatedCredential::default() };
    let shown = Change::new(&format!("{FIELD}.{name}.enabled"), true, false);
    vec![made, Step::tie(key, shown, call!(client => client.federated(&account).update(&name, &off)))]
}
