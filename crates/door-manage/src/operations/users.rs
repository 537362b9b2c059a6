//! Users and their passwords.

use http::StatusCode;
use identity::{CreateUser, Limits, UpdateUser};
use kit::{Answer, empty, json};
use model::{Action, OnPrincipal, PrincipalKind, act};
use secrets::{ChosenPassword, Plain};
use store::account::Profile;

use crate::call::Call;
use crate::errors::Problem;
use crate::shapes;

pub(super) async fn create_user(call: Call) -> Result<Answer, Problem> {
    let new: api::CreateUser = call.json()?;
    let name = model::LoginName::parse(&new.name).map_err(Problem::name("name"))?;
    let on = OnPrincipal { account: call.account()?.0, id: None, kind: PrincipalKind::User, name: name.as_str().into() };
    let permit = call.admit::<act::CreateUser>(on).await?;
    let profile = Profile { display_name: new.display_name, email: new.email, phone: new.phone };
    let wanted = CreateUser { description: new.description, profile };
    let user = call.identity().create_user_within(permit, &wanted, Limits::HOUSE).await?;
    Ok(json(StatusCode::CREATED, &shapes::user(&user)))
}

pub(super) async fn list_users(call: Call) -> Result<Answer, Problem> {
    let asked = call.asked()?;
    let permit = call.admit::<act::ListUsers>(call.account()?).await?;
    let users = call.identity().list_users(permit, &asked.after, asked.one_more()).await?;
    Ok(call.page(users, &asked, |u| u.name.to_string(), |u| shapes::user(&u)))
}

pub(super) async fn show_user(call: Call) -> Result<Answer, Problem> {
    let on = call.user(Some(call.path(0))).await?;
    let permit = call.admit_or_hide::<act::GetUser>(on, Action::GetUser).await?;
    let (user, last_login_at) = call.identity().show_user_and_login(permit).await?;
    Ok(json(StatusCode::OK, &api::User { last_login_at, ..shapes::user(&user) }))
}

pub(super) async fn update_user(call: Call) -> Result<Answer, Problem> {
    let change: api::UpdateUser = call.json()?;
    let on = call.user(Some(call.path(0))).await?;
    let renamed = on.renamed(change.name.as_deref());
    let permit = call.admit_or_hide::<act::UpdateUser>(on, Action::GetUser).await?;
    let renamed = match renamed {
        Some(renamed) => Some(call.admit::<act::UpdateUser>(renamed).await?),
        None => None,
    };
    let wanted = UpdateUser {
        enabled: change.enabled,
        description: change.description,
        display_name: change.display_name,
        email: change.email,
        phone: change.phone,
    };
    let user = call.identity().update_user(permit, renamed, &wanted).await?;
    Ok(json(StatusCode::OK, &shapes::user(&user)))
}

pub(super) async fn delete_user(call: Call) -> Result<Answer, Problem> {
    let on = call.user(Some(call.path(0))).await?;
    let permit = call.admit_or_hide::<act::DeleteUser>(on, Action::GetUser).await?;
    call.identity().delete_user(permit).await?;
    Ok(empty(StatusCode::NO_CONTENT))
}

pub(super) async fn set_password(call: Call) -> Result<Answer, Problem> {
    let new: api::SetPassword = call.json()?;
    let password = chosen(&new.password)?;
    let on = call.user(Some(call.path(0))).await?;
    match new.kind {
        api::PasswordKind::SignIn => {
            if new.instance.is_some() {
                return Err(Problem::invalid("instance", "a sign-in password belongs to no instance"));
            }
            let permit = call.admit_own_or_hide::<act::UpdateLoginProfile>(on, Action::GetUser).await?;
            call.identity().set_sign_in_password(permit, password).await?;
        }
        api::PasswordKind::Permanent => {
            let instance = call.instance_named(new.instance.as_deref()).await?;
            let permit = call.admit_own_or_hide::<act::ResetLoginPassword>(on, Action::GetUser).await?;
            call.identity().set_permanent_password(permit, instance.on.id, password).await?;
        }
    }
    Ok(empty(StatusCode::NO_CONTENT))
}

pub(super) async fn show_sign_in_password(call: Call) -> Result<Answer, Problem> {
    let on = call.user(Some(call.path(0))).await?;
    let permit = call.admit_own_or_hide::<act::GetLoginProfile>(on, Action::GetUser).await?;
    let found = call.identity().show_login_profile(permit).await?;
    Ok(json(StatusCode::OK, &api::SignInPassword { enabled: found.enabled, created_at: found.created }))
}

pub(super) async fn delete_sign_in_password(call: Call) -> Result<Answer, Problem> {
    let on = call.user(Some(call.path(0))).await?;
    let permit = call.admit_or_hide::<act::DeleteLoginProfile>(on, Action::GetUser).await?;
    call.identity().delete_login_profile(permit).await?;
    Ok(empty(StatusCode::NO_CONTENT))
}

fn chosen(password: &api::Secret) -> Result<ChosenPassword, Problem> {
    let plain = Plain::new(password.reveal().to_owned()).map_err(|_| Problem::invalid("password", "it is far too long"))?;
    ChosenPassword::parse(plain).map_err(|problem| Problem::invalid("password", problem))
}
