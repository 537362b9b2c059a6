//! Access keys.

use api::Secret;
use http::StatusCode;
use kit::{Answer, empty, json};
use model::{Action, act};

use crate::call::Call;
use crate::errors::Problem;
use crate::shapes;

pub(super) async fn create_access_key(call: Call) -> Result<Answer, Problem> {
    let new: api::CreateAccessKey = call.json()?;
    let on = call.user(new.user.as_deref()).await?;
    let permit = call.admit_or_hide::<act::CreateAccessKey>(on, Action::GetUser).await?;
    let made = call.identity().create_access_key(permit).await?;
    let shape = api::CreatedAccessKey {
        access_key_id: made.access_key_id,
        access_key_secret: Secret::new(made.secret.reveal()),
        enabled: made.credential.enabled,
        created_at: made.credential.created,
    };
    Ok(json(StatusCode::CREATED, &shape))
}

pub(super) async fn list_access_keys(call: Call) -> Result<Answer, Problem> {
    let query: api::OwnerQuery = call.query()?;
    let on = call.user(query.user.as_deref()).await?;
    let permit = call.admit_own_or_hide::<act::ListAccessKeys>(on, Action::GetUser).await?;
    let held = call.identity().list_access_keys(permit).await?;
    let held: Vec<_> = held.into_iter().map(shapes::access_key).collect();
    Ok(json(StatusCode::OK, &held))
}

pub(super) async fn update_access_key(call: Call) -> Result<Answer, Problem> {
    let change: api::UpdateEnabled = call.json()?;
    let owner = call.identity().owner_of_access_key(&call.caller, call.path(0)).await?;
    // To stop one's own needs no grant; to let it work again does.
    let permit = if change.enabled {
        call.admit_or_hide::<act::UpdateAccessKey>(owner, Action::ListAccessKeys).await?
    } else {
        call.admit_own_or_hide::<act::UpdateAccessKey>(owner, Action::ListAccessKeys).await?
    };
    let changed = call.identity().set_access_key_enabled(permit, call.path(0), change.enabled).await?;
    Ok(json(StatusCode::OK, &shapes::access_key(changed)))
}

pub(super) async fn delete_access_key(call: Call) -> Result<Answer, Problem> {
    let owner = call.identity().owner_of_access_key(&call.caller, call.path(0)).await?;
    let permit = call.admit_own_or_hide::<act::DeleteAccessKey>(owner, Action::ListAccessKeys).await?;
    call.identity().delete_access_key(permit, call.path(0)).await?;
    Ok(empty(StatusCode::NO_CONTENT))
}

pub(super) async fn rotate_access_key(call: Call) -> Result<Answer, Problem> {
    let wanted: api::Rotate = call.json()?;
    let owner = call.identity().owner_of_access_key(&call.caller, call.path(0)).await?;
    let create = call.admit_or_hide::<act::CreateAccessKey>(owner.clone(), Action::ListAccessKeys).await?;
    let end = call.admit_own_or_hide::<act::UpdateAccessKey>(owner, Action::ListAccessKeys).await?;
    let rotated = call.identity().rotate_access_key(create, end, call.path(0), wanted.overlap).await?;
    Ok(json(StatusCode::CREATED, &shapes::rotated_access_key(rotated)))
}
