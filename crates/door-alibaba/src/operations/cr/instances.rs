//! Instances.

use std::collections::BTreeSet;

use identity::MAX_PRIVATE_ENDPOINTS;
use model::act;
use store::instance::Instance;

use super::pages::Numbered;
use crate::call::Call;
use crate::errors::Failure;
use crate::shapes::{Object, Value};

/// All of ours are the largest there are.
pub(super) const SPECIFICATION: &str = "Enterprise_Advanced";
/// An instance that is there, is running.
pub(super) const RUNNING: &str = "RUNNING";
const STATUSES: [&str; 8] = ["PENDING", "INIT_ERROR", "STARTING", RUNNING, "STOPPING", "STOPPED", "DELETING", "DELETED"];

pub(super) async fn get_instance(call: Call) -> Result<Object, Failure> {
    let named = call.instance().await?;
    let permit = call.admit::<act::GetInstance>((*named.on).clone()).await?;
    named.there()?;
    let (instance, _) = call.identity().show_instance(permit).await?;
    Ok(head(&instance).with("CreateTime", instance.created.millis()).with("ModifiedTime", instance.updated.millis()).and(tail()))
}

/// Those of the account, in every region: a region is a property here, not a place to ask at.
pub(super) async fn list_instance(call: Call) -> Result<Object, Failure> {
    let page = Numbered::read(&call)?;
    let status = call.parameters.word("InstanceStatus", &STATUSES)?;
    let permit = call.admit::<act::ListInstance>(call.account()?).await?;
    let mut all = call.identity().list_instances(permit).await?;
    let name = call.optional("InstanceName");
    let group = call.optional("ResourceGroupId");
    all.retain(|(one, _)| name.is_none_or(|name| one.on.name.as_str() == name) && status.is_none_or(|s| s == RUNNING) && group.is_none());
    let total = i64::try_from(all.len()).unwrap_or(i64::MAX);
    let shown = page.window.of(&all).iter().map(|(one, _)| listed(one));
    Ok(Object::new().list("Instances", shown).and(page.said()).with("TotalCount", total))
}

pub(super) async fn get_instance_count(call: Call) -> Result<Object, Failure> {
    let permit = call.admit::<act::ListInstance>(call.account()?).await?;
    let all = call.identity().list_instances(permit).await?;
    Ok(Object::new().with("Count", i64::try_from(all.len()).unwrap_or(i64::MAX)))
}

/// The regions that the account's instances stand in.
pub(super) async fn list_instance_region(call: Call) -> Result<Object, Failure> {
    let permit = call.admit::<act::ListInstance>(call.account()?).await?;
    let all = call.identity().list_instances(permit).await?;
    let regions: BTreeSet<_> = all.iter().map(|(one, _)| one.on.region.as_str()).collect();
    Ok(Object::new().list("Regions", regions.into_iter().map(|id| Object::new().with("RegionId", id).with("LocalName", id))))
}

/// Figures are texts, but for the last one. Charts are artifacts in repositories like others, and counted with them.
pub(super) async fn get_instance_usage(call: Call) -> Result<Object, Failure> {
    let named = call.instance().await?;
    let permit = call.admit::<act::GetInstanceUsage>((*named.on).clone()).await?;
    named.there()?;
    let usage = call.registry().instance_usage(permit).await?;
    let figures = [
        ("NamespaceQuota", i64::from(usage.max_namespaces)),
        ("NamespaceUsage", usage.used.namespaces),
        ("RepoQuota", i64::from(usage.max_repositories)),
        ("RepoUsage", usage.used.repositories),
        ("VpcQuota", i64::try_from(MAX_PRIVATE_ENDPOINTS).unwrap_or(i64::MAX)),
        ("VpcUsage", usage.used.private_endpoints),
        ("ChartNamespaceQuota", 0),
        ("ChartNamespaceUsage", 0),
        ("ChartRepoQuota", 0),
        ("ChartRepoUsage", 0),
    ];
    let said = figures.into_iter().fold(Object::new(), |said, (name, figure)| said.with(name, figure.to_string()));
    Ok(said.with("PerformanceUnits", 0))
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

/// And ends with.
fn tail() -> Object {
    Object::new().with("ResourceGroupId", "").list("Tags", Vec::<Value>::new())
}

/// In a list, times are texts.
fn listed(instance: &Instance) -> Object {
    head(instance)
        .with("RegionId", instance.on.region.as_str())
        .with("CreateTime", instance.created.millis().to_string())
        .with("ModifiedTime", instance.updated.millis().to_string())
        .and(tail())
}
