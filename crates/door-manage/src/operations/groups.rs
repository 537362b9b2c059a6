//! Groups and who is in them.

use http::StatusCode;
use kit::{Answer, empty, json};
use model::{Action, GroupName, OnPrincipal, PrincipalKind, act};

use crate::call::Call;
use crate::errors::Problem;
use crate::shapes;

impl Call {
    async fn group(&self) -> Result<OnPrincipal, Problem> {
        self.principal(PrincipalKind::Group, self.path(0)).await
    }
}

pub(super) async fn create_group(call: Call) -> Result<Answer, Problem> {
    let new: api::CreateGroup = call.json()?;
    let name = GroupName::parse(&new.name).map_err(Problem::name("name"))?;
    let on = OnPrincipal { account: call.account()?.0, id: None, kind: PrincipalKind::Group, name: name.as_str().into() };
    let permit = call.admit::<act::CreateGroup>(on).await?;
    let group = call.identity().create_group(permit, &new.description).await?;
    Ok(json(StatusCode::CREATED, &shapes::group(&group)))
}

pub(super) async fn list_groups(call: Call) -> Result<Answer, Problem> {
    let asked = call.asked()?;
    let permit = call.admit::<act::ListGroups>(call.account()?).await?;
    let groups = call.identity().list_groups(permit, &asked.after, asked.one_more()).await?;
    Ok(call.page(groups, &asked, |g| g.name.to_string(), |g| shapes::group(&g)))
}

pub(super) async fn show_group(call: Call) -> Result<Answer, Problem> {
    let permit = call.admit_or_hide::<act::GetGroup>(call.group().await?, Action::GetGroup).await?;
    let group = call.identity().show_group(permit).await?;
    Ok(json(StatusCode::OK, &shapes::group(&group)))
}

pub(super) async fn update_group(call: Call) -> Result<Answer, Problem> {
    let change: api::UpdateGroup = call.json()?;
    let on = call.group().await?;
    let renamed = on.renamed(change.name.as_deref());
    let permit = call.admit_or_hide::<act::UpdateGroup>(on, Action::GetGroup).await?;
    let renamed = match renamed {
        Some(renamed) => Some(call.admit::<act::UpdateGroup>(renamed).await?),
        None => None,
    };
    let group = call.identity().update_group(permit, renamed, change.description.as_deref()).await?;
    Ok(json(StatusCode::OK, &shapes::group(&group)))
}

pub(super) async fn delete_group(call: Call) -> Result<Answer, Problem> {
    let permit = call.admit_or_hide::<act::DeleteGroup>(call.group().await?, Action::GetGroup).await?;
    call.identity().delete_group(permit).await?;
    Ok(empty(StatusCode::NO_CONTENT))
}

pub(super) async fn add_user_to_group(call: Call) -> Result<Answer, Problem> {
    let user = call.principal(PrincipalKind::User, call.path(1)).await?;
    let permit = call.admit_or_hide::<act::AddUserToGroup>(call.group().await?, Action::GetGroup).await?;
    call.identity().add_user_to_group(permit, &user).await?;
    Ok(empty(StatusCode::NO_CONTENT))
}

pub(super) async fn remove_user_from_group(call: Call) -> Result<Answer, Problem> {
    let user = call.principal(PrincipalKind::User, call.path(1)).await?;
    let permit = call.admit_or_hide::<act::RemoveUserFromGroup>(call.group().await?, Action::GetGroup).await?;
    call.identity().remove_user_from_group(permit, &user).await?;
    Ok(empty(StatusCode::NO_CONTENT))
}

pub(super) async fn list_group_users(call: Call) -> Result<Answer, Problem> {
    let asked = call.asked()?;
    let permit = call.admit_or_hide::<act::ListUsersForGroup>(call.group().await?, Action::GetGroup).await?;
    let users = call.identity().list_group_users(permit, &asked.after, asked.one_more()).await?;
    Ok(call.page(users, &asked, |u| u.name.to_string(), |u| shapes::user(&u)))
}

pub(super) async fn list_user_groups(call: Call) -> Result<Answer, Problem> {
    let on = call.principal(PrincipalKind::User, call.path(0)).await?;
    let permit = call.admit_own_or_hide::<act::ListGroupsForUser>(on, Action::GetUser).await?;
    let groups = call.identity().list_user_groups(permit).await?;
    Ok(json(StatusCode::OK, &groups.iter().map(shapes::group).collect::<Vec<_>>()))
}
