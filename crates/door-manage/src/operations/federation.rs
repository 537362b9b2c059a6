//! Workload identity: OIDC providers, federated credentials, sessions that a token begins.

use std::collections::BTreeMap;

use api::Secret;
use federation::{Conditions, Filled, preset};
use http::StatusCode;
use identity::{AssumeRole, CreateFederated, CreateProvider, UpdateFederated, UpdateProvider};
use kit::{Answer, empty, json};
use model::{Action, OnPrincipal, OnProvider, PrincipalKind, act};
use secrets::Plain;

use crate::call::Call;
use crate::errors::Problem;
use crate::shapes;

impl Call {
    async fn provider(&self) -> Result<OnProvider, Problem> {
        Ok(self.identity().provider(&self.caller, self.path(0)).await?)
    }

    async fn federated_owner(&self) -> Result<OnPrincipal, Problem> {
        self.principal(PrincipalKind::ServiceAccount, self.path(0)).await
    }
}

pub(super) async fn create_oidc_provider(call: Call) -> Result<Answer, Problem> {
    let new: api::CreateProvider = call.json()?;
    let on = OnProvider { account: call.account()?.0, id: None, name: new.name.as_str().into() };
    let permit = call.admit::<act::CreateOIDCProvider>(on).await?;
    let wanted = CreateProvider {
        issuer: new.issuer,
        client_ids: new.client_ids,
        jwks: new.jwks,
        ca: new.ca,
        allow_internal: new.allow_internal,
        description: new.description,
    };
    let made = call.identity().create_provider(permit, &wanted).await?;
    Ok(json(StatusCode::CREATED, &shapes::provider(made)))
}

pub(super) async fn list_oidc_providers(call: Call) -> Result<Answer, Problem> {
    let asked = call.asked()?;
    let permit = call.admit::<act::ListOIDCProviders>(call.account()?).await?;
    let found = call.identity().list_providers(permit, &asked.after, asked.one_more()).await?;
    Ok(call.page(found, &asked, |p| p.name.clone(), shapes::provider))
}

pub(super) async fn show_oidc_provider(call: Call) -> Result<Answer, Problem> {
    let permit = call.admit_or_hide::<act::GetOIDCProvider>(call.provider().await?, Action::GetOIDCProvider).await?;
    let found = call.identity().show_provider(permit).await?;
    Ok(json(StatusCode::OK, &shapes::provider(found)))
}

/// It asks the issuer, so it is no `GET`.
pub(super) async fn check_oidc_provider(call: Call) -> Result<Answer, Problem> {
    let permit = call.admit_or_hide::<act::GetOIDCProvider>(call.provider().await?, Action::GetOIDCProvider).await?;
    let shape = match call.identity().try_provider(permit).await? {
        Ok(keys) => api::ProviderCheck { keys: Some(keys), problem: None },
        Err(problem) => api::ProviderCheck { keys: None, problem: Some(problem) },
    };
    Ok(json(StatusCode::OK, &shape))
}

pub(super) async fn update_oidc_provider(call: Call) -> Result<Answer, Problem> {
    let change: api::UpdateProvider = call.json()?;
    let permit = call.admit_or_hide::<act::UpdateOIDCProvider>(call.provider().await?, Action::GetOIDCProvider).await?;
    let or_none = |text: String| Some(text).filter(|text| !text.is_empty());
    let wanted = UpdateProvider {
        client_ids: change.client_ids,
        jwks: change.jwks.map(or_none),
        ca: change.ca.map(or_none),
        allow_internal: change.allow_internal,
        description: change.description,
        enabled: change.enabled,
        ..UpdateProvider::default()
    };
    let changed = call.identity().update_provider(permit, &wanted).await?;
    Ok(json(StatusCode::OK, &shapes::provider(changed)))
}

pub(super) async fn delete_oidc_provider(call: Call) -> Result<Answer, Problem> {
    let permit = call.admit_or_hide::<act::DeleteOIDCProvider>(call.provider().await?, Action::GetOIDCProvider).await?;
    call.identity().delete_provider(permit).await?;
    Ok(empty(StatusCode::NO_CONTENT))
}

/// An issuer that no provider stands for yet gets one, if the caller may make one.
pub(super) async fn create_federated_credential(call: Call) -> Result<Answer, Problem> {
    let new: api::CreateFederatedCredential = call.json()?;
    let permit = call.admit_or_hide::<act::CreateFederatedCredential>(call.federated_owner().await?, Action::GetServiceAccount).await?;
    let filled = filled(new.preset.as_deref(), &new.with, new.issuer, new.subject, new.claims)?;
    let conditions = Conditions { audience: new.audience, subject: filled.subject, claims: filled.claims };
    let wanted =
        CreateFederated { name: new.name, issuer: filled.issuer, conditions, description: new.description, expires_in: new.expires_in };
    wanted.check()?;
    let provider = call.identity().provider_for(&call.caller, &wanted.issuer).await?;
    if provider.id.is_none() {
        let permit = call.admit::<act::CreateOIDCProvider>(provider).await?;
        let provider = CreateProvider { issuer: wanted.issuer.clone(), ..CreateProvider::default() };
        call.identity().create_provider(permit, &provider).await?;
    }
    let made = call.identity().create_federated_credential(permit, &wanted).await?;
    Ok(json(StatusCode::CREATED, &shapes::federated(made)))
}

/// What a preset says, with what the request says itself in its place.
fn filled(
    name: Option<&str>,
    with: &BTreeMap<String, String>,
    issuer: Option<String>,
    subject: Option<String>,
    claims: BTreeMap<String, Vec<String>>,
) -> Result<Filled, Problem> {
    let mut filled = match name {
        Some(name) => preset(name, with).map_err(|e| Problem::invalid("preset", e))?,
        None if with.is_empty() => Filled::default(),
        None => return Err(Problem::invalid("with", "there is no preset to fill in")),
    };
    filled.issuer = issuer
        .or(Some(filled.issuer).filter(|i| !i.is_empty()))
        .ok_or_else(|| Problem::invalid("issuer", "required, unless a preset fills it in"))?;
    filled.subject = subject
        .or(Some(filled.subject).filter(|s| !s.is_empty()))
        .ok_or_else(|| Problem::invalid("subject", "required, unless a preset fills it in"))?;
    filled.claims.extend(claims);
    Ok(filled)
}

pub(super) async fn list_federated_credentials(call: Call) -> Result<Answer, Problem> {
    let on = call.federated_owner().await?;
    let permit = call.admit_own_or_hide::<act::ListFederatedCredentials>(on, Action::GetServiceAccount).await?;
    let held = call.identity().list_federated_credentials(permit).await?;
    Ok(json(StatusCode::OK, &held.into_iter().map(shapes::federated).collect::<Vec<_>>()))
}

pub(super) async fn show_federated_credential(call: Call) -> Result<Answer, Problem> {
    let on = call.federated_owner().await?;
    let permit = call.admit_own_or_hide::<act::ListFederatedCredentials>(on, Action::GetServiceAccount).await?;
    let found = call.identity().show_federated_credential(permit, call.path(1)).await?;
    Ok(json(StatusCode::OK, &shapes::federated(found)))
}

pub(super) async fn update_federated_credential(call: Call) -> Result<Answer, Problem> {
    let change: api::UpdateFederatedCredential = call.json()?;
    let on = call.federated_owner().await?;
    let permit = call.admit_or_hide::<act::UpdateFederatedCredential>(on, Action::GetServiceAccount).await?;
    let wanted = UpdateFederated {
        audience: change.audience,
        subject: change.subject,
        claims: change.claims,
        description: change.description,
        enabled: change.enabled,
    };
    let changed = call.identity().update_federated_credential(permit, call.path(1), &wanted).await?;
    Ok(json(StatusCode::OK, &shapes::federated(changed)))
}

pub(super) async fn delete_federated_credential(call: Call) -> Result<Answer, Problem> {
    let on = call.federated_owner().await?;
    let permit = call.admit_or_hide::<act::DeleteFederatedCredential>(on, Action::GetServiceAccount).await?;
    call.identity().delete_federated_credential(permit, call.path(1)).await?;
    Ok(empty(StatusCode::NO_CONTENT))
}

/// Unauthenticated: the token is what shows who asks. The account is the one whose instance the host name chooses.
pub(super) async fn assume_role_with_oidc(call: Call) -> Result<Answer, Problem> {
    let asked: api::AssumeRoleWithOidc = call.json()?;
    let token = Plain::new(asked.token.reveal().to_owned()).map_err(|_| Problem::invalid("token", "at most 16384 characters"))?;
    let here = call.identity().instance_at(&call.host.name()).await?.ok_or_else(Problem::not_found)?;
    let wanted = AssumeRole { session_name: asked.session_name, lasts: asked.duration, policy: asked.policy, ..AssumeRole::default() };
    let of = (asked.role.as_str(), asked.provider.as_deref());
    let made = call.identity().assume_role_with_oidc(&call.op, here.on.account, of, &token, &wanted).await?;
    let session = made.session;
    let shape = api::Session {
        assumed_role: format!("{}/{}", session.role.name, session.name),
        access_key_id: session.access_key_id,
        access_key_secret: Secret::new(session.access_key_secret.reveal()),
        security_token: Secret::new(session.security_token.reveal()),
        credential_id: session.credential.to_string(),
        expires_at: session.expires,
    };
    Ok(json(StatusCode::CREATED, &shape))
}
