//! What is attached to whom.

use identity::{AttachedPolicy, Attaches, Detaches, IdentityError, Limits, ListsAttached};
use model::{OnPrincipal, PrincipalKind, act};

use super::policies::{Kind, policy_of, version};
use super::{exists, user};
use crate::call::Call;
use crate::errors::{Failure, Problem};
use crate::shapes::{Object, moment};

/// Whom a policy is attached to, as codes name it.
#[derive(Clone, Copy)]
enum Holder {
    User,
    Group,
    Role,
}

impl Holder {
    const fn noun(self) -> &'static str {
        match self {
            Self::User => "User",
            Self::Group => "Group",
            Self::Role => "Role",
        }
    }

    async fn of(self, call: &Call) -> Result<OnPrincipal, Failure> {
        match self {
            Self::User => user(call).await,
            Self::Group => call.principal(PrincipalKind::Group, call.required("GroupName")?).await,
            Self::Role => call.principal(PrincipalKind::Role, call.required("RoleName")?).await,
        }
    }

    fn problem(self, status: u16, what: &str, said: &str) -> Failure {
        let noun = self.noun();
        Problem::new(status, format!("{what}.{noun}.Policy"), format!("The policy is {said} the {}.", noun.to_ascii_lowercase())).into()
    }
}

async fn attach<A: Attaches>(call: &Call, holder: Holder) -> Result<Object, Failure> {
    let (kind, on) = (Kind::required(call)?, policy_of(call).await?);
    let permit = call.admit::<A>(holder.of(call).await?).await?;
    exists(permit.on())?;
    kind.holds(&on)?;
    match call.identity().attach_policy_within(permit, &on.name, Limits::RAM).await {
        Ok(true) => Ok(Object::new()),
        Ok(false) => Err(holder.problem(409, "EntityAlreadyExists", "attached already to")),
        Err(IdentityError::Limit { .. }) => Err(holder.problem(409, "LimitExceeded", "one too many for")),
        Err(error) => Err(error.into()),
    }
}

async fn detach<A: Detaches>(call: &Call, holder: Holder) -> Result<Object, Failure> {
    let (kind, on) = (Kind::required(call)?, policy_of(call).await?);
    let permit = call.admit::<A>(holder.of(call).await?).await?;
    exists(permit.on())?;
    kind.holds(&on)?;
    match call.identity().detach_policy(permit, &on.name).await {
        Ok(()) => Ok(Object::new()),
        Err(IdentityError::NotFound("attached policy")) => Err(holder.problem(404, "EntityNotExist", "not attached to")),
        Err(error) => Err(error.into()),
    }
}

async fn list<A: ListsAttached>(call: &Call, holder: Holder) -> Result<Object, Failure> {
    let permit = call.admit::<A>(holder.of(call).await?).await?;
    let attached = call.identity().list_attached_policies(permit).await?;
    Ok(Object::new().wrapped("Policies", "Policy", attached.iter().map(shape)))
}

fn shape(policy: &AttachedPolicy) -> Object {
    Object::new()
        .with("PolicyName", policy.name.as_str())
        .with("PolicyType", Kind::of(policy.id.is_none()).as_str())
        .with("Description", policy.description.as_str())
        .with("DefaultVersion", version(policy.version))
        .with("AttachDate", moment(policy.attached))
}

pub(super) async fn attach_policy_to_user(call: Call) -> Result<Object, Failure> {
    attach::<act::AttachPolicyToUser>(&call, Holder::User).await
}

pub(super) async fn detach_policy_from_user(call: Call) -> Result<Object, Failure> {
    detach::<act::DetachPolicyFromUser>(&call, Holder::User).await
}

pub(super) async fn list_policies_for_user(call: Call) -> Result<Object, Failure> {
    list::<act::ListPoliciesForUser>(&call, Holder::User).await
}

pub(super) async fn attach_policy_to_group(call: Call) -> Result<Object, Failure> {
    attach::<act::AttachPolicyToGroup>(&call, Holder::Group).await
}

pub(super) async fn detach_policy_from_group(call: Call) -> Result<Object, Failure> {
    detach::<act::DetachPolicyFromGroup>(&call, Holder::Group).await
}

pub(super) async fn list_policies_for_group(call: Call) -> Result<Object, Failure> {
    list::<act::ListPoliciesForGroup>(&call, Holder::Group).await
}

pub(super) async fn attach_policy_to_role(call: Call) -> Result<Object, Failure> {
    attach::<act::AttachPolicyToRole>(&call, Holder::Role).await
}

pub(super) async fn detach_policy_from_role(call: Call) -> Result<Object, Failure> {
    detach::<act::DetachPolicyFromRole>(&call, Holder::Role).await
}

pub(super) async fn list_policies_for_role(call: Call) -> Result<Object, Failure> {
    list::<act::ListPoliciesForRole>(&call, Holder::Role).await
}
