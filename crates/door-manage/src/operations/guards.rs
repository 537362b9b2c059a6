//! Guards: policies that bound everybody in an account but its root user.

use http::StatusCode;
use kit::{Answer, empty, json};
use model::act;

use crate::call::Call;
use crate::errors::Problem;
use crate::shapes;

pub(super) async fn list_guard_policies(call: Call) -> Result<Answer, Problem> {
    let permit = call.admit::<act::ListGuardPolicies>(call.account()?).await?;
    let attached = call.identity().list_guards(permit).await?;
    Ok(json(StatusCode::OK, &attached.into_iter().map(shapes::attached).collect::<Vec<_>>()))
}

pub(super) async fn attach_guard_policy(call: Call) -> Result<Answer, Problem> {
    let permit = call.admit::<act::AttachGuardPolicy>(call.account()?).await?;
    call.identity().attach_guard(permit, call.path(0)).await?;
    Ok(empty(StatusCode::NO_CONTENT))
}

pub(super) async fn detach_guard_policy(call: Call) -> Result<Answer, Problem> {
    let permit = call.admit::<act::DetachGuardPolicy>(call.account()?).await?;
    call.identity().detach_guard(permit, call.path(0)).await?;
    Ok(empty(StatusCode::NO_CONTENT))
}
