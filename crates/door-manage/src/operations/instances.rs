//! Instances.

use http::StatusCode;
use identity::{CreateInstance, UpdateInstance};
use kit::{Answer, empty, json};
use model::{Action, InstanceName, Region, act};

use crate::call::Call;
use crate::errors::Problem;
use crate::shapes;

/// Where an instance stands unless told.
const LOCAL: &str = "local";

pub(super) async fn create_instance(call: Call) -> Result<Answer, Problem> {
    let new: api::CreateInstance = call.json()?;
    let name = InstanceName::parse(&new.name).map_err(Problem::name("name"))?;
    let region = Region::parse(new.region.as_deref().unwrap_or(LOCAL)).map_err(Problem::name("region"))?;
    let permit = call.admit::<act::CreateInstance>(call.account()?).await?;
    let wanted = CreateInstance { name, region, hosts: new.hosts.clone() };
    let made = call.identity().create_instance(permit, wanted).await?;
    let hosts = new.hosts.iter().map(|host| host.to_ascii_lowercase()).collect();
    Ok(json(StatusCode::CREATED, &shapes::instance((made, hosts))))
}

pub(super) async fn list_instances(call: Call) -> Result<Answer, Problem> {
    let permit = call.admit::<act::ListInstance>(call.account()?).await?;
    let all = call.identity().list_instances(permit).await?;
    let all: Vec<_> = all.into_iter().map(shapes::instance).collect();
    Ok(json(StatusCode::OK, &all))
}

pub(super) async fn show_instance(call: Call) -> Result<Answer, Problem> {
    let on = (*call.on_instance().await?).clone();
    let permit = call.admit_or_hide::<act::GetInstance>(on, Action::GetInstance).await?;
    let found = call.identity().show_instance(permit).await?;
    Ok(json(StatusCode::OK, &shapes::instance(found)))
}

pub(super) async fn show_instance_usage(call: Call) -> Result<Answer, Problem> {
    let on = (*call.on_instance().await?).clone();
    let id = on.id;
    let permit = call.admit_or_hide::<act::GetInstanceUsage>(on, Action::GetInstance).await?;
    let usage = call.registry().instance_usage(permit).await?;
    Ok(json(StatusCode::OK, &shapes::instance_usage(id, usage)))
}

pub(super) async fn update_instance(call: Call) -> Result<Answer, Problem> {
    let api::UpdateInstance { hosts, auto_create_namespace, identity_tokens } = call.json()?;
    let on = (*call.on_instance().await?).clone();
    let permit = call.admit_or_hide::<act::UpdateInstance>(on, Action::GetInstance).await?;
    let wanted = UpdateInstance { auto_create_namespace, identity_tokens, hosts };
    let claims = call.identity().claims_hosts(&permit, &wanted).await?;
    let claim = if claims { Some(call.admit::<act::CreateInstance>(call.account()?).await?) } else { None };
    let changed = call.identity().update_instance(permit, wanted, claim).await?;
    Ok(json(StatusCode::OK, &shapes::instance(changed)))
}

pub(super) async fn delete_instance(call: Call) -> Result<Answer, Problem> {
    let on = (*call.on_instance().await?).clone();
    let permit = call.admit_or_hide::<act::DeleteInstance>(on, Action::GetInstance).await?;
    call.identity().delete_instance(permit).await?;
    Ok(empty(StatusCode::NO_CONTENT))
}
