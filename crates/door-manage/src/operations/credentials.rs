//! Access credentials, every credential as something to list, disable, enable and delete, and login tokens.

use std::sync::Arc;

use api::Secret;
use http::StatusCode;
use identity::{CreateCredential, CredentialFilter};
use kit::{Answer, empty, json};
use model::{Action, CredentialId, IntegrationId, OnPrincipal, PrincipalKind, Seconds, act};
use store::credential::Credential;

use crate::call::Call;
use crate::errors::Problem;
use crate::page::{Asked, Page};
use crate::shapes;

pub(super) async fn create_credential(call: Call) -> Result<Answer, Problem> {
    let new: api::CreateCredential = call.json()?;
    let on = call.user(new.user.as_deref()).await?;
    let permit = call.admit_or_hide::<act::CreateAccessCredential>(on, Action::GetUser).await?;
    let instance = match new.instance {
        Some(text) => Some(call.instance_named(Some(&text)).await?.on.id),
        None => None,
    };
    let integration = integration_for(&call, new.integration.as_deref()).await?;
    let wanted = CreateCredential { description: new.description, expires_in: new.expires_in, instance, integration };
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

/// What a credential is to be made for: something that the caller may see.
pub(super) async fn integration_for(call: &Call, text: Option<&str>) -> Result<Option<IntegrationId>, Problem> {
    let Some(text) = text else { return Ok(None) };
    let on = call.identity().integration(&call.caller, text).await?;
    let permit = call.admit_or_hide::<act::GetIntegration>(on, Action::GetIntegration).await?;
    Ok(Some(call.identity().show_integration(permit).await?.integration.id))
}

pub(super) async fn list_credentials(call: Call) -> Result<Answer, Problem> {
    let query: api::CredentialQuery = call.query()?;
    let filter = CredentialFilter {
        expiring_within: span("expiring_within", query.expiring_within)?,
        unused_for: span("unused_for", query.unused_for)?,
        integration: integration_for(&call, query.integration.as_deref()).await?,
    };
    let named = query.user.is_some() || query.service_account.is_some() || query.role.is_some();
    if !named && !filter.is_empty() {
        return search(&call, &query, &filter).await;
    }
    let (on, see) = holder(&call, &query).await?;
    let user = on.name.clone();
    let permit = call.admit_own_or_hide::<act::ListAccessCredential>(on, see).await?;
    let mut held = call.identity().list_credentials(permit).await?;
    held.retain(|one| filter.is_empty() || filter.keeps(one, call.op.now));
    let shapes = shaped(&call, held.into_iter().map(|one| (one, user.clone())).collect()).await?;
    Ok(json(StatusCode::OK, &shapes))
}

/// Whose credentials are asked for, and what shows that there is such a one.
async fn holder(call: &Call, query: &api::CredentialQuery) -> Result<(OnPrincipal, Action), Problem> {
    match (&query.user, &query.service_account, &query.role) {
        (user, None, None) => Ok((call.user(user.as_deref()).await?, Action::GetUser)),
        (None, Some(name), None) => Ok((call.principal(PrincipalKind::ServiceAccount, name).await?, Action::GetServiceAccount)),
        (None, None, Some(name)) => Ok((call.principal(PrincipalKind::Role, name).await?, Action::GetRole)),
        _ => Err(Problem::malformed("ask for a user, a service account or a role: one of the three")),
    }
}

/// Over the whole account, of those whose credentials the caller may list.
async fn search(call: &Call, query: &api::CredentialQuery, filter: &CredentialFilter) -> Result<Answer, Problem> {
    let asked = Asked::read(query.limit, query.after.as_deref())?;
    let seen = call.identity().access().owners(&call.op, &call.caller, Action::ListAccessCredential).await?;
    let found = call.identity().search_credentials(seen, filter, &asked.after, asked.limit).await?;
    let page = Page { items: shaped(call, found.credentials).await?, next: found.next };
    Ok(page.answer(call.own_path(), call.raw_query()))
}

/// With the names of what they were made for.
pub(super) async fn shaped(call: &Call, found: Vec<(Credential, Arc<str>)>) -> Result<Vec<api::Credential>, Problem> {
    let names = call.identity().integration_names(found.iter().map(|(one, _)| one)).await?;
    let shape = |(one, user): (Credential, Arc<str>)| {
        let integration = one.integration.and_then(|id| names.get(&id).cloned());
        shapes::credential(one, &user, integration)
    };
    Ok(found.into_iter().map(shape).collect())
}

/// The same of one.
pub(super) async fn shaped_one(call: &Call, found: Credential, user: Arc<str>) -> Result<Answer, Problem> {
    let shape = shaped(call, vec![(found, user)]).await?.pop().ok_or_else(Problem::not_found)?;
    Ok(json(StatusCode::OK, &shape))
}

/// A length of time to filter by: up to a hundred years.
pub(super) fn span(field: &str, seconds: Option<i64>) -> Result<Option<Seconds>, Problem> {
    match seconds {
        Some(seconds) if !(0..=Seconds::days(36_500).0).contains(&seconds) => Err(Problem::invalid(field, "0 to 3153600000 seconds")),
        seconds => Ok(seconds.map(Seconds)),
    }
}

pub(super) async fn show_credential(call: Call) -> Result<Answer, Problem> {
    let id = id(&call)?;
    let owner = call.identity().owner_of_credential(&call.caller, id).await?;
    let user = owner.name.clone();
    let permit = call.admit_own_or_hide::<act::ListAccessCredential>(owner, Action::ListAccessCredential).await?;
    let found = call.identity().show_credential(permit, id).await?;
    shaped_one(&call, found, user).await
}

pub(super) async fn rotate_credential(call: Call) -> Result<Answer, Problem> {
    let wanted: api::Rotate = call.json()?;
    let id = id(&call)?;
    let owner = call.identity().owner_of_credential(&call.caller, id).await?;
    let create = call.admit_or_hide::<act::CreateAccessCredential>(owner.clone(), Action::ListAccessCredential).await?;
    let end = call.admit_own_or_hide::<act::UpdateAccessCredential>(owner, Action::ListAccessCredential).await?;
    let rotated = call.identity().rotate_credential(create, end, id, wanted.overlap).await?;
    Ok(json(StatusCode::CREATED, &shapes::rotated_credential(rotated)))
}

pub(super) async fn update_credential(call: Call) -> Result<Answer, Problem> {
    let change: api::UpdateEnabled = call.json()?;
    let id = id(&call)?;
    let owner = call.identity().owner_of_credential(&call.caller, id).await?;
    let user = owner.name.clone();
    // To stop one's own needs no grant; to let it work again does.
    let permit = if change.enabled {
        call.admit_or_hide::<act::UpdateAccessCredential>(owner, Action::ListAccessCredential).await?
    } else {
        call.admit_own_or_hide::<act::UpdateAccessCredential>(owner, Action::ListAccessCredential).await?
    };
    let changed = call.identity().set_credential_enabled(permit, id, change.enabled).await?;
    shaped_one(&call, changed, user).await
}

pub(super) async fn delete_credential(call: Call) -> Result<Answer, Problem> {
    let how: api::DeleteCredential = call.query()?;
    let id = id(&call)?;
    let owner = call.identity().owner_of_credential(&call.caller, id).await?;
    let permit = call.admit_own_or_hide::<act::DeleteAccessCredential>(owner, Action::ListAccessCredential).await?;
    call.identity().delete_credential(permit, id, how.force).await?;
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
