//! Roles and who may assume them.

use identity::{CreateRole, IdentityError, Leaving, Limits, Role, UpdateRole};
use model::{OnPrincipal, PrincipalKind, Seconds, act};

use super::users::changed_at;
use super::{Paging, named, names, unsupported};
use crate::call::Call;
use crate::errors::{Failure, Fault, Problem};
use crate::shapes::{Object, moment};

/// A trust policy, in characters.
const LONGEST_TRUST: usize = 2048;
/// How long a session may last, in seconds.
const SESSION: std::ops::RangeInclusive<i64> = 3600..=43200;

async fn role(call: &Call) -> Result<OnPrincipal, Failure> {
    call.principal(PrincipalKind::Role, call.required("RoleName")?).await
}

pub(super) async fn create_role(call: Call) -> Result<Object, Failure> {
    let name = names::role(&call, "RoleName")?;
    let trust = names::document(call.required("AssumeRolePolicyDocument")?, "AssumeRolePolicyDocument", LONGEST_TRUST)?;
    let description = names::text(&call, "Description", 1..=1024)?.unwrap_or_default();
    let max_session = call.parameters.integer("MaxSessionDuration", SESSION)?.map(Seconds);
    unsupported(&call, "AllowConsoleLogin")?;
    unsupported(&call, "Tag")?;
    let on = OnPrincipal { account: call.account()?.0, id: None, kind: PrincipalKind::Role, name: name.into() };
    let permit = call.admit::<act::CreateRole>(on).await?;
    let wanted = CreateRole { description, trust: trust.to_owned(), max_session };
    let made = call.identity().create_role_within(permit, &wanted, Limits::RAM).await.map_err(named("RoleName"))?;
    Ok(Object::new().with("Role", trusting(&made)))
}

pub(super) async fn get_role(call: Call) -> Result<Object, Failure> {
    let permit = call.admit::<act::GetRole>(role(&call).await?).await?;
    let found = call.identity().show_role(permit).await?;
    Ok(Object::new().with("Role", dated(trusting(&found), &found)))
}

pub(super) async fn list_roles(call: Call) -> Result<Object, Failure> {
    let paging = Paging::read(&call)?;
    let permit = call.admit::<act::ListRoles>(call.account()?).await?;
    let roles = call.identity().list_roles(permit, &paging.after, paging.one_more()).await?;
    Ok(paging.page(("Roles", "Role"), roles, |r| r.principal.name.to_string(), |r| dated(shape(r), r)))
}

pub(super) async fn update_role(call: Call) -> Result<Object, Failure> {
    unsupported(&call, "NewAllowConsoleLogin")?;
    let trust = call.optional("NewAssumeRolePolicyDocument");
    let trust = trust.map(|text| names::document(text, "NewAssumeRolePolicyDocument", LONGEST_TRUST)).transpose()?;
    let wanted = UpdateRole {
        description: names::text(&call, "NewDescription", 1..=1024)?,
        trust: trust.map(str::to_owned),
        max_session: call.parameters.integer("NewMaxSessionDuration", SESSION)?.map(Seconds),
        enabled: None,
    };
    let permit = call.admit::<act::UpdateRole>(role(&call).await?).await?;
    let changed = call.identity().update_role(permit, &wanted).await.map_err(|error| match error {
        IdentityError::Invalid { field: "description", problem } => Problem::invalid("NewDescription", Fault::Format, problem).into(),
        other => Failure::from(other),
    })?;
    Ok(Object::new().with("Role", dated(trusting(&changed), &changed)))
}

pub(super) async fn delete_role(call: Call) -> Result<Object, Failure> {
    let permit = call.admit::<act::DeleteRole>(role(&call).await?).await?;
    call.identity().delete_role_leaving(permit, Leaving::NothingToLeave).await?;
    Ok(Object::new())
}

/// How documents and STS name a role.
pub(super) fn arn(role: &store::account::Principal) -> String {
    format!("acs:ram::{}:role/{}", role.account, role.name)
}

fn shape(role: &Role) -> Object {
    Object::new()
        .with("RoleId", role.principal.id.to_string())
        .with("RoleName", &*role.principal.name)
        .with("Arn", arn(&role.principal))
        .with("Description", role.principal.description.as_str())
        .with("MaxSessionDuration", role.max_session.0)
        .with("CreateDate", moment(role.principal.created))
}

fn trusting(role: &Role) -> Object {
    shape(role).with("AssumeRolePolicyDocument", role.trust.as_str())
}

fn dated(shape: Object, role: &Role) -> Object {
    shape.with("UpdateDate", changed_at(role.principal.updated, role.principal.created))
}
