//! Temporary and permanent passwords for the registry.

use identity::Identity;
use model::{CredentialKind, PrincipalKind, Seconds, act};
use secrets::{ChosenPassword, Plain};

use crate::call::Call;
use crate::errors::{Failure, Fault, Problem};
use crate::operations::rest;
use crate::shapes::Object;

/// Valid as long as asked; else as the session that asks; else an hour. Never past that session's end: the token sees to it.
pub(super) async fn get_authorization_token(call: Call) -> Result<Object, Failure> {
    let asked = call.parameters.integer("ExpiresInHours", 1..=24)?.map(Seconds::hours);
    // Before the instance is looked up: whoever may make no token learns of no instance.
    let permit = call.admit::<act::GetAuthorizationToken>(call.account()?).await?;
    call.instance().await?.there()?;
    let known = call.known()?;
    let session = known.ends.filter(|_| known.credential.kind == CredentialKind::Session);
    let rest = session.map(|end| rest(call.op.now, end));
    call.identity().access().audit().note(permit.success()).await;
    let made = call.identity().tokens().issue_login_token(permit, asked.or(rest), None).await?;
    Ok(Object::new()
        .with("AuthorizationToken", made.password.reveal())
        .with("TempUsername", made.username)
        .with("ExpireTime", made.expires.millis()))
}

/// One's own permanent password at an instance. A role has none: it logs in with temporary ones.
pub(super) async fn reset_login_password(call: Call) -> Result<Object, Failure> {
    let weak = |problem: String| Problem::invalid("Password", Fault::Format, problem);
    let plain = Plain::new(call.required("Password")?.to_owned()).map_err(|e| weak(e.to_string()))?;
    let password = ChosenPassword::parse(plain).map_err(|e| weak(e.to_string()))?;
    if call.known()?.kind == PrincipalKind::Role {
        return Err(Problem::no_permission("A role has no permanent password: log in with GetAuthorizationToken.").into());
    }
    let permit = call.admit_own::<act::ResetLoginPassword>(Identity::oneself(&call.caller)?).await?;
    let instance = call.instance().await?.there()?;
    call.identity().set_permanent_password(permit, instance.on.id, password).await?;
    Ok(Object::new())
}
