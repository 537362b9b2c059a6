//! Login profiles: the sign-in password of a user.

use identity::LoginProfile;
use model::act;
use secrets::{ChosenPassword, Plain};

use super::{unsupported, user};
use crate::call::Call;
use crate::errors::{Failure, Fault, Problem};
use crate::shapes::{Object, moment};

pub(super) async fn create_login_profile(call: Call) -> Result<Object, Failure> {
    only_a_password(&call)?;
    let password = password(call.required("Password")?)?;
    let permit = call.admit::<act::CreateLoginProfile>(user(&call).await?).await?;
    let made = call.identity().create_login_profile(permit, password).await?;
    Ok(Object::new().with("LoginProfile", shape(&call, made)?))
}

pub(super) async fn get_login_profile(call: Call) -> Result<Object, Failure> {
    let permit = call.admit_own::<act::GetLoginProfile>(user(&call).await?).await?;
    let found = call.identity().show_login_profile(permit).await?;
    Ok(Object::new().with("LoginProfile", shape(&call, found)?))
}

pub(super) async fn update_login_profile(call: Call) -> Result<Object, Failure> {
    only_a_password(&call)?;
    let password = call.optional("Password").map(password).transpose()?;
    let permit = call.admit_own::<act::UpdateLoginProfile>(user(&call).await?).await?;
    let Some(password) = password else { return Err(Problem::missing("Password").into()) };
    call.identity().set_sign_in_password(permit, password).await?;
    Ok(Object::new())
}

pub(super) async fn delete_login_profile(call: Call) -> Result<Object, Failure> {
    let permit = call.admit::<act::DeleteLoginProfile>(user(&call).await?).await?;
    call.identity().delete_login_profile(permit).await?;
    Ok(Object::new())
}

/// That a password must be changed, or a second factor bound, cannot be said here.
fn only_a_password(call: &Call) -> Result<(), Problem> {
    unsupported(call, "PasswordResetRequired")?;
    unsupported(call, "MFABindRequired")
}

fn password(text: &str) -> Result<ChosenPassword, Problem> {
    let weak = |problem: String| Problem::invalid("Password", Fault::Format, problem);
    let plain = Plain::new(text.to_owned()).map_err(|e| weak(e.to_string()))?;
    ChosenPassword::parse(plain).map_err(|e| weak(e.to_string()))
}

fn shape(call: &Call, profile: LoginProfile) -> Result<Object, Problem> {
    Ok(Object::new()
        .with("UserName", call.required("UserName")?)
        .with("PasswordResetRequired", false)
        .with("MFABindRequired", false)
        .with("CreateDate", moment(profile.created)))
}
