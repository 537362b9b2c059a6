//! Instances: create, list, show, update, delete.

use std::sync::Arc;

use access::{Permit, audit};
use model::{Caller, InstanceId, InstanceName, OnInstance, Region, act};
use store::change::{self, Change};
use store::instance::{self, Instance};
use store::{StoreError, Tx};

use crate::{Identity, IdentityError};

/// Instances of one account, and hosts of one instance.
const MAX: usize = 1000;
const MAX_HOSTS: usize = 20;

/// An instance that is asked for.
#[derive(Clone, Debug)]
pub struct CreateInstance {
    /// Its name.
    pub name: InstanceName,
    /// Where it stands.
    pub region: Region,
    /// The host names that choose it.
    pub hosts: Vec<String>,
}

/// What to change of an instance; none: as it is.
#[derive(Clone, Debug, Default)]
pub struct UpdateInstance {
    /// May a push make its namespace?
    pub auto_create_namespace: Option<bool>,
    /// Does `/token` hand out refresh tokens?
    pub identity_tokens: Option<bool>,
    /// The host names that choose it.
    pub hosts: Option<Vec<String>>,
}

impl Identity {
    /// The instance that a host name chooses.
    pub async fn instance_at(&self, host: &str) -> Result<Option<Arc<Instance>>, StoreError> {
        self.access.directory().instance(host).await
    }

    /// The caller's instance where a request names none: the one that its host name chooses, if that is the account's; else the
    /// one that was made with the account.
    pub async fn instance_here(&self, caller: &Caller, host: &str) -> Result<Instance, IdentityError> {
        let account = caller.known().ok_or(IdentityError::NotFound("instance"))?.account;
        if let Some(here) = self.instance_at(host).await?.filter(|i| i.on.account == account) {
            return Ok((*here).clone());
        }
        let own = self.read(|tx| Box::pin(instance::default_of(tx, account))).await?;
        own.ok_or(IdentityError::NotFound("instance"))
    }

    /// An instance of the caller's account by name or id, as something to ask a permit for.
    pub async fn instance(&self, caller: &Caller, text: &str) -> Result<Instance, IdentityError> {
        let account = caller.known().ok_or(IdentityError::NotFound("instance"))?.account;
        if text.contains(char::is_control) {
            return Err(IdentityError::NotFound("instance"));
        }
        let found = self
            .read(|tx| {
                Box::pin(async move {
                    match text.parse::<InstanceId>() {
                        Ok(id) => instance::by_id(tx, id).await,
                        Err(_) => instance::by_name(tx, account, text).await,
                    }
                })
            })
            .await?;
        found.filter(|i| i.on.account == account).ok_or(IdentityError::NotFound("instance"))
    }

    /// Creates an instance. Its name is its admin user's, so it shares the users' space of names.
    pub async fn create_instance(&self, permit: Permit<act::CreateInstance>, wanted: CreateInstance) -> Result<Instance, IdentityError> {
        let hosts = checked_hosts(wanted.hosts)?;
        // It shares the users' space of names, so it may not be a name that they cannot have.
        model::LoginName::parse(wanted.name.as_str()).map_err(|e| IdentityError::invalid("name", e.rule))?;
        let on =
            OnInstance { account: permit.on().0, id: InstanceId::from_random(self.dice.bits()), name: wanted.name, region: wanted.region };
        let now = permit.op().now;
        let new = &Instance {
            on: Arc::new(on),
            is_default: false,
            auto_create_namespace: false,
            identity_tokens: false,
            created: now,
            updated: now,
        };
        let (hosts, record) = (&hosts, &permit.success().with_detail(new.on.name.as_str()));
        self.change(now, |tx| {
            Box::pin(async move {
                if instance::list(tx, new.on.account).await?.len() >= MAX {
                    return Err(IdentityError::Limit { what: "instances an account", max: 1000 });
                }
                insert(tx, new, hosts).await?;
                change::append(tx, now, Change::Instance(new.on.id.as_i64())).await?;
                Ok(audit::write(tx, self.access.audit(), record).await?)
            })
        })
        .await?;
        Ok(new.clone())
    }

    /// The account's instances by name.
    pub async fn list_instances(&self, permit: Permit<act::ListInstance>) -> Result<Vec<(Instance, Vec<String>)>, IdentityError> {
        let account = permit.on().0;
        Ok(self.read(|tx| Box::pin(with_hosts(tx, account))).await?)
    }

    /// One instance with its hosts.
    pub async fn show_instance(&self, permit: Permit<act::GetInstance>) -> Result<(Instance, Vec<String>), IdentityError> {
        let id = permit.on().id;
        let found = self
            .read(|tx| {
                Box::pin(async move {
                    let Some(one) = instance::by_id(tx, id).await? else { return Ok(None) };
                    Ok::<_, StoreError>(Some((one, instance::hosts(tx, id).await?)))
                })
            })
            .await?;
        found.ok_or(IdentityError::NotFound("instance"))
    }

    /// Does the change give the instance a host name that it has not? That needs a permit of the account's.
    pub async fn claims_hosts(&self, permit: &Permit<act::UpdateInstance>, wanted: &UpdateInstance) -> Result<bool, IdentityError> {
        let id = permit.on().id;
        let has: Result<_, StoreError> = self.read(|tx| Box::pin(instance::hosts(tx, id))).await;
        let has = has?;
        let wanted = wanted.hosts.clone().map(checked_hosts).transpose()?.unwrap_or_default();
        Ok(wanted.iter().any(|host| !has.contains(host)))
    }

    /// Changes an instance's settings. Host names that it has not had need a `claim`: which instance a host name means is the
    /// account's business, or else whoever runs one instance could take another's clients.
    pub async fn update_instance(
        &self,
        permit: Permit<act::UpdateInstance>,
        wanted: UpdateInstance,
        claim: Option<Permit<act::CreateInstance>>,
    ) -> Result<(Instance, Vec<String>), IdentityError> {
        let hosts = wanted.hosts.clone().map(checked_hosts).transpose()?;
        let (id, now) = (permit.on().id, permit.op().now);
        let may_claim = claim.is_some_and(|claim| claim.on().0 == permit.on().account);
        let (wanted, hosts, record) = (&wanted, &hosts, &permit.success());
        self.change(now, |tx| {
            Box::pin(async move {
                let mut one = instance::by_id(tx, id).await?.ok_or(IdentityError::NotFound("instance"))?;
                one.auto_create_namespace = wanted.auto_create_namespace.unwrap_or(one.auto_create_namespace);
                one.identity_tokens = wanted.identity_tokens.unwrap_or(one.identity_tokens);
                one.updated = now;
                instance::update(tx, &one).await?;
                if let Some(hosts) = hosts {
                    let has = instance::hosts(tx, id).await?;
                    if !may_claim && hosts.iter().any(|host| !has.contains(host)) {
                        return Err(IdentityError::InUse("somebody else changed the hosts meanwhile: look again, then try again".into()));
                    }
                    take_hosts(tx, &one.on, hosts).await?;
                }
                change::append(tx, now, Change::Instance(id.as_i64())).await?;
                audit::write(tx, self.access.audit(), record).await?;
                let hosts = instance::hosts(tx, id).await?;
                Ok((one, hosts))
            })
        })
        .await
    }

    /// Deletes an instance that is empty and not the default one.
    pub async fn delete_instance(&self, permit: Permit<act::DeleteInstance>) -> Result<(), IdentityError> {
        let (id, now, record) = (permit.on().id, permit.op().now, &permit.success());
        self.change(now, |tx| {
            Box::pin(async move {
                let one = instance::by_id(tx, id).await?.ok_or(IdentityError::NotFound("instance"))?;
                if one.is_default {
                    return Err(IdentityError::InUse("the default instance cannot be deleted".into()));
                }
                if !instance::is_empty(tx, id).await? {
                    return Err(IdentityError::InUse("the instance still has namespaces: delete them first".into()));
                }
                store::account::free_login_names(tx, id.as_i64()).await?;
                crate::admin_user::forget(tx, &one.on, now).await?;
                instance::delete(tx, id).await?;
                change::append(tx, now, Change::Instance(id.as_i64())).await?;
                Ok(audit::write(tx, self.access.audit(), record).await?)
            })
        })
        .await
    }
}

async fn with_hosts(tx: &mut Tx<'_>, account: model::AccountId) -> Result<Vec<(Instance, Vec<String>)>, StoreError> {
    let mut with_hosts = Vec::new();
    for one in instance::list(tx, account).await? {
        let hosts = instance::hosts(tx, one.on.id).await?;
        with_hosts.push((one, hosts));
    }
    Ok(with_hosts)
}

/// Writes a new instance with its hosts, taking its name in the account's space of names.
pub(crate) async fn insert(tx: &mut Tx<'_>, new: &Instance, hosts: &[String]) -> Result<(), IdentityError> {
    let name = new.on.name.as_str();
    if !store::account::take_login_name(tx, new.on.account, name, "instance", new.on.id.as_i64()).await? {
        return Err(IdentityError::Taken { what: "user, service account or instance", name: name.into() });
    }
    instance::insert(tx, new).await?;
    take_hosts(tx, &new.on, hosts).await
}

/// Gives an instance these hosts. What it has already it keeps; a new one must be free, and its account's to claim.
async fn take_hosts(tx: &mut Tx<'_>, on: &OnInstance, hosts: &[String]) -> Result<(), IdentityError> {
    let id = on.id;
    for host in hosts {
        match instance::host_owner(tx, host).await? {
            Some(owner) if owner == id => {}
            Some(_) => return Err(IdentityError::Taken { what: "host", name: host.clone() }),
            None => crate::accounts::may_claim(tx, on.account, host).await?,
        }
    }
    Ok(instance::set_hosts(tx, id, hosts).await?)
}

/// Host names without ports, lower case; `localhost` and addresses always mean the default instance.
pub(crate) fn checked_hosts(hosts: Vec<String>) -> Result<Vec<String>, IdentityError> {
    if hosts.len() > MAX_HOSTS {
        return Err(IdentityError::Limit { what: "hosts an instance", max: 20 });
    }
    hosts.into_iter().map(|host| checked_host(&host.to_ascii_lowercase())).collect()
}

fn checked_host(host: &str) -> Result<String, IdentityError> {
    let label = |l: &str| {
        (1..=63).contains(&l.len()) && l.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') && !l.starts_with('-') && !l.ends_with('-')
    };
    let name = host.len() <= 253 && host.split('.').all(label);
    let reserved = host == "localhost" || host.parse::<std::net::IpAddr>().is_ok();
    match (name, reserved) {
        (true, false) => Ok(host.to_owned()),
        (_, true) => Err(IdentityError::invalid("hosts", "localhost and addresses always mean the default instance")),
        (false, false) => Err(IdentityError::invalid("hosts", "a host is a DNS name without a port")),
    }
}
