//! Endpoints of an instance, and whom they let in.

use access::Cidr;
use api::{DefaultAction, Endpoint, EndpointEntry};
use http::StatusCode;
use identity::{PublicChange, Zeal};
use kit::{Answer, empty, json};
use model::{Action, ActionKind, NetworkName, OnInstance, act};
use store::network::Endpoints;

use crate::call::Call;
use crate::errors::Problem;
use crate::shapes;

/// What stands for the public endpoint where an endpoint is named; no network can be named so.
const PUBLIC: &str = "public";

/// A permit for something done to the endpoints of the path's instance.
async fn admitted<A: ActionKind<On = OnInstance>>(call: &Call) -> Result<access::Permit<A>, Problem> {
    let on = (*call.on_instance().await?).clone();
    call.admit_or_hide::<A>(on, Action::GetInstance).await
}

fn cidr(text: &str) -> Result<Cidr, Problem> {
    text.parse().map_err(|error| Problem::invalid("cidr", error))
}

/// The endpoints of an instance as answers show them, the public one first.
fn shown<'e>(call: &'e Call, on: &OnInstance, endpoints: &'e Endpoints) -> impl Iterator<Item = Endpoint> + use<'e> {
    let (id, networks) = (on.id, call.identity().access().networks());
    let private = endpoints.private.iter().map(move |private| shapes::private_endpoint(id, private, networks.knows(&private.network)));
    std::iter::once(shapes::public_endpoint(id, endpoints)).chain(private)
}

/// One of them by name.
fn named(call: &Call, on: &OnInstance, endpoints: &Endpoints, name: &str) -> Result<Endpoint, Problem> {
    shown(call, on, endpoints).find(|endpoint| endpoint.endpoint == name).ok_or_else(Problem::not_found)
}

pub(super) async fn list_endpoints(call: Call) -> Result<Answer, Problem> {
    let permit = admitted::<act::ListInstanceEndpoint>(&call).await?;
    let on = permit.on().clone();
    let endpoints = call.identity().list_endpoints(permit).await?;
    Ok(json(StatusCode::OK, &shown(&call, &on, &endpoints).collect::<Vec<_>>()))
}

pub(super) async fn show_endpoint(call: Call) -> Result<Answer, Problem> {
    let permit = admitted::<act::GetInstanceEndpoint>(&call).await?;
    let on = permit.on().clone();
    let endpoints = call.identity().show_endpoint(permit).await?;
    Ok(json(StatusCode::OK, &named(&call, &on, &endpoints, call.path(1))?))
}

pub(super) async fn update_public_endpoint(call: Call) -> Result<Answer, Problem> {
    let api::UpdateEndpoint { enabled, default_action, force } = call.json()?;
    let permit = admitted::<act::UpdateInstanceEndpointStatus>(&call).await?;
    let on = permit.on().clone();
    let wanted = PublicChange { enabled, lets_everybody_in: default_action.map(|action| action == DefaultAction::Allow) };
    let endpoints = call.identity().update_public_endpoint(permit, wanted, Zeal::forced(force)).await?;
    Ok(json(StatusCode::OK, &named(&call, &on, &endpoints, PUBLIC)?))
}

pub(super) async fn create_endpoint(call: Call) -> Result<Answer, Problem> {
    let new: api::CreateEndpoint = call.json()?;
    let name = NetworkName::parse(&new.network).map_err(Problem::name("network"))?;
    let permit = admitted::<act::CreateInstanceVpcEndpointLinkedVpc>(&call).await?;
    let on = permit.on().clone();
    let endpoints = call.identity().create_private_endpoint(permit, name).await?;
    Ok(json(StatusCode::CREATED, &named(&call, &on, &endpoints, &new.network)?))
}

pub(super) async fn delete_endpoint(call: Call) -> Result<Answer, Problem> {
    let api::ForceQuery { force } = call.query()?;
    let permit = admitted::<act::DeleteInstanceVpcEndpointLinkedVpc>(&call).await?;
    if call.path(1) == PUBLIC {
        return Err(Problem::invalid("endpoint", "the public endpoint is turned off, never deleted"));
    }
    let name = NetworkName::parse(call.path(1)).map_err(|_| Problem::not_found())?;
    call.identity().delete_private_endpoint(permit, name, Zeal::forced(force)).await?;
    Ok(empty(StatusCode::NO_CONTENT))
}

pub(super) async fn create_endpoint_entry(call: Call) -> Result<Answer, Problem> {
    let new: api::CreateEndpointEntry = call.json()?;
    let cidr = cidr(&new.cidr)?;
    let permit = admitted::<act::CreateInstanceEndpointAclPolicy>(&call).await?;
    let endpoints = call.identity().allow_addresses(permit, &[(cidr, &*new.comment)], Zeal::forced(new.force)).await?;
    let made = endpoints.entries.iter().find(|entry| entry.cidr == cidr.to_string()).ok_or_else(Problem::not_found)?;
    let made: EndpointEntry = shapes::endpoint_entry(made);
    Ok(json(StatusCode::CREATED, &made))
}

pub(super) async fn delete_endpoint_entry(call: Call) -> Result<Answer, Problem> {
    let api::ForceQuery { force } = call.query()?;
    let cidr = cidr(call.path(1)).map_err(|_| Problem::not_found())?;
    let permit = admitted::<act::DeleteInstanceEndpointAclPolicy>(&call).await?;
    call.identity().disallow_addresses(permit, &[cidr], Zeal::forced(force)).await?;
    Ok(empty(StatusCode::NO_CONTENT))
}
