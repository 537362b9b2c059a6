//! What namespaces hold and may hold.

use http::StatusCode;
use kit::{Answer, json};
use model::{Action, act};
use registry::Quota;

use super::namespaces::namespace;
use crate::call::Call;
use crate::errors::Problem;
use crate::page::{Asked, Page};
use crate::shapes;

pub(super) async fn show_namespace_quota(call: Call) -> Result<Answer, Problem> {
    let on = namespace(&call).await?;
    let instance = on.instance.id;
    let permit = call.admit_or_hide::<act::GetNamespaceQuota>(on, Action::GetNamespace).await?;
    let found = call.registry().namespace_quota(permit).await?;
    Ok(json(StatusCode::OK, &shapes::namespace_quota(instance, &found)))
}

pub(super) async fn set_namespace_quota(call: Call) -> Result<Answer, Problem> {
    let wanted: api::SetNamespaceQuota = call.json()?;
    let quota = Quota { bytes: most("max_bytes", wanted.max_bytes)?, repositories: most("max_repositories", wanted.max_repositories)? };
    let on = namespace(&call).await?;
    let instance = on.instance.id;
    let permit = call.admit_or_hide::<act::SetNamespaceQuota>(on, Action::GetNamespace).await?;
    let set = call.registry().set_namespace_quota(permit, quota).await?;
    Ok(json(StatusCode::OK, &shapes::namespace_quota(instance, &set)))
}

pub(super) async fn list_namespace_quotas(call: Call) -> Result<Answer, Problem> {
    let page: api::Page = call.query()?;
    let asked = Asked::read(page.limit, page.after.as_deref())?;
    let on = (*call.on_instance().await?).clone();
    let instance = on.id;
    let permit = call.admit_or_hide::<act::ListNamespaceQuotas>(on, Action::GetInstance).await?;
    let found = call.registry().list_namespace_quotas(permit, Some(asked.limit), Some(&asked.after)).await?;
    let next = found.items.last().filter(|_| found.more).map(|of| of.name.to_string());
    let items = found.items.iter().map(|of| shapes::namespace_quota(instance, of)).collect();
    Ok(Page { items, next }.answer(call.own_path(), call.raw_query()))
}

/// A bound, which may be 0 and not less.
fn most(field: &'static str, wanted: Option<i64>) -> Result<Option<i64>, Problem> {
    match wanted {
        Some(less) if less < 0 => Err(Problem::invalid(field, "it is 0 or more; leave it out for no bound")),
        other => Ok(other),
    }
}
