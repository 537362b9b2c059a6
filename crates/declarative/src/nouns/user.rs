//! `kind: User`

use std::path::Path;

use api::{CreateUser, CredentialQuery, SetPassword, UpdateUser};
use client::{ClientError, Holder, LabelOwner};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::attachments;
use crate::Trouble;
use crate::diff;
use crate::error::found;
use crate::noun::{Here, Noun};
use crate::secrets::SecretRef;
use crate::step::{Call, Change, Key, Step, call};

pub(crate) struct User;

/// A user: a person.
#[derive(Clone, Serialize, Deserialize, ToSchema, Debug)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct UserSpec {
    /// Disabled users are nobody; new ones are enabled unless told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    enabled: Option<bool>,
    /// All policies that are attached to the user, by name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    policies: Option<Vec<String>>,
    /// Passwords that the user starts with: set while there is none, and again with `--set-passwords`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    passwords: Option<Vec<Password>>,
}

/// A password, by reference.
#[derive(Clone, Serialize, Deserialize, ToSchema, Debug)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Password {
    /// For the console, or for the registry.
    kind: PasswordKind,
    /// The instance of a permanent password, by name or id; the one that the server's host name chooses unless told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    instance: Option<String>,
    /// Where it stands.
    secret_ref: SecretRef,
    /// Is there one at the server? Never read from a document.
    #[serde(skip)]
    there: bool,
}

/// Which password.
#[derive(Clone, Copy, Serialize, Deserialize, ToSchema, PartialEq, Eq, Debug)]
#[serde(rename_all = "camelCase")]
enum PasswordKind {
    /// For the console and for signing in.
    SignIn,
    /// For the registry; one an instance.
    Permanent,
}

impl Noun for User {
    const KIND: &'static str = "User";
    const LABEL: Option<&'static str> = Some("user");
    type Spec = UserSpec;

    fn resolve(spec: &mut UserSpec, base: &Path) -> Result<(), Trouble> {
        spec.passwords.iter_mut().flatten().for_each(|password| password.secret_ref.resolve(base));
        Ok(())
    }

    async fn list(here: &Here<'_>, _instance: &str) -> Result<Vec<String>, ClientError> {
        Ok(here.client.users().list().await?.into_iter().map(|user| user.name).collect())
    }

    async fn read(here: &Here<'_>, key: &Key, wanted: Option<&UserSpec>) -> Result<Option<UserSpec>, ClientError> {
        let Some(user) = found(here.client.users().show(&key.name).await)? else { return Ok(None) };
        let asked = wanted.is_none_or(|wanted| wanted.policies.is_some());
        let policies = attachments::read(here, &Holder::User(user.name), asked).await?;
        let passwords = match wanted.and_then(|wanted| wanted.passwords.as_ref()) {
            Some(passwords) => Some(held(here, &key.name, passwords).await?),
            None => None,
        };
        Ok(Some(UserSpec { enabled: Some(user.enabled), policies, passwords }))
    }

    fn plan(here: &Here<'_>, key: &Key, wanted: &UserSpec, there: Option<UserSpec>) -> Result<Vec<Step>, Trouble> {
        let (mut steps, name) = (Vec::new(), key.name.clone());
        let there = there.unwrap_or_else(|| {
            let new = CreateUser { name: name.clone(), ..CreateUser::default() };
            steps.push(Step::create(key, Vec::new(), call!(client => client.users().create(&new))));
            UserSpec { enabled: Some(true), policies: None, passwords: None }
        });
        let changes = diff::changes(wanted, &there, &["policies", "passwords"]);
        if let (false, Some(enabled)) = (changes.is_empty(), wanted.enabled) {
            let (name, change) = (name.clone(), UpdateUser { enabled: Some(enabled), ..UpdateUser::default() });
            steps.push(Step::update(key, changes, call!(client => client.users().update(&name, &change))));
        }
        let held = there.passwords.unwrap_or_default();
        for (index, password) in wanted.passwords.iter().flatten().enumerate() {
            let there = held.get(index).is_some_and(|held| held.there);
            if !there || here.set_passwords {
                steps.push(set_password(here, key, password)?);
            }
        }
        steps.extend(attachments::plan(key, &Holder::User(name), wanted.policies.as_ref(), there.policies.as_ref()));
        Ok(steps)
    }

    fn delete(key: &Key) -> Option<Call> {
        let name = key.name.clone();
        Some(call!(client => client.users().delete(&name)))
    }

    fn owner(key: &Key) -> Option<LabelOwner> {
        Some(LabelOwner::User(key.name.clone()))
    }
}

/// Which of these passwords the user has already. What they are nobody can read.
async fn held(here: &Here<'_>, user: &str, wanted: &[Password]) -> Result<Vec<Password>, ClientError> {
    let credentials =
        here.client.credentials().list(&CredentialQuery { user: Some(user.to_owned()), ..CredentialQuery::default() }).await?;
    let mut held = wanted.to_vec();
    for password in &mut held {
        password.there = match password.kind {
            PasswordKind::SignIn => credentials.iter().any(|c| c.kind == "sign_in_password"),
            PasswordKind::Permanent => {
                let at = password.instance.as_deref().unwrap_or(client::HERE);
                let at = found(here.client.instances().show(at).await)?.map(|instance| instance.instance_id);
                at.is_some() && credentials.iter().any(|c| c.kind == "permanent_password" && c.instance_id == at)
            }
        };
    }
    Ok(held)
}

/// A tie, so that its instance is there.
fn set_password(here: &Here<'_>, key: &Key, wanted: &Password) -> Result<Step, Trouble> {
    let (kind, word) = match wanted.kind {
        PasswordKind::SignIn => (api::PasswordKind::SignIn, "signIn"),
        PasswordKind::Permanent => (api::PasswordKind::Permanent, "permanent"),
    };
    let (name, password) = (key.name.clone(), wanted.secret_ref.read(here)?);
    let new = SetPassword { kind, instance: wanted.instance.clone(), password };
    let change = Change::new("passwords", serde_json::Value::Null, format!("{word} (a secret)"));
    Ok(Step::tie(key, change, call!(client => client.users().set_password(&name, &new))))
}
