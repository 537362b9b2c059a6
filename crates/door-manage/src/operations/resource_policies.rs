//! Policies of namespaces and repositories: who else may use them.

use http::StatusCode;
use kit::{Answer, empty, json};
use model::{Action, NamespaceName, OnNamespace, OnRepository, RepositoryName, Target as _, act};

use crate::call::Call;
use crate::errors::Problem;
use crate::shapes;

/// The namespace of the path; what is no name names nothing.
async fn namespace(call: &Call) -> Result<OnNamespace, Problem> {
    let name = NamespaceName::parse(call.path(1)).map_err(|_| Problem::not_found())?;
    Ok(OnNamespace { instance: call.on_instance().await?, name })
}

/// The repository of the path; what is no name names nothing.
async fn repository(call: &Call) -> Result<OnRepository, Problem> {
    let name = RepositoryName::parse(call.path(1)).map_err(|_| Problem::not_found())?;
    Ok(OnRepository { instance: call.on_instance().await?, name })
}

pub(super) async fn show_namespace_policy(call: Call) -> Result<Answer, Problem> {
    let on = namespace(&call).await?;
    let of = on.resource();
    let permit = call.admit_or_hide::<act::GetNamespacePolicy>(on, Action::GetNamespace).await?;
    let found = call.identity().show_resource_policy(permit).await?;
    Ok(json(StatusCode::OK, &shapes::resource_policy(&of, found)))
}

pub(super) async fn set_namespace_policy(call: Call) -> Result<Answer, Problem> {
    let new: api::SetResourcePolicy = call.json()?;
    let on = namespace(&call).await?;
    let of = on.resource();
    let permit = call.admit_or_hide::<act::SetNamespacePolicy>(on, Action::GetNamespace).await?;
    let set = call.identity().set_resource_policy(permit, &new.document).await?;
    Ok(json(StatusCode::OK, &shapes::resource_policy(&of, set)))
}

pub(super) async fn delete_namespace_policy(call: Call) -> Result<Answer, Problem> {
    let on = namespace(&call).await?;
    let permit = call.admit_or_hide::<act::DeleteNamespacePolicy>(on, Action::GetNamespace).await?;
    call.identity().delete_resource_policy(permit).await?;
    Ok(empty(StatusCode::NO_CONTENT))
}

pub(super) async fn show_repository_policy(call: Call) -> Result<Answer, Problem> {
    let on = repository(&call).await?;
    let of = on.resource();
    let permit = call.admit_or_hide::<act::GetRepositoryPolicy>(on, Action::GetRepository).await?;
    let found = call.identity().show_resource_policy(permit).await?;
    Ok(json(StatusCode::OK, &shapes::resource_policy(&of, found)))
}

pub(super) async fn set_repository_policy(call: Call) -> Result<Answer, Problem> {
    let new: api::SetResourcePolicy = call.json()?;
    let on = repository(&call).await?;
    let of = on.resource();
    let permit = call.admit_or_hide::<act::SetRepositoryPolicy>(on, Action::GetRepository).await?;
    let set = call.identity().set_resource_policy(permit, &new.document).await?;
    Ok(json(StatusCode::OK, &shapes::resource_policy(&of, set)))
}

pub(super) async fn delete_repository_policy(call: Call) -> Result<Answer, Problem> {
    let on = repository(&call).await?;
    let permit = call.admit_or_hide::<act::DeleteRepositoryPolicy>(on, Action::GetRepository).await?;
    call.identity().delete_resource_policy(permit).await?;
    Ok(empty(StatusCode::NO_CONTENT))
}
