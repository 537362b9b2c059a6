//! Network rules: the endpoints of an instance, and whom each lets in.
//!
//! Every change is refused that would lock its own author out, unless they insist. Who is locked out all the same gets back in
//! on the machine: [`Identity::reset_endpoints`].

use std::collections::BTreeSet;
use std::fmt;

use access::{Cidr, Operator, Permit, Rules, audit};
use model::{ActionKind, InstanceId, NetworkName, OnInstance, Op, act};
use store::change::{self, Change};
use store::instance;
use store::network::{self, Endpoints, Entry, Private, Public};
use store::{StoreError, Tx};

use crate::{Identity, IdentityError};

/// Entries of one allow list: each request is compared to them.
const MAX_ENTRIES: usize = 500;
/// Private endpoints of one instance.
pub const MAX_PRIVATE_ENDPOINTS: usize = 64;

/// What to change of the public endpoint; none: as it is.
#[derive(Clone, Copy, Default, Debug)]
pub struct PublicChange {
    /// Off, it lets nobody in.
    pub enabled: Option<bool>,
    /// Does it let everybody in, or its entries alone?
    pub lets_everybody_in: Option<bool>,
}

/// How much a change is meant.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Zeal {
    /// Not if it locks its author out, or opens the instance to everybody unasked.
    Careful,
    /// Not if it locks its author out.
    Opening,
    /// Whatever follows.
    Force,
}

impl Zeal {
    /// Forced or not.
    pub const fn forced(force: bool) -> Self {
        if force { Self::Force } else { Self::Careful }
    }
}

impl Identity {
    /// All endpoints of an instance.
    pub async fn list_endpoints(&self, permit: Permit<act::ListInstanceEndpoint>) -> Result<Endpoints, IdentityError> {
        self.endpoints(permit.on().id).await
    }

    /// The same, for whoever may see one of them.
    pub async fn show_endpoint(&self, permit: Permit<act::GetInstanceEndpoint>) -> Result<Endpoints, IdentityError> {
        self.endpoints(permit.on().id).await
    }

    /// The host names at which an instance is reached, for whoever may do something to it.
    pub async fn hosts_of<A: ActionKind<On = OnInstance>>(&self, permit: &Permit<A>) -> Result<Vec<String>, IdentityError> {
        let id = permit.on().id;
        Ok(self.read(|tx| Box::pin(instance::hosts(tx, id))).await?)
    }

    async fn endpoints(&self, id: InstanceId) -> Result<Endpoints, IdentityError> {
        Ok(self.read(|tx| Box::pin(network::of_instance(tx, id))).await?)
    }

    /// Turns the public endpoint on or off, or opens it to everybody.
    pub async fn update_public_endpoint(
        &self,
        permit: Permit<act::UpdateInstanceEndpointStatus>,
        wanted: PublicChange,
        zeal: Zeal,
    ) -> Result<Endpoints, IdentityError> {
        self.edit(&permit, &Edit::Public(wanted), zeal).await
    }

    /// Adds entries to the public endpoint's allow list, or gives them another comment: all of them or none. From now on its entries alone get in.
    pub async fn allow_addresses(
        &self,
        permit: Permit<act::CreateInstanceEndpointAclPolicy>,
        entries: &[(Cidr, &str)],
        zeal: Zeal,
    ) -> Result<Endpoints, IdentityError> {
        let (created, created_by) = (permit.op().now, author(&permit)?);
        let entry = |(cidr, comment): &(Cidr, &str)| {
            Ok(Entry { cidr: cidr.to_string(), comment: checked_comment(comment)?, created, created_by: created_by.clone() })
        };
        let entries: Result<_, IdentityError> = entries.iter().map(entry).collect();
        self.edit(&permit, &Edit::Allow(entries?), zeal).await
    }

    /// Takes entries off the allow list: all of them or none. With the last one gone everybody gets in, as at a new instance.
    pub async fn disallow_addresses(
        &self,
        permit: Permit<act::DeleteInstanceEndpointAclPolicy>,
        entries: &[Cidr],
        zeal: Zeal,
    ) -> Result<Endpoints, IdentityError> {
        self.edit(&permit, &Edit::Disallow(entries.iter().map(Cidr::to_string).collect()), zeal).await
    }

    /// Gives a named network of the configuration a private endpoint: whoever comes from it gets in, whatever the public one says.
    pub async fn create_private_endpoint(
        &self,
        permit: Permit<act::CreateInstanceVpcEndpointLinkedVpc>,
        network: NetworkName,
    ) -> Result<Endpoints, IdentityError> {
        self.known_network(&network)?;
        let private = Private { network, created: permit.op().now, created_by: author(&permit)? };
        self.edit(&permit, &Edit::Create(private), Zeal::Careful).await
    }

    /// Takes a named network's private endpoint away.
    pub async fn delete_private_endpoint(
        &self,
        permit: Permit<act::DeleteInstanceVpcEndpointLinkedVpc>,
        network: NetworkName,
        zeal: Zeal,
    ) -> Result<Endpoints, IdentityError> {
        self.edit(&permit, &Edit::Delete(network), zeal).await
    }

    /// Makes a change of an instance's endpoints; says what they are then.
    async fn edit<A: ActionKind<On = OnInstance>>(&self, permit: &Permit<A>, edit: &Edit, zeal: Zeal) -> Result<Endpoints, IdentityError> {
        let (id, op) = (permit.on().id, permit.op());
        let record = &permit.success().with_detail(edit.to_string());
        self.change(op.now, |tx| {
            Box::pin(async move {
                let before = network::of_instance(tx, id).await?;
                edit.apply(tx, id, &before, zeal).await?;
                let after = network::of_instance(tx, id).await?;
                if zeal != Zeal::Force {
                    not_locked_out(&after, op)?;
                }
                change::append(tx, op.now, Change::Endpoints(id.as_i64())).await?;
                audit::write(tx, self.access.audit(), record).await?;
                Ok(after)
            })
        })
        .await
    }

    /// Lets everybody in at an instance's public endpoint again; entries and private endpoints stay. For whoever holds the
    /// server's configuration and has locked everybody out: there is nobody to ask for a permit. `instance` is an id or a name;
    /// none: the default one.
    pub async fn reset_endpoints(&self, by: Operator, instance: Option<&str>) -> Result<OnInstance, IdentityError> {
        let (op, on) = (by.op(), &self.any_instance(instance).await?);
        let record = &by.success(on.account, "operator:ResetEndpoints").with_detail(on.name.as_str());
        self.change(op.now, |tx| {
            Box::pin(async move {
                network::set_public(tx, on.id, Public::default()).await?;
                change::append(tx, op.now, Change::Endpoints(on.id.as_i64())).await?;
                Ok(audit::write(tx, self.access.audit(), record).await?)
            })
        })
        .await?;
        Ok(on.clone())
    }

    /// An instance of whatever account.
    async fn any_instance(&self, text: Option<&str>) -> Result<OnInstance, IdentityError> {
        let found: Result<Vec<_>, StoreError> = self
            .read(|tx| {
                Box::pin(async move {
                    Ok(match text.map(|text| (text, text.parse::<InstanceId>())) {
                        None => instance::by_host(tx, "").await?.into_iter().collect(),
                        Some((_, Ok(id))) => instance::by_id(tx, id).await?.into_iter().collect(),
                        Some((name, Err(_))) => instance::named(tx, name).await?,
                    })
                })
            })
            .await;
        match &*found? {
            [one] => Ok((*one.on).clone()),
            [] => Err(IdentityError::NotFound("instance")),
            _ => Err(IdentityError::invalid("instance", "several accounts have one of that name: use its id")),
        }
    }

    fn known_network(&self, name: &NetworkName) -> Result<(), IdentityError> {
        let networks = self.access.networks();
        if networks.knows(name) {
            return Ok(());
        }
        let known: Vec<_> = networks.names().map(NetworkName::as_str).collect();
        let known = if known.is_empty() { "none at all".to_owned() } else { known.join(", ") };
        Err(IdentityError::invalid("network", format!("the server's configuration has no network of that name; it has {known}")))
    }
}

/// A change of an instance's endpoints.
enum Edit {
    Public(PublicChange),
    Allow(Vec<Entry>),
    Disallow(Vec<String>),
    Create(Private),
    Delete(NetworkName),
}

impl Edit {
    /// Writes it, given what the endpoints are now.
    async fn apply(&self, tx: &mut Tx<'_>, id: InstanceId, now: &Endpoints, zeal: Zeal) -> Result<(), IdentityError> {
        match self {
            Self::Public(wanted) => Ok(network::set_public(tx, id, wanted.of(now.public)).await?),
            Self::Allow(entries) => allow(tx, id, now, entries).await,
            Self::Disallow(cidrs) => disallow(tx, id, now, cidrs, zeal).await,
            Self::Create(private) => create(tx, id, now, private).await,
            Self::Delete(network) if network::delete_private(tx, id, network).await? => Ok(()),
            Self::Delete(_) => Err(IdentityError::NotFound("private endpoint")),
        }
    }
}

/// For the audit trail.
impl fmt::Display for Edit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Public(PublicChange { enabled, lets_everybody_in }) => {
                let enabled = enabled.map(|on| if on { "on" } else { "off" });
                let everybody = lets_everybody_in.map(|yes| if yes { "everybody" } else { "entries alone" });
                let said: Vec<_> = enabled.into_iter().chain(everybody).collect();
                f.write_str(&said.join(", "))
            }
            Self::Allow(entries) => f.write_str(&entries.iter().map(|entry| &*entry.cidr).collect::<Vec<_>>().join(", ")),
            Self::Disallow(cidrs) => f.write_str(&cidrs.join(", ")),
            Self::Create(Private { network, .. }) | Self::Delete(network) => network.fmt(f),
        }
    }
}

impl PublicChange {
    fn of(self, now: Public) -> Public {
        let enabled = self.enabled.unwrap_or(now.enabled);
        Public { enabled, lets_everybody_in: self.lets_everybody_in.unwrap_or(now.lets_everybody_in) }
    }
}

async fn allow(tx: &mut Tx<'_>, id: InstanceId, now: &Endpoints, entries: &[Entry]) -> Result<(), IdentityError> {
    let is_new = |entry: &&Entry| now.entries.iter().all(|other| other.cidr != entry.cidr);
    let new: BTreeSet<_> = entries.iter().filter(is_new).map(|entry| &entry.cidr).collect();
    if now.entries.len() + new.len() > MAX_ENTRIES {
        return Err(IdentityError::Limit { what: "entries an allow list", max: 500 });
    }
    network::set_public(tx, id, Public { lets_everybody_in: false, ..now.public }).await?;
    for entry in entries {
        network::put_entry(tx, id, entry).await?;
    }
    Ok(())
}

async fn disallow(tx: &mut Tx<'_>, id: InstanceId, now: &Endpoints, cidrs: &[String], zeal: Zeal) -> Result<(), IdentityError> {
    for cidr in cidrs {
        if !network::delete_entry(tx, id, cidr).await? {
            return Err(IdentityError::NotFound("entry"));
        }
    }
    let opens = now.entries.len() == cidrs.len() && !now.public.lets_everybody_in;
    if opens && now.public.enabled && zeal == Zeal::Careful {
        return Err(IdentityError::NeedsForce("this is the last entry, and without one everybody gets in".into()));
    }
    Ok(network::set_public(tx, id, Public { lets_everybody_in: opens || now.public.lets_everybody_in, ..now.public }).await?)
}

async fn create(tx: &mut Tx<'_>, id: InstanceId, now: &Endpoints, private: &Private) -> Result<(), IdentityError> {
    if now.private.len() >= MAX_PRIVATE_ENDPOINTS {
        return Err(IdentityError::Limit { what: "private endpoints an instance", max: 64 });
    }
    network::set_public(tx, id, now.public).await?;
    if network::insert_private(tx, id, private).await? {
        return Ok(());
    }
    Err(IdentityError::Taken { what: "private endpoint", name: private.network.to_string() })
}

/// Whoever makes the change must still get in by it.
fn not_locked_out(after: &Endpoints, op: &Op) -> Result<(), IdentityError> {
    let rules: Result<_, StoreError> = Rules::read(after);
    match rules?.ask(op.source_ip, &op.network) {
        Ok(()) => Ok(()),
        Err(why) => Err(IdentityError::NeedsForce(format!("this would lock out your own address, {} ({why})", op.source_ip))),
    }
}

fn author<A: ActionKind>(permit: &Permit<A>) -> Result<String, IdentityError> {
    permit.by().known().map(|known| known.name.to_string()).ok_or(IdentityError::NotFound("user"))
}

fn checked_comment(text: &str) -> Result<String, IdentityError> {
    let text = text.trim();
    let fits = text.chars().count() <= 256 && !text.chars().any(char::is_control);
    if fits { Ok(text.to_owned()) } else { Err(IdentityError::invalid("comment", "at most 256 characters")) }
}
