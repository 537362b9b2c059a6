//! Access credentials, every credential as something to list, disable, enable and delete, and login tokens.

use api::Secret;
use http::StatusCode;
use identity::CreateCredential;
use kit::{Answer, empty, json};
use model::{Action, CredentialId, act};

use crate::call::Call;
use crate::errors::Problem;
use crate::shapes;

pub(super) async fn create_credential(call: Call) -> Result<Answer, Problem> {
    let new: api::CreateCredential = call.json()?;
    let on = call.user(new.user.as_deref()).await?;
    let permit = call.admit_or_hide::<act::CreateAccessCredential>(on, Action::GetUser).await?;
    let instance = match new.instance {
        Some(text) => Some(call.instance_named(Some(&text)).await?.on.id),
        None => None,
    };
    let wanted = CreateCredential { description: new.description, expires_in: new.expires_in, instance };
    let made = call.identity().create_credential(permit, wanted).await?;
    let shape = api::CreatedCredential {
        credential_id: made.credential.id.to_string(),
        username: made.username,
        secret: Secret::new(made.secret.reveal()),
        instance_id: made.credential.instance.map(|id| id.to_string()),
        description: made.credential.description,
        created_at: made.credential.created,
        expires_at: made.credential.expires,
    };
    Ok(json(StatusCode::CREATED, &shape))
}

pub(super) async fn list_credentials(call: Call) -> Result<Answer, Problem> {
    let query: api::OwnerQuery = call.query()?;
    let on = call.user(query.user.as_deref()).await?;
    let permit = call.admit_own_or_hide::<act::ListAccessCredential>(on, Action::GetUser).await?;
    let held = call.identity().list_credentials(permit).await?;
    let held: Vec<_> = held.into_iter().map(shapes::credential).collect();
    Ok(json(StatusCode::OK, &held))
}

pub(super) async fn show_credential(call: Call) -> Result<Answer, Problem> {
    let id = id(&call)?;
    let owner = call.identity().owner_of_credential(&call.caller, id).await?;
    let permit = call.admit_own_or_hide::<act::ListAccessCredential>(owner, Action::ListAccessCredential).await?;
    let found = call.identity().show_credential(permit, id).await?;
    Ok(json(StatusCode::OK, &shapes::credential(found)))
}

pub(super) async fn update_credential(call: Call) -> Result<Answer, Problem> {
    let change: api::UpdateEnabled = call.json()?;
    let id = id(&call)?;
    let owner = call.identity().owner_of_credential(&call.caller, id).await?;
    // To stop one's own needs no grant; to let it work again does.
    let permit = if change.enabled {
        call.admit_or_hide::<act::UpdateAccessCredential>(owner, Action::ListAccessCredential).await?
    } else {
        call.admit_own_or_hide::<act::UpdateAccessCredential>(owner, Action::ListAccessCredential).await?
    };
    let changed = call.identity().set_credential_enabled(permit, id, change.enabled).await?;
    Ok(json(StatusCode::OK, &shapes::credential(changed)))
}

pub(super) async fn delete_credential(call: Call) -> Result<Answer, Problem> {
    let id = id(&call)?;
    let owner = call.identity().owner_of_credential(&call.caller, id).await?;
    let permit = call.admit_own_or_hide::<act::DeleteAccessCredential>(owner, Action::ListAccessCredential).await?;
    call.identity().delete_credential(permit, id).await?;
    Ok(empty(StatusCode::NO_CONTENT))
}

pub(super) async fn create_login_token(call: Call) -> Result<Answer, Problem> {
    let new: api::CreateLoginToken = call.json()?;
    // Before the instance is looked up: whoever may make no token learns of no instance.
    let permit = call.admit::<act::GetAuthorizationToken>(call.account()?).await?;
    let instance = match new.instance {
        Some(text) => Some(call.instance_named(Some(&text)).await?.on.id),
        None => None,
    };
    call.identity().access().audit().note(permit.success()).await;
    let made = call.identity().tokens().issue_login_token(permit, new.expires_in, instance).await?;
    let shape = api::CreatedLoginToken {
        username: made.username.to_owned(),
        password: Secret::new(made.password.reveal()),
        expires_at: made.expires,
        expires_at_ms: made.expires.millis(),
    };
    Ok(json(StatusCode::CREATED, &shape))
}

/// What is no id names nothing.
fn id(call: &Call) -> Result<CredentialId, Problem> {
    call.path(0).parse().map_err(|_| Problem::not_found())
}
