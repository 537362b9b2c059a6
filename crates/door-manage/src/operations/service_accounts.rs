//! Service accounts and their secrets.

use api::Secret;
use http::StatusCode;
use identity::{CreateServiceAccount, NewCredential, Rights, UpdateServiceAccount};
use kit::{Answer, empty, json};
use model::{Action, CredentialId, LoginName, OnPrincipal, PrincipalKind, Seconds, act};

use super::credentials::{integration_for, shaped, shaped_one};
use crate::call::Call;
use crate::errors::Problem;
use crate::shapes;

impl Call {
    async fn service_account(&self) -> Result<OnPrincipal, Problem> {
        self.principal(PrincipalKind::ServiceAccount, self.path(0)).await
    }

    /// The secret of the path. What is no id names nothing.
    fn secret(&self) -> Result<CredentialId, Problem> {
        self.path(1).parse().map_err(|_| Problem::not_found())
    }
}

pub(super) async fn create_service_account(call: Call) -> Result<Answer, Problem> {
    let new: api::CreateServiceAccount = call.json()?;
    let name = LoginName::parse(&new.name).map_err(Problem::name("name"))?;
    let on = OnPrincipal { account: call.account()?.0, id: None, kind: PrincipalKind::ServiceAccount, name: name.as_str().into() };
    let permit = call.admit::<act::CreateServiceAccount>(on.clone()).await?;
    let narrowed = !new.repositories.is_empty();
    let instance = if narrowed { Some(call.instance_named(new.instance.as_deref()).await?.on) } else { None };
    let rights = Rights { policies: new.policies, repositories: new.repositories, instance };
    let attach = if rights.is_empty() { None } else { Some(call.admit::<act::AttachPolicyToServiceAccount>(on).await?) };
    let wanted = CreateServiceAccount { description: new.description, expires_in: new.expires_in, rights };
    let made = call.identity().create_service_account(permit, &wanted, attach).await?;
    let shape = api::CreatedServiceAccount {
        account: shapes::service_account(&made.account),
        credential_id: made.secret.credential.id.to_string(),
        username: made.secret.username,
        secret: Secret::new(made.secret.secret.reveal()),
    };
    Ok(json(StatusCode::CREATED, &shape))
}

pub(super) async fn list_service_accounts(call: Call) -> Result<Answer, Problem> {
    let asked = call.asked()?;
    let permit = call.admit::<act::ListServiceAccounts>(call.account()?).await?;
    let found = call.identity().list_service_accounts(permit, &asked.after, asked.one_more()).await?;
    Ok(call.page(found, &asked, |a| a.name.to_string(), |a| shapes::service_account(&a)))
}

pub(super) async fn show_service_account(call: Call) -> Result<Answer, Problem> {
    let permit = call.admit_or_hide::<act::GetServiceAccount>(call.service_account().await?, Action::GetServiceAccount).await?;
    let found = call.identity().show_service_account(permit).await?;
    Ok(json(StatusCode::OK, &shapes::service_account(&found)))
}

pub(super) async fn update_service_account(call: Call) -> Result<Answer, Problem> {
    let change: api::UpdateServiceAccount = call.json()?;
    let permit = call.admit_or_hide::<act::UpdateServiceAccount>(call.service_account().await?, Action::GetServiceAccount).await?;
    let expires_in = change.expires_in.map(|life| Some(life).filter(|life| *life != Seconds(0)));
    let wanted = UpdateServiceAccount { description: change.description, enabled: change.enabled, expires_in };
    let changed = call.identity().update_service_account(permit, &wanted).await?;
    Ok(json(StatusCode::OK, &shapes::service_account(&changed)))
}

pub(super) async fn delete_service_account(call: Call) -> Result<Answer, Problem> {
    let permit = call.admit_or_hide::<act::DeleteServiceAccount>(call.service_account().await?, Action::GetServiceAccount).await?;
    call.identity().delete_service_account(permit).await?;
    Ok(empty(StatusCode::NO_CONTENT))
}

pub(super) async fn create_client_secret(call: Call) -> Result<Answer, Problem> {
    let new: api::CreateClientSecret = call.json()?;
    let permit = call.admit_or_hide::<act::CreateClientSecret>(call.service_account().await?, Action::GetServiceAccount).await?;
    let integration = integration_for(&call, new.integration.as_deref()).await?;
    let made = call.identity().create_client_secret(permit, &new.description, new.expires_in, integration).await?;
    Ok(json(StatusCode::CREATED, &created(made)))
}

pub(super) async fn list_client_secrets(call: Call) -> Result<Answer, Problem> {
    let on = call.service_account().await?;
    let name = on.name.clone();
    let permit = call.admit_own_or_hide::<act::ListClientSecrets>(on, Action::GetServiceAccount).await?;
    let held = call.identity().list_client_secrets(permit).await?;
    let shapes = shaped(&call, held.into_iter().map(|one| (one, name.clone())).collect()).await?;
    Ok(json(StatusCode::OK, &shapes))
}

pub(super) async fn update_client_secret(call: Call) -> Result<Answer, Problem> {
    let change: api::UpdateEnabled = call.json()?;
    let (id, on) = (call.secret()?, call.service_account().await?);
    let name = on.name.clone();
    // To stop one's own needs no grant; to let it work again does.
    let permit = if change.enabled {
        call.admit_or_hide::<act::UpdateClientSecret>(on, Action::GetServiceAccount).await?
    } else {
        call.admit_own_or_hide::<act::UpdateClientSecret>(on, Action::GetServiceAccount).await?
    };
    let changed = call.identity().set_client_secret_enabled(permit, id, change.enabled).await?;
    shaped_one(&call, changed, name).await
}

pub(super) async fn rotate_client_secret(call: Call) -> Result<Answer, Problem> {
    let wanted: api::Rotate = call.json()?;
    let (id, on) = (call.secret()?, call.service_account().await?);
    let create = call.admit_or_hide::<act::CreateClientSecret>(on.clone(), Action::GetServiceAccount).await?;
    let end = call.admit_own_or_hide::<act::UpdateClientSecret>(on, Action::GetServiceAccount).await?;
    let rotated = call.identity().rotate_client_secret(create, end, id, wanted.overlap).await?;
    Ok(json(StatusCode::CREATED, &shapes::rotated_credential(rotated)))
}

pub(super) async fn delete_client_secret(call: Call) -> Result<Answer, Problem> {
    let how: api::DeleteCredential = call.query()?;
    let (id, on) = (call.secret()?, call.service_account().await?);
    let permit = call.admit_own_or_hide::<act::DeleteClientSecret>(on, Action::GetServiceAccount).await?;
    call.identity().delete_client_secret(permit, id, how.force).await?;
    Ok(empty(StatusCode::NO_CONTENT))
}

fn created(made: NewCredential) -> api::CreatedCredential {
    api::CreatedCredential {
        credential_id: made.credential.id.to_string(),
        username: made.username,
        secret: Secret::new(made.secret.reveal()),
        instance_id: made.credential.instance.map(|id| id.to_string()),
        description: made.credential.description,
        created_at: made.credential.created,
        expires_at: made.credential.expires,
    }
}
