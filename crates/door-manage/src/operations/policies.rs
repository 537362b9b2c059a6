//! Policies, their versions, and what is attached to whom.

use http::StatusCode;
use identity::{Rotate, SetDefault};
use kit::{Answer, empty, json};
use model::{Action, OnPolicy, PolicyName, PrincipalKind, act};

use crate::call::Call;
use crate::errors::Problem;
use crate::page::Page;
use crate::shapes;

async fn policy(call: &Call, index: usize) -> Result<OnPolicy, Problem> {
    Ok(call.identity().policy(&call.caller, call.path(index)).await?)
}

pub(super) async fn create_policy(call: Call) -> Result<Answer, Problem> {
    let new: api::CreatePolicy = call.json()?;
    let name = PolicyName::parse(&new.name).map_err(Problem::name("name"))?;
    let on = OnPolicy { account: call.account()?.0, id: None, name: name.as_str().into() };
    let permit = call.admit::<act::CreatePolicy>(on).await?;
    let made = call.identity().create_policy(permit, &new.description, &new.document).await?;
    Ok(json(StatusCode::CREATED, &shapes::policy_details(made).policy))
}

/// The built-in policies come before the first page, on top of its limit.
pub(super) async fn list_policies(call: Call) -> Result<Answer, Problem> {
    let asked = call.asked()?;
    let permit = call.admit::<act::ListPolicies>(call.account()?).await?;
    let own = call.identity().list_policies(permit, &asked.after, asked.one_more()).await?;
    let own = own.into_iter().map(shapes::policy).collect();
    let mut page = Page::of(own, &asked, |p: &api::Policy| p.name.clone());
    if asked.after.is_empty() {
        page.items.splice(0..0, policy::builtins().iter().map(shapes::built_in));
    }
    Ok(page.answer(call.own_path(), call.raw_query()))
}

pub(super) async fn show_policy(call: Call) -> Result<Answer, Problem> {
    let on = policy(&call, 0).await?;
    let permit = call.admit_or_hide::<act::GetPolicy>(on, Action::GetPolicy).await?;
    let found = call.identity().show_policy(permit).await?;
    Ok(json(StatusCode::OK, &shapes::policy_details(found)))
}

pub(super) async fn update_policy(call: Call) -> Result<Answer, Problem> {
    let change: api::UpdatePolicy = call.json()?;
    let on = policy(&call, 0).await?;
    let permit = call.admit_or_hide::<act::UpdatePolicyDescription>(on, Action::GetPolicy).await?;
    let changed = call.identity().describe_policy(permit, &change.description).await?;
    Ok(json(StatusCode::OK, &shapes::policy(changed)))
}

pub(super) async fn list_policy_holders(call: Call) -> Result<Answer, Problem> {
    let asked = call.asked()?;
    let on = policy(&call, 0).await?;
    let permit = call.admit_or_hide::<act::ListEntitiesForPolicy>(on, Action::GetPolicy).await?;
    let after = asked.after.parse().unwrap_or(0);
    let holders = call.identity().list_policy_holders(permit, after, asked.one_more()).await?;
    Ok(call.page(holders, &asked, |(holder, _)| holder.id.to_string(), |holder| shapes::policy_holder(&holder)))
}

pub(super) async fn show_policy_version(call: Call) -> Result<Answer, Problem> {
    let version = call.path(1).parse().map_err(|_| Problem::not_found())?;
    let on = policy(&call, 0).await?;
    let permit = call.admit_or_hide::<act::GetPolicyVersion>(on, Action::GetPolicy).await?;
    let (is_default, found) = call.identity().show_policy_version(permit, version).await?;
    let default = if is_default { found.version } else { 0 };
    Ok(json(StatusCode::OK, &shapes::policy_version(call.path(0), default, found)))
}

pub(super) async fn delete_policy(call: Call) -> Result<Answer, Problem> {
    let on = policy(&call, 0).await?;
    let permit = call.admit_or_hide::<act::DeletePolicy>(on, Action::GetPolicy).await?;
    call.identity().delete_policy(permit).await?;
    Ok(empty(StatusCode::NO_CONTENT))
}

pub(super) async fn create_policy_version(call: Call) -> Result<Answer, Problem> {
    let new: api::CreatePolicyVersion = call.json()?;
    let on = policy(&call, 0).await?;
    let permit = call.admit_or_hide::<act::CreatePolicyVersion>(on, Action::GetPolicy).await?;
    let default = if new.set_as_default { SetDefault::Yes } else { SetDefault::No };
    let rotate = if new.drop_oldest { Rotate::DropsOldest } else { Rotate::Never };
    let made = call.identity().create_policy_version_rotating(permit, &new.document, default, rotate).await?;
    let shape = api::PolicyVersion {
        name: made.name,
        version: made.version,
        is_default: new.set_as_default,
        document: made.document,
        created_at: call.op.now,
    };
    Ok(json(StatusCode::CREATED, &shape))
}

pub(super) async fn list_policy_versions(call: Call) -> Result<Answer, Problem> {
    let on = policy(&call, 0).await?;
    let permit = call.admit_or_hide::<act::ListPolicyVersions>(on, Action::GetPolicy).await?;
    let (default, versions) = call.identity().list_policy_versions(permit).await?;
    let versions: Vec<_> = versions.into_iter().map(|v| shapes::policy_version(call.path(0), default, v)).collect();
    Ok(json(StatusCode::OK, &versions))
}

pub(super) async fn delete_policy_version(call: Call) -> Result<Answer, Problem> {
    let version = call.path(1).parse().map_err(|_| Problem::not_found())?;
    let on = policy(&call, 0).await?;
    let permit = call.admit_or_hide::<act::DeletePolicyVersion>(on, Action::GetPolicy).await?;
    call.identity().delete_policy_version(permit, version).await?;
    Ok(empty(StatusCode::NO_CONTENT))
}

pub(super) async fn set_default_policy_version(call: Call) -> Result<Answer, Problem> {
    let chosen: api::SetDefaultVersion = call.json()?;
    let on = policy(&call, 0).await?;
    let permit = call.admit_or_hide::<act::SetDefaultPolicyVersion>(on, Action::GetPolicy).await?;
    call.identity().set_default_policy_version(permit, chosen.version).await?;
    Ok(empty(StatusCode::NO_CONTENT))
}

/// The three things that are done to what is attached, for one kind of principal each.
macro_rules! attachments {
    ($kind:ident, $see:ident, $attach:ident $Attach:ident, $detach:ident $Detach:ident, $list:ident $List:ident) => {
        pub(super) async fn $attach(call: Call) -> Result<Answer, Problem> {
            let on = call.principal(PrincipalKind::$kind, call.path(0)).await?;
            let permit = call.admit_or_hide::<act::$Attach>(on, Action::$see).await?;
            call.identity().attach_policy(permit, call.path(1)).await?;
            Ok(empty(StatusCode::NO_CONTENT))
        }

        pub(super) async fn $detach(call: Call) -> Result<Answer, Problem> {
            let on = call.principal(PrincipalKind::$kind, call.path(0)).await?;
            let permit = call.admit_or_hide::<act::$Detach>(on, Action::$see).await?;
            call.identity().detach_policy(permit, call.path(1)).await?;
            Ok(empty(StatusCode::NO_CONTENT))
        }

        pub(super) async fn $list(call: Call) -> Result<Answer, Problem> {
            let on = call.principal(PrincipalKind::$kind, call.path(0)).await?;
            let permit = call.admit_or_hide::<act::$List>(on, Action::$see).await?;
            let attached = call.identity().list_attachments(permit).await?;
            Ok(json(StatusCode::OK, &attached.into_iter().map(shapes::attached).collect::<Vec<_>>()))
        }
    };
}

attachments!(User, GetUser, attach_policy AttachPolicyToUser, detach_policy DetachPolicyFromUser, list_attached_policies ListPoliciesForUser);
attachments!(Group, GetGroup, attach_policy_to_group AttachPolicyToGroup, detach_policy_from_group DetachPolicyFromGroup,
    list_group_policies ListPoliciesForGroup);
attachments!(ServiceAccount, GetServiceAccount, attach_policy_to_service_account AttachPolicyToServiceAccount,
    detach_policy_from_service_account DetachPolicyFromServiceAccount, list_service_account_policies ListPoliciesForServiceAccount);
attachments!(Role, GetRole, attach_policy_to_role AttachPolicyToRole, detach_policy_from_role DetachPolicyFromRole,
    list_role_policies ListPoliciesForRole);
