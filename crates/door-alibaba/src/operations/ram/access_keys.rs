//! Access keys. `UserAccessKeyId` is the one that is spoken of; `AccessKeyId` is the one that signs.

use model::act;

use super::{exists, key_owner};
use crate::call::Call;
use crate::errors::Failure;
use crate::shapes::{Object, moment};

const STATUS: &[&str] = &["Active", "Inactive"];

pub(super) async fn create_access_key(call: Call) -> Result<Object, Failure> {
    let permit = call.admit::<act::CreateAccessKey>(key_owner(&call).await?).await?;
    let made = call.identity().create_access_key(permit).await?;
    let key = Object::new()
        .with("AccessKeyId", made.access_key_id)
        .with("AccessKeySecret", made.secret.reveal())
        .with("Status", "Active")
        .with("CreateDate", moment(made.credential.created));
    Ok(Object::new().with("AccessKey", key))
}

pub(super) async fn list_access_keys(call: Call) -> Result<Object, Failure> {
    let permit = call.admit_own::<act::ListAccessKeys>(key_owner(&call).await?).await?;
    let held = call.identity().list_access_keys(permit).await?;
    let keys = held.into_iter().map(|key| {
        Object::new()
            .with("AccessKeyId", key.access_key_id.unwrap_or_default())
            .with("Status", if key.enabled { "Active" } else { "Inactive" })
            .with("CreateDate", moment(key.created))
    });
    Ok(Object::new().wrapped("AccessKeys", "AccessKey", keys))
}

pub(super) async fn update_access_key(call: Call) -> Result<Object, Failure> {
    let (id, owner) = (call.required("UserAccessKeyId")?, key_owner(&call).await?);
    let enabled = call.parameters.word("Status", STATUS)? == Some("Active");
    // To stop one's own needs no grant; to let it work again does.
    let permit =
        if enabled { call.admit::<act::UpdateAccessKey>(owner).await? } else { call.admit_own::<act::UpdateAccessKey>(owner).await? };
    exists(permit.on())?;
    call.identity().set_access_key_enabled(permit, id, enabled).await?;
    Ok(Object::new())
}

pub(super) async fn delete_access_key(call: Call) -> Result<Object, Failure> {
    let permit = call.admit_own::<act::DeleteAccessKey>(key_owner(&call).await?).await?;
    exists(permit.on())?;
    call.identity().delete_access_key(permit, call.required("UserAccessKeyId")?).await?;
    Ok(Object::new())
}

pub(super) async fn get_access_key_last_used(call: Call) -> Result<Object, Failure> {
    let permit = call.admit_own::<act::GetAccessKeyLastUsed>(key_owner(&call).await?).await?;
    exists(permit.on())?;
    let last = call.identity().access_key_last_used(permit, call.required("UserAccessKeyId")?).await?;
    Ok(Object::new().with("AccessKeyLastUsed", Object::new().with("LastUsedDate", last.map(moment).unwrap_or_default())))
}
