//! Namespaces.

use http::StatusCode;
use kit::{Answer, empty, json};
use model::{Action, NamespaceName, OnNamespace, act};
use registry::{NamespaceChanges, NamespaceSettings, NewNamespace};

use crate::call::Call;
use crate::errors::Problem;
use crate::page::{Asked, Page};
use crate::shapes;

/// The namespace of the path; what is no name names nothing.
pub(super) async fn namespace(call: &Call) -> Result<OnNamespace, Problem> {
    let name = NamespaceName::parse(call.path(1)).map_err(|_| Problem::not_found())?;
    Ok(OnNamespace { instance: call.on_instance().await?, name })
}

pub(super) async fn create_namespace(call: Call) -> Result<Answer, Problem> {
    let new: api::CreateNamespace = call.json()?;
    let name = NamespaceName::parse(&new.name).map_err(Problem::name("name"))?;
    let on = OnNamespace { instance: call.on_instance().await?, name };
    let instance = on.instance.id;
    let permit = call.admit_or_hide::<act::CreateNamespace>(on, Action::GetNamespace).await?;
    let settings = NamespaceSettings {
        public: new.public,
        auto_create_repository: new.auto_create_repository.unwrap_or(NewNamespace::default().0.auto_create_repository),
        sparse_indexes: new.sparse_indexes,
        default_public: new.default_public,
        default_immutable_tags: new.default_immutable_tags,
    };
    let made = call.registry().create_namespace(permit, NewNamespace(settings)).await?;
    Ok(json(StatusCode::CREATED, &shapes::namespace(instance, &made)))
}

pub(super) async fn list_namespaces(call: Call) -> Result<Answer, Problem> {
    let page: api::Page = call.query()?;
    let asked = Asked::read(page.limit, page.after.as_deref())?;
    let on = (*call.on_instance().await?).clone();
    let instance = on.id;
    let permit = call.admit_or_hide::<act::ListNamespace>(on, Action::GetInstance).await?;
    let found = call.registry().list_namespaces(permit, Some(asked.limit), Some(&asked.after)).await?;
    let next = found.items.last().filter(|_| found.more).map(|n| n.name.to_string());
    let items = found.items.iter().map(|n| shapes::namespace(instance, n)).collect();
    Ok(Page { items, next }.answer(call.own_path(), call.raw_query()))
}

pub(super) async fn show_namespace(call: Call) -> Result<Answer, Problem> {
    let on = namespace(&call).await?;
    let instance = on.instance.id;
    let permit = call.admit_or_hide::<act::GetNamespace>(on, Action::GetNamespace).await?;
    let found = call.registry().show_namespace(permit).await?;
    Ok(json(StatusCode::OK, &shapes::namespace(instance, &found)))
}

pub(super) async fn update_namespace(call: Call) -> Result<Answer, Problem> {
    let api::UpdateNamespace { public, auto_create_repository, sparse_indexes, default_public, default_immutable_tags } = call.json()?;
    let on = namespace(&call).await?;
    let instance = on.instance.id;
    let permit = call.admit_or_hide::<act::UpdateNamespace>(on, Action::GetNamespace).await?;
    let changes = NamespaceChanges { public, auto_create_repository, sparse_indexes, default_public, default_immutable_tags };
    let updated = call.registry().update_namespace(permit, changes).await?;
    Ok(json(StatusCode::OK, &shapes::namespace(instance, &updated)))
}

pub(super) async fn delete_namespace(call: Call) -> Result<Answer, Problem> {
    let on = namespace(&call).await?;
    let permit = call.admit_or_hide::<act::DeleteNamespace>(on, Action::GetNamespace).await?;
    call.registry().delete_namespace(permit).await?;
    Ok(empty(StatusCode::NO_CONTENT))
}
