//! Users.

use identity::User;
use model::{PrincipalKind, act};

use crate::call::Call;
use crate::errors::Failure;
use crate::shapes::{Object, moment};

pub(super) async fn get_user(call: Call) -> Result<Object, Failure> {
    let on = call.principal(PrincipalKind::User, call.required("UserName")?).await?;
    let permit = call.admit_own::<act::GetUser>(on).await?;
    let user = call.identity().show_user(permit).await?;
    Ok(Object::new().with("User", shape(&user)))
}

/// A user as RAM shows one.
fn shape(user: &User) -> Object {
    let created = moment(user.created);
    Object::new()
        .with("UserId", user.id.to_string())
        .with("UserName", &*user.name)
        .with("DisplayName", &*user.name)
        .with("Comments", user.description.as_str())
        .with("CreateDate", created.clone())
        .with("UpdateDate", created)
}
