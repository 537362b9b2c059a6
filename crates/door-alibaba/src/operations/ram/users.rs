//! Users.

use identity::{CreateUser, Leaving, Limits, UpdateUser, User};
use model::{OnPrincipal, PrincipalKind, Timestamp, act};
use store::account::Profile;

use super::{Paging, named, names, user};
use crate::call::Call;
use crate::errors::Failure;
use crate::shapes::{Object, moment};

pub(super) async fn create_user(call: Call) -> Result<Object, Failure> {
    let name = names::user(&call, "UserName")?;
    let said = Said::read(&call, ["DisplayName", "Comments", "Email", "MobilePhone"])?;
    let on = OnPrincipal { account: call.account()?.0, id: None, kind: PrincipalKind::User, name: name.into() };
    let permit = call.admit::<act::CreateUser>(on).await?;
    let profile = Profile { display_name: said.display_name(), email: text(said.email), phone: text(said.phone) };
    let wanted = CreateUser { description: text(said.comments), profile };
    let made = call.identity().create_user_within(permit, &wanted, Limits::RAM).await.map_err(profiled(""))?;
    Ok(Object::new().with("User", shape(&made)))
}

pub(super) async fn get_user(call: Call) -> Result<Object, Failure> {
    let permit = call.admit_own::<act::GetUser>(user(&call).await?).await?;
    let (found, login) = call.identity().show_user_and_login(permit).await?;
    let login = login.map(moment).unwrap_or_default();
    Ok(Object::new().with("User", updated(&found).with("LastLoginDate", login)))
}

pub(super) async fn list_users(call: Call) -> Result<Object, Failure> {
    let paging = Paging::read(&call)?;
    let permit = call.admit::<act::ListUsers>(call.account()?).await?;
    let users = call.identity().list_users(permit, &paging.after, paging.one_more()).await?;
    Ok(paging.page(("Users", "User"), users, |u| u.name.to_string(), updated))
}

pub(super) async fn update_user(call: Call) -> Result<Object, Failure> {
    let said = Said::read(&call, ["NewDisplayName", "NewComments", "NewEmail", "NewMobilePhone"])?;
    let name = call.optional("NewUserName").map(|_| names::user(&call, "NewUserName")).transpose()?;
    let on = user(&call).await?;
    let renamed = on.renamed(name);
    let permit = call.admit::<act::UpdateUser>(on).await?;
    let renamed = match renamed {
        Some(renamed) => Some(call.admit::<act::UpdateUser>(renamed).await?),
        None => None,
    };
    let wanted = UpdateUser { enabled: None, description: said.comments, display_name: said.display, email: said.email, phone: said.phone };
    let changed = call.identity().update_user(permit, renamed, &wanted).await.map_err(profiled("New"))?;
    Ok(Object::new().with("User", updated(&changed)))
}

pub(super) async fn delete_user(call: Call) -> Result<Object, Failure> {
    let permit = call.admit::<act::DeleteUser>(user(&call).await?).await?;
    call.identity().delete_user_leaving(permit, Leaving::NothingToLeave).await?;
    Ok(Object::new())
}

/// What a request says of a user.
struct Said {
    display: Option<String>,
    comments: Option<String>,
    email: Option<String>,
    phone: Option<String>,
}

impl Said {
    fn read(call: &Call, [display, comments, email, phone]: [&'static str; 4]) -> Result<Self, Failure> {
        Ok(Self {
            display: names::text(call, display, 1..=128)?,
            comments: names::text(call, comments, 1..=128)?,
            email: names::text(call, email, 1..=128)?,
            phone: names::text(call, phone, 1..=32)?,
        })
    }

    fn display_name(&self) -> String {
        text(self.display.clone())
    }
}

fn text(said: Option<String>) -> String {
    said.unwrap_or_default()
}

/// The parameter that a use case means by a field of a user.
fn profiled(new: &'static str) -> impl FnOnce(identity::IdentityError) -> Failure {
    use identity::IdentityError::Invalid;

    use crate::errors::{Fault, Problem};
    move |error| match error {
        Invalid { field: "name", .. } if new.is_empty() => named("UserName")(error),
        Invalid { field: "name", .. } => named("NewUserName")(error),
        Invalid { field: "email", problem } => Problem::invalid(format!("{new}Email"), Fault::Format, problem).into(),
        Invalid { field: "phone", problem } => Problem::invalid(format!("{new}MobilePhone"), Fault::Format, problem).into(),
        other => other.into(),
    }
}

/// A user as RAM shows a new one.
fn shape(user: &User) -> Object {
    Object::new()
        .with("UserId", user.id.to_string())
        .with("UserName", &*user.name)
        .with("DisplayName", user.profile.display_name.as_str())
        .with("Comments", user.description.as_str())
        .with("Email", user.profile.email.as_str())
        .with("MobilePhone", user.profile.phone.as_str())
        .with("CreateDate", moment(user.created))
}

fn updated(user: &User) -> Object {
    shape(user).with("UpdateDate", changed_at(user.updated, user.created))
}

/// When something was changed, which is when it was made, if never since.
pub(super) fn changed_at(updated: Option<Timestamp>, created: Timestamp) -> String {
    moment(updated.unwrap_or(created))
}
