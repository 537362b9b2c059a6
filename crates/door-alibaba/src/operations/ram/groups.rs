//! Groups and who is in them.

use identity::{IdentityError, Leaving, Limits};
use model::{OnPrincipal, PrincipalKind, Timestamp, act};
use store::account::Principal;

use super::users::changed_at;
use super::{Paging, named, names, user};
use crate::call::Call;
use crate::errors::{Failure, Problem};
use crate::shapes::{Object, moment};

async fn group(call: &Call) -> Result<OnPrincipal, Failure> {
    call.principal(PrincipalKind::Group, call.required("GroupName")?).await
}

pub(super) async fn create_group(call: Call) -> Result<Object, Failure> {
    let (name, comments) = (names::group(&call, "GroupName")?, names::text(&call, "Comments", 1..=128)?);
    let on = OnPrincipal { account: call.account()?.0, id: None, kind: PrincipalKind::Group, name: name.into() };
    let permit = call.admit::<act::CreateGroup>(on).await?;
    let comments = comments.unwrap_or_default();
    let made = call.identity().create_group_within(permit, &comments, Limits::RAM).await.map_err(named("GroupName"))?;
    Ok(Object::new().with("Group", shape(&made)))
}

pub(super) async fn get_group(call: Call) -> Result<Object, Failure> {
    let permit = call.admit::<act::GetGroup>(group(&call).await?).await?;
    let found = call.identity().show_group(permit).await?;
    Ok(Object::new().with("Group", updated(&found)))
}

pub(super) async fn list_groups(call: Call) -> Result<Object, Failure> {
    let paging = Paging::read(&call)?;
    let permit = call.admit::<act::ListGroups>(call.account()?).await?;
    let groups = call.identity().list_groups(permit, &paging.after, paging.one_more()).await?;
    Ok(paging.page(("Groups", "Group"), groups, |g| g.name.to_string(), updated))
}

pub(super) async fn update_group(call: Call) -> Result<Object, Failure> {
    let name = call.optional("NewGroupName").map(|_| names::group(&call, "NewGroupName")).transpose()?;
    let comments = names::text(&call, "NewComments", 1..=128)?;
    let on = group(&call).await?;
    let renamed = on.renamed(name);
    let permit = call.admit::<act::UpdateGroup>(on).await?;
    let renamed = match renamed {
        Some(renamed) => Some(call.admit::<act::UpdateGroup>(renamed).await?),
        None => None,
    };
    let changed = call.identity().update_group(permit, renamed, comments.as_deref()).await.map_err(named("NewGroupName"))?;
    Ok(Object::new().with("Group", updated(&changed)))
}

pub(super) async fn delete_group(call: Call) -> Result<Object, Failure> {
    let permit = call.admit::<act::DeleteGroup>(group(&call).await?).await?;
    call.identity().delete_group_leaving(permit, Leaving::NothingToLeave).await?;
    Ok(Object::new())
}

pub(super) async fn add_user_to_group(call: Call) -> Result<Object, Failure> {
    let member = user(&call).await?;
    let permit = call.admit::<act::AddUserToGroup>(group(&call).await?).await?;
    if call.identity().add_user_to_group_within(permit, &member, Limits::RAM).await? {
        return Ok(Object::new());
    }
    Err(Problem::new(409, "EntityAlreadyExists.User.Group", "The user is in the group already.").into())
}

pub(super) async fn remove_user_from_group(call: Call) -> Result<Object, Failure> {
    let member = user(&call).await?;
    let permit = call.admit::<act::RemoveUserFromGroup>(group(&call).await?).await?;
    call.identity().remove_user_from_group(permit, &member).await.map_err(|error| match error {
        IdentityError::NotFound("member") => Problem::new(404, "EntityNotExist.User.Group", "The user is not in the group.").into(),
        other => Failure::from(other),
    })?;
    Ok(Object::new())
}

pub(super) async fn list_groups_for_user(call: Call) -> Result<Object, Failure> {
    let permit = call.admit_own::<act::ListGroupsForUser>(user(&call).await?).await?;
    let groups = call.identity().list_user_memberships(permit).await?;
    let groups = groups.iter().map(|(group, joined)| described(group).with("JoinDate", moment(*joined)));
    Ok(Object::new().wrapped("Groups", "Group", groups))
}

pub(super) async fn list_users_for_group(call: Call) -> Result<Object, Failure> {
    let paging = Paging::read(&call)?;
    let permit = call.admit::<act::ListUsersForGroup>(group(&call).await?).await?;
    let users = call.identity().list_group_memberships(permit, &paging.after, paging.one_more()).await?;
    Ok(paging.page(("Users", "User"), users, |(user, _)| user.name.to_string(), member))
}

fn member((user, joined): &(Principal, Timestamp)) -> Object {
    Object::new().with("UserName", &*user.name).with("DisplayName", user.profile.display_name.as_str()).with("JoinDate", moment(*joined))
}

fn described(group: &Principal) -> Object {
    Object::new().with("GroupId", group.id.to_string()).with("GroupName", &*group.name).with("Comments", group.description.as_str())
}

fn shape(group: &Principal) -> Object {
    described(group).with("CreateDate", moment(group.created))
}

fn updated(group: &Principal) -> Object {
    shape(group).with("UpdateDate", changed_at(group.updated, group.created))
}
