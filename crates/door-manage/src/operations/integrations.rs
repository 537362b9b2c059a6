//! Integrations.

use http::StatusCode;
use identity::{CreateIntegration, UpdateIntegration};
use kit::{Answer, empty, json};
use model::{Action, OnIntegration, act};
use store::integration::Kind;

use super::credentials::span;
use crate::call::Call;
use crate::errors::Problem;
use crate::page::{Asked, Page};
use crate::shapes;

pub(super) async fn create_integration(call: Call) -> Result<Answer, Problem> {
    let new: api::CreateIntegration = call.json()?;
    let on = OnIntegration { account: call.known()?.account, id: None, name: new.name.into() };
    let permit = call.admit::<act::CreateIntegration>(on).await?;
    let made = call.identity().create_integration(permit, CreateIntegration { kind: kind(new.kind), link: new.link }).await?;
    Ok(json(StatusCode::CREATED, &shapes::integration(made)))
}

pub(super) async fn list_integrations(call: Call) -> Result<Answer, Problem> {
    let query: api::IntegrationQuery = call.query()?;
    let unused_for = span("unused_for", query.unused_for)?;
    let asked = Asked::read(query.limit, query.after.as_deref())?;
    let permit = call.admit::<act::ListIntegrations>(call.account()?).await?;
    let found = call.identity().list_integrations(permit, &asked.after, asked.one_more()).await?;
    let Page { mut items, next } = Page::of(found, &asked, |found| found.integration.name.clone());
    items.retain(|found| unused_for.is_none_or(|long| found.is_stale(call.op.now, long)));
    let page = Page { items: items.into_iter().map(shapes::integration).collect(), next };
    Ok(page.answer(call.own_path(), call.raw_query()))
}

pub(super) async fn show_integration(call: Call) -> Result<Answer, Problem> {
    let on = call.identity().integration(&call.caller, call.path(0)).await?;
    let permit = call.admit_or_hide::<act::GetIntegration>(on, Action::GetIntegration).await?;
    Ok(json(StatusCode::OK, &shapes::integration(call.identity().show_integration(permit).await?)))
}

pub(super) async fn update_integration(call: Call) -> Result<Answer, Problem> {
    let change: api::UpdateIntegration = call.json()?;
    let on = call.identity().integration(&call.caller, call.path(0)).await?;
    let permit = call.admit_or_hide::<act::UpdateIntegration>(on, Action::GetIntegration).await?;
    let change = UpdateIntegration { kind: change.kind.map(kind), link: change.link, gone: change.gone };
    Ok(json(StatusCode::OK, &shapes::integration(call.identity().update_integration(permit, change).await?)))
}

pub(super) async fn delete_integration(call: Call) -> Result<Answer, Problem> {
    let on = call.identity().integration(&call.caller, call.path(0)).await?;
    let permit = call.admit_or_hide::<act::DeleteIntegration>(on, Action::GetIntegration).await?;
    call.identity().delete_integration(permit).await?;
    Ok(empty(StatusCode::NO_CONTENT))
}

const fn kind(kind: api::IntegrationKind) -> Kind {
    match kind {
        api::IntegrationKind::KubernetesCluster => Kind::KubernetesCluster,
        api::IntegrationKind::Pipeline => Kind::Pipeline,
        api::IntegrationKind::Other => Kind::Other,
    }
}
