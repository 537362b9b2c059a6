//! ram 2015-05-01: users, groups, roles, policies, access keys, the account.
//!
//! Rights are asked of names, there or not, so that whoever has none gets the same answer either way.

mod access_keys;
mod account;
mod attachments;
mod groups;
mod login_profiles;
mod names;
mod policies;
mod policy_versions;
mod roles;
mod users;

use identity::IdentityError;
use model::{Action as A, OnPrincipal, PrincipalKind};

use super::Needs::{Action as Act, Own};
use super::{Operation, operation};
use crate::call::Call;
use crate::errors::{Failure, Fault, Problem};
use crate::shapes::Object;

#[rustfmt::skip]
pub(super) const OPERATIONS: &[Operation] = &[
    operation!(users::create_user, Ram "CreateUser", Act(A::CreateUser)).requires(&["UserName"]),
    operation!(users::get_user, Ram "GetUser", Own(A::GetUser)).requires(&["UserName"]),
    operation!(users::list_users, Ram "ListUsers", Act(A::ListUsers)),
    operation!(users::update_user, Ram "UpdateUser", Act(A::UpdateUser)).requires(&["UserName"]),
    operation!(users::delete_user, Ram "DeleteUser", Act(A::DeleteUser)).requires(&["UserName"]),

    operation!(access_keys::create_access_key, Ram "CreateAccessKey", Act(A::CreateAccessKey)),
    operation!(access_keys::list_access_keys, Ram "ListAccessKeys", Own(A::ListAccessKeys)),
    operation!(access_keys::update_access_key, Ram "UpdateAccessKey", Own(A::UpdateAccessKey)).requires(&["UserAccessKeyId", "Status"]),
    operation!(access_keys::delete_access_key, Ram "DeleteAccessKey", Own(A::DeleteAccessKey)).requires(&["UserAccessKeyId"]),
    operation!(access_keys::get_access_key_last_used, Ram "GetAccessKeyLastUsed", Own(A::GetAccessKeyLastUsed)).requires(&["UserAccessKeyId"]),

    operation!(login_profiles::create_login_profile, Ram "CreateLoginProfile", Act(A::CreateLoginProfile)).requires(&["UserName", "Password"]),
    operation!(login_profiles::get_login_profile, Ram "GetLoginProfile", Own(A::GetLoginProfile)).requires(&["UserName"]),
    operation!(login_profiles::update_login_profile, Ram "UpdateLoginProfile", Own(A::UpdateLoginProfile)).requires(&["UserName"]),
    operation!(login_profiles::delete_login_profile, Ram "DeleteLoginProfile", Act(A::DeleteLoginProfile)).requires(&["UserName"]),

    operation!(groups::create_group, Ram "CreateGroup", Act(A::CreateGroup)).requires(&["GroupName"]),
    operation!(groups::get_group, Ram "GetGroup", Act(A::GetGroup)).requires(&["GroupName"]),
    operation!(groups::list_groups, Ram "ListGroups", Act(A::ListGroups)),
    operation!(groups::update_group, Ram "UpdateGroup", Act(A::UpdateGroup)).requires(&["GroupName"]),
    operation!(groups::delete_group, Ram "DeleteGroup", Act(A::DeleteGroup)).requires(&["GroupName"]),
    operation!(groups::add_user_to_group, Ram "AddUserToGroup", Act(A::AddUserToGroup)).requires(&["UserName", "GroupName"]),
    operation!(groups::remove_user_from_group, Ram "RemoveUserFromGroup", Act(A::RemoveUserFromGroup)).requires(&["UserName", "GroupName"]),
    operation!(groups::list_groups_for_user, Ram "ListGroupsForUser", Own(A::ListGroupsForUser)).requires(&["UserName"]),
    operation!(groups::list_users_for_group, Ram "ListUsersForGroup", Act(A::ListUsersForGroup)).requires(&["GroupName"]),

    operation!(policies::create_policy, Ram "CreatePolicy", Act(A::CreatePolicy)).requires(&["PolicyName", "PolicyDocument"]),
    operation!(policies::get_policy, Ram "GetPolicy", Act(A::GetPolicy)).requires(&["PolicyName", "PolicyType"]),
    operation!(policies::list_policies, Ram "ListPolicies", Act(A::ListPolicies)),
    operation!(policies::update_policy_description, Ram "UpdatePolicyDescription", Act(A::UpdatePolicyDescription)).requires(&["PolicyName"]),
    operation!(policies::delete_policy, Ram "DeletePolicy", Act(A::DeletePolicy)).requires(&["PolicyName"]),
    operation!(policies::list_entities_for_policy, Ram "ListEntitiesForPolicy", Act(A::ListEntitiesForPolicy)).requires(&["PolicyName", "PolicyType"]),
    operation!(policy_versions::create_policy_version, Ram "CreatePolicyVersion", Act(A::CreatePolicyVersion)).requires(&["PolicyName", "PolicyDocument"]),
    operation!(policy_versions::get_policy_version, Ram "GetPolicyVersion", Act(A::GetPolicyVersion)).requires(&["PolicyName", "PolicyType", "VersionId"]),
    operation!(policy_versions::list_policy_versions, Ram "ListPolicyVersions", Act(A::ListPolicyVersions)).requires(&["PolicyName", "PolicyType"]),
    operation!(policy_versions::delete_policy_version, Ram "DeletePolicyVersion", Act(A::DeletePolicyVersion)).requires(&["PolicyName", "VersionId"]),
    operation!(policy_versions::set_default_policy_version, Ram "SetDefaultPolicyVersion", Act(A::SetDefaultPolicyVersion)).requires(&["PolicyName", "VersionId"]),

    operation!(attachments::attach_policy_to_user, Ram "AttachPolicyToUser", Act(A::AttachPolicyToUser)).requires(&["PolicyType", "PolicyName", "UserName"]),
    operation!(attachments::detach_policy_from_user, Ram "DetachPolicyFromUser", Act(A::DetachPolicyFromUser)).requires(&["PolicyType", "PolicyName", "UserName"]),
    operation!(attachments::list_policies_for_user, Ram "ListPoliciesForUser", Act(A::ListPoliciesForUser)).requires(&["UserName"]),
    operation!(attachments::attach_policy_to_group, Ram "AttachPolicyToGroup", Act(A::AttachPolicyToGroup)).requires(&["PolicyType", "PolicyName", "GroupName"]),
    operation!(attachments::detach_policy_from_group, Ram "DetachPolicyFromGroup", Act(A::DetachPolicyFromGroup)).requires(&["PolicyType", "PolicyName", "GroupName"]),
    operation!(attachments::list_policies_for_group, Ram "ListPoliciesForGroup", Act(A::ListPoliciesForGroup)).requires(&["GroupName"]),
    operation!(attachments::attach_policy_to_role, Ram "AttachPolicyToRole", Act(A::AttachPolicyToRole)).requires(&["PolicyType", "PolicyName", "RoleName"]),
    operation!(attachments::detach_policy_from_role, Ram "DetachPolicyFromRole", Act(A::DetachPolicyFromRole)).requires(&["PolicyType", "PolicyName", "RoleName"]),
    operation!(attachments::list_policies_for_role, Ram "ListPoliciesForRole", Act(A::ListPoliciesForRole)).requires(&["RoleName"]),

    operation!(roles::create_role, Ram "CreateRole", Act(A::CreateRole)).requires(&["RoleName", "AssumeRolePolicyDocument"]),
    operation!(roles::get_role, Ram "GetRole", Act(A::GetRole)).requires(&["RoleName"]),
    operation!(roles::list_roles, Ram "ListRoles", Act(A::ListRoles)),
    operation!(roles::update_role, Ram "UpdateRole", Act(A::UpdateRole)).requires(&["RoleName"]),
    operation!(roles::delete_role, Ram "DeleteRole", Act(A::DeleteRole)).requires(&["RoleName"]),

    operation!(account::set_account_alias, Ram "SetAccountAlias", Act(A::SetAccountAlias)).requires(&["AccountAlias"]),
    operation!(account::get_account_alias, Ram "GetAccountAlias", Act(A::GetAccountAlias)),
    operation!(account::clear_account_alias, Ram "ClearAccountAlias", Act(A::ClearAccountAlias)),
    operation!(account::decode_diagnostic_message, Ram "DecodeDiagnosticMessage", Act(A::DecodeDiagnosticMessage)).requires(&["EncodedDiagnosticMessage"]),
];

/// One page of a list: behind which name to begin, and how many.
struct Paging {
    after: String,
    items: i64,
}

impl Paging {
    /// `Marker` is the last name of the page before.
    fn read(call: &Call) -> Result<Self, Problem> {
        let items = call.parameters.integer("MaxItems", 1..=1000)?.unwrap_or(100);
        let after = call.optional("Marker").unwrap_or_default();
        if after.len() > 128 || after.contains(char::is_control) {
            return Err(Problem::invalid("Marker", Fault::Format, "what the page before said"));
        }
        Ok(Self { after: after.to_owned(), items })
    }

    /// One more than the page holds, to see whether there is another.
    const fn one_more(&self) -> i64 {
        self.items + 1
    }

    /// A page of these: `Users` of `User`, each by its name.
    fn page<T>(
        &self,
        (list, item): (&'static str, &'static str),
        mut all: Vec<T>,
        name: impl Fn(&T) -> String,
        shape: impl Fn(&T) -> Object,
    ) -> Object {
        let most = usize::try_from(self.items).unwrap_or(0);
        let truncated = all.len() > most;
        all.truncate(most);
        let marker = all.last().filter(|_| truncated).map(name);
        Object::new().with("IsTruncated", truncated).maybe("Marker", marker).wrapped(list, item, all.iter().map(shape))
    }
}

/// A user of the account by name, there or not. The root user is no RAM user.
async fn user(call: &Call) -> Result<OnPrincipal, Failure> {
    let on = call.principal(PrincipalKind::User, call.required("UserName")?).await?;
    Ok(match on.kind {
        PrincipalKind::Root => OnPrincipal { id: None, kind: PrincipalKind::User, ..on },
        _ => on,
    })
}

/// Of two things that are not there, whoever has the other is missed first.
fn exists(on: &OnPrincipal) -> Result<(), Failure> {
    if on.id.is_some() { Ok(()) } else { Err(IdentityError::NotFound(on.kind.words()).into()) }
}

/// The user whose keys a request is about: without a name, whoever signed it.
async fn key_owner(call: &Call) -> Result<OnPrincipal, Failure> {
    if call.optional("UserName").is_some() {
        return user(call).await;
    }
    match call.known()?.kind {
        PrincipalKind::Role => Err(Problem::missing("UserName").into()),
        _ => call.user("UserName").await,
    }
}

/// What cannot be said here. Clients that send it mean something by it.
fn unsupported(call: &Call, name: &'static str) -> Result<(), Problem> {
    match call.optional(name) {
        None => Ok(()),
        Some(text) if text.eq_ignore_ascii_case("false") || text == "[]" => Ok(()),
        Some(_) => Err(Problem::new(400, "NotSupported", format!("{name} is not supported by this server."))),
    }
}

/// The parameter that a use case means by its field `name`.
fn named(parameter: &'static str) -> impl FnOnce(IdentityError) -> Failure {
    move |error| match error {
        IdentityError::Invalid { field: "name", problem } => Problem::invalid(parameter, Fault::Format, problem).into(),
        other => other.into(),
    }
}
