//! sts 2015-04-01.

use identity::Identity;
use model::{Known, PrincipalKind};

use super::Needs::Caller;
use super::{Operation, operation};
use crate::call::Call;
use crate::errors::Failure;
use crate::shapes::Object;

pub(super) const OPERATIONS: &[Operation] =
    &[operation!(get_caller_identity, Sts "GetCallerIdentity", Caller("everybody may know who they are"))];

async fn get_caller_identity(call: Call) -> Result<Object, Failure> {
    let known = call.known()?;
    let _ = Identity::oneself(&call.caller)?;
    Ok(identity(known))
}

fn identity(known: &Known) -> Object {
    let (account, id) = (known.account, known.principal.to_string());
    let arn = |rest: String| format!("acs:ram::{account}:{rest}");
    let (kind, arn, principal) = match known.kind {
        PrincipalKind::Root => ("Account", arn("root".to_owned()), account.to_string()),
        PrincipalKind::Role => {
            let session = known.name.split_once('/').map_or("", |(_, session)| session);
            ("AssumedRoleUser", arn(format!("assumed-role/{}", known.name)), format!("{id}:{session}"))
        }
        kind => ("RAMUser", arn(format!("{}/{}", kind.noun(), known.name)), id.clone()),
    };
    let of_role = known.kind == PrincipalKind::Role;
    Object::new()
        .with("IdentityType", kind)
        .with("AccountId", account.to_string())
        .with("PrincipalId", principal)
        .maybe("UserId", (!of_role).then(|| id.clone()))
        .maybe("RoleId", of_role.then_some(id))
        .with("Arn", arn)
}
