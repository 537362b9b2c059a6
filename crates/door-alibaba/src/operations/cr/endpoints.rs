//! Endpoints and access lists: `internet` is the public endpoint, `vpc` are the private ones. A VPC is a named network of the server's
//! configuration.

use access::{Cidr, Permit};
use identity::{IdentityError, PublicChange, Zeal};
use model::{ActionKind, NetworkName, OnInstance, act};
use store::network::{Endpoints, Entry, Private};

use super::instances::RUNNING;
use super::named::not_supported;
use crate::call::Call;
use crate::errors::{Failure, Fault, Problem};
use crate::shapes::{Object, Value};

const INTERNET: &str = "internet";
const VPC: &str = "vpc";
const TYPES: [&str; 2] = [INTERNET, VPC];
const REGISTRY: &str = "Registry";
const MODULES: [&str; 2] = [REGISTRY, "Chart"];

/// A permit for the endpoints of a request's instance. Charts are pulled and pushed as images are, and have no endpoint of their own.
async fn admitted<A: ActionKind<On = OnInstance>>(call: &Call) -> Result<Permit<A>, Failure> {
    if call.parameters.word("ModuleName", &MODULES)?.is_some_and(|module| module != REGISTRY) {
        return Err(not_supported("An endpoint for charts alone").into());
    }
    let named = call.instance().await?;
    let permit = call.admit::<A>((*named.on).clone()).await?;
    named.there()?;
    Ok(permit)
}

fn endpoint_type(call: &Call) -> Result<&'static str, Problem> {
    call.parameters.word("EndpointType", &TYPES)?.ok_or_else(|| Problem::missing("EndpointType"))
}

/// Of what only the public endpoint has.
fn internet_alone(call: &Call) -> Result<(), Problem> {
    match endpoint_type(call)? {
        INTERNET => Ok(()),
        _ => Err(not_supported("This for endpoints of VPCs")),
    }
}

/// These calls ask nobody whether they are meant. An empty list opens, as in the cloud; but nobody is locked out by their own call,
/// because here an instance's rules hold for these calls too.
const ZEAL: Zeal = Zeal::Opening;

pub(super) async fn get_instance_endpoint(call: Call) -> Result<Object, Failure> {
    let which = endpoint_type(&call)?;
    let permit = admitted::<act::GetInstanceEndpoint>(&call).await?;
    let domains = Domains::of(&call, &permit).await?;
    let endpoints = call.identity().show_endpoint(permit).await?;
    let entry = |entry: &Entry| Object::new().with("Entry", &*entry.cidr).with("Comment", &*entry.comment);
    Ok(state(which, &endpoints).list("Domains", domains.shown(which)).list("AclEntries", entries(which, &endpoints).iter().map(entry)))
}

pub(super) async fn list_instance_endpoint(call: Call) -> Result<Object, Failure> {
    let brief = call.parameters.boolean("Summary")?.unwrap_or_default();
    let permit = admitted::<act::ListInstanceEndpoint>(&call).await?;
    let domains = Domains::of(&call, &permit).await?;
    let endpoints = call.identity().list_endpoints(permit).await?;
    let shown = TYPES.map(|which| {
        let entries = if brief { &[] } else { entries(which, &endpoints) };
        let linked: &[Private] = if which == VPC { &endpoints.private } else { &[] };
        state(which, &endpoints)
            .with("EndpointType", which)
            .list("Domains", domains.shown(which))
            .list("AclEntries", entries.iter().map(|entry| Object::new().with("Entry", &*entry.cidr)))
            .list("LinkedVpcs", linked.iter().map(|private| Object::new().with("VpcId", private.network.as_str())))
    });
    Ok(Object::new().list("Endpoints", shown))
}

/// Is it on, does its list count?
fn state(which: &str, endpoints: &Endpoints) -> Object {
    let (enabled, listed) = match which {
        INTERNET => (endpoints.public.enabled, !endpoints.public.lets_everybody_in),
        _ => (!endpoints.private.is_empty(), false),
    };
    Object::new().with("Enable", enabled).with("AclEnable", listed).with("Status", RUNNING)
}

fn entries<'e>(which: &str, endpoints: &'e Endpoints) -> &'e [Entry] {
    if which == INTERNET { &endpoints.entries } else { &[] }
}

pub(super) async fn update_instance_endpoint_status(call: Call) -> Result<Object, Failure> {
    internet_alone(&call)?;
    let enabled = call.parameters.boolean("Enable")?.ok_or_else(|| Problem::missing("Enable"))?;
    let permit = admitted::<act::UpdateInstanceEndpointStatus>(&call).await?;
    let wanted = PublicChange { enabled: Some(enabled), lets_everybody_in: None };
    call.identity().update_public_endpoint(permit, wanted, ZEAL).await?;
    Ok(Object::new())
}

pub(super) async fn create_instance_endpoint_acl_policy(call: Call) -> Result<Object, Failure> {
    internet_alone(&call)?;
    let wanted = wanted(&call)?;
    let entries: Vec<_> = wanted.iter().map(|(cidr, comment)| (*cidr, comment.as_str())).collect();
    let permit = admitted::<act::CreateInstanceEndpointAclPolicy>(&call).await?;
    call.identity().allow_addresses(permit, &entries, ZEAL).await?;
    Ok(Object::new())
}

pub(super) async fn delete_instance_endpoint_acl_policy(call: Call) -> Result<Object, Failure> {
    internet_alone(&call)?;
    let entries: Vec<_> = wanted(&call)?.into_iter().map(|(cidr, _)| cidr).collect();
    let permit = admitted::<act::DeleteInstanceEndpointAclPolicy>(&call).await?;
    call.identity().disallow_addresses(permit, &entries, ZEAL).await?;
    Ok(Object::new())
}

/// The entries of a request: one, or a list of them, each once.
fn wanted(call: &Call) -> Result<Vec<(Cidr, String)>, Problem> {
    let mut wanted: Vec<(Cidr, String)> = Vec::new();
    let comment = call.optional("Comment").unwrap_or_default();
    if let Some(text) = call.optional("Entry") {
        wanted.push((cidr("Entry", text)?, comment.to_owned()));
    }
    for member in call.parameters.members("Entries")? {
        let field = |name: &str| member.get(name).map(String::as_str);
        let text = field("Entry").ok_or_else(|| Problem::invalid("Entries", Fault::Format, "each has an Entry"))?;
        let block = cidr("Entries", text)?;
        if wanted.iter().all(|(other, _)| *other != block) {
            wanted.push((block, field("Comment").unwrap_or(comment).to_owned()));
        }
    }
    if wanted.is_empty() { Err(Problem::missing("Entry")) } else { Ok(wanted) }
}

fn cidr(parameter: &'static str, text: &str) -> Result<Cidr, Problem> {
    text.parse().map_err(|error| Problem::invalid(parameter, Fault::Format, error))
}

pub(super) async fn get_instance_vpc_endpoint(call: Call) -> Result<Object, Failure> {
    let permit = admitted::<act::GetInstanceEndpoint>(&call).await?;
    let domains = Domains::of(&call, &permit).await?;
    let private = call.identity().show_endpoint(permit).await?.private;
    let networks = call.identity().access().networks();
    let linked = private.iter().map(|one| linked(one, networks.knows(&one.network)));
    Ok(Object::new()
        .with("Enable", !private.is_empty())
        .with("ModuleName", REGISTRY)
        .list("Domains", domains.names(VPC).map(|(name, _)| Value::from(name)))
        .list("LinkedVpcs", linked))
}

fn linked(private: &Private, configured: bool) -> Object {
    let issue = if configured { "" } else { "the server's configuration has no network of this name" };
    Object::new()
        .with("VpcId", private.network.as_str())
        .with("VswitchId", "")
        .with("Ip", "")
        .with("Status", RUNNING)
        .with("DefaultAccess", false)
        .with("Issue", issue)
}

fn network(call: &Call) -> Result<NetworkName, Problem> {
    NetworkName::parse(call.required("VpcId")?).map_err(|error| Problem::invalid("VpcId", Fault::Format, error.rule))
}

/// `VswitchId` says where in a VPC the endpoint is to stand. A named network has no such places.
pub(super) async fn create_instance_vpc_endpoint_linked_vpc(call: Call) -> Result<Object, Failure> {
    let network = network(&call)?;
    let _ = call.parameters.boolean("EnableCreateDNSRecordInPvzt")?;
    let permit = admitted::<act::CreateInstanceVpcEndpointLinkedVpc>(&call).await?;
    call.identity().create_private_endpoint(permit, network).await?;
    Ok(Object::new())
}

pub(super) async fn delete_instance_vpc_endpoint_linked_vpc(call: Call) -> Result<Object, Failure> {
    let network = network(&call)?;
    let permit = admitted::<act::DeleteInstanceVpcEndpointLinkedVpc>(&call).await?;
    call.identity().delete_private_endpoint(permit, network, ZEAL).await?;
    Ok(Object::new())
}

/// The name that a suffix of the configuration makes of an instance's.
fn system(on: &OnInstance, label: &str, suffix: &str) -> String {
    format!("{}-{label}.{}.{suffix}", on.name, on.region)
}

/// The host names at which an instance is reached.
struct Domains {
    on: OnInstance,
    suffixes: Vec<String>,
    hosts: Vec<String>,
}

impl Domains {
    async fn of<A: ActionKind<On = OnInstance>>(call: &Call, permit: &Permit<A>) -> Result<Self, Failure> {
        let mut hosts = call.identity().hosts_of(permit).await?;
        let mut suffixes = Vec::new();
        for suffix in &call.door.settings.suffixes {
            // Another account may have been handed the domain: then this name leads to its instance, or to none.
            let there = call.identity().instance_at(&system(permit.on(), "registry", suffix)).await.map_err(IdentityError::from)?;
            if there.is_some_and(|instance| instance.on.id == permit.on().id) {
                suffixes.push(suffix.clone());
            }
        }
        // An instance without a name of its own is reached where this call came in.
        if hosts.is_empty() && suffixes.is_empty() && call.entered == permit.on().id {
            hosts.push(call.host.as_str().to_owned());
        }
        Ok(Self { on: permit.on().clone(), suffixes, hosts })
    }

    /// Names with whether they are made by rule, or chosen.
    fn names(&self, which: &str) -> impl Iterator<Item = (String, &'static str)> {
        let label = if which == VPC { "registry-vpc" } else { "registry" };
        let system: Vec<_> = self.suffixes.iter().map(|suffix| system(&self.on, label, suffix)).collect();
        let user: Vec<_> = self.hosts.iter().filter(|host| !system.contains(host)).cloned().collect();
        system.into_iter().map(|name| (name, "SYSTEM")).chain(user.into_iter().map(|name| (name, "USER")))
    }

    fn shown(&self, which: &str) -> Vec<Object> {
        self.names(which).map(|(name, kind)| Object::new().with("Domain", name).with("Type", kind)).collect()
    }
}
