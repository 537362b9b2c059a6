//! Instances.

use model::act;
use store::instance::Instance;

use crate::call::Call;
use crate::errors::Failure;
use crate::shapes::Object;

/// All of ours are the largest there are.
pub(super) const SPECIFICATION: &str = "Enterprise_Advanced";
/// An instance that is there, is running.
pub(super) const RUNNING: &str = "RUNNING";

pub(super) async fn get_instance(call: Call) -> Result<Object, Failure> {
    let named = call.instance().await?;
    let permit = call.admit::<act::GetInstance>((*named.on).clone()).await?;
    named.there()?;
    let (instance, _) = call.identity().show_instance(permit).await?;
    let created = instance.created.millis();
    Ok(head(&instance).with("CreateTime", created).with("ModifiedTime", created).with("ResourceGroupId", "").list("Tags", Vec::<Object>::new()))
}

/// What every shape of an instance begins with.
fn head(instance: &Instance) -> Object {
    Object::new()
        .with("InstanceId", instance.on.id.to_string())
        .with("InstanceName", instance.on.name.as_str())
        .with("InstanceStatus", RUNNING)
        .with("InstanceSpecification", SPECIFICATION)
        .with("InstanceIssue", "")
}
