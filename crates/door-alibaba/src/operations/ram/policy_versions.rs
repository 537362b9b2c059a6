//! Versions of policies.

use identity::{IdentityError, Rotate, SetDefault};
use model::{Timestamp, act};

use super::names;
use super::policies::{Kind, LONGEST, policy_of, version};
use crate::call::Call;
use crate::errors::Failure;
use crate::shapes::{Object, moment};

const ROTATE: &[&str] = &["None", "DeleteOldestNonDefaultVersionWhenLimitExceeded"];

/// Not in force unless `SetAsDefault` says so.
pub(super) async fn create_policy_version(call: Call) -> Result<Object, Failure> {
    let document = names::document(call.required("PolicyDocument")?, "PolicyDocument", LONGEST)?;
    let in_force = call.parameters.boolean("SetAsDefault")?.unwrap_or(false);
    let rotate = match call.parameters.word("RotateStrategy", ROTATE)? {
        None | Some("None") => Rotate::Never,
        Some(_) => Rotate::DropsOldest,
    };
    let permit = call.admit::<act::CreatePolicyVersion>(policy_of(&call).await?).await?;
    let default = if in_force { SetDefault::Yes } else { SetDefault::No };
    let made = call.identity().create_policy_version_rotating(permit, document, default, rotate).await?;
    let shape = shape(made.version, in_force, made.document, call.op.now);
    Ok(Object::new().with("PolicyVersion", shape))
}

pub(super) async fn get_policy_version(call: Call) -> Result<Object, Failure> {
    let (kind, number, on) = (Kind::required(&call)?, number(&call), policy_of(&call).await?);
    let permit = call.admit::<act::GetPolicyVersion>(on.clone()).await?;
    kind.holds(&on)?;
    let (in_force, found) = call.identity().show_policy_version(permit, number?).await?;
    Ok(Object::new().with("PolicyVersion", shape(found.version, in_force, found.document, found.created)))
}

pub(super) async fn list_policy_versions(call: Call) -> Result<Object, Failure> {
    let (kind, on) = (Kind::required(&call)?, policy_of(&call).await?);
    let permit = call.admit::<act::ListPolicyVersions>(on.clone()).await?;
    kind.holds(&on)?;
    let (default, versions) = call.identity().list_policy_versions(permit).await?;
    let versions = versions.into_iter().map(|v| shape(v.version, v.version == default, v.document, v.created));
    Ok(Object::new().wrapped("PolicyVersions", "PolicyVersion", versions))
}

pub(super) async fn delete_policy_version(call: Call) -> Result<Object, Failure> {
    let number = number(&call);
    let permit = call.admit::<act::DeletePolicyVersion>(policy_of(&call).await?).await?;
    call.identity().delete_policy_version(permit, number?).await?;
    Ok(Object::new())
}

pub(super) async fn set_default_policy_version(call: Call) -> Result<Object, Failure> {
    let number = number(&call);
    let permit = call.admit::<act::SetDefaultPolicyVersion>(policy_of(&call).await?).await?;
    call.identity().set_default_policy_version(permit, number?).await?;
    Ok(Object::new())
}

/// What is no version's name is no version's.
fn number(call: &Call) -> Result<i64, Failure> {
    let text = call.required("VersionId")?.strip_prefix('v').unwrap_or_default();
    let digits = (1..=9).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    let missing = || Failure::from(IdentityError::NotFound("policy version"));
    text.parse().ok().filter(|_| digits).ok_or_else(missing)
}

fn shape(number: i64, in_force: bool, document: String, created: Timestamp) -> Object {
    Object::new()
        .with("VersionId", version(number))
        .with("IsDefaultVersion", in_force)
        .with("PolicyDocument", document)
        .with("CreateDate", moment(created))
}
