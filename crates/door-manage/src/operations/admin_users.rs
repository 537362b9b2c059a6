//! The admin user of an instance.

use http::StatusCode;
use identity::AdminPassword;
use kit::{Answer, json};
use model::{Action, act};

use crate::call::Call;
use crate::errors::Problem;
use crate::shapes;

pub(super) async fn show_admin_user(call: Call) -> Result<Answer, Problem> {
    let on = (*call.on_instance().await?).clone();
    let permit = call.admit_or_hide::<act::GetAdminUser>(on, Action::GetInstance).await?;
    let found = call.identity().show_admin_user(permit).await?;
    Ok(json(StatusCode::OK, &shapes::admin_user(&found)))
}

pub(super) async fn update_admin_user(call: Call) -> Result<Answer, Problem> {
    let api::UpdateEnabled { enabled } = call.json()?;
    let on = (*call.on_instance().await?).clone();
    let permit = call.admit_or_hide::<act::UpdateAdminUser>(on, Action::GetInstance).await?;
    let changed = call.identity().set_admin_user_enabled(permit, enabled).await?;
    Ok(json(StatusCode::OK, &shapes::admin_user(&changed)))
}

pub(super) async fn renew_admin_password(call: Call) -> Result<Answer, Problem> {
    let which = call.path(1).parse().ok().and_then(AdminPassword::of).ok_or_else(Problem::not_found)?;
    let on = (*call.on_instance().await?).clone();
    let permit = call.admit_or_hide::<act::UpdateAdminUser>(on, Action::GetInstance).await?;
    let renewed = call.identity().renew_admin_password(permit, which).await?;
    Ok(json(StatusCode::OK, &shapes::renewed_admin_password(&renewed, which)))
}
