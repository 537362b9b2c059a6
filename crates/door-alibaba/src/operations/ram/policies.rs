//! Policies: the account's own (`Custom`) and those that are there from the start (`System`).

use identity::{BUILT_IN_SINCE, IdentityError, Leaving, ListedPolicy};
use model::{OnPolicy, PrincipalKind, Timestamp, act};
use store::account::Principal;

use super::roles::arn;
use super::{Paging, named, names, unsupported};
use crate::call::Call;
use crate::errors::{Failure, Problem};
use crate::shapes::{Object, moment};

/// A document, in characters.
pub(super) const LONGEST: usize = 6144;
const TYPES: &[&str] = &["System", "Custom"];
/// Principals that one policy can be attached to, at RAM's limits, and some.
const PIECE: i64 = 1000;
const PIECES: usize = 20;

/// Whose policy.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    System,
    Custom,
}

impl Kind {
    pub(super) const fn of(built_in: bool) -> Self {
        if built_in { Self::System } else { Self::Custom }
    }

    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::System => "System",
            Self::Custom => "Custom",
        }
    }

    /// The parameter `PolicyType`.
    pub(super) fn read(call: &Call) -> Result<Option<Self>, Problem> {
        let word = call.parameters.word("PolicyType", TYPES);
        let wrong = |_| Problem::new(400, "InvalidParameter.PolicyType", "The policy type is System or Custom.");
        Ok(word.map_err(wrong)?.map(|word| Self::of(word == "System")))
    }

    pub(super) fn required(call: &Call) -> Result<Self, Problem> {
        Self::read(call)?.ok_or_else(|| Problem::missing("PolicyType"))
    }

    /// Is that policy of this kind?
    pub(super) fn holds(self, on: &OnPolicy) -> Result<(), Failure> {
        let is = match self {
            Self::System => on.id.is_none() && policy::builtin(&on.name).is_some(),
            Self::Custom => on.id.is_some(),
        };
        if is { Ok(()) } else { Err(IdentityError::NotFound("policy").into()) }
    }
}

/// The policy of the parameter `PolicyName`, there or not.
pub(super) async fn policy_of(call: &Call) -> Result<OnPolicy, Failure> {
    Ok(call.identity().policy(&call.caller, call.required("PolicyName")?).await?)
}

/// A version as RAM spells it: `v1`.
pub(super) fn version(number: i64) -> String {
    format!("v{number}")
}

pub(super) async fn create_policy(call: Call) -> Result<Object, Failure> {
    let name = names::policy(&call, "PolicyName")?;
    let document = names::document(call.required("PolicyDocument")?, "PolicyDocument", LONGEST)?;
    let description = names::text(&call, "Description", 1..=1024)?.unwrap_or_default();
    unsupported(&call, "Tag")?;
    let on = OnPolicy { account: call.account()?.0, id: None, name: name.into() };
    let permit = call.admit::<act::CreatePolicy>(on).await?;
    let made = call.identity().create_policy(permit, &description, document).await.map_err(named("PolicyName"))?;
    let shape = shape(Kind::Custom, &made.name, &made.description, made.version, made.created);
    Ok(Object::new().with("Policy", shape))
}

pub(super) async fn get_policy(call: Call) -> Result<Object, Failure> {
    let (kind, on) = (Kind::required(&call)?, policy_of(&call).await?);
    let permit = call.admit::<act::GetPolicy>(on.clone()).await?;
    kind.holds(&on)?;
    let found = call.identity().show_policy(permit).await?;
    let policy = shape(kind, &found.name, &found.description, found.version, found.created)
        .with("UpdateDate", date(found.updated))
        .with("AttachmentCount", found.attachments);
    let in_force = Object::new()
        .with("VersionId", version(found.version))
        .with("IsDefaultVersion", true)
        .with("PolicyDocument", found.document)
        .with("CreateDate", date(found.version_created));
    Ok(Object::new().with("Policy", policy).with("DefaultPolicyVersion", in_force))
}

pub(super) async fn list_policies(call: Call) -> Result<Object, Failure> {
    let (paging, kind) = (Paging::read(&call)?, Kind::read(&call)?);
    let permit = call.admit::<act::ListPolicies>(call.account()?).await?;
    let built_in = kind.map(|kind| kind == Kind::System);
    let found = call.identity().list_policies_counted(permit, built_in, &paging.after, paging.one_more()).await?;
    Ok(paging.page(("Policies", "Policy"), found, |p| p.name.clone(), listed))
}

fn listed(policy: &ListedPolicy) -> Object {
    let own = policy.own.as_ref();
    let version = own.map_or(1, |own| own.default_version);
    shape(Kind::of(own.is_none()), &policy.name, &policy.description, version, own.map(|own| own.created))
        .with("UpdateDate", date(own.map(|own| own.updated)))
        .with("AttachmentCount", policy.attachments)
}

pub(super) async fn update_policy_description(call: Call) -> Result<Object, Failure> {
    let description = names::text(&call, "NewDescription", 1..=1024)?.unwrap_or_default();
    let permit = call.admit::<act::UpdatePolicyDescription>(policy_of(&call).await?).await?;
    let changed = call.identity().describe_policy(permit, &description).await?;
    let shape = shape(Kind::Custom, &changed.name, &changed.description, changed.default_version, Some(changed.created));
    Ok(Object::new().with("Policy", shape.with("UpdateDate", moment(changed.updated))))
}

/// `CascadingDelete` means the versions; what is attached is never deleted.
pub(super) async fn delete_policy(call: Call) -> Result<Object, Failure> {
    let cascading = call.parameters.boolean("CascadingDelete")?.unwrap_or(false);
    let permit = call.admit::<act::DeletePolicy>(policy_of(&call).await?).await?;
    let left = if cascading { Leaving::Nothing } else { Leaving::NothingToLeave };
    call.identity().delete_policy_leaving(permit, left).await?;
    Ok(Object::new())
}

pub(super) async fn list_entities_for_policy(call: Call) -> Result<Object, Failure> {
    let (kind, on) = (Kind::required(&call)?, policy_of(&call).await?);
    let (mut holders, mut after) = (Vec::new(), 0);
    for _ in 0..PIECES {
        let permit = call.admit::<act::ListEntitiesForPolicy>(on.clone()).await?;
        kind.holds(&on)?;
        let piece = call.identity().list_policy_holders(permit, after, PIECE).await?;
        let last = piece.last().map(|(holder, _)| holder.id.as_i64());
        holders.extend(piece);
        match last.filter(|_| holders.len().is_multiple_of(usize::try_from(PIECE).unwrap_or(1))) {
            Some(last) => after = last,
            None => break,
        }
    }
    let of = |kind: PrincipalKind| holders.iter().filter(move |(holder, _)| holder.kind == kind);
    Ok(Object::new()
        .wrapped("Users", "User", of(PrincipalKind::User).map(user))
        .wrapped("Groups", "Group", of(PrincipalKind::Group).map(group))
        .wrapped("Roles", "Role", of(PrincipalKind::Role).map(role)))
}

fn user((user, attached): &(Principal, Timestamp)) -> Object {
    Object::new()
        .with("UserId", user.id.to_string())
        .with("UserName", &*user.name)
        .with("DisplayName", user.profile.display_name.as_str())
        .with("AttachDate", moment(*attached))
}

fn group((group, attached): &(Principal, Timestamp)) -> Object {
    Object::new().with("GroupName", &*group.name).with("Comments", group.description.as_str()).with("AttachDate", moment(*attached))
}

fn role((role, attached): &(Principal, Timestamp)) -> Object {
    Object::new()
        .with("RoleId", role.id.to_string())
        .with("RoleName", &*role.name)
        .with("Arn", arn(role))
        .with("Description", role.description.as_str())
        .with("AttachDate", moment(*attached))
}

fn shape(kind: Kind, name: &str, description: &str, in_force: i64, created: Option<Timestamp>) -> Object {
    Object::new()
        .with("PolicyName", name)
        .with("PolicyType", kind.as_str())
        .with("Description", description)
        .with("DefaultVersion", version(in_force))
        .with("CreateDate", date(created))
}

/// Built-in policies have no date of their own.
pub(super) fn date(at: Option<Timestamp>) -> String {
    moment(at.unwrap_or(BUILT_IN_SINCE))
}
